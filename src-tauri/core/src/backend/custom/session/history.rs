//! What was published before, page by page. Everything is collected first and then handed over from the
//! oldest to the newest, as it happened.

use super::take::{From, Taken};
use super::{Conversation, Job, Stage, wait};
use crate::backend::custom::items;
use crate::backend::custom::profile::{History, Order};
use crate::backend::custom::refusal;
use crate::backend::custom::template::Values;
use crate::backend::payload;
use crate::backend::{Effect, Fetched, Missing, Read};
use crate::model::{HttpRequest, Origin};
use jiff::{SignedDuration, Timestamp};
use url::Url;

/// Pages read where the profile names no number.
const PAGES: u32 = 200;
/// How much of a history is held until it is complete, in bytes.
const MOST: usize = 64 * 1024 * 1024;
/// How far behind the newest known one it is read again, for what was stored late.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// A history that is being read.
pub(super) struct Paging {
    /// The topic that it is of, where it is asked for one by one.
    line: Option<usize>,
    /// Lines that wait for their turn.
    rest: Vec<usize>,
    page: u32,
    /// What the next page is asked for by.
    cursor: Option<String>,
    /// Where it was asked for.
    url: Url,
    headers: Vec<(String, String)>,
    body: Option<String>,
    collected: Vec<Taken>,
    bytes: usize,
    truncated: bool,
    /// Ids and times that were there when it began.
    last: Option<String>,
    newest: Option<i64>,
}

impl Conversation {
    /// Begins to fetch.
    pub(super) fn fill(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.again = false;
        let Some(history) = self.profile().history.clone() else {
            return;
        };
        let each = history.parts().names("topic");
        let mut rest: Vec<usize> = if each {
            (0..self.lines.len()).rev().collect()
        } else {
            Vec::new()
        };
        let line = rest.pop();
        let paging = Paging {
            line,
            rest,
            page: 0,
            cursor: None,
            url: self.resume.base.clone(),
            headers: Vec::new(),
            body: None,
            collected: Vec::new(),
            bytes: 0,
            truncated: false,
            last: self.place.last.clone(),
            newest: self.place.newest,
        };
        self.turn(&history, Box::new(paging), None, now, effects);
    }

    /// Something changed: fetches it now, or once what is under way is done.
    pub(super) fn look_again(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.profile().history.is_none() {
            return;
        }
        let busy = self.jobs.values().any(|job| matches!(job, Job::History(_)));
        if busy || self.stage != Stage::Complete {
            self.again = true;
        } else {
            self.fill(now, effects);
        }
    }

    /// Asks for a page.
    fn turn(
        &mut self,
        history: &History,
        mut paging: Box<Paging>,
        address: Option<Url>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let since = match paging.newest {
            Some(newest) => Timestamp::from_millisecond(newest)
                .ok()
                .and_then(|newest| newest.checked_sub(OVERLAP).ok()),
            None => Timestamp::from_millisecond(self.place.floor).ok(),
        };
        let values = Values {
            topic: paging
                .line
                .and_then(|line| self.lines.get(line))
                .map(|line| line.topic.as_str()),
            page: paging.cursor.as_deref(),
            since: since.or(Some(now)),
            ..Values::default()
        };
        let mut request: HttpRequest = match self.request(&history.parts(), &values) {
            Ok(request) => request,
            Err(failure) => {
                effects.push(Effect::Fail(failure));
                return;
            }
        };
        if let Some(address) = address {
            request.url = address;
        }
        request.wants_head = true;
        paging.page += 1;
        paging.url = request.url.clone();
        let tag = self.next_tag();
        self.jobs.insert(tag, Job::History(paging));
        effects.push(Effect::Fetch {
            tag,
            request,
            read: Read::Whole,
        });
    }

    /// Part of a page came.
    pub(super) fn paged(
        &mut self,
        tag: u32,
        mut paging: Box<Paging>,
        part: Fetched<'_>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        match part {
            Fetched::Head(headers) => {
                if is_page(headers) {
                    effects.push(Effect::Fail(refusal::page()));
                    return;
                }
                paging.headers = headers.to_vec();
            }
            Fetched::Body(body) => paging.body = Some(body.to_owned()),
            Fetched::TooLong => paging.truncated = true,
            Fetched::Line(_) => {}
            Fetched::End => {
                self.page_read(paging, now, effects);
                return;
            }
            Fetched::Refused {
                status,
                retry_after,
                ..
            } => {
                effects.push(Effect::Fail(if status == 401 {
                    self.refused(status, retry_after)
                } else {
                    refusal::failure(status, retry_after, "the history")
                }));
                return;
            }
        }
        self.jobs.insert(tag, Job::History(paging));
    }

    fn page_read(&mut self, mut paging: Box<Paging>, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(history) = self.profile().history.clone() else {
            return;
        };
        let body = paging.body.take().unwrap_or_default();
        let value = payload::json(&body);
        let found = match &history.items {
            Some(pointer) => match items::at(&body, pointer) {
                Some(found) => found,
                None if value.is_some() => Vec::new(),
                None if body.trim().is_empty() => Vec::new(),
                None => {
                    effects.push(Effect::Fail(refusal::later(
                        "The history cannot be read: the server did not answer with JSON. It will be asked \
                         again.",
                    )));
                    return;
                }
            },
            None => items::of_answer(&body),
        };
        let mapping = history.map.as_ref().unwrap_or(&self.profile().map).clone();
        let from = From {
            event: "",
            id: "",
            content_type: "",
            line: paging.line,
            mapping: &mapping,
        };
        let mut met = false;
        let any = !found.is_empty();
        for item in &found {
            let Some(taken) = self.read(item, &from, now) else {
                continue;
            };
            let at = taken.payload.draft.created_at.as_millisecond();
            let known = paging.last.as_ref() == Some(&taken.id);
            let behind = paging
                .newest
                .is_some_and(|newest| at < newest.saturating_sub(millis(OVERLAP)));
            met |= known || behind || self.is_too_old(taken.payload.draft.created_at);
            paging.bytes += taken.payload.draft.body.len() + taken.payload.draft.raw.len();
            paging.collected.push(taken);
        }
        let ends_here = met && history.order == Order::NewestFirst && !history.complete;
        let next = if any && !ends_here {
            next_page(&history, &paging, value.as_ref())
        } else {
            None
        };
        match next {
            Some(_) if paging.page >= history.pages.unwrap_or(PAGES) || paging.bytes >= MOST => {
                paging.truncated = true;
            }
            Some((cursor, address)) => {
                paging.cursor = cursor;
                self.turn(&history, paging, address, now, effects);
                return;
            }
            None => {}
        }
        self.topic_read(&history, paging, now, effects);
    }

    /// All pages of this topic, or of all of them, were read.
    fn topic_read(
        &mut self,
        history: &History,
        mut paging: Box<Paging>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(line) = paging.rest.pop() {
            // The next one begins anew, with what was collected so far.
            if history.order == Order::NewestFirst {
                self.hand_all_over(&mut paging, history, now, effects);
            }
            paging.line = Some(line);
            paging.page = 0;
            paging.cursor = None;
            self.turn(history, paging, None, now, effects);
            return;
        }
        let shown = self.hand_all_over(&mut paging, history, now, effects);
        if history.complete && !paging.truncated && paging.line.is_none() {
            self.only(&shown, effects);
        }
        self.meanwhile.clear();
        if paging.truncated {
            self.missing = Some(Missing::Truncated);
        }
        if self.stage == Stage::Complete {
            self.advance(now, effects);
            if !self.owed.is_empty() {
                effects.push(Effect::Live);
                self.acknowledge(effects);
            }
        } else {
            self.complete(now, effects);
        }
        if self.again {
            self.fill(now, effects);
        } else if self.endpoint().is_some_and(|endpoint| endpoint.history) {
            let time = self.every();
            effects.push(Effect::Wait {
                tag: wait::ASK,
                time,
            });
        } else if !self.streams() {
            self.ask(now, effects);
        }
    }

    /// Hands over what was collected, the oldest first. Says what was there.
    fn hand_all_over(
        &mut self,
        paging: &mut Paging,
        history: &History,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Vec<String> {
        let mut collected = std::mem::take(&mut paging.collected);
        paging.bytes = 0;
        if history.order == Order::NewestFirst {
            collected.reverse();
        }
        let shown = collected
            .iter()
            .map(|taken| taken.payload.draft.remote_id.clone())
            .collect();
        for taken in collected {
            let origin = if self.stage == Stage::Complete {
                Origin::Live
            } else if self.lines[taken.line].new {
                Origin::FirstFilling
            } else {
                Origin::Backfill
            };
            if self.is_too_old(taken.payload.draft.created_at) {
                continue;
            }
            self.hand_over(taken, origin, now, effects);
        }
        shown
    }
}

/// What the next page is asked for by, or where it is; none at the end.
fn next_page(
    history: &History,
    paging: &Paging,
    value: Option<&serde_json::Value>,
) -> Option<(Option<String>, Option<Url>)> {
    if !history.link.is_empty() {
        let link = linked(&paging.headers, &history.link)?;
        let url = paging.url.join(&link).ok()?;
        return (url.origin() == paging.url.origin() && url != paging.url)
            .then_some((None, Some(url)));
    }
    let pointer = history.next.as_ref()?;
    let next = payload::at(value?, pointer)?;
    // A yes says that there is more, after what was read last.
    let next = match next.as_bool() {
        Some(true) => paging.collected.last()?.id.clone(),
        Some(false) => return None,
        None => payload::word(&next)?,
    };
    if next.is_empty() || paging.cursor.as_ref() == Some(&next) {
        return None;
    }
    if history.parts().names("page") {
        return Some((Some(next), None));
    }
    let url = paging.url.join(&next).ok()?;
    (url.origin() == paging.url.origin() && url != paging.url).then_some((None, Some(url)))
}

fn millis(time: SignedDuration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// A web page is no answer.
pub(super) fn is_page(headers: &[(String, String)]) -> bool {
    headers.iter().any(|(name, value)| {
        name == "content-type"
            && value
                .trim_start()
                .to_ascii_lowercase()
                .starts_with("text/html")
    })
}

/// The target of a link with this relation (RFC 8288).
fn linked(headers: &[(String, String)], relation: &str) -> Option<String> {
    headers
        .iter()
        .filter(|(name, _)| name == "link")
        .flat_map(|(_, value)| value.split('<').skip(1))
        .find_map(|link| {
            let (target, parameters) = link.split_once('>')?;
            let fits = parameters.split([';', ',']).any(|parameter| {
                parameter.split_once('=').is_some_and(|(name, value)| {
                    name.trim().eq_ignore_ascii_case("rel")
                        && value
                            .trim()
                            .trim_matches('"')
                            .split_ascii_whitespace()
                            .any(|word| word.eq_ignore_ascii_case(relation))
                })
            });
            fits.then(|| target.trim().to_owned())
        })
}
