//! What an event says. There is no schema of notifications: the payload is read like any other's, with the
//! hub's id for its own.

use crate::backend::Effect;
use crate::backend::payload::{self, Envelope, Mapping, Payload};
use crate::model::{Draft, Origin, SubscriptionId};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;

/// Topics of the hub's own events about subscriptions.
const SUBSCRIPTIONS: &str = "/.well-known/mercure/subscriptions/";
/// The type that 1.0 keeps for such events.
const RESERVED: &str = "mercure";
const ENCRYPTED: &str = "This notification is encrypted, and Tidings has no key for it.";

/// What was read.
pub(super) struct Reading {
    payload: Option<Payload>,
    /// What the payload says about where it was published, best first.
    pub topics: Vec<String>,
}

impl Reading {
    /// The notification, if it is one.
    pub(super) fn fresh(self) -> Option<Box<Draft>> {
        self.payload
            .filter(|payload| !payload.ignored && !payload.deleted && !payload.read)
            .map(|payload| Box::new(payload.draft))
    }
}

/// Reads an event: its type, its id, its data.
pub(super) fn read(
    mapping: &Mapping,
    (name, id, data): (&str, &str, &str),
    now: Timestamp,
) -> Reading {
    let json = payload::json(data);
    if name == RESERVED || json.as_ref().is_some_and(is_about_subscriptions) {
        return Reading {
            payload: None,
            topics: Vec::new(),
        };
    }
    let mut payload = payload::read(
        mapping,
        &Envelope {
            event: name,
            id,
            content_type: "",
            text: data,
            now,
        },
    );
    if json.is_none() && is_encrypted(data) {
        payload.draft.title = String::new();
        ENCRYPTED.clone_into(&mut payload.draft.body);
    }
    let mut topics: Vec<String> = payload.topic.clone().into_iter().collect();
    let named = json.as_ref().and_then(|json| json.get("@id")?.as_str());
    topics.extend(named.map(str::to_owned));
    Reading {
        payload: Some(payload),
        topics,
    }
}

/// What follows from an event.
pub(super) fn effects(
    reading: Reading,
    subscription: SubscriptionId,
    origin: Origin,
) -> Option<Effect> {
    let payload = reading.payload.filter(|payload| !payload.ignored)?;
    let (replace_key, version) = (payload.draft.replace_key.clone(), payload.draft.version);
    Some(if payload.deleted {
        Effect::Remove {
            subscription,
            replace_key,
            version,
        }
    } else if payload.read {
        Effect::Read {
            subscription,
            replace_key,
            version,
        }
    } else {
        Effect::Notify {
            subscription,
            draft: Box::new(payload.draft),
            origin,
        }
    })
}

fn is_about_subscriptions(json: &Value) -> bool {
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    text("id").is_some_and(|id| id.starts_with(SUBSCRIPTIONS)) && text("subscriber").is_some()
}

/// A JWE (RFC 7516, 7.1): five parts, and a head that says how it is encrypted.
fn is_encrypted(data: &str) -> bool {
    let data = data.trim();
    let head = data.split('.').next().unwrap_or_default();
    data.split('.').count() == 5
        && URL_SAFE_NO_PAD
            .decode(head)
            .ok()
            .and_then(|head| serde_json::from_slice::<Value>(&head).ok())
            .is_some_and(|head| head.get("enc").is_some())
}
