//! One task per account, started again if it dies: a subscription is never silently dead.

use super::Shared;
use super::connection::state::Event;
use super::connection::task::{Told, run};
use crate::model::AccountId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Words waiting for an account's task.
const WORDS: usize = 16;
/// How soon a task that died is started again.
const RESTART: Duration = Duration::from_secs(5);

struct Running {
    told: mpsc::Sender<Told>,
    task: JoinHandle<()>,
}

/// The connection tasks by account.
#[derive(Default)]
pub struct Supervisor(Mutex<BTreeMap<AccountId, Running>>);

impl Supervisor {
    fn tasks(&self) -> std::sync::MutexGuard<'_, BTreeMap<AccountId, Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts an account's connection, or makes it read its account again.
    pub fn changed(&self, shared: &Arc<Shared>, account: AccountId) {
        self.say(shared, account, Told::Changed);
    }

    /// The same where only its subscriptions are others: those that stay are not disturbed.
    pub fn topics_changed(&self, shared: &Arc<Shared>, account: AccountId) {
        self.say(shared, account, Told::Topics);
    }

    fn say(&self, shared: &Arc<Shared>, account: AccountId, word: Told) {
        let mut tasks = self.tasks();
        if let Some(running) = tasks.get(&account)
            && running.told.try_send(word).is_ok()
        {
            return;
        }
        let (told, words) = mpsc::channel(WORDS);
        let task = tokio::spawn(keep(Arc::clone(shared), account, words));
        if let Some(old) = tasks.insert(account, Running { told, task }) {
            old.task.abort();
        }
    }

    /// Ends an account's connection.
    pub fn removed(&self, account: AccountId) {
        if let Some(running) = self.tasks().remove(&account) {
            running.task.abort();
        }
    }

    /// Tells one account's connection, or all.
    pub fn tell(&self, account: Option<AccountId>, event: &Event) {
        for (id, running) in &*self.tasks() {
            if account.is_none_or(|wanted| wanted == *id) {
                // A task with a full queue of wishes is about to look at the world anyway.
                let _ = running.told.try_send(Told::Event(event.clone()));
            }
        }
    }

    /// Ends all connections.
    pub fn stop(&self) {
        for (_, running) in std::mem::take(&mut *self.tasks()) {
            running.task.abort();
        }
    }
}

/// Runs an account's task, and again if it panics.
async fn keep(shared: Arc<Shared>, account: AccountId, mut words: mpsc::Receiver<Told>) {
    loop {
        let (told, inner) = mpsc::channel(WORDS);
        let mut task = AbortOnDrop(tokio::spawn(run(Arc::clone(&shared), account, inner)));
        loop {
            tokio::select! {
                word = words.recv() => match word {
                    Some(word) => {
                        if told.send(word).await.is_err() {
                            break;
                        }
                    }
                    None => return,
                },
                ended = &mut task.0 => {
                    tracing::error!(%account, panicked = ended.is_err(), "a connection's task died");
                    break;
                }
            }
        }
        shared.clock.sleep(RESTART).await;
    }
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
