//! Applications: who may send. Each is a subscription here.

use crate::backend::Offered;
use crate::model::limits;
use crate::text::{allowed_link, cut};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use url::Url;

/// An application of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Application {
    /// What its owner calls it.
    pub name: String,
    /// Where its picture is, as a whole address.
    pub icon: Option<String>,
    /// The priority of messages that say none.
    pub default_priority: i64,
}

/// Applications by their ids.
pub(super) type Applications = BTreeMap<i64, Application>;

/// Reads the list of applications; none if it is no such list. One that cannot be read costs only itself.
pub(super) fn read(body: &str, base: &Url) -> Option<Applications> {
    let Ok(Value::Array(all)) = serde_json::from_str(body) else {
        return None;
    };
    Some(
        all.iter()
            .filter_map(Value::as_object)
            .filter_map(|members| {
                let id = members.get("id")?.as_i64().filter(|id| *id > 0)?;
                Some((id, one(members, base)))
            })
            .collect(),
    )
}

fn one(members: &Map<String, Value>, base: &Url) -> Application {
    let text = |member| {
        members
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    Application {
        name: cut(text("name"), limits::TITLE),
        icon: icon(text("image"), base),
        default_priority: members
            .get("defaultPriority")
            .and_then(Value::as_i64)
            .unwrap_or_default(),
    }
}

/// The server names its pictures from its own root, also where that is in a folder.
fn icon(image: &str, base: &Url) -> Option<String> {
    if image.is_empty() {
        return None;
    }
    let url = base.join(image.trim_start_matches('/')).ok()?;
    allowed_link(url.as_str()).filter(|link| link.starts_with("http"))
}

/// How they are offered as subscriptions.
pub(super) fn offered(applications: &Applications) -> Vec<Offered> {
    applications
        .iter()
        .map(|(id, application)| Offered {
            topic: id.to_string(),
            name: application.name.clone(),
            icon: application.icon.clone(),
            place: String::new(),
        })
        .collect()
}
