//! The family's own settings.

use super::dialect::Dialect;
use crate::backend::payload::{self, Mapping, Sources};
use crate::model::{Body, HttpRequest, Method, Sign};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use url::Url;

/// The longest text that can be entered, in bytes.
const LONGEST: usize = 4096;
/// An application may have to wake up to make a token.
const PATIENCE: Duration = Duration::from_mins(1);

/// Settings of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Options {
    /// Tried first; the other one is taken where the hub asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// Each topic has a stream of its own, so that it is known where an event was published.
    #[serde(skip_serializing_if = "is_no")]
    pub separate: bool,
    /// Where tokens come from; empty where one was pasted, or none is wanted.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub token_url: String,
    /// How it is asked.
    #[serde(skip_serializing_if = "is_default")]
    pub token_method: TokenMethod,
    /// What it is sent, with `{user}` and `{secret}`; empty: nothing, and the request is signed in as the
    /// account.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub token_body: String,
    /// Where in its answer the token is (RFC 6901); empty: under a usual name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub token_pointer: String,
    /// A new topic is filled from after this event, as the page said that named the hub.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub last_event_id: String,
    /// How payloads are read.
    #[serde(skip_serializing_if = "is_default")]
    pub mapping: Mapping,
}

/// How the address of the token is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum TokenMethod {
    /// RFC 9110, 9.3.3.
    #[default]
    #[serde(rename = "POST")]
    Post,
    /// RFC 9110, 9.3.1.
    #[serde(rename = "GET")]
    Get,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_no(switch: &bool) -> bool {
    !switch
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Options {
    /// Reads what is kept.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let options: Self = serde_json::from_str(text)
            .map_err(|error| format!("They are not what they should be ({error})."))?;
        options.check()?;
        Ok(options)
    }

    fn check(&self) -> Result<(), String> {
        self.mapping.check()?;
        let texts = [
            &self.token_url,
            &self.token_body,
            &self.token_pointer,
            &self.last_event_id,
        ];
        if texts.iter().any(|text| text.len() > LONGEST) {
            return Err(format!("No setting can be longer than {LONGEST} bytes."));
        }
        if self.last_event_id.chars().any(char::is_control) {
            return Err("The id of an event has no control characters.".to_owned());
        }
        if !self.token_pointer.is_empty() && !payload::is_pointer(&self.token_pointer) {
            return Err(format!(
                "\"{}\" is no JSON pointer. One looks like /data/token.",
                self.token_pointer
            ));
        }
        if self.token_url.is_empty() {
            return if self.token_body.is_empty() && self.token_pointer.is_empty() {
                Ok(())
            } else {
                Err("Enter the address of the token too.".to_owned())
            };
        }
        if self.token_method == TokenMethod::Get && !self.token_body.is_empty() {
            return Err("Only POST can send something to the address of the token.".to_owned());
        }
        let url = self.token_address().ok_or_else(|| {
            "The address of the token must begin with https:// (or http://).".to_owned()
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "Leave user name and password out of the address of the token and enter them in their own \
                 fields."
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// As it is kept; empty where nothing is set.
    pub(super) fn text(&self) -> String {
        if *self == Self::default() {
            return String::new();
        }
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Where tokens come from.
    pub(super) fn token_address(&self) -> Option<Url> {
        Url::parse(&self.token_url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
    }

    /// Asks for a token; none where there is no address.
    pub(super) fn token_request(&self) -> Option<HttpRequest> {
        let method = match self.token_method {
            TokenMethod::Post => Method::Post,
            TokenMethod::Get => Method::Get,
        };
        let mut request = HttpRequest::new(method, self.token_address()?)
            .header("Accept", "application/json, text/plain;q=0.9, */*;q=0.5");
        request.patience = Some(PATIENCE);
        if !self.token_body.is_empty() {
            let is_json = self.token_body.trim_start().starts_with(['{', '[']);
            let media_type = if is_json {
                "application/json"
            } else {
                "application/x-www-form-urlencoded"
            };
            request.body = Body::SignIn {
                media_type: media_type.to_owned(),
                template: self.token_body.clone(),
            };
            request.sign = Sign::Nothing;
        }
        Some(request)
    }

    /// The mapping in force. A payload's `id` is mostly that of the thing it is about, and comes with every
    /// change of it; the hub's id is that of the event.
    pub(super) fn mapping(&self) -> Mapping {
        let mut mapping = self.mapping.clone();
        mapping.id.get_or_insert_with(Sources::default);
        mapping
    }
}
