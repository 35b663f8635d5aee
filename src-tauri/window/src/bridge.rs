//! Between the pages and the resident: calls one way, hints the other.

use crate::arguments::Arguments;
use crate::view::View;
use crate::wait::wait;
use crate::windows::{self, Look};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tauri::{AppHandle, Emitter as _, Manager as _, async_runtime};
use tidings_api::{
    Appearance, Client, ClientError, ErrorCode, ErrorView, Event, Events, Reply, Request,
};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long the first window waits for the resident before it opens without one.
const FIRST_ANSWER: Duration = Duration::from_millis(500);
/// How long a resident may take to say hello and to let us watch.
const HELLO: Duration = Duration::from_secs(5);
/// How long a new window waits for its size and its light before it takes the usual ones.
const LOOK: Duration = Duration::from_millis(500);
/// Between attempts to reach the resident: the least and the most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// The way to the resident, which may be down.
pub struct Link(watch::Sender<Reach>);

enum Reach {
    Up(Arc<Client>),
    Down(ErrorView),
}

impl Default for Link {
    fn default() -> Self {
        Self(watch::Sender::new(Reach::Down(gone())))
    }
}

impl Link {
    /// Asks the resident.
    ///
    /// # Errors
    /// The resident's own, or [`ErrorCode::NeedsResident`] while the link is down, also for calls
    /// that were on their way when it went down.
    pub async fn call(&self, request: Request) -> Result<Reply, ErrorView> {
        let mut reach = self.0.subscribe();
        let client = match &*reach.borrow_and_update() {
            Reach::Up(client) => Arc::clone(client),
            Reach::Down(error) => return Err(error.clone()),
        };
        tokio::select! {
            biased;
            answer = client.call(request) => answer.map_err(worded),
            _ = reach.changed() => Err(gone()),
        }
    }

    /// How the user left a window, and the light it is drawn in.
    pub async fn look(&self, view: View) -> Look {
        let shape = Request::WindowShape {
            window: view.label().to_owned(),
        };
        let answers = timeout(LOOK, async {
            tokio::join!(self.call(shape), self.appearance())
        });
        let Ok((shape, appearance)) = answers.await else {
            return Look::default();
        };
        Look {
            shape: match shape {
                Ok(Reply::Shape(shape)) => shape,
                _ => None,
            },
            appearance: appearance.unwrap_or_default(),
        }
    }

    /// The light the user chose; none if the resident does not say.
    async fn appearance(&self) -> Option<Appearance> {
        match self.call(Request::Settings).await {
            Ok(Reply::Settings(settings)) => Some(settings.appearance),
            _ => None,
        }
    }

    fn set(&self, reach: Reach) {
        self.0.send_replace(reach);
    }
}

fn gone() -> ErrorView {
    worded(ClientError::NotRunning)
}

/// A broken connection and none at all are one to the user: the resident is not there.
fn worded(error: ClientError) -> ErrorView {
    match error {
        ClientError::NotRunning => ErrorView::new(
            ErrorCode::NeedsResident,
            "Tidings is not running. Start it again: this window goes on by itself.",
        ),
        ClientError::Broken(cause) => worded(ClientError::NotRunning).with_detail(cause),
        other => other.into_view(),
    }
}

/// Connects, opens the first window, and keeps up the link for as long as there is a window.
///
/// # Errors
/// Tauri's own, where the window cannot be made.
pub fn start(app: &AppHandle, arguments: Arguments) -> tauri::Result<()> {
    let link = app.state::<Link>();
    let first =
        async_runtime::block_on(async { timeout(FIRST_ANSWER, connect(&arguments.socket)).await });
    let events = match first {
        Ok(Ok((client, events))) => {
            link.set(Reach::Up(client));
            Some(events)
        }
        Ok(Err(error)) => {
            link.set(Reach::Down(worded(error)));
            None
        }
        Err(_) => None,
    };
    let view = View::of(&arguments.target);
    let look = async_runtime::block_on(link.look(view));
    windows::open(app, arguments.target, arguments.token, look)?;
    async_runtime::spawn(keep(app.clone(), arguments.socket, events));
    Ok(())
}

async fn connect(socket: &Path) -> Result<(Arc<Client>, Events), ClientError> {
    let client = Client::connect(socket, "window").await?;
    let events = client.watch().await?;
    Ok((Arc::new(client), events))
}

/// Delivers hints while the link is up and mends it when it is down.
async fn keep(app: AppHandle, socket: PathBuf, mut events: Option<Events>) {
    let link = app.state::<Link>();
    let mut pause = PAUSE.0;
    loop {
        if let Some(mut hints) = events.take() {
            while let Some(hint) = hints.next().await {
                deliver(&app, &link, hint).await;
            }
            link.set(Reach::Down(gone()));
            tell(&app, "link", Up { up: false });
            pause = PAUSE.0;
        }
        wait(pause).await;
        pause = (pause * 2).min(PAUSE.1);
        let Ok(connected) = timeout(HELLO, connect(&socket)).await else {
            continue;
        };
        match connected {
            Ok((client, hints)) => {
                link.set(Reach::Up(client));
                tell(&app, "link", Up { up: true });
                // Whatever was missed meanwhile: read everything again.
                deliver(&app, &link, Event::Resync).await;
                events = Some(hints);
            }
            Err(error) => link.set(Reach::Down(worded(error))),
        }
    }
}

/// What the event `link` carries.
#[derive(Clone, Copy, Serialize)]
struct Up {
    up: bool,
}

/// Passes a hint on to whom it concerns. The activation token stays here.
async fn deliver(app: &AppHandle, link: &Link, hint: Event) {
    if let Event::Present { target, token } = hint {
        windows::present(app, link, target, token).await;
        return;
    }
    if matches!(hint, Event::Settings | Event::Resync)
        && let Some(appearance) = link.appearance().await
    {
        windows::redraw(app, appearance);
    }
    tell(app, "hint", hint);
}

fn tell(app: &AppHandle, event: &str, payload: impl Serialize + Clone) {
    // Only a page that is going away cannot be told.
    drop(app.emit(event, payload));
}
