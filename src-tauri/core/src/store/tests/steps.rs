//! Subscriptions that are kept in step with their user's account on the server.

use super::{Fixture, at, draft, topic};
use crate::model::{Offered, Owing, StepChange, SubscriptionId};

const PLACE: &str = "https://ntfy.example";

fn listed(all: &[(&str, &str)]) -> Vec<Offered> {
    all.iter()
        .map(|(topic, name)| Offered {
            topic: (*topic).to_owned(),
            name: (*name).to_owned(),
            icon: None,
            place: PLACE.to_owned(),
        })
        .collect()
}

impl Fixture {
    fn look(&self, all: &[(&str, &str)]) -> bool {
        self.write(|tx| tx.keep_in_step(self.account, PLACE, &listed(all), at(5)))
    }

    /// Names as they are shown.
    fn names(&self) -> Vec<String> {
        self.write(|tx| tx.subscriptions(self.account))
            .iter()
            .map(|one| one.display_name().to_owned())
            .collect()
    }

    /// Tells the server what it is owed, which is what is given.
    fn pay(&self) -> Vec<(StepChange, String, String)> {
        let mut told = Vec::new();
        while let Some(owed) = self.write(|tx| tx.owed(self.account, at(1000))) {
            let Owing::Step(change) = owed.what else {
                panic!("{owed:?}")
            };
            assert_eq!(owed.replace_key, PLACE);
            self.write(|tx| {
                if change == StepChange::Subscribe {
                    tx.told_subscribed(owed.subscription, PLACE)?;
                }
                tx.owed_done(owed.id)
            });
            told.push((change, owed.topic, owed.name));
        }
        told
    }

    fn leave(&self, id: SubscriptionId, forget: bool) {
        self.write(|tx| tx.left_in_step(id, forget, at(6)));
    }

    fn name(&self, id: SubscriptionId, name: &str) {
        self.write(|tx| {
            let mut one = tx.subscription(id)?;
            name.clone_into(&mut one.name);
            tx.save_subscription(&one)?;
            tx.renamed_in_step(&one, at(6))
        });
    }

    fn id_of(&self, topic: &str) -> SubscriptionId {
        let all = self.write(|tx| tx.all_subscriptions());
        let found = all.into_iter().find(|one| one.topic == topic);
        found.expect("it is there").id
    }
}

fn told(change: StepChange, topic: &str, name: &str) -> (StepChange, String, String) {
    (change, topic.to_owned(), name.to_owned())
}

#[test]
fn each_side_gets_what_the_other_has() {
    let fixture = Fixture::new();
    assert!(fixture.look(&[("door", "Front door")]));
    assert_eq!(fixture.names(), ["alerts", "Front door"]);
    assert_eq!(fixture.pay(), [told(StepChange::Subscribe, "alerts", "")]);
    assert!(!fixture.look(&[("door", "Front door"), ("alerts", "")]));
    assert_eq!(fixture.pay(), []);
}

/// An answer may be from before what was told meanwhile.
#[test]
fn an_old_list_undoes_nothing() {
    let fixture = Fixture::new();
    fixture.look(&[]);
    fixture.look(&[]);
    assert_eq!(fixture.pay(), [told(StepChange::Subscribe, "alerts", "")]);
    fixture.look(&[]);
    assert_eq!(fixture.names(), ["alerts"], "it is not taken for removed");
    assert_eq!(fixture.pay(), [told(StepChange::Subscribe, "alerts", "")]);
    fixture.look(&[("alerts", "")]);
    fixture.leave(fixture.subscription, false);
    assert!(fixture.look(&[("alerts", "")]), "it is still owed");
    assert_eq!(fixture.pay(), [told(StepChange::Unsubscribe, "alerts", "")]);
    fixture.look(&[("alerts", "")]);
    assert!(fixture.names().is_empty(), "it does not come back");
    // Once the server was seen without it, it is news when it has it again.
    fixture.look(&[]);
    fixture.look(&[("alerts", "")]);
    assert_eq!(fixture.names(), ["alerts"]);
    assert_eq!(fixture.pay(), []);
}

#[test]
fn what_was_removed_elsewhere_is_off_and_keeps_its_rows() {
    let fixture = Fixture::new();
    let id = fixture.id(draft("a", 1));
    fixture.look(&[("alerts", "")]);
    fixture.look(&[]);
    assert!(fixture.names().is_empty());
    assert_eq!(fixture.inbox(), [id]);
    let off = fixture.write(|tx| tx.turned_off(fixture.account));
    assert_eq!(off[0].id, fixture.subscription);
    let says = fixture.write(|tx| tx.topic_problem_of(fixture.subscription));
    assert!(says.contains("removed") && says.contains("stays"), "{says}");
    fixture.look(&[]);
    assert_eq!(fixture.pay(), [], "it is not put back");
    // The user wants it all the same.
    fixture.write(|tx| tx.add_subscription(fixture.account, &topic("alerts"), at(7)));
    assert!(
        fixture
            .write(|tx| tx.turned_off(fixture.account))
            .is_empty()
    );
    assert!(fixture.look(&[]));
    assert_eq!(fixture.pay(), [told(StepChange::Subscribe, "alerts", "")]);
    // Or not even to see it.
    fixture.look(&[("alerts", "")]);
    fixture.look(&[]);
    fixture.leave(fixture.subscription, false);
    assert!(
        fixture
            .write(|tx| tx.turned_off(fixture.account))
            .is_empty()
    );
    assert_eq!(fixture.pay(), []);
}

#[test]
fn what_was_left_before_is_left() {
    let fixture = Fixture::new();
    fixture.write(|tx| tx.remove_subscription(fixture.subscription, false));
    fixture.look(&[("alerts", "")]);
    assert!(fixture.names().is_empty());
    assert_eq!(fixture.pay(), []);
}

#[test]
fn what_is_forgotten_does_not_come_back() {
    let fixture = Fixture::new();
    fixture.id(draft("a", 1));
    fixture.look(&[("alerts", "")]);
    fixture.leave(fixture.subscription, true);
    assert!(fixture.inbox().is_empty());
    assert_eq!(fixture.pay(), [told(StepChange::Unsubscribe, "alerts", "")]);
    fixture.look(&[("alerts", "")]);
    assert!(fixture.names().is_empty());
}

#[test]
fn the_newer_name_wins() {
    let fixture = Fixture::new();
    fixture.name(fixture.subscription, "Alarm");
    assert!(
        fixture.look(&[("alerts", "")]),
        "a name from before is told"
    );
    assert_eq!(fixture.pay(), [told(StepChange::Rename, "alerts", "Alarm")]);
    // From before it was told.
    fixture.look(&[("alerts", "")]);
    assert_eq!(fixture.names(), ["Alarm"]);
    fixture.look(&[("alerts", "Alarm")]);
    fixture.look(&[("alerts", "Siren")]);
    assert_eq!(fixture.names(), ["Siren"]);
    fixture.name(fixture.subscription, "Bell");
    fixture.look(&[("alerts", "Siren")]);
    assert_eq!(fixture.names(), ["Bell"], "what is owed goes first");
    assert_eq!(fixture.pay(), [told(StepChange::Rename, "alerts", "Bell")]);
    fixture.look(&[("alerts", "Bell")]);
    fixture.name(fixture.subscription, "");
    assert_eq!(fixture.names(), ["alerts"]);
    assert_eq!(fixture.pay(), [told(StepChange::Rename, "alerts", "")]);
    assert_eq!(fixture.pay(), []);
}

#[test]
fn the_last_wish_is_told_and_all_in_order() {
    let fixture = Fixture::new();
    fixture.look(&[]);
    fixture.name(fixture.subscription, "Alarm");
    let add = |name: &str| {
        fixture.write(|tx| tx.add_subscription(fixture.account, &topic(name), at(6)));
    };
    add("door");
    fixture.look(&[("garden", "")]);
    fixture.leave(fixture.id_of("garden"), false);
    fixture.leave(fixture.id_of("door"), false);
    assert_eq!(
        fixture.pay(),
        [
            told(StepChange::Subscribe, "alerts", "Alarm"),
            told(StepChange::Unsubscribe, "garden", ""),
        ],
        "what was added and left again is not worth telling"
    );
}

#[test]
fn what_was_given_up_is_not_tried_for_ever() {
    let fixture = Fixture::new();
    fixture.look(&[]);
    let owed = fixture.write(|tx| tx.owed(fixture.account, at(9))).unwrap();
    fixture.write(|tx| tx.owed_never(owed.id, "It does not let this account."));
    assert!(!fixture.look(&[]));
    assert_eq!(fixture.pay(), []);
    assert_eq!(fixture.names(), ["alerts"], "it stays here");
}
