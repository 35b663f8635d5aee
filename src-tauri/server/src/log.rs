//! The requests the server has seen, for tests that look at what a client sent.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::http::Request;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The headers in the order of arrival, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Seen {
    /// The first value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The newest requests.
#[derive(Debug)]
pub(crate) struct Log {
    most: usize,
    seen: Mutex<VecDeque<Seen>>,
}

impl Log {
    /// Keeps the newest `most` requests.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            seen: Mutex::default(),
        }
    }

    pub(crate) fn add<B>(&self, request: &Request<B>) {
        if self.most == 0 {
            return;
        }
        let headers = request.headers().iter();
        let seen = Seen {
            method: request.method().to_string(),
            path: request
                .uri()
                .path_and_query()
                .map_or_else(String::new, ToString::to_string),
            headers: headers
                .map(|(name, value)| {
                    (
                        name.to_string(),
                        String::from_utf8_lossy(value.as_bytes()).into_owned(),
                    )
                })
                .collect(),
        };
        let mut log = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() == self.most {
            log.pop_front();
        }
        log.push_back(seen);
    }

    pub(crate) fn all(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }
}
