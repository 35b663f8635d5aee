//! A keyring in memory.

use super::lock;
use crate::model::{AccountId, Credential, SecretPlace};
use crate::ports::{Later, SecretError, SecretStore};
use std::sync::Mutex;

/// What the keyring does. The other places always work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretsMode {
    /// It works.
    #[default]
    Open,
    /// There is none.
    Missing,
    /// It is locked, and the prompt is dismissed each time.
    Locked,
}

/// Keeps credentials in memory.
#[derive(Default)]
pub struct MemorySecrets {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    mode: SecretsMode,
    kept: Vec<(SecretPlace, AccountId, Credential)>,
    asked: usize,
}

impl MemorySecrets {
    /// Empty and open.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes what the keyring does.
    pub fn set_mode(&self, mode: SecretsMode) {
        lock(&self.state).mode = mode;
    }

    /// What is kept for an account, whatever the mode.
    pub fn kept(&self, place: SecretPlace, account: AccountId) -> Option<Credential> {
        lock(&self.state).find(place, account)
    }

    /// How often anything was asked of it.
    pub fn asked(&self) -> usize {
        lock(&self.state).asked
    }

    fn reach(&self, place: SecretPlace) -> Result<std::sync::MutexGuard<'_, State>, SecretError> {
        let mut state = lock(&self.state);
        state.asked += 1;
        match state.mode {
            SecretsMode::Missing if place == SecretPlace::Keyring => Err(SecretError::Missing),
            SecretsMode::Locked if place == SecretPlace::Keyring => Err(SecretError::Locked),
            _ => Ok(state),
        }
    }
}

impl State {
    fn find(&self, place: SecretPlace, account: AccountId) -> Option<Credential> {
        self.kept
            .iter()
            .find(|(at, of, _)| *at == place && *of == account)
            .map(|(_, _, credential)| credential.clone())
    }

    fn forget(&mut self, place: SecretPlace, account: AccountId) {
        self.kept
            .retain(|(at, of, _)| *at != place || *of != account);
    }
}

impl SecretStore for MemorySecrets {
    fn get(
        &self,
        place: SecretPlace,
        account: AccountId,
    ) -> Later<'_, Result<Option<Credential>, SecretError>> {
        Box::pin(async move { Ok(self.reach(place)?.find(place, account)) })
    }

    fn set(
        &self,
        place: SecretPlace,
        account: AccountId,
        credential: Credential,
    ) -> Later<'_, Result<(), SecretError>> {
        Box::pin(async move {
            let mut state = self.reach(place)?;
            state.forget(place, account);
            state.kept.push((place, account, credential));
            Ok(())
        })
    }

    fn delete(&self, place: SecretPlace, account: AccountId) -> Later<'_, Result<(), SecretError>> {
        Box::pin(async move {
            self.reach(place)?.forget(place, account);
            Ok(())
        })
    }
}
