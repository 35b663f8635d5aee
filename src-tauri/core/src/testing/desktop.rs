//! A desktop that remembers what it was asked.

use super::lock;
use crate::ports::Desktop;
use std::sync::Mutex;
use tidings_api::Target;

/// Remembers opened URLs and presented windows.
#[derive(Default)]
pub struct FakeDesktop {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    opened: Vec<(String, Option<String>)>,
    presented: Vec<(Target, Option<String>)>,
    refusal: Option<String>,
}

impl FakeDesktop {
    /// Nothing was asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// URLs opened, with their activation tokens.
    pub fn opened(&self) -> Vec<(String, Option<String>)> {
        lock(&self.state).opened.clone()
    }

    /// Windows brought up, with their activation tokens.
    pub fn presented(&self) -> Vec<(Target, Option<String>)> {
        lock(&self.state).presented.clone()
    }

    /// From now on no URL opens, for this reason; none: all do.
    pub fn refuse(&self, reason: Option<&str>) {
        lock(&self.state).refusal = reason.map(str::to_owned);
    }
}

impl Desktop for FakeDesktop {
    fn open(&self, url: &str, token: Option<String>) -> Result<(), String> {
        let mut state = lock(&self.state);
        if let Some(refusal) = &state.refusal {
            return Err(refusal.clone());
        }
        state.opened.push((url.to_owned(), token));
        Ok(())
    }

    fn present(&self, target: Target, token: Option<String>) {
        lock(&self.state).presented.push((target, token));
    }
}
