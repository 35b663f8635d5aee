//! What a stream cannot bring: the history of new topics, and what is left where a position is lost.

use super::{Asked, BURST, Conversation, SETTLE};
use crate::backend::mercure::dialect;
use crate::backend::mercure::lines::{Lines, Said};
use crate::backend::mercure::place::Position;
use crate::backend::mercure::stream::Filling;
use crate::backend::mercure::{payload, refusal};
use crate::backend::own_id::Ids;
use crate::backend::{Effect, Fetched, Missing, Read};
use crate::model::Origin;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// So many notifications without a time of a new topic's history are wanted.
const TIMELESS: usize = 100;

impl Conversation {
    pub(super) fn fill(
        &mut self,
        stream: usize,
        lines: Vec<usize>,
        from: Position,
        origin: Origin,
        missing: Option<Missing>,
        effects: &mut Vec<Effect>,
    ) {
        for &line in &lines {
            self.lines[line].filling = true;
        }
        self.fetch_filling(
            Filling {
                stream,
                lines,
                from,
                origin,
                missing,
                parser: Lines::default(),
                ids: Ids::default(),
                timeless: VecDeque::new(),
                last: None,
                count: 0,
                mute: false,
            },
            effects,
        );
    }

    pub(super) fn fetch_filling(&mut self, filling: Filling, effects: &mut Vec<Effect>) {
        let mut request = self.request(&filling.lines, Some(&filling.from));
        request.patience = None;
        let read = Read::Backlog { quiet: SETTLE };
        self.fetch(request, read, Asked::Filling(Box::new(filling)), effects);
    }

    pub(super) fn filling_part(
        &mut self,
        tag: u32,
        mut filling: Box<Filling>,
        part: Fetched<'_>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        match part {
            Fetched::Head(headers) => {
                if !dialect::is_event_stream(headers) {
                    return vec![Effect::Fail(refusal::strange_answer())];
                }
                let answered = dialect::answered(headers);
                filling.mute = answered.is_none();
                let unknown = matches!(
                    (&filling.from, answered),
                    (Position::After(id), Some(answered)) if answered != id
                );
                if unknown && filling.origin == Origin::FirstFilling {
                    // The page that named this event is old; what the hub holds is what there is.
                    filling.from = Position::Earliest;
                    self.fetch_filling(*filling, &mut effects);
                    return effects;
                }
                if unknown {
                    filling.missing = Some(Missing::UnknownCursor);
                }
            }
            Fetched::Line(line) => match filling.parser.take(line) {
                Some(Said::Event { name, id, data }) => {
                    self.filling_event(&mut filling, (&name, &id, &data), now, &mut effects);
                }
                Some(Said::Moved(id)) => filling.last = Some(id).filter(|id| !id.is_empty()),
                Some(Said::Comment) | None => {}
            },
            Fetched::TooLong => {
                filling.missing = filling.missing.or(Some(Missing::Truncated));
                filling.mute = false;
            }
            Fetched::Body(_) => {}
            Fetched::End => {
                let next = filling.last.clone().map(Position::After);
                if let Some(next) = next
                    && filling.mute
                    && filling.count >= BURST
                    && next != filling.from
                {
                    filling.from = next;
                    filling.count = 0;
                    filling.parser = Lines::default();
                    filling.ids = Ids::default();
                    self.fetch_filling(*filling, &mut effects);
                } else {
                    self.filled(*filling, &mut effects);
                }
                return effects;
            }
            Fetched::Refused {
                status,
                headers,
                retry_after,
                body,
            } => {
                let fetched = self.token.is_some();
                let failure = refusal::of_hub(status, headers, retry_after, body, fetched);
                return vec![Effect::Fail(failure)];
            }
        }
        self.asked.insert(tag, Asked::Filling(filling));
        effects
    }

    pub(super) fn filling_event(
        &mut self,
        filling: &mut Filling,
        event: (&str, &str, &str),
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        filling.count = filling.count.saturating_add(1);
        if !event.1.is_empty() {
            filling.last = Some(event.1.to_owned());
        }
        let own_id = filling.ids.own(event);
        let (line, reading) = self.read(&filling.lines, (event.0, own_id, event.2), now);
        let subscription = self.lines[line].subscription;
        if filling.origin != Origin::FirstFilling {
            effects.extend(payload::effects(reading, subscription, filling.origin));
            return;
        }
        let Some(draft) = reading.fresh() else { return };
        let age = Duration::try_from(now.duration_since(draft.created_at)).unwrap_or_default();
        if draft.created_at == now {
            filling.timeless.push_back((subscription, draft));
            if filling.timeless.len() > TIMELESS {
                filling.timeless.pop_front();
            }
        } else if age <= self.resume.fill {
            effects.push(Effect::Notify {
                subscription,
                draft,
                origin: filling.origin,
            });
        }
    }

    /// What these topics missed is here, as far as the hub holds it.
    pub(super) fn filled(&mut self, filling: Filling, effects: &mut Vec<Effect>) {
        let missing = match filling.missing {
            // It does not know what it sent itself, and has nothing else.
            Some(Missing::UnknownCursor) if filling.last.is_none() => Some(Missing::LiveOnly),
            missing => missing,
        };
        for (subscription, draft) in filling.timeless {
            effects.push(Effect::Notify {
                subscription,
                draft,
                origin: filling.origin,
            });
        }
        let stream = &mut self.streams[filling.stream];
        // Where this ends, only those topics are complete that were asked for.
        let is_all = filling.lines.len() == stream.lines.len();
        if let Some(last) = filling.last.as_deref().filter(|_| is_all)
            && stream.position.is_none()
        {
            stream.moved(last);
        }
        let cursor = stream.cursor();
        if stream.position.is_none() {
            stream.position = Some(stream.fall_back.clone().unwrap_or(Position::Earliest));
        }
        for line in filling.lines {
            let line = &mut self.lines[line];
            line.filling = false;
            line.filled = true;
            effects.push(Effect::Filled {
                subscription: line.subscription,
                missing,
            });
            effects.push(Effect::Advance {
                subscription: line.subscription,
                cursor: cursor.clone(),
            });
        }
        self.look_whether_live(effects);
    }
}
