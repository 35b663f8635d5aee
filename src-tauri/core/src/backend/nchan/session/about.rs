//! What the channels tell about themselves.

use super::{ABOUT, Conversation};
use crate::backend::nchan::address;
use crate::backend::nchan::line::{Held, Line};
use crate::backend::{Effect, Fetched, Read};
use crate::model::HttpRequest;
use std::time::Duration;

impl Conversation {
    pub(super) fn ask_about(&mut self, effects: &mut Vec<Effect>) {
        if self.asked_about > 0 || self.settings.info_url.is_empty() {
            return;
        }
        for (tag, line) in (ABOUT..).zip(&self.lines) {
            if line.subscription.is_none() {
                continue;
            }
            let Some(url) = address::about(&self.settings.info_url, &line.channel) else {
                continue;
            };
            let mut request = HttpRequest::get(url).header("Accept", "text/json");
            // A channel that tells nothing about itself is no reason to hear nothing from it.
            request.patience = Some(Duration::ZERO);
            self.asked_about += 1;
            effects.push(Effect::Fetch {
                tag,
                request,
                read: Read::Whole,
            });
        }
    }

    pub(super) fn told_about(
        &mut self,
        number: usize,
        part: Fetched<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(line) = self.lines.get_mut(number) else {
            return;
        };
        let says = match part {
            Fetched::Head(_) | Fetched::Line(_) | Fetched::TooLong => return,
            Fetched::Body(body) => {
                line.held = Held::read(body);
                if line.held.is_some() {
                    return;
                }
                "The address for information about the channel tells nothing of it, so a gap may go unnoticed. It \
                 must be the publisher's address."
                    .to_owned()
            }
            Fetched::End => {
                self.asked_about = self.asked_about.saturating_sub(1);
                self.look_whether_level(effects);
                return;
            }
            Fetched::Refused { status, .. } => {
                self.asked_about = self.asked_about.saturating_sub(1);
                if status == 404 {
                    // There is no such channel yet: nothing was ever published in it.
                    String::new()
                } else {
                    format!(
                        "The address for information about the channel answers with status {status}, so a gap \
                         may go unnoticed. Check it."
                    )
                }
            }
        };
        if let Some(subscription) = line.subscription.filter(|_| !says.is_empty()) {
            line.has_problem = true;
            effects.push(Effect::TopicRefused { subscription, says });
        }
        self.look_whether_level(effects);
    }

    /// Everything came that the channels told of.
    pub(super) fn look_whether_level(&mut self, effects: &mut Vec<Effect>) {
        let asked = !self.settings.info_url.is_empty() && self.is_waiting;
        if !self.complete && asked && self.asked_about == 0 && self.wanted().all(Line::is_level) {
            self.finish(effects);
        }
    }
}
