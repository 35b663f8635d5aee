//! Making preferences ready. What cannot be is left out, towards showing, and told.

use super::{Mandatory, Place, Rows, Rule, Rulebook};
use crate::model::Problem;
use crate::model::preferences::{Mandates, Preferences, UserRule};
use crate::policy::pattern::Ready;
use crate::policy::quiet_hours::QuietHours;
use jiff::tz::TimeZone;
use std::collections::HashMap;

impl Rulebook {
    /// Makes preferences ready. A rule that does not work is left out; a zone that is not known is the computer's.
    pub fn new(
        document: Preferences,
        mandates: &Mandates,
        places: &[Place],
    ) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let zone = zone(&document, &mut problems);
        for (index, row) in document.rows.iter().enumerate() {
            if row.subscription.is_none() && row.kind.is_some() {
                problems.push(Problem {
                    at: format!("rows[{index}]"),
                    says: "This row names a type without its subscription, and is left out."
                        .to_owned(),
                });
            }
        }
        let rules = document
            .rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| !rule.off)
            .filter_map(|(index, rule)| match ready(rule) {
                Ok(rule) => Some(rule),
                Err((field, says)) => {
                    problems.push(Problem {
                        at: format!("rules[{index}].{field}"),
                        says: format!("This rule is left out: {says}."),
                    });
                    None
                }
            })
            .collect();
        let mapping = places
            .iter()
            .filter_map(|place| {
                let of_family = document
                    .mapping
                    .iter()
                    .find(|mapping| Some(mapping.backend) == place.backend)?;
                Some((place.account, of_family.tiers))
            })
            .collect();
        let book = Self {
            rows: Rows::new(&document.rows),
            rules,
            mapping,
            mandates: mandatory(mandates, places, &mut problems),
            quiet: QuietHours::new(zone, &document.quiet.schedules),
            document,
        };
        (book, problems)
    }
}

fn zone(document: &Preferences, problems: &mut Vec<Problem>) -> Option<TimeZone> {
    let name = document.quiet.zone.trim();
    if name.is_empty() {
        return None;
    }
    let zone = TimeZone::get(name).ok();
    if zone.is_none() {
        problems.push(Problem {
            at: "quiet.zone".to_owned(),
            says: format!(
                "No time zone is called “{name}”. Quiet hours go by this computer's own zone."
            ),
        });
    }
    zone
}

fn ready(rule: &UserRule) -> Result<Rule, (&'static str, String)> {
    let pattern = |pattern: &Option<_>, field| {
        pattern
            .as_ref()
            .map(Ready::new)
            .transpose()
            .map_err(|says| (field, says))
    };
    let (kind, text) = (pattern(&rule.kind, "kind")?, pattern(&rule.text, "text")?);
    Ok(Rule {
        name: rule.name.clone(),
        account: rule.account,
        subscription: rule.subscription,
        kind,
        text,
        tags: rule.tags.iter().map(|tag| tag.to_lowercase()).collect(),
        until: rule.until,
        then: rule.then,
    })
}

fn mandatory(
    mandates: &Mandates,
    places: &[Place],
    problems: &mut Vec<Problem>,
) -> HashMap<crate::model::SubscriptionId, Vec<Mandatory>> {
    let mut all = HashMap::<_, Vec<_>>::new();
    for (index, mandate) in mandates.mandatory.iter().enumerate() {
        let ready = [&mandate.server, &mandate.topic, &mandate.kind].map(|glob| Ready::glob(glob));
        let [Ok(server), Ok(topic), Ok(kind)] = ready else {
            problems.push(Problem {
                at: format!("mandatory[{index}]"),
                says: format!(
                    "A pattern in mandatory[{index}] is empty or too large. It is left out."
                ),
            });
            continue;
        };
        for place in places.iter().filter(|place| server.matches(&place.host)) {
            for (subscription, _) in place.topics.iter().filter(|(_, name)| topic.matches(name)) {
                all.entry(*subscription).or_default().push(Mandatory {
                    kind: kind.clone(),
                    says: mandate.says.clone(),
                });
            }
        }
    }
    all
}
