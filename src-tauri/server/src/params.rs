//! Parameters of a request, which ntfy takes from headers and the query alike.

use axum::http::HeaderMap;
use url::form_urlencoded;

use crate::words;

/// The headers and the query of a request.
pub(crate) struct Params<'a> {
    headers: &'a HeaderMap,
    query: Vec<(String, String)>,
}

impl<'a> Params<'a> {
    pub(crate) fn new(headers: &'a HeaderMap, query: &str) -> Self {
        let query = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.to_lowercase(), value.into_owned()))
            .collect();
        Self { headers, query }
    }

    /// The first of `names` (lower case) that says something, with or without `x-` before it, in a
    /// header or the query; empty if none does.
    pub(crate) fn get(&self, names: &[&str]) -> String {
        for name in names {
            let prefixed = format!("x-{name}");
            for name in [prefixed.as_str(), name] {
                if let Some(value) = self.headers.get(name) {
                    let text = words::encoded_words(&String::from_utf8_lossy(value.as_bytes()));
                    let text = text.trim();
                    // HTTP's own Priority header is none of ours.
                    let foreign = name == "priority" && words::priority(text) == Some(0);
                    if !text.is_empty() && !foreign {
                        return text.to_owned();
                    }
                }
            }
            for (key, value) in &self.query {
                if (key == name || *key == prefixed) && !value.trim().is_empty() {
                    return value.trim().to_owned();
                }
            }
        }
        String::new()
    }

    pub(crate) fn is_yes(&self, names: &[&str]) -> bool {
        words::is_yes(&self.get(names))
    }

    /// A parameter of the query alone, as it is.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}
