//! The sign-in in the browser.

use super::{Failure, Server};
use crate::model::HttpRequest;
use url::Url;

/// A page at which a user signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserPage {
    /// Where it is.
    pub url: Url,
    /// What the browser brings back, so that no other page can send it here.
    pub state: String,
}

/// How a family signs its users in in the browser, with a code that is proved by [`super::pkce`].
pub trait Browser: Send + Sync {
    /// Asks for the page. `device` names this computer, the browser comes back to `redirect`.
    fn begin(&self, server: &Server, device: &str, redirect: &Url, challenge: &str) -> HttpRequest;
    /// The page in the answer to [`Browser::begin`].
    fn page(&self, status: u16, body: &str) -> Result<BrowserPage, Failure>;
    /// Exchanges the code that the browser brought back.
    fn token(&self, server: &Server, code: &str, state: &str, verifier: &str) -> HttpRequest;
    /// The token in the answer to [`Browser::token`].
    fn signed_in(&self, status: u16, body: &str) -> Result<String, Failure>;
}
