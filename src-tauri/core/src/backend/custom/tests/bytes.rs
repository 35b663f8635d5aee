//! Whatever comes, in whatever order: nothing panics, and what was handed over is never less than what the
//! cursor says.

use super::script::{Script, Setup, found, preset};
use crate::backend::custom::options::PRESETS;
use crate::backend::{Fetched, Input};
use crate::model::TransportKind;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Happening {
    Open,
    Frame(String),
    Event(String, String, String),
    Position(String),
    Closed(Option<u16>),
    Refused(u16),
    Head,
    Body(String),
    End,
    FetchRefused(u16),
    Wake,
    Pass(i64),
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        prop::sample::select(vec![
            r#"{"id":"1","title":"a","time":1785492000}"#,
            r#"{"path":"/","data":{"a":{"title":"x"},"b":null}}"#,
            r#"{"path":"/a","data":null}"#,
            r#"{"type":"auth_required"}"#,
            r#"{"type":"auth_ok"}"#,
            r#"{"event":{"type":"current","notifications":{"a":{"notification_id":"a"}}}}"#,
            r#"{"connect":{}}"#,
            r#"{"channel":"c","pub":{"data":"x"}}"#,
            r#"{"events":[{"id":1}],"cursor":"5"}"#,
            r#"{"data":[{"id":1,"title":"x"}],"hasMore":true,"token":"t"}"#,
            r#"{"data":{"token":"t"}}"#,
            r#"[{"title":"a"},{"title":"b"}]"#,
            "0{}",
            "40{}",
            r#"42["notification_received",{}]"#,
            "[[[[",
        ])
        .prop_map(str::to_owned),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        Just(Happening::Open),
        text().prop_map(Happening::Frame),
        (
            "(message|put|patch|error|notification|x)",
            "[0-9a-z]{0,3}",
            text()
        )
            .prop_map(|(name, id, data)| Happening::Event(name, id, data)),
        "[0-9]{0,3}".prop_map(Happening::Position),
        prop::option::of(any::<u16>()).prop_map(Happening::Closed),
        (200..600_u16).prop_map(Happening::Refused),
        Just(Happening::Head),
        text().prop_map(Happening::Body),
        Just(Happening::End),
        (200..600_u16).prop_map(Happening::FetchRefused),
        Just(Happening::Wake),
        (0..100_i64).prop_map(Happening::Pass),
    ]
}

fn play(script: &mut Script, happening: Happening) {
    let tag = script.fetches.keys().next_back().copied().unwrap_or(7);
    match happening {
        Happening::Open => script.open(),
        Happening::Frame(text) => script.frame(&text),
        Happening::Event(name, id, data) => script.event(&name, &id, &data),
        Happening::Position(id) => script.tell(Input::Position { id: &id }),
        Happening::Closed(code) => script.tell(Input::Closed { code, reason: "r" }),
        Happening::Refused(status) => script.tell(Input::Refused {
            status,
            headers: &[],
            retry_after: None,
            body: "",
        }),
        Happening::Head => {
            let link = ("link".to_owned(), "<?p=2>; rel=next".to_owned());
            script.tell(Input::Fetched {
                tag,
                part: Fetched::Head(&[link]),
            });
        }
        Happening::Body(body) => script.tell(Input::Fetched {
            tag,
            part: Fetched::Body(&body),
        }),
        Happening::End => script.tell(Input::Fetched {
            tag,
            part: Fetched::End,
        }),
        Happening::FetchRefused(status) => script.tell(Input::Fetched {
            tag,
            part: Fetched::Refused {
                status,
                headers: &[],
                retry_after: None,
                body: "",
            },
        }),
        Happening::Wake => script.wake(),
        Happening::Pass(seconds) => script.pass(seconds),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn anything_may_come(
        number in 0..PRESETS.len() + 5,
        transport in 0..5_usize,
        happenings in prop::collection::vec(happening(), 0..40),
    ) {
        const ALL: [TransportKind; 5] = [
            TransportKind::Websocket,
            TransportKind::Sse,
            TransportKind::HttpStream,
            TransportKind::LongPoll,
            TransportKind::Poll,
        ];
        let transport = ALL[transport];
        let options = match PRESETS.get(number) {
            Some((name, ..)) => preset(name),
            None => found(transport),
        };
        let setup = Setup { topics: &["a", "b"], ..Setup::new(options, transport) };
        let mut script = Script::new(&setup);
        for happening in happenings {
            play(&mut script, happening);
            prop_assert!(script.open_fetches.len() < 200);
        }
        // What was stored can be read again.
        let again = script.again(&setup);
        prop_assert_eq!(again.stored.len(), 0);
    }
}
