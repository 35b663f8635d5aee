//! A document from another computer: whom its numbers stand for there, and whom here.

use crate::model::preferences::{ConfigAccount, Preferences, Row, UserRule};
use crate::model::{AccountId, Problem, SubscriptionId};

/// Puts the numbers of `here` in place of those of `theirs`. Rows and rules whose account or subscription is not here are left out,
/// and told: without it they would be about something else, or about everything. Where `theirs` is empty, the numbers are those of here
/// already.
pub fn carried(
    mut document: Preferences,
    theirs: &[ConfigAccount],
    here: &[ConfigAccount],
) -> (Preferences, Vec<Problem>) {
    let carry = Carry { theirs, here };
    let mut kept_back = Vec::new();
    let mut index = 0;
    document.rows.retain_mut(|row| {
        let at = format!("rows[{index}]");
        index += 1;
        told(carry.row(row), at, "row", &mut kept_back)
    });
    index = 0;
    document.rules.retain_mut(|rule| {
        let at = format!("rules[{index}]");
        index += 1;
        told(carry.rule(rule), at, "rule", &mut kept_back)
    });
    (document, kept_back)
}

fn told(carried: Result<(), String>, at: String, what: &str, kept_back: &mut Vec<Problem>) -> bool {
    let Err(why) = carried else { return true };
    kept_back.push(Problem {
        at,
        says: format!("{why} This {what} is left out."),
    });
    false
}

struct Carry<'a> {
    theirs: &'a [ConfigAccount],
    here: &'a [ConfigAccount],
}

impl<'a> Carry<'a> {
    fn row(&self, row: &mut Row) -> Result<(), String> {
        let (mine, their) = self.account(row.account)?;
        if let Some(subscription) = &mut row.subscription {
            *subscription = of(mine, their, *subscription)?;
        }
        row.account = mine.account;
        Ok(())
    }

    fn rule(&self, rule: &mut UserRule) -> Result<(), String> {
        match (rule.account, rule.subscription) {
            (Some(account), subscription) => {
                let (mine, their) = self.account(account)?;
                if let Some(subscription) = subscription {
                    rule.subscription = Some(of(mine, their, subscription)?);
                }
                rule.account = Some(mine.account);
            }
            (None, Some(subscription)) => {
                // Numbers of subscriptions are unique in a document, too.
                let named = if self.theirs.is_empty() {
                    self.here
                } else {
                    self.theirs
                };
                let has = |one: &&ConfigAccount| {
                    let mut all = one.subscriptions.iter();
                    all.any(|one| one.subscription == subscription)
                };
                let account = named
                    .iter()
                    .find(has)
                    .ok_or_else(|| unknown(self.theirs, "subscription", subscription.0))?;
                let (mine, their) = self.account(account.account)?;
                rule.subscription = Some(of(mine, their, subscription)?);
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// The account of here that a number of the document stands for, and what the document says of it.
    fn account(
        &self,
        number: AccountId,
    ) -> Result<(&'a ConfigAccount, Option<&'a ConfigAccount>), String> {
        let by_number = |among: &'a [ConfigAccount]| among.iter().find(|one| one.account == number);
        if self.theirs.is_empty() {
            let mine = by_number(self.here);
            return mine
                .map(|mine| (mine, None))
                .ok_or_else(|| unknown(self.theirs, "account", number.0));
        }
        let their =
            by_number(self.theirs).ok_or_else(|| unknown(self.theirs, "account", number.0))?;
        Ok((self.twin(their)?, Some(their)))
    }

    /// The account of here that is another computer's: the same user of the same server, or else of the same name.
    fn twin(&self, their: &ConfigAccount) -> Result<&'a ConfigAccount, String> {
        let named = |one: &ConfigAccount| one.backend == their.backend && one.name == their.name;
        let served = |one: &ConfigAccount| {
            one.backend == their.backend
                && one.user == their.user
                && one.url.trim_end_matches('/') == their.url.trim_end_matches('/')
        };
        let ways: [&dyn Fn(&ConfigAccount) -> bool; 3] =
            [&|one| named(one) && served(one), &served, &named];
        for way in ways {
            let found: Vec<_> = self.here.iter().filter(|one| way(one)).collect();
            match found.as_slice() {
                [] => {}
                [only] => return Ok(only),
                several => {
                    // On the computer that it comes from, the number tells them apart.
                    let same = several.iter().find(|one| one.account == their.account);
                    return same.copied().ok_or_else(|| {
                        format!(
                            "Several accounts here may be “{}” ({}): call one of them so.",
                            their.name, their.url
                        )
                    });
                }
            }
        }
        Err(format!(
            "The account “{}” ({}) is not here: add it, and import again.",
            their.name, their.url
        ))
    }
}

/// The subscription of here that a number of the document stands for.
fn of(
    mine: &ConfigAccount,
    their: Option<&ConfigAccount>,
    number: SubscriptionId,
) -> Result<SubscriptionId, String> {
    let Some(their) = their else {
        let mut all = mine.subscriptions.iter();
        return all
            .find(|one| one.subscription == number)
            .map(|one| one.subscription)
            .ok_or_else(|| format!("“{}” has no subscription {number}.", mine.name));
    };
    let topic = their
        .subscriptions
        .iter()
        .find(|one| one.subscription == number)
        .map(|one| &one.topic)
        .ok_or_else(|| {
            format!(
                "The document does not say what subscription {number} of “{}” is.",
                their.name
            )
        })?;
    mine.subscriptions
        .iter()
        .find(|one| one.topic == *topic)
        .map(|one| one.subscription)
        .ok_or_else(|| {
            format!(
                "“{}” has no subscription “{topic}” here: add it, and import again.",
                mine.name
            )
        })
}

fn unknown(theirs: &[ConfigAccount], what: &str, number: i64) -> String {
    if theirs.is_empty() {
        format!("There is no {what} {number} here.")
    } else {
        format!("The document does not say which {what} {number} is.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BackendKind;
    use crate::model::preferences::ConfigSubscription;
    use serde_json::json;

    fn account(
        id: i64,
        name: &str,
        url: &str,
        user: &str,
        topics: &[(i64, &str)],
    ) -> ConfigAccount {
        ConfigAccount {
            account: AccountId(id),
            name: name.to_owned(),
            backend: BackendKind::Ntfy,
            url: url.to_owned(),
            user: user.to_owned(),
            subscriptions: topics
                .iter()
                .map(|(id, topic)| ConfigSubscription {
                    subscription: SubscriptionId(*id),
                    topic: (*topic).to_owned(),
                })
                .collect(),
        }
    }

    fn document(rows: serde_json::Value, rules: serde_json::Value) -> Preferences {
        let lists = [("rows".to_owned(), rows), ("rules".to_owned(), rules)];
        serde_json::from_value(lists.into_iter().collect()).unwrap()
    }

    fn numbers(document: &Preferences) -> Vec<(i64, Option<i64>)> {
        let rows = document.rows.iter();
        rows.map(|row| (row.account.0, row.subscription.map(|one| one.0)))
            .collect()
    }

    #[test]
    fn the_same_things_have_other_numbers_elsewhere() {
        let theirs = [
            account(
                1,
                "home",
                "https://a.test/",
                "ada",
                &[(7, "alerts"), (8, "disk")],
            ),
            account(2, "work", "https://b.test/", "", &[(9, "builds")]),
        ];
        // Renamed, moved, and the other way around.
        let here = [
            account(1, "work", "https://c.test/", "", &[(1, "builds")]),
            account(
                2,
                "mine",
                "https://a.test",
                "ada",
                &[(2, "disk"), (3, "alerts")],
            ),
        ];
        let given = document(
            json!([{"account": 1, "mute": true}, {"account": 1, "subscription": 7, "mute": true},
                   {"account": 2, "subscription": 9, "mute": true}]),
            json!([{"subscription": 8, "then": {"what": "mute"}}, {"then": {"what": "mute"}},
                   {"account": 2, "then": {"what": "mute"}}]),
        );
        let (carried, kept_back) = carried(given, &theirs, &here);
        assert_eq!(kept_back, []);
        assert_eq!(numbers(&carried), [(2, None), (2, Some(3)), (1, Some(1))]);
        assert_eq!(carried.rules[0].subscription, Some(SubscriptionId(2)));
        assert_eq!(carried.rules[0].account, None);
        assert_eq!(carried.rules[2].account, Some(AccountId(1)));
    }

    #[test]
    fn what_is_not_here_is_kept_back_and_told() {
        let theirs = [
            account(1, "home", "https://a.test/", "ada", &[(7, "alerts")]),
            account(2, "work", "https://b.test/", "", &[(9, "builds")]),
        ];
        let here = [account(5, "home", "https://a.test/", "ada", &[(1, "disk")])];
        let given = document(
            json!([{"account": 2, "mute": true}, {"account": 1, "subscription": 7, "mute": true},
                   {"account": 1, "mute": true}, {"account": 3, "mute": true}]),
            json!([{"account": 2, "then": {"what": "mute"}}, {"subscription": 99, "then": {"what": "mute"}}]),
        );
        let (carried, kept_back) = carried(given, &theirs, &here);
        assert_eq!(numbers(&carried), [(5, None)]);
        assert!(carried.rules.is_empty());
        let told: Vec<_> = kept_back.iter().map(|one| one.at.as_str()).collect();
        assert_eq!(
            told,
            ["rows[0]", "rows[1]", "rows[3]", "rules[0]", "rules[1]"]
        );
        assert!(
            kept_back[0]
                .says
                .contains("“work” (https://b.test/) is not here")
        );
        assert!(kept_back[1].says.contains("no subscription “alerts” here"));
        assert!(
            kept_back[2]
                .says
                .contains("does not say which account 3 is")
        );
    }

    #[test]
    fn without_names_the_numbers_are_those_of_here() {
        let here = [account(1, "home", "https://a.test/", "", &[(7, "alerts")])];
        let given = document(
            json!([{"account": 1, "subscription": 7, "mute": true}, {"account": 1, "subscription": 8, "mute": true},
                   {"account": 4, "mute": true}]),
            json!([{"subscription": 7, "then": {"what": "mute"}}]),
        );
        let (carried, kept_back) = carried(given, &[], &here);
        assert_eq!(numbers(&carried), [(1, Some(7))]);
        assert_eq!(carried.rules.len(), 1);
        assert_eq!(kept_back.len(), 2, "{kept_back:?}");
    }

    #[test]
    fn twins_are_told_apart_by_name_then_by_number_or_not_at_all() {
        let here = [
            account(1, "a", "https://s.test/", "", &[]),
            account(2, "b", "https://s.test/", "", &[]),
        ];
        let rows = json!([{"account": 2, "mute": true}]);
        let given = |name| {
            let theirs = [account(2, name, "https://s.test/", "", &[])];
            carried(document(rows.clone(), json!([])), &theirs, &here)
        };
        assert_eq!(numbers(&given("a").0), [(1, None)]);
        assert_eq!(numbers(&given("c").0), [(2, None)]);
        let theirs = [account(9, "c", "https://s.test/", "", &[])];
        let nine = document(json!([{"account": 9, "mute": true}]), json!([]));
        let (none, kept_back) = carried(nine, &theirs, &here);
        assert!(none.rows.is_empty());
        assert!(kept_back[0].says.contains("Several accounts"));
    }
}
