//! What was published before, asked for in finite requests.

use super::looking::LOOK_EVERY;
use super::{Conversation, OVERLAP, unreadable};
use crate::backend::ntfy::message::{self, Frame};
use crate::backend::ntfy::order::Run;
use crate::backend::{Effect, Missing, Read};
use crate::model::Origin;
use jiff::Timestamp;
use std::time::Duration;

/// A finite request under way.
pub(super) struct Filling {
    pub lines: Vec<usize>,
    pub origin: Origin,
    pub missing: Option<Missing>,
    /// Everything before this server time is in the answer, or came over the link.
    pub covers: i64,
    pub run: Run,
    pub readable: bool,
    pub unreadable: bool,
}

impl Conversation {
    /// Asks for what was published before: one request for the topics that have a cursor, one for those that
    /// have none, so that a new topic is filled on its own.
    pub(super) fn fill(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let server_now = self.server_now(now);
        let window = i64::try_from(self.resume.fill.as_secs()).unwrap_or(i64::MAX);
        let begin = server_now.saturating_sub(window);
        let (old, new): (Vec<usize>, Vec<usize>) = self
            .welcome()
            .into_iter()
            .partition(|&line| self.lines[line].cursor.is_some());
        if !old.is_empty() {
            let mut since = i64::MAX;
            let mut missing = None;
            for &line in &old {
                let cursor = self.lines[line].cursor.unwrap_or_default();
                // The server's clock was set back: the cursor says nothing about its times any more.
                let is_ahead = self.clock.is_some() && cursor > server_now.saturating_add(OVERLAP);
                if is_ahead {
                    missing = Some(Missing::UnknownCursor);
                }
                since = since.min(if is_ahead {
                    begin
                } else {
                    cursor.saturating_sub(OVERLAP)
                });
            }
            let origin = self.origin(now);
            self.fetch(old, since, origin, missing, server_now, effects);
        }
        if !new.is_empty() {
            self.fetch(new, begin, Origin::FirstFilling, None, server_now, effects);
        }
        if self.fillings.is_empty() {
            self.complete(now, effects);
        }
    }

    fn fetch(
        &mut self,
        lines: Vec<usize>,
        since: i64,
        origin: Origin,
        missing: Option<Missing>,
        server_now: i64,
        effects: &mut Vec<Effect>,
    ) {
        let since = since.max(1);
        let mut request = self.request(&lines, "json");
        request
            .url
            .query_pairs_mut()
            .append_pair("poll", "1")
            .append_pair("since", &since.to_string());
        let tag = self.next_tag();
        let filling = Filling {
            lines,
            origin,
            missing,
            // `open` just said what time it is there. A poll learns it from its answer, or not at all.
            covers: if self.open && self.clock.is_some() {
                server_now
            } else {
                since
            },
            run: Run::default(),
            readable: false,
            unreadable: false,
        };
        self.fillings.insert(tag, filling);
        effects.push(Effect::Fetch {
            tag,
            request,
            read: Read::Lines,
        });
    }

    /// What comes with a poll soon after another is as good as live; after a long one it is a backlog.
    fn origin(&self, now: Timestamp) -> Origin {
        let late = self
            .resume
            .poll_every
            .saturating_mul(2)
            .saturating_add(Duration::from_mins(1));
        let since = self
            .polled
            .map(|last| now.duration_since(last).unsigned_abs());
        if since.is_some_and(|since| since <= late) {
            Origin::Live
        } else {
            Origin::Backfill
        }
    }

    pub(super) fn line(
        &mut self,
        filling: &mut Filling,
        line: &str,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        if line.trim().is_empty() {
            return;
        }
        match message::read(line) {
            Some(Frame::Happening(happening)) => {
                if self.happening(&happening, line, Some(filling), now, effects) {
                    filling.readable = true;
                } else {
                    filling.unreadable = true;
                }
            }
            Some(Frame::Open { .. } | Frame::KeepAlive { .. } | Frame::Other) => {
                filling.readable = true;
            }
            None => {
                filling.unreadable = true;
                effects.push(unreadable(line));
            }
        }
    }

    /// The history of these topics is complete.
    pub(super) fn filled(&mut self, filling: &Filling, now: Timestamp, effects: &mut Vec<Effect>) {
        for &number in &filling.lines {
            let line = &mut self.lines[number];
            line.filled = true;
            if !self.live {
                effects.push(Effect::TopicRefused {
                    subscription: line.subscription,
                    says: String::new(),
                });
            }
            effects.push(Effect::Filled {
                subscription: line.subscription,
                missing: filling.missing,
            });
            let reached = line
                .reached
                .map_or(filling.covers, |reached| reached.max(filling.covers));
            line.advance(reached, effects);
        }
        if self.fillings.is_empty() {
            self.complete(now, effects);
        }
    }

    /// All that was asked for is here.
    fn complete(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if !self.live {
            self.live = true;
            self.ask_quota(effects);
            effects.push(Effect::Live);
        }
        if self.streamed_as().is_none() {
            self.polled = Some(now);
            effects.push(Effect::KeepAlive);
            let tag = self.next_tag();
            effects.push(Effect::Wait {
                tag,
                time: if self.welcome().is_empty() {
                    LOOK_EVERY
                } else {
                    self.resume.poll_every
                },
            });
        }
    }
}
