//! Joining channels and signing the user in: the application signs for this socket, the server checks it.

use super::channel::{self, Kind};
use super::frame;
use super::line::Step;
use super::refusal::{self, Refusal};
use super::sealed::Secret;
use super::session::{Alarm, Asking, Conversation, Open, User, send};
use crate::backend::{Effect, Failure, FailureKind, Read};
use crate::model::{Body, HttpRequest, Method};
use crate::text;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::time::Duration;
use url::Url;
use url::form_urlencoded;

/// Signatures asked for at a time.
const AT_A_TIME: usize = 4;
/// Requests for a new key that may come to nothing before what waits for it is given up.
const KEY_TRIES: u32 = 5;
/// Time for the server's answer about a channel.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Time for the event that a server kept, which follows at once if there is one.
const REPLAY_WITHIN: Duration = Duration::from_secs(5);
/// Before the user's sign-in is tried again.
const USER_WAIT: Duration = Duration::from_secs(30);
/// What these addresses are called in the settings.
pub(super) const AUTH: &str = "the address for signing channels";
/// The same.
pub(super) const USER_AUTH: &str = "the address for signing the user in";
/// How much of a server's own words is shown, in characters.
const QUOTED: usize = 120;

/// Asks an application to sign for a socket: a form, as its pages send it.
pub(super) fn signature(url: &Url, socket_id: &str, channel: Option<&str>) -> HttpRequest {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("socket_id", socket_id);
    if let Some(channel) = channel {
        form.append_pair("channel_name", channel);
    }
    let request = HttpRequest {
        body: Body::Bytes {
            media_type: "application/x-www-form-urlencoded".to_owned(),
            bytes: form.finish().into_bytes(),
        },
        ..HttpRequest::new(Method::Post, url.clone())
    };
    // Without these, frameworks answer with a sign-in page where a status belongs.
    request
        .header("Accept", "application/json")
        .header("X-Requested-With", "XMLHttpRequest")
}

/// What is asked for, in words.
pub(super) fn called(channel: &str) -> String {
    format!("the channel {channel}")
}

impl Conversation {
    /// Begins to join a channel.
    pub(super) fn join(&mut self, number: usize, now: Timestamp, effects: &mut Vec<Effect>) {
        let line = &mut self.lines[number];
        line.step = Step::Waiting;
        match line.kind {
            Kind::Public => self.subscribe(number, None, effects),
            Kind::User => self.join_user(number, now, effects),
            Kind::Private | Kind::Presence | Kind::Encrypted => {
                if self.settings.auth.is_some() {
                    self.queue.push_back(number);
                    self.sign_next(effects);
                } else {
                    let says = format!(
                        "The channel {} has to be signed by the application. Enter {AUTH} in the account's \
                         settings.",
                        line.channel
                    );
                    self.refuse(number, forbidden(says), effects);
                }
            }
        }
    }

    /// The user's own events come with the sign-in.
    fn join_user(&mut self, number: usize, now: Timestamp, effects: &mut Vec<Effect>) {
        let channel = self.lines[number].channel.clone();
        match &self.user {
            User::Asked | User::Later => {}
            User::None => {
                let says = format!(
                    "The channel {channel} needs the user to be signed in. Enter {USER_AUTH} in the \
                     account's settings."
                );
                self.refuse(number, forbidden(says), effects);
            }
            User::Refused(failure) => {
                let failure = failure.clone();
                self.refuse(number, failure, effects);
            }
            User::Here(id) if channel == channel::of_user(id) => {
                self.lines[number].step = Step::Joined;
                self.joined(number, now, effects);
            }
            User::Here(id) => {
                let says = format!(
                    "The sign-in is for the user {}, so the channel {channel} says nothing. Remove it.",
                    text::one_line(id, QUOTED)
                );
                self.refuse(number, forbidden(says), effects);
            }
        }
    }

    /// Asks for as many signatures as may be asked for at a time.
    pub(super) fn sign_next(&mut self, effects: &mut Vec<Effect>) {
        loop {
            let under_way = self
                .asking
                .values()
                .filter(|asking| matches!(asking, Asking::Signature { .. }))
                .count();
            if under_way >= AT_A_TIME {
                return;
            }
            let Some(line) = self.queue.pop_front() else {
                return;
            };
            self.lines[line].step = Step::Signing;
            let body = String::new();
            self.ask_signature(line, Asking::Signature { line, body }, effects);
        }
    }

    fn ask_signature(&mut self, line: usize, asking: Asking, effects: &mut Vec<Effect>) -> bool {
        let Some(url) = &self.settings.auth else {
            return false;
        };
        let request = signature(url, &self.socket_id, Some(&self.lines[line].channel));
        let tag = self.next_tag();
        self.asking.insert(tag, asking);
        effects.push(Effect::Fetch {
            tag,
            request,
            read: Read::Apart,
        });
        true
    }

    /// Asks for another key of an encrypted channel. Whether that is possible.
    pub(super) fn ask_key(&mut self, line: usize, effects: &mut Vec<Effect>) -> bool {
        let body = String::new();
        self.ask_signature(line, Asking::Key { line, body }, effects)
    }

    /// The application signed.
    pub(super) fn signed(
        &mut self,
        number: usize,
        body: &str,
        _now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        self.sign_next(effects);
        let answer = frame::object(body);
        let line = &mut self.lines[number];
        let auth = frame::text(&answer, "auth");
        if auth.is_empty() {
            let failure = refusal::strange(&called(&line.channel), AUTH);
            self.refuse(number, failure, effects);
            return;
        }
        if line.kind == Kind::Encrypted {
            line.key = Secret::read(&frame::text(&answer, "shared_secret"));
            if line.key.is_none() {
                let says = format!(
                    "The application gave no key for the encrypted channel {}. Ask its owner to set one up.",
                    line.channel
                );
                self.refuse(number, forbidden(says), effects);
                return;
            }
        }
        self.subscribe(number, Some(&answer), effects);
    }

    /// Another key came, for events that wait for it.
    pub(super) fn new_key(
        &mut self,
        number: usize,
        body: &str,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let answer = frame::object(body);
        if let Some(key) = Secret::read(&frame::text(&answer, "shared_secret")) {
            self.lines[number].key = Some(key);
        }
        self.unseal_all(number, now, effects);
    }

    /// No key came. What waits for it goes on waiting while the application may yet answer, but not for ever.
    pub(super) fn no_key(
        &mut self,
        number: usize,
        (status, retry_after, body): (u16, Option<Duration>, &str),
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let line = &mut self.lines[number];
        match refusal::application(status, retry_after, body, "", AUTH) {
            Refusal::Later(_, wish) if line.key_tries < KEY_TRIES => {
                line.key_tries += 1;
                let time = line.next_wait(wish);
                self.alarm(Alarm::Key { line: number }, time, effects);
            }
            _ => self.unseal_all(number, now, effects),
        }
    }

    pub(super) fn not_signed(
        &mut self,
        number: usize,
        status: u16,
        retry_after: Option<Duration>,
        body: &str,
        effects: &mut Vec<Effect>,
    ) {
        self.sign_next(effects);
        let asked = called(&self.lines[number].channel);
        match refusal::application(status, retry_after, body, &asked, AUTH) {
            Refusal::Final(failure) => self.refuse(number, failure, effects),
            Refusal::Later(says, wish) => self.later(number, says, wish, effects),
        }
    }

    fn subscribe(
        &mut self,
        number: usize,
        signed: Option<&Map<String, Value>>,
        effects: &mut Vec<Effect>,
    ) {
        let line = &mut self.lines[number];
        line.step = Step::Asked;
        line.question = line.question.wrapping_add(1);
        let question = line.question;
        let mut data = json!({"channel": line.channel});
        if let Some(signed) = signed {
            for name in ["auth", "channel_data"] {
                if let Some(text) = signed.get(name).filter(|text| text.is_string()) {
                    data[name] = text.clone();
                }
            }
        }
        effects.push(send(&json!({"event": "pusher:subscribe", "data": data})));
        self.open.push_back(Open::Line(number));
        let alarm = Alarm::Answer {
            line: number,
            question,
        };
        self.alarm(alarm, ANSWER_WITHIN, effects);
    }

    pub(super) fn succeeded(&mut self, channel: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(number) = self.line(channel) else {
            return;
        };
        self.open.retain(|open| *open != Open::Line(number));
        let line = &mut self.lines[number];
        if line.step != Step::Asked {
            return;
        }
        line.step = Step::Joined;
        line.forget_tries();
        if line.is_cached() {
            line.replays = true;
            self.alarm(Alarm::Replay { line: number }, REPLAY_WITHIN, effects);
        } else {
            self.joined(number, now, effects);
        }
    }

    /// The server kept no event of this channel, or has sent it.
    pub(super) fn replayed(&mut self, number: usize, now: Timestamp, effects: &mut Vec<Effect>) {
        if std::mem::take(&mut self.lines[number].replays) {
            self.joined(number, now, effects);
        }
    }

    pub(super) fn not_subscribed(
        &mut self,
        channel: &str,
        status: Option<u64>,
        error: &str,
        effects: &mut Vec<Effect>,
    ) {
        let Some(number) = self.line(channel) else {
            return;
        };
        self.open.retain(|open| *open != Open::Line(number));
        self.server_refused(number, status, error, effects);
    }

    fn server_refused(
        &mut self,
        number: usize,
        status: Option<u64>,
        error: &str,
        effects: &mut Vec<Effect>,
    ) {
        let line = &self.lines[number];
        let words = match text::one_line(error.trim(), QUOTED) {
            words if words.is_empty() => String::new(),
            words => format!(" It says: {}.", words.trim_end_matches('.')),
        };
        if matches!(status, Some(408 | 429 | 500..=599)) {
            let says = format!(
                "The server could not subscribe the channel {}.{words} It will be asked again.",
                line.channel
            );
            self.later(number, says, None, effects);
            return;
        }
        let says = if line.kind.is_signed() {
            format!(
                "The server refused the channel {}.{words} Does the application sign for the app with this \
                 key?",
                line.channel
            )
        } else {
            format!("The server refused the channel {}.{words}", line.channel)
        };
        self.refuse(number, forbidden(says), effects);
    }

    /// A channel alone is refused; the others go on.
    pub(super) fn refuse(&mut self, number: usize, failure: Failure, effects: &mut Vec<Effect>) {
        let line = &mut self.lines[number];
        effects.push(line.says(&failure.says));
        line.step = Step::Refused(failure);
    }

    /// A channel alone is asked for again later.
    pub(super) fn later(
        &mut self,
        number: usize,
        says: String,
        wish: Option<Duration>,
        effects: &mut Vec<Effect>,
    ) {
        let line = &mut self.lines[number];
        effects.push(line.says(&says));
        let time = line.next_wait(wish);
        line.step = Step::Later(transient(says, wish));
        self.alarm(Alarm::Join { line: number }, time, effects);
    }

    /// Asks the application to sign the user in.
    pub(super) fn ask_user(&mut self, effects: &mut Vec<Effect>) {
        let Some(url) = &self.settings.user_auth else {
            return;
        };
        let request = signature(url, &self.socket_id, None);
        self.user = User::Asked;
        let tag = self.next_tag();
        let body = String::new();
        self.asking.insert(tag, Asking::User { body });
        effects.push(Effect::Fetch {
            tag,
            request,
            read: Read::Apart,
        });
    }

    pub(super) fn user_signed(&mut self, body: &str, effects: &mut Vec<Effect>) {
        let answer = frame::object(body);
        let (auth, user_data) = (
            frame::text(&answer, "auth"),
            frame::text(&answer, "user_data"),
        );
        if auth.is_empty() || user_data.is_empty() {
            let failure = refusal::strange("the user's sign-in", USER_AUTH);
            effects.push(Effect::Fail(failure));
            return;
        }
        effects.push(send(&json!({
            "event": "pusher:signin",
            "data": {"auth": auth, "user_data": user_data},
        })));
        self.sent_sign_in = true;
        self.open.push_back(Open::User);
        self.alarm(Alarm::UserAnswer, ANSWER_WITHIN, effects);
    }

    /// What was asked for is the account's own sign-in: without it, nothing is as it was meant.
    pub(super) fn user_not_signed(
        &mut self,
        status: u16,
        retry_after: Option<Duration>,
        body: &str,
        effects: &mut Vec<Effect>,
    ) {
        match refusal::application(status, retry_after, body, "the user's sign-in", USER_AUTH) {
            Refusal::Final(failure) => effects.push(Effect::Fail(failure)),
            Refusal::Later(says, wish) => {
                self.user = User::Later;
                for line in &mut self.lines {
                    if line.kind == Kind::User && !line.left {
                        effects.push(line.says(&says));
                        line.step = Step::Later(transient(says.clone(), wish));
                    }
                }
                let time = USER_WAIT.max(wish.unwrap_or_default());
                self.alarm(Alarm::User, time, effects);
            }
        }
    }

    pub(super) fn signed_in(&mut self, user: String, now: Timestamp, effects: &mut Vec<Effect>) {
        if !self.open.contains(&Open::User) {
            return;
        }
        self.open.retain(|open| *open != Open::User);
        self.user = User::Here(user);
        for number in 0..self.lines.len() {
            if self.lines[number].kind == Kind::User && !self.lines[number].left {
                self.join_user(number, now, effects);
            }
        }
        if let Some(topic) = self.user_topic()
            && self.line(&topic).is_none()
        {
            Self::offer(topic, "Sent to you", effects);
        }
    }

    /// The server does not know sign-ins of users.
    pub(super) fn no_user_here(&mut self, effects: &mut Vec<Effect>) {
        self.open.retain(|open| *open != Open::User);
        let failure = forbidden(
            "The server knows no sign-in of users, so nothing comes for the user alone. Leave the address \
             for signing the user in empty."
                .to_owned(),
        );
        for number in 0..self.lines.len() {
            if self.lines[number].kind == Kind::User && !self.lines[number].left {
                self.refuse(number, failure.clone(), effects);
            }
        }
        self.user = User::Refused(failure);
    }

    /// An error came and the connection goes on: it was about something that we sent. Reverb refuses signatures
    /// (4009) and what it does not know (4200) in this way, without a name, but in order.
    pub(super) fn not_closed(&mut self, code: Option<u16>, effects: &mut Vec<Effect>) {
        let signed = |open: &Open| match open {
            Open::Line(line) => self.lines[*line].kind.is_signed(),
            Open::User => true,
        };
        let about = match code {
            Some(4009) => self.open.iter().position(signed),
            Some(4200) => self.open.iter().position(|open| *open == Open::User),
            _ => None,
        };
        match about.and_then(|about| self.open.remove(about)) {
            Some(Open::Line(line)) => self.server_refused(line, Some(401), "", effects),
            Some(Open::User) => self.no_user_here(effects),
            None => {}
        }
    }
}

fn transient(says: String, retry_after: Option<Duration>) -> Failure {
    Failure {
        kind: FailureKind::Transient,
        says,
        retry_after,
    }
}

fn forbidden(says: String) -> Failure {
    Failure {
        kind: FailureKind::Forbidden,
        says,
        retry_after: None,
    }
}
