//! An event stream that is read as lines: a backlog, or the stream of a topic that has one for itself (WHATWG
//! HTML, 9.2.6).

use crate::model::limits;

/// What the lines so far amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// An event.
    Event {
        /// Its type; `message` where it has none.
        name: String,
        /// The last event id; empty where there is none.
        id: String,
        /// Its data.
        data: String,
    },
    /// A comment.
    Comment,
    /// The last event id moved without an event.
    Moved(String),
}

/// The parser's memory.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: bool,
    name: String,
    id: Option<String>,
    last_id: String,
    data: String,
    has_data: bool,
    too_long: bool,
}

impl Lines {
    /// Takes the next line, without its end.
    pub(super) fn take(&mut self, line: &str) -> Option<Said> {
        let line = if self.begun {
            line
        } else {
            self.begun = true;
            line.strip_prefix('\u{feff}').unwrap_or(line)
        };
        if line.is_empty() {
            return self.end();
        }
        if line.starts_with(':') {
            return Some(Said::Comment);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if self.data.len() + value.len() > limits::FRAME {
                    self.too_long = true;
                } else {
                    if self.has_data {
                        self.data.push('\n');
                    }
                    self.data.push_str(value);
                }
                self.has_data = true;
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            _ => {}
        }
        None
    }

    fn end(&mut self) -> Option<Said> {
        let moved = self.id.take();
        if let Some(id) = &moved {
            id.clone_into(&mut self.last_id);
        }
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        let has_data = std::mem::take(&mut self.has_data);
        let too_long = std::mem::take(&mut self.too_long);
        if has_data && !too_long {
            let name = if name.is_empty() {
                "message".to_owned()
            } else {
                name
            };
            return Some(Said::Event {
                name,
                id: self.last_id.clone(),
                data,
            });
        }
        moved.map(Said::Moved)
    }
}
