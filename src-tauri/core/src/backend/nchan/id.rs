//! Message ids (Nchan README, "Message IDs"): `seconds:n`, where n counts inside the second; with several
//! channels in one connection `seconds:0,[2],-`, one number for each channel and brackets around that of the
//! channel that the message came from.

use super::headers;
use jiff::Timestamp;
use std::str::FromStr;

/// The most channels of one connection (Nchan, `NCHAN_MULTITAG_MAX`).
const MOST_CHANNELS: usize = 255;

/// An id, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MessageId {
    /// The server's time, in unix seconds.
    pub second: i64,
    /// Which message of that second was the last, for each channel; none where there was none.
    pub numbers: Vec<Option<u32>>,
    /// Which channel it came from.
    pub channel: usize,
}

impl MessageId {
    /// Reads an id; none if it has another form.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (second, rest) = text.split_once(':')?;
        let mut numbers = Vec::new();
        let mut channel = None;
        for (at, mark) in rest.split(',').enumerate() {
            if at == MOST_CHANNELS {
                return None;
            }
            let number = match mark
                .strip_prefix('[')
                .and_then(|mark| mark.strip_suffix(']'))
            {
                Some(number) if channel.is_none() => {
                    channel = Some(at);
                    Some(digits(number)?)
                }
                Some(_) => return None,
                None if mark == "-" => None,
                None => Some(digits(mark)?),
            };
            numbers.push(number);
        }
        let channel = channel.or((numbers.len() == 1).then_some(0))?;
        Some(Self {
            second: digits(second)?,
            channel: numbers[channel].map(|_| channel)?,
            numbers,
        })
    }

    /// How many messages of its second came before it, in its channel.
    pub(super) fn number(&self) -> u32 {
        self.numbers[self.channel].unwrap_or_default()
    }

    /// Grows from each message of a connection to the next.
    pub(super) fn order(&self) -> (i64, u64) {
        let count = |number: &Option<u32>| number.map_or(0, |number| u64::from(number) + 1);
        (self.second, self.numbers.iter().map(count).sum())
    }

    /// The same message's name in its channel, whichever channels it shares a connection with.
    pub(super) fn in_channel(&self) -> String {
        format!("{}:{}", self.second, self.number())
    }

    /// When it was published: the second, and within it the order, as far as it goes.
    pub(super) fn at(&self) -> Option<Timestamp> {
        let place = i64::from(self.number().min(999));
        Timestamp::from_millisecond(self.second.checked_mul(1000)?.checked_add(place)?).ok()
    }
}

fn digits<T: FromStr>(text: &str) -> Option<T> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// A place to resume at: what a transport was told, in a form that every other one can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The id, as the server wrote it.
    pub id: String,
    /// `Last-Modified` and `Etag` of the answer that it came with, byte for byte.
    pub pair: Option<(String, String)>,
}

/// The longest part of a place, in bytes.
const LONGEST: usize = 4096;

impl Place {
    /// A place that came as an id; none if it cannot be sent back.
    pub(super) fn of_id(id: &str) -> Option<Self> {
        is_sendable(id).then(|| Self {
            id: id.to_owned(),
            pair: None,
        })
    }

    /// A place that came with an answer. Where both are in the `Etag`, there is no `Last-Modified`
    /// (`nchan_subscriber_compound_etag_message_id`).
    pub(super) fn of_answer(last_modified: Option<&str>, etag: Option<&str>) -> Option<Self> {
        let etag = etag.filter(|etag| is_sendable(etag))?;
        // What a cache or a compressing proxy puts around it is no part of the id.
        let number = etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"');
        let Some(last_modified) = last_modified else {
            MessageId::read(number)?;
            return Self::of_id(number);
        };
        let second = headers::seconds(last_modified)?;
        let id = format!("{second}:{number}");
        MessageId::read(&id)?;
        Some(Self {
            id,
            pair: Some((last_modified.to_owned(), etag.to_owned())),
        })
    }

    /// Before everything that the server holds. Understood by every transport and for any number of
    /// channels, and takes the choice out of the server's hands (`nchan_subscriber_first_message`).
    pub(super) fn beginning() -> Self {
        Self {
            id: "1:0".to_owned(),
            pair: None,
        }
    }

    /// Before all messages of a second, for any number of channels.
    pub(super) fn before(second: i64) -> Self {
        Self {
            id: format!("{}:0", second.saturating_sub(1).max(1)),
            pair: None,
        }
    }

    /// What is kept.
    pub(super) fn cursor(&self) -> String {
        match &self.pair {
            None => self.id.clone(),
            Some((last_modified, etag)) => format!("{}\t{last_modified}\t{etag}", self.id),
        }
    }

    /// Reads what was kept; none if it is not one of ours.
    pub(super) fn read(cursor: &str) -> Option<Self> {
        let mut parts = cursor.split('\t');
        let place = Self::of_id(parts.next()?)?;
        match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => Some(place),
            (Some(last_modified), Some(etag), None)
                if is_sendable(last_modified) && is_sendable(etag) =>
            {
                Some(Self {
                    pair: Some((last_modified.to_owned(), etag.to_owned())),
                    ..place
                })
            }
            _ => None,
        }
    }
}

/// Whether it can be the value of a header.
fn is_sendable(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST
        && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}
