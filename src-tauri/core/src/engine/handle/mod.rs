//! The one way back: a request comes in, local state changes in one transaction, what servers are owed
//! is written beside it, and only then is anybody told.

mod accounts;
mod actions;
mod config;
mod general;
mod headers;
mod import;
mod inbox;
mod oidc;
mod pasted;
mod policy;
mod preview;
mod probe;
mod sending;
mod simulate;
mod subscriptions;

use super::{Shared, pictures, view};
use crate::backend::registry;
use std::sync::Arc;
use tidings_api::{ErrorCode, ErrorView, Reply, Request};

/// Answers a request.
pub async fn handle(shared: &Arc<Shared>, request: Request) -> Result<Reply, ErrorView> {
    match request {
        Request::Status => view::status(shared).map(Reply::Status),
        // Hints are handed out by whoever owns the connection to the client.
        Request::Watch => Ok(Reply::Done),
        Request::List(query) => inbox::list(shared, &query),
        Request::Show { id } => inbox::show(shared, id),
        Request::Change { targets, change } => inbox::change(shared, &targets, change),
        Request::Undo { step } => inbox::undo(shared, step),
        Request::Why { id } => inbox::why(shared, id),
        Request::Act {
            id,
            action,
            confirmed,
        } => actions::act(shared, id, action, confirmed).await,
        Request::OpenLink { id } => actions::open_link(shared, id),
        Request::OpenUrl { id, url } => actions::open_url(shared, id, &url),
        Request::Picture { id, of, asked } => pictures::picture(shared, id, of, asked).await,
        Request::PictureCache => pictures::size(shared),
        Request::PictureCacheEmpty => pictures::empty(shared).await,
        Request::Kinds => Ok(Reply::Kinds(
            registry::backends()
                .iter()
                .map(|backend| view::kind(*backend))
                .collect(),
        )),
        Request::Detect { url } => probe::detect(shared, &url).await,
        Request::Accounts => accounts::all(shared),
        Request::AccountAdd(draft) => accounts::add(shared, draft).await,
        Request::AccountAddByBrowser(draft) => accounts::add_by_browser(shared, draft).await,
        Request::AccountSignInByBrowser { id } => accounts::sign_in_by_browser(shared, id).await,
        Request::AccountTry(draft) => probe::try_draft(shared, &draft).await,
        Request::AccountTest { id } => probe::test(shared, id).await,
        Request::AccountEdit { id, edit } => accounts::edit(shared, id, edit).await,
        Request::AccountRemove { id } => accounts::remove(shared, id).await,
        Request::Import(asked) => import::import(shared, asked).await,
        Request::Preview(asked) => preview::preview(shared, &asked),
        Request::SubscriptionAdd { account, topic } => {
            subscriptions::subscribe(shared, account, &topic)
        }
        Request::SubscriptionEdit { id, edit } => {
            subscriptions::edit_subscription(shared, id, edit)
        }
        Request::SubscriptionRemove { id, forget } => {
            subscriptions::unsubscribe(shared, id, forget)
        }
        Request::Reconnect { account } => general::reconnect(shared, account),
        Request::Pause(change) => general::pause(shared, change),
        Request::Send(outgoing) => sending::send(shared, outgoing).await,
        Request::Settings => Ok(Reply::Settings(shared.settings())),
        Request::Preferences => Ok(shared.preferences_view()),
        Request::PreferencesSet(preferences) => {
            shared.set_preferences(&preferences)?;
            Ok(shared.preferences_view())
        }
        Request::ConfigExport => config::export(shared),
        Request::ConfigImport(asked) => config::import(shared, &asked),
        Request::ConfigSet { path, value } => config::set(shared, &path, value.as_deref()),
        Request::CellSet(row) => policy::set_cell(shared, *row),
        Request::Grid => policy::grid(shared),
        Request::Types => policy::types(shared),
        Request::DeliverNow => policy::deliver_now(shared),
        Request::QuietSkip => policy::skip_quiet(shared),
        Request::CardDismiss { subscription, kind } => {
            policy::dismiss_card(shared, subscription, kind.as_deref())
        }
        Request::Ledgers { from, after, limit } => policy::ledgers(shared, from, after, limit),
        Request::Simulate { preferences, days } => {
            simulate::simulate(shared, preferences.map(|other| *other), days)
        }
        Request::SettingsSet(settings) => general::set_settings(shared, settings),
        Request::Looking(presence) => Ok(general::looking(shared, presence)),
        Request::WindowShape { window } => general::window_shape(shared, &window),
        Request::WindowShapeSet { window, shape } => {
            general::set_window_shape(shared, &window, shape)
        }
        Request::TestToast => general::test_toast(shared).await,
        Request::OpenWindow { .. }
        | Request::Doctor
        | Request::Sounds
        | Request::SoundTry { .. }
        | Request::Quit => Err(ErrorView::new(
            ErrorCode::NeedsResident,
            "Only the running Tidings can do this. Start it with: tidings",
        )),
    }
}

fn invalid(words: impl Into<String>) -> ErrorView {
    ErrorView::new(ErrorCode::Invalid, words)
}
