//! Times of a wall clock, and days of a week.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;
use ts_rs::TS;

/// A time that a wall clock shows, to the minute: `07:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^([01][0-9]|2[0-3]):[0-5][0-9]$")))]
#[ts(export, type = "string")]
pub struct ClockTime(u16);

impl ClockTime {
    /// Of hours and minutes; none where no clock shows them.
    pub fn new(hour: u16, minute: u16) -> Option<Self> {
        (hour < 24 && minute < 60).then_some(Self(hour * 60 + minute))
    }

    /// Minutes since midnight, below 1440.
    pub fn minutes(self) -> u16 {
        self.0
    }

    /// Its hour, 0 to 23.
    pub fn hour(self) -> i8 {
        i8::try_from(self.0 / 60).unwrap_or(23)
    }

    /// Its minute, 0 to 59.
    pub fn minute(self) -> i8 {
        i8::try_from(self.0 % 60).unwrap_or(59)
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for ClockTime {
    type Err = &'static str;

    /// Of `7:00` or `07:00`.
    ///
    /// # Errors
    /// Words for the user.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WORDS: &str = "a time is written as 07:00, from 00:00 to 23:59";
        let number = |digits: &str| {
            if (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
                digits.parse().ok()
            } else {
                None
            }
        };
        let (hour, minute) = text.split_once(':').ok_or(WORDS)?;
        match (number(hour), number(minute), minute.len()) {
            (Some(hour), Some(minute), 2) => Self::new(hour, minute).ok_or(WORDS),
            _ => Err(WORDS),
        }
    }
}

impl Serialize for ClockTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClockTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// All of them, Monday first.
    pub const WEEK: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];
}
