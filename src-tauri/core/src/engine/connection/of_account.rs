//! What a server says of an account, and what becomes of that.

use super::attempt::Carries;
use crate::backend::Offered;
use crate::engine::{Shared, lock, storage};
use crate::model::{AccountId, Quota, SubscriptionId};
use crate::store::StoreError;
use std::sync::Arc;
use tidings_api::Event;

/// What the server says of the account.
pub enum OfAccount {
    /// It has these subscriptions, among others.
    Offered(Vec<Offered>),
    /// Its user is subscribed to exactly these there; new ones are kept under `place`.
    InStep {
        /// Under which of the server's addresses.
        place: String,
        /// What it has.
        listed: Vec<Offered>,
    },
    /// How much it may do.
    Quota(Box<Quota>),
}

/// Stores what the server says of the account, and says which subscriptions that makes.
pub type Offer = Box<dyn Fn(OfAccount) -> Result<Known, String> + Send + Sync>;
/// Topics and their subscriptions; none where the user left it.
pub type Known = Vec<(String, Option<SubscriptionId>)>;

/// Stores it in the engine's store.
pub fn offer(shared: Arc<Shared>, account: AccountId, carries: Carries) -> Offer {
    Box::new(move |said| {
        let now = shared.clock.now();
        let known = match said {
            OfAccount::Offered(offered) => shared.store.write(|tx| {
                let known = offered.iter().map(|one| {
                    let icon = one.icon.as_deref().unwrap_or_default();
                    let id = tx.offered(account, &one.topic, &one.name, icon, now)?;
                    Ok((one.topic.clone(), id))
                });
                known.collect::<Result<Known, StoreError>>()
            }),
            OfAccount::InStep { place, listed } => {
                let mut owes = false;
                let known = shared.store.write(|tx| {
                    owes = tx.keep_in_step(account, &place, &listed, now)?;
                    let all = tx.subscriptions(account)?.into_iter();
                    Ok(all.map(|one| (one.topic, Some(one.id))).collect())
                });
                if owes && known.is_ok() {
                    shared.wake_outbox.notify_one();
                }
                known
            }
            OfAccount::Quota(quota) => {
                lock(&shared.quotas).insert(account, *quota);
                shared.hint(Event::Status);
                Ok(Known::new())
            }
        };
        let known = known.map_err(|error| storage(&error).message)?;
        lock(&carries).extend(known.iter().filter_map(|(_, subscription)| *subscription));
        shared.hint(Event::Accounts);
        Ok(known)
    })
}
