//! Tokens that are fetched: before anything is opened, before they end, and once more when one is refused.

use super::{Asked, Conversation};
use crate::backend::mercure::refusal;
use crate::backend::mercure::token::{self, Token};
use crate::backend::{Effect, Fetched, Read};
use jiff::Timestamp;

impl Conversation {
    pub(super) fn ask_for_token(&mut self, renewal: bool, effects: &mut Vec<Effect>) {
        let Some(request) = self.options().token_request() else {
            return;
        };
        let headers = Vec::new();
        let asked = Asked::Token { headers, renewal };
        // What is open can do without for now.
        let read = if renewal { Read::Apart } else { Read::Whole };
        self.fetch(request, read, asked, effects);
    }

    /// There is a token: everything that is closed is opened with it, and the link anew.
    pub(super) fn signed_in(&mut self, token: Token, now: Timestamp, effects: &mut Vec<Effect>) {
        self.renewal = token.renew_after().map(|time| {
            let tag = self.next_tag();
            effects.push(Effect::Wait { tag, time });
            tag
        });
        self.token = Some(token.text);
        if let Some(number) = self.linked()
            && self.streams[number].open
        {
            self.open(number, effects);
        }
        self.open_all(now, effects);
    }

    pub(super) fn token_part(
        &mut self,
        tag: u32,
        (mut headers, renewal): (Vec<(String, String)>, bool),
        part: Fetched<'_>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let failure = match part {
            Fetched::Head(head) => {
                headers.extend_from_slice(head);
                None
            }
            Fetched::Line(_) | Fetched::TooLong => None,
            Fetched::Body(body) => {
                let pointer = self.options().token_pointer;
                match token::find(&headers, body, &pointer, now) {
                    Some(token) => {
                        self.signed_in(token, now, &mut effects);
                        return effects;
                    }
                    None => Some(refusal::no_token(token::is_page(&headers, body))),
                }
            }
            Fetched::End => Some(refusal::no_token(false)),
            Fetched::Refused {
                status,
                retry_after,
                ..
            } => Some(refusal::of_token(status, retry_after)),
        };
        match failure {
            None => {
                let asked = Asked::Token { headers, renewal };
                self.asked.insert(tag, asked);
            }
            // What is open stays so until its token ends. Then there is no connection without a new one.
            Some(_) if renewal => {}
            Some(failure) => effects.push(Effect::Fail(failure)),
        }
        effects
    }
}
