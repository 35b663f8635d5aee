//! A connection's conversation.
//!
//! The stream is opened first; the server repeats nothing on it. Only then is the history read, page by page
//! from the newest message down to the last one that was handed over. What comes over the stream meanwhile is
//! held and merged by id, so that all of it is handed over oldest first and nothing falls between the two. The
//! applications are asked for after that: whoever sent something is among them.

use super::application::{self, Application, Applications};
use super::held::Held;
use super::line::Line;
use super::listing::{self, Listing, Next, Purpose};
use super::message::Message;
use super::position::Position;
use super::{address, page, refusal};
use crate::backend::{Effect, Fetched, Input, Missing, Offered, Read, Resume, Session};
use crate::model::{HttpRequest, Origin, SubscriptionId, TransportKind};
use crate::text;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often the server's messages are compared with the inbox: it does not tell of deletes.
const LOOK_EVERY: Duration = Duration::from_mins(15);
/// Pages that are compared where nothing is new.
const LOOKED_AT: usize = 5;
/// Messages of the first page where little is expected.
const SHORT_PAGE: u16 = 25;
/// How much of a frame that cannot be read goes to the log, in characters.
const QUOTED: usize = 80;

/// What was asked for and not answered yet; one thing at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Nothing,
    Page(u32),
    Applications(u32),
    Offer,
}

/// Gotify's side of a connection.
pub(super) struct Conversation {
    resume: Resume,
    applications: Applications,
    /// Subscriptions by their applications' ids; those that the user left are in `applications` only.
    lines: BTreeMap<i64, Line>,
    /// What was offered last.
    offered: Option<Vec<Offered>>,
    /// Everything up to here is handed over; none: nothing ever was.
    high: Option<Position>,
    /// The account is new: what is fetched for it is its first filling.
    first: bool,
    held: Held,
    listing: Option<Listing>,
    /// Up to here the history was shown whole on this connection.
    shown: Option<Position>,
    /// Something was dropped, or came at a bad moment: the history is read once more.
    again: bool,
    /// Why not all of the backlog is here.
    missing: Option<Missing>,
    asked: Asked,
    /// Somebody unknown sent something since the applications were asked for.
    stranger: bool,
    /// The last tag given out.
    tag: u32,
    /// The tag of the waiting that is under way.
    waiting: Option<u32>,
    live: bool,
    /// When the last poll was complete.
    polled: Option<Timestamp>,
    /// When the inbox was last compared.
    looked: Option<Timestamp>,
}

impl Conversation {
    /// `most` is what may be held at a time, in bytes.
    pub(super) fn new(resume: Resume, most: usize) -> Self {
        let (lines, high) = Line::all(&resume.topics);
        Self {
            resume,
            applications: Applications::new(),
            lines,
            offered: None,
            high,
            first: high.is_none(),
            held: Held::new(most),
            listing: None,
            shown: None,
            again: false,
            missing: None,
            asked: Asked::Nothing,
            stranger: false,
            tag: 0,
            waiting: None,
            live: false,
            polled: None,
            looked: None,
        }
    }

    fn is_polled(&self) -> bool {
        self.resume.transport != TransportKind::Websocket
    }

    /// The account was let in before.
    fn worked(&self) -> bool {
        !self.first || self.live
    }

    fn next_tag(&mut self) -> u32 {
        self.tag = self.tag.wrapping_add(1);
        self.tag
    }

    fn refused(&self, status: u16, retry_after: Option<Duration>, body: &str) -> Effect {
        Effect::Fail(refusal::failure(status, retry_after, body, self.worked()))
    }

    /// Begins to read the history.
    fn list(&mut self, purpose: Purpose, now: Timestamp, effects: &mut Vec<Effect>) {
        let window = i64::try_from(self.resume.fill.as_secs()).unwrap_or(i64::MAX);
        let oldest = now.as_second().saturating_sub(window);
        let limit = match purpose {
            Purpose::News if self.live => SHORT_PAGE,
            _ => page::LONGEST,
        };
        let at_least = match purpose {
            Purpose::Look if self.live => LOOKED_AT,
            _ => 1,
        };
        let listing = Listing::new(purpose, limit, at_least, self.high, oldest);
        let is_again = std::mem::take(&mut self.again);
        self.listing = Some(match self.shown {
            _ if is_again => listing.right_after(),
            Some(shown) => listing.above(shown),
            None => listing,
        });
        self.ask_page(effects);
    }

    /// Reads what is new; now and then also what was deleted.
    fn look(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let is_due = self
            .looked
            .is_none_or(|looked| now.duration_since(looked).unsigned_abs() >= LOOK_EVERY);
        let purpose = if is_due { Purpose::Look } else { Purpose::News };
        self.list(purpose, now, effects);
    }

    fn ask_page(&mut self, effects: &mut Vec<Effect>) {
        let tag = self.next_tag();
        let Some(listing) = &self.listing else {
            return;
        };
        let mut url = match listing.purpose {
            Purpose::Fill { application } => {
                let id = application.to_string();
                address::below(&self.resume.base, &["application", &id, "message"])
            }
            Purpose::News | Purpose::Look => address::below(&self.resume.base, &["message"]),
        };
        url.query_pairs_mut()
            .append_pair("limit", &listing.limit.to_string());
        if let Some(since) = listing.since {
            url.query_pairs_mut()
                .append_pair("since", &since.to_string());
        }
        self.asked = Asked::Page(tag);
        effects.push(fetch(tag, url));
    }

    fn ask_applications(&mut self, effects: &mut Vec<Effect>) {
        let tag = self.next_tag();
        self.asked = Asked::Applications(tag);
        self.stranger = false;
        effects.push(fetch(
            tag,
            address::below(&self.resume.base, &["application"]),
        ));
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
        let is_fill = matches!(
            self.listing.as_ref().map(|listing| listing.purpose),
            Some(Purpose::Fill { .. })
        );
        if self.first || is_fill {
            Origin::FirstFilling
        } else if since.is_some_and(|since| since <= late) {
            Origin::Live
        } else {
            Origin::Backfill
        }
    }

    fn frame(&mut self, frame: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(message) = Message::read(frame) else {
            effects.push(unreadable(frame));
            return;
        };
        effects.push(Effect::KeepAlive);
        if let Some(listing) = &mut self.listing {
            listing.came(&message);
        }
        let is_known = self.applications.contains_key(&message.application);
        self.held.insert(message, Origin::Live);
        if self.held.is_full() {
            self.held.shrink();
            self.again = true;
        }
        match self.asked {
            Asked::Nothing if is_known => self.hand_over(now, effects),
            Asked::Nothing => self.ask_applications(effects),
            Asked::Applications(_) => self.stranger |= !is_known,
            Asked::Page(_) | Asked::Offer => {}
        }
    }

    fn fetched(&mut self, tag: u32, part: Fetched<'_>, now: Timestamp) -> Vec<Effect> {
        if ![Asked::Page(tag), Asked::Applications(tag)].contains(&self.asked) {
            return Vec::new();
        }
        let mut effects = Vec::new();
        match part {
            Fetched::Head(headers) => {
                let is_json = headers
                    .iter()
                    .find(|(name, _)| name == "content-type")
                    .is_none_or(|(_, media_type)| media_type.contains("json"));
                if !is_json {
                    effects.push(Effect::Fail(refusal::strange_answer()));
                }
            }
            Fetched::Body(body) => match self.asked {
                Asked::Page(_) => self.page(body, now, &mut effects),
                _ => self.list_of_applications(body, now, &mut effects),
            },
            Fetched::TooLong => match (self.asked, &mut self.listing) {
                (Asked::Page(_), Some(listing)) => {
                    if listing.too_long() {
                        self.ask_page(&mut effects);
                    } else {
                        self.listed(now, &mut effects);
                    }
                }
                _ => effects.push(Effect::Fail(refusal::strange_answer())),
            },
            // Only asked for bodies.
            Fetched::Line(_) | Fetched::End => {}
            // The application was deleted since it was listed.
            Fetched::Refused { status: 404, .. }
                if matches!(
                    self.listing.as_ref().map(|listing| listing.purpose),
                    Some(Purpose::Fill { .. })
                ) =>
            {
                self.listed(now, &mut effects);
            }
            Fetched::Refused {
                status,
                retry_after,
                body,
                ..
            } => effects.push(self.refused(status, retry_after, body)),
        }
        effects
    }

    fn page(&mut self, body: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        let origin = self.origin(now);
        let Some(listing) = &mut self.listing else {
            return;
        };
        let Some(page) = page::read(body, listing.limit) else {
            effects.push(Effect::Fail(refusal::strange_answer()));
            return;
        };
        effects.extend(page.unreadable.iter().map(|frame| unreadable(frame)));
        let mut wanted = Vec::new();
        let next = listing.page(page, &mut wanted);
        for message in wanted {
            self.held.insert(message, origin);
        }
        if self.held.is_full() {
            if listing.before.is_none() || matches!(listing.purpose, Purpose::Fill { .. }) {
                listing.cut_short();
                self.listed(now, effects);
                return;
            }
            self.held.shrink();
            self.again = true;
        }
        match next {
            Next::Page => self.ask_page(effects),
            Next::Done => self.listed(now, effects),
            Next::Strange => effects.push(Effect::Fail(refusal::strange_answer())),
        }
    }

    /// The history is here.
    fn listed(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let wants_list = match self.listing.as_ref().map(|listing| listing.purpose) {
            Some(Purpose::Look) | None => true,
            Some(Purpose::News | Purpose::Fill { .. }) => self.holds_unknown(),
        };
        if wants_list {
            self.ask_applications(effects);
        } else {
            self.asked = Asked::Nothing;
            self.settle(now, effects);
        }
    }

    fn holds_unknown(&self) -> bool {
        self.held
            .applications()
            .any(|id| !self.applications.contains_key(&id))
    }

    fn list_of_applications(&mut self, body: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(applications) = application::read(body, &self.resume.base) else {
            effects.push(Effect::Fail(refusal::strange_answer()));
            return;
        };
        let offered = application::offered(&applications);
        self.applications = applications;
        if self.stranger && self.holds_unknown() {
            // It may have come to be after the server answered.
            self.ask_applications(effects);
        } else if self.offered.as_ref() == Some(&offered) {
            self.asked = Asked::Nothing;
            self.settle(now, effects);
        } else {
            self.offered = Some(offered.clone());
            self.asked = Asked::Offer;
            effects.push(Effect::Offer(offered));
        }
    }

    fn offer_taken(&mut self, known: &[(String, Option<SubscriptionId>)]) {
        for (topic, subscription) in known {
            let Ok(id) = topic.parse::<i64>() else {
                continue;
            };
            match subscription {
                Some(subscription) => {
                    let new = || Line::new(*subscription, None);
                    self.lines.entry(id).or_insert_with(new).subscription = *subscription;
                }
                // The user left it.
                None => {
                    self.lines.remove(&id);
                }
            }
        }
    }

    /// All that is held can be handed over, and the listing, if one was read, is complete.
    fn settle(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.tell_gone(effects);
        match self.listing.take() {
            None => self.hand_over(now, effects),
            Some(listing) => self.settle_listing(&listing, now, effects),
        }
        if self.again {
            self.advance_all(effects);
            self.list(Purpose::Look, now, effects);
            return;
        }
        // Subscriptions that came back are filled one by one, for themselves.
        let alone = self.lines.iter().find(|(_, line)| line.alone && !line.gone);
        if let Some((&application, _)) = alone {
            self.list(Purpose::Fill { application }, now, effects);
            return;
        }
        self.complete(now, effects);
    }

    fn settle_listing(&mut self, listing: &Listing, now: Timestamp, effects: &mut Vec<Effect>) {
        self.missing = self.missing.or(listing.missing);
        if let Purpose::Fill { application } = listing.purpose {
            if let Some(line) = self.lines.get_mut(&application) {
                line.alone = false;
            }
            self.hand_over(now, effects);
            return;
        }
        if listing.anew {
            self.high = self.high.map(Position::anew);
            self.missing = Some(Missing::UnknownCursor);
        }
        // A listing that ended properly has shown everything up to its newest message.
        if !self.again {
            let high = self.high.get_or_insert_default();
            let (id, date) = listing.reached();
            high.id = high.id.max(id);
            high.date = high.date.max(date);
            self.shown = Some(listing.shown());
        }
        self.hand_over(now, effects);
        if listing.purpose == Purpose::Look {
            self.looked = Some(now);
        }
        if let Some((from, to, remote_ids)) = listing.only() {
            // With an application all its messages went; what it sent stays here.
            let subscriptions = self.lines.values().filter(|line| !line.gone);
            effects.push(Effect::Only {
                subscriptions: subscriptions.map(|line| line.subscription).collect(),
                from,
                to,
                remote_ids,
            });
        }
    }

    /// Everything is handed over.
    fn complete(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.first = false;
        self.fill_lines(effects);
        self.advance_all(effects);
        if !self.live {
            self.live = true;
            effects.push(Effect::Live);
        }
        if self.is_polled() {
            self.polled = Some(now);
            effects.push(Effect::KeepAlive);
        }
        if self.waiting.is_none() {
            let tag = self.next_tag();
            self.waiting = Some(tag);
            effects.push(Effect::Wait {
                tag,
                time: if self.is_polled() {
                    self.resume.poll_every
                } else {
                    LOOK_EVERY
                },
            });
        }
    }

    /// Calls backlogs complete that were not yet, or to which something was added.
    fn fill_lines(&mut self, effects: &mut Vec<Effect>) {
        let missing = self.missing.take();
        for line in self.lines.values_mut() {
            line.fill(missing, effects);
        }
    }

    fn advance_all(&mut self, effects: &mut Vec<Effect>) {
        for line in self.lines.values_mut() {
            line.advance(self.high, effects);
        }
    }

    /// Says which subscriptions have lost their application, and which have it again.
    fn tell_gone(&mut self, effects: &mut Vec<Effect>) {
        if self.offered.is_none() {
            return;
        }
        for (id, line) in &mut self.lines {
            line.is_gone(!self.applications.contains_key(id), effects);
        }
    }

    /// Hands over what is held, oldest first. The applications are as new as what is held.
    fn hand_over(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let nobody = Application::default();
        while let Some((message, origin)) = self.held.pop_oldest() {
            let id = message.application;
            let mut high = self.high.unwrap_or_default();
            if origin == Origin::Live && listing::begins_anew(high, &message) {
                high = high.anew();
                self.shown = None;
            }
            let is_news = high.id < message.id || high.epoch > self.high.map_or(0, |old| old.epoch);
            high.id = high.id.max(message.id);
            high.date = high.date.max(message.second());
            self.high = Some(high);
            let Some(line) = self.lines.get_mut(&id) else {
                // Of an application that was deleted just now, or that the user left.
                if !self.applications.contains_key(&id) {
                    effects.push(unreadable(message.raw()));
                }
                continue;
            };
            let application = self.applications.get(&id).unwrap_or(&nobody);
            line.fetched |= origin != Origin::Live;
            let origin = match origin {
                Origin::Backfill if line.alone => Origin::FirstFilling,
                origin => origin,
            };
            effects.push(Effect::Notify {
                subscription: line.subscription,
                draft: Box::new(message.draft(high.epoch, application, now)),
                origin,
            });
            // Until the history is here, something older may be missing.
            if is_news && line.filled && self.listing.is_none() {
                line.advance(self.high, effects);
            }
        }
    }
}

fn fetch(tag: u32, url: url::Url) -> Effect {
    Effect::Fetch {
        tag,
        request: HttpRequest::get(url),
        read: Read::Whole,
    }
}

fn unreadable(frame: &str) -> Effect {
    Effect::Unreadable {
        frame: text::one_line(frame, QUOTED),
    }
}

impl Session for Conversation {
    fn start(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.is_polled() {
            self.look(now, &mut effects);
        } else {
            let url = address::below(&self.resume.base, &["stream"]);
            effects.push(Effect::Open(HttpRequest::get(url)));
        }
        effects
    }

    fn receive(&mut self, input: Input<'_>, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Opened { .. } => {
                effects.push(Effect::KeepAlive);
                if self.asked == Asked::Nothing {
                    self.look(now, &mut effects);
                }
            }
            Input::Alive | Input::Comment(_) | Input::Position { .. } => {
                effects.push(Effect::KeepAlive);
            }
            Input::Frame(frame) | Input::Event { data: frame, .. } => {
                self.frame(frame, now, &mut effects);
            }
            Input::Offered(known) => {
                if self.asked == Asked::Offer {
                    self.asked = Asked::Nothing;
                    self.offer_taken(known);
                    self.settle(now, &mut effects);
                }
            }
            Input::Fetched { tag, part } => return self.fetched(tag, part, now),
            Input::Waited { tag } => {
                if self.waiting == Some(tag) {
                    self.waiting = None;
                    if self.asked == Asked::Nothing {
                        self.look(now, &mut effects);
                    } else {
                        self.again = true;
                    }
                }
            }
            // A proxy that knows nothing of WebSocket passes it on as a plain request.
            Input::Refused {
                status: 400 | 405 | 426 | 501,
                retry_after,
                ..
            } if !self.is_polled() => effects.push(Effect::Fail(refusal::blocked(retry_after))),
            Input::Refused {
                status,
                retry_after,
                body,
                ..
            } => effects.push(self.refused(status, retry_after, body)),
            // It says nothing: whether the client was deleted is seen when it connects again.
            Input::Closed { .. } => {}
        }
        effects
    }
}
