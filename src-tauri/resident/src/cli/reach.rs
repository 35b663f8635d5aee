//! Whom a command asks: the resident where one runs, else the same engine in this process.

use crate::profile::{Lock, Profile, Taken};
use crate::wiring;
use std::pin::pin;
use std::time::Duration;
use tidings_api::{AccountView, Client, ClientError, ErrorCode, ErrorView, Event, Reply, Request};
use tidings_core::engine::Engine;

/// How long another command may hold the profile.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whom a command asks.
pub enum Reach {
    /// The resident.
    Resident(Client),
    /// An engine of this process, while it holds the profile.
    Here(Engine, Lock),
}

impl Reach {
    /// Finds out.
    ///
    /// # Errors
    /// In words: another version runs, or the profile cannot be used.
    pub async fn open(profile: &Profile) -> Result<Self, ErrorView> {
        if let Some(client) = resident(profile).await? {
            return Ok(Self::Resident(client));
        }
        match profile.lock(PATIENCE).await {
            Ok(lock) => Ok(Self::Here(wiring::engine_for_a_command(profile)?, lock)),
            Err(Taken::Failed(error)) => Err(error),
            // Perhaps a resident that was just starting.
            Err(Taken::ByOther) => match resident(profile).await? {
                Some(client) => Ok(Self::Resident(client)),
                None => Err(ErrorView::new(
                    ErrorCode::Storage,
                    "Another Tidings works on this profile and does not answer. Wait for it to end, or \
                     end it, and try again.",
                )),
            },
        }
    }

    /// Asks.
    ///
    /// # Errors
    /// As the engine's.
    pub async fn call(&self, request: Request) -> Result<Reply, ErrorView> {
        match self {
            Self::Resident(client) => client.call(request).await.map_err(ClientError::into_view),
            Self::Here(engine, _) => engine.handle(request).await,
        }
    }

    /// Asks, and meanwhile hands the page of a sign-in in the browser to `show`.
    ///
    /// # Errors
    /// As the engine's.
    pub async fn call_showing(
        &self,
        request: Request,
        show: impl Fn(&str),
    ) -> Result<Reply, ErrorView> {
        let signs_in = matches!(
            request,
            Request::AccountAddByBrowser(_) | Request::AccountSignInByBrowser { .. }
        );
        let mut answer = pin!(self.call(request));
        if !signs_in {
            return answer.await;
        }
        let told = |event: Event| {
            if let Event::Browse { url } = event {
                show(&url);
            }
        };
        match self {
            Self::Resident(client) => {
                let mut events = client.watch().await.map_err(ClientError::into_view)?;
                loop {
                    tokio::select! {
                        answer = &mut answer => return answer,
                        Some(event) = events.next() => told(event),
                    }
                }
            }
            Self::Here(engine, _) => {
                let mut hints = engine.hints();
                loop {
                    tokio::select! {
                        answer = &mut answer => return answer,
                        // What was missed was no page: there is one only.
                        Ok(event) = hints.recv() => told(event),
                    }
                }
            }
        }
    }

    /// Whether a resident answers.
    pub fn is_resident(&self) -> bool {
        matches!(self, Self::Resident(_))
    }

    /// Lets go of the profile.
    pub async fn close(self) {
        if let Self::Here(engine, lock) = self {
            engine.stop().await;
            drop(lock);
        }
    }

    /// All accounts.
    ///
    /// # Errors
    /// As the engine's.
    pub async fn accounts(&self) -> Result<Vec<AccountView>, ErrorView> {
        match self.call(Request::Accounts).await? {
            Reply::Accounts(accounts) => Ok(accounts),
            other => Err(unexpected(&other)),
        }
    }

    /// The account that the user calls `name`, or that has that number.
    ///
    /// # Errors
    /// There is none; the words name those there are.
    pub async fn account(&self, name: &str) -> Result<AccountView, ErrorView> {
        let accounts = self.accounts().await?;
        let by_name = accounts
            .iter()
            .filter(|account| account.name == name)
            .count();
        let names: Vec<_> = accounts
            .iter()
            .map(|account| format!("{} ({})", account.name, account.id))
            .collect();
        if by_name > 1 {
            return Err(ErrorView::new(
                ErrorCode::Invalid,
                format!(
                    "Several accounts are called {name}; use their numbers: {}.",
                    names.join(", ")
                ),
            ));
        }
        accounts
            .into_iter()
            .find(|account| match by_name {
                0 => account.id.to_string() == name,
                _ => account.name == name,
            })
            .ok_or_else(|| {
                let known = if names.is_empty() {
                    "None is there yet: tidings account add URL.".to_owned()
                } else {
                    format!("There are: {}.", names.join(", "))
                };
                ErrorView::new(
                    ErrorCode::NotFound,
                    format!("There is no account {name}. {known}"),
                )
            })
    }
}

/// The resident of a profile, if one runs.
///
/// # Errors
/// One of another version runs, or it hung up.
pub async fn resident(profile: &Profile) -> Result<Option<Client>, ErrorView> {
    match Client::connect(&profile.socket, "cli").await {
        Ok(client) => Ok(Some(client)),
        Err(ClientError::NotRunning) => Ok(None),
        // No folder is there for a socket; whoever needs it says what is.
        Err(ClientError::Broken(error)) if error.kind() == std::io::ErrorKind::NotADirectory => {
            Ok(None)
        }
        Err(error) => Err(error.into_view()),
    }
}

/// The resident of a profile, for what only it can do.
///
/// # Errors
/// None runs.
pub async fn resident_only(profile: &Profile) -> Result<Client, ErrorView> {
    resident(profile).await?.ok_or_else(|| {
        ErrorView::new(
            ErrorCode::NeedsResident,
            "Tidings is not running, and this needs it. Start it with `tidings`, or with `tidings daemon` \
             where there is no desktop.",
        )
    })
}

/// An answer of another kind than the request has.
pub fn unexpected(_reply: &Reply) -> ErrorView {
    ErrorView::new(
        ErrorCode::Internal,
        "Tidings answered something else than it was asked. Quit it and start it again.",
    )
}
