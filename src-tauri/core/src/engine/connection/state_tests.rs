//! The machine as a table, and what must hold for every sequence of events.

use super::*;
use crate::model::TransportKind::{HttpStream, Poll, Websocket};
use proptest::prelude::*;

fn at(seconds: u64) -> Moment {
    Moment {
        awake: Duration::from_secs(seconds),
        now: Timestamp::from_second(1_795_000_000 + i64::try_from(seconds).unwrap()).unwrap(),
        chance: 0.5,
    }
}

fn configured() -> State {
    let event = Event::Configured {
        transports: vec![Websocket, HttpStream, Poll],
        times: Times::default(),
    };
    let (state, commands) = step(State::new(at(0).now), event, at(0));
    assert_eq!(
        commands,
        [Command::HangUp, Command::Connect(Websocket)],
        "a configured connection connects at once"
    );
    state
}

fn failure(kind: FailureKind) -> Event {
    Event::Failed(Failure {
        kind,
        says: "words".to_owned(),
        retry_after: None,
    })
}

fn wakes_at(commands: &[Command]) -> Option<Duration> {
    commands.iter().find_map(|command| match command {
        Command::WakeAt(at) => Some(*at),
        _ => None,
    })
}

fn connects(commands: &[Command]) -> Option<TransportKind> {
    commands.iter().find_map(|command| match command {
        Command::Connect(transport) => Some(*transport),
        _ => None,
    })
}

#[test]
fn nothing_to_connect_is_idle() {
    let event = Event::Configured {
        transports: Vec::new(),
        times: Times::default(),
    };
    let (state, commands) = step(configured(), event, at(1));
    assert_eq!(state.phase, Phase::Idle);
    assert_eq!(commands, [Command::HangUp]);
    let (state, commands) = step(state, Event::RetryNow, at(2));
    assert_eq!((state.phase, commands), (Phase::Idle, Vec::new()));
}

#[test]
fn a_transient_failure_waits_and_then_connects() {
    let (state, commands) = step(configured(), failure(FailureKind::Transient), at(1));
    assert!(matches!(state.phase, Phase::Waiting { .. }));
    assert_eq!(state.problem, "words");
    let due = wakes_at(&commands).expect("it wakes itself");
    assert!(due > at(1).awake && due <= at(1).awake + Duration::from_secs(5));
    // An early wake is no reason to connect.
    let (state, commands) = step(state, Event::Due, at(1));
    assert_eq!(wakes_at(&commands), Some(due));
    let (state, commands) = step(state, Event::Due, at(due.as_secs() + 1));
    assert_eq!(state.phase, Phase::Connecting);
    assert_eq!(connects(&commands), Some(Websocket));
}

#[test]
fn what_needs_the_user_stops_until_the_user_acts() {
    for kind in [FailureKind::SignIn, FailureKind::Forbidden] {
        let (state, commands) = step(configured(), failure(kind), at(1));
        assert_eq!(state.phase, Phase::Stopped);
        assert_eq!(commands, [Command::HangUp], "and nothing wakes it");
        for event in [Event::Due, Event::Woke, Event::Network(true)] {
            let (after, commands) = step(state.clone(), event, at(100));
            assert_eq!((after.phase, commands), (Phase::Stopped, Vec::new()));
        }
        let (state, commands) = step(state, Event::RetryNow, at(100));
        assert_eq!(state.phase, Phase::Connecting);
        assert_eq!(connects(&commands), Some(Websocket));
    }
}

#[test]
fn a_connection_that_ended_as_agreed_comes_back_as_the_server_wished() {
    let live_since = |since: u64| {
        let (state, _) = step(configured(), Event::Live, at(since));
        state
    };
    // Live for so long, the wish, and the least and greatest wait; none: at once.
    for (live, wish, waits) in [
        (600, None, None),
        (5, None, None),
        (600, Some(1), Some((1_000, 1_250))),
        (600, Some(10), Some((10_000, 12_500))),
        (600, Some(0), Some((1_000, 1_250))),
        (600, Some(86_400), Some((300_000, 375_000))),
        // Opened just now: that is no agreement, and the backoff keeps it from being a loop.
        (4, None, Some((1_000, 5_000))),
        (4, Some(30), Some((30_000, 35_000))),
    ] {
        for chance in [0.0, 0.5, 0.999] {
            let end = Moment { chance, ..at(live) };
            let ended = Event::Failed(Failure {
                kind: FailureKind::Again,
                says: "words".to_owned(),
                retry_after: wish.map(Duration::from_secs),
            });
            let (state, commands) = step(live_since(0), ended, end);
            match waits {
                None => assert_eq!(connects(&commands), Some(Websocket), "{live} {wish:?}"),
                Some((least, most)) => {
                    assert!(matches!(state.phase, Phase::Waiting { .. }));
                    let due = wakes_at(&commands).expect("it wakes itself");
                    let wait = due.saturating_sub(end.awake);
                    let range = Duration::from_millis(least)..=Duration::from_millis(most);
                    assert!(range.contains(&wait), "{live} {wish:?} {chance}: {wait:?}");
                }
            }
        }
    }
}

#[test]
fn a_wrong_address_is_tried_again_slowly() {
    let (state, commands) = step(configured(), failure(FailureKind::WrongAddress), at(1));
    assert!(matches!(state.phase, Phase::Waiting { .. }));
    assert_eq!(wakes_at(&commands), Some(at(1).awake + SLOW_RETRY));
}

#[test]
fn blocked_twice_takes_the_next_transport_and_climbs_again_later() {
    let (state, commands) = step(configured(), failure(FailureKind::Blocked), at(1));
    assert_eq!(connects(&commands), None, "once may be chance");
    let due = wakes_at(&commands).unwrap().as_secs() + 1;
    let (state, commands) = step(state, Event::Due, at(due));
    assert_eq!(connects(&commands), Some(Websocket));
    let (state, commands) = step(state, failure(FailureKind::Blocked), at(due));
    assert_eq!(connects(&commands), Some(HttpStream));

    let (state, commands) = step(state, Event::Live, at(due));
    let climb = wakes_at(&commands).expect("a lower transport climbs again");
    assert_eq!(climb, at(due).awake + CLIMB_EVERY);
    let climb = climb.as_secs();
    let (state, commands) = step(state, Event::Due, at(climb));
    assert_eq!(connects(&commands), Some(Websocket));
    // Still blocked: back to the one that worked, at once.
    let (state, commands) = step(state, failure(FailureKind::Blocked), at(climb));
    assert_eq!(connects(&commands), Some(HttpStream));
    let (state, _) = step(state, Event::Live, at(climb));
    // The next time it works: the better one stays.
    let (state, _) = step(state, Event::Due, at(climb + CLIMB_EVERY.as_secs()));
    let (state, commands) = step(state, Event::Live, at(climb + CLIMB_EVERY.as_secs()));
    assert_eq!(state.transport(), Some(Websocket));
    assert_eq!(commands, [], "the best one has nothing to climb to");
}

#[test]
fn a_ladder_of_blocked_rungs_begins_anew_with_a_pause() {
    let mut state = configured();
    let mut tried = Vec::new();
    for round in 0..6 {
        let seconds = round * 1000;
        let (next, commands) = step(state, failure(FailureKind::Blocked), at(seconds));
        tried.extend(connects(&commands));
        state = next;
        if connects(&commands).is_none() {
            let (next, commands) = step(state, Event::Due, at(seconds + 999));
            tried.extend(connects(&commands));
            state = next;
        }
    }
    assert_eq!(
        tried,
        [Websocket, HttpStream, HttpStream, Poll, Poll, Websocket]
    );
}

#[test]
fn no_network_hangs_up_and_the_network_back_connects_at_once() {
    let (live, _) = step(configured(), Event::Live, at(1));
    let (state, commands) = step(live, Event::Network(false), at(2));
    assert_eq!(state.phase, Phase::Offline);
    assert_eq!(commands, [Command::HangUp]);
    let (state, commands) = step(state, Event::Network(true), at(500));
    assert_eq!(state.phase, Phase::Connecting);
    assert_eq!(connects(&commands), Some(Websocket));
}

#[test]
fn a_network_that_was_there_all_the_time_touches_nothing() {
    let (live, _) = step(configured(), Event::Live, at(1));
    let (state, commands) = step(live, Event::Network(true), at(2));
    assert!(matches!(state.phase, Phase::Live { .. }));
    assert_eq!(commands, []);
}

#[test]
fn waking_reconnects_at_once_and_forgets_the_backoff() {
    let mut state = configured();
    for round in 1..20 {
        let (next, _) = step(state, failure(FailureKind::Transient), at(round * 400));
        let (next, _) = step(next, Event::Due, at(round * 400 + 399));
        state = next;
    }
    let (state, _) = step(state, failure(FailureKind::Transient), at(8000));
    let (state, commands) = step(state, Event::Woke, at(8001));
    assert_eq!(connects(&commands), Some(Websocket));
    let (_, commands) = step(state, failure(FailureKind::Transient), at(8002));
    let wait = wakes_at(&commands).unwrap().saturating_sub(at(8002).awake);
    assert!(wait <= Duration::from_secs(5), "{wait:?}");
}

#[test]
fn the_servers_wish_is_kept() {
    let event = Event::Failed(Failure {
        kind: FailureKind::Transient,
        says: String::new(),
        retry_after: Some(Duration::from_secs(90)),
    });
    let (_, commands) = step(configured(), event, at(1));
    assert!(wakes_at(&commands).unwrap() >= Duration::from_secs(91));
}

#[test]
fn the_end_of_a_connection_that_was_hung_up_says_nothing() {
    let (state, _) = step(configured(), Event::Network(false), at(1));
    let before = state.clone();
    let (state, commands) = step(state, failure(FailureKind::SignIn), at(2));
    assert_eq!(state.phase, before.phase);
    assert_eq!(commands, []);
}

fn any_event() -> impl Strategy<Value = Event> {
    let kinds = prop_oneof![
        Just(FailureKind::Transient),
        Just(FailureKind::Blocked),
        Just(FailureKind::SignIn),
        Just(FailureKind::Forbidden),
        Just(FailureKind::WrongAddress),
    ];
    let failed = (kinds, proptest::option::of(0_u64..100_000)).prop_map(|(kind, wish)| {
        Event::Failed(Failure {
            kind,
            says: String::new(),
            retry_after: wish.map(Duration::from_secs),
        })
    });
    let transports = proptest::sample::subsequence(vec![Websocket, HttpStream, Poll], 0..=3);
    prop_oneof![
        4 => failed,
        3 => Just(Event::Live),
        6 => Just(Event::Due),
        1 => any::<bool>().prop_map(Event::Network),
        1 => Just(Event::Woke),
        1 => Just(Event::RetryNow),
        1 => transports.prop_map(|transports| Event::Configured {
            transports,
            times: Times::default(),
        }),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_it_is_never_stuck(
        events in proptest::collection::vec((any_event(), 0_u64..3000, 0.0..1.0_f64), 1..60)
    ) {
        let mut state = State::new(at(0).now);
        let mut seconds = 0;
        let mut open = None;
        let mut alarm = None;
        for (event, pass, chance) in events {
            seconds += pass;
            let mut moment = at(seconds);
            moment.chance = chance;
            let (next, commands) = step(state, event, moment);
            for command in commands {
                match command {
                    Command::HangUp => { open = None; alarm = None; }
                    Command::Connect(transport) => {
                        prop_assert!(open.is_none(), "one connection at a time");
                        open = Some(transport);
                    }
                    Command::WakeAt(at) => alarm = Some(at),
                }
            }
            // Where it stands and what is open agree; what waits has an alarm; what is stopped has words
            // or an owner.
            match &next.phase {
                Phase::Connecting | Phase::Live { .. } => prop_assert!(open.is_some()),
                Phase::Waiting { until, .. } => {
                    prop_assert!(open.is_none());
                    prop_assert_eq!(alarm, Some(*until));
                    let longest = moment.awake + Duration::from_secs(15 * 60 + 5);
                    prop_assert!(*until <= longest, "{:?} > {:?}", until, longest);
                }
                Phase::Idle | Phase::Offline | Phase::Stopped => prop_assert!(open.is_none()),
            }
            state = next;
        }
    }
}
