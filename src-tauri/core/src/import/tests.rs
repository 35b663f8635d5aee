use super::{Found, read, without_notifications};
use crate::model::{BackendKind, ImportFrom, SignIn, Tier};
use jiff::Timestamp;
use proptest::prelude::*;

const CLIENT_YML: &str = r#"
# ntfy client config file
default-host: https://ntfy.example.org
default-user: ada
default-password: 12345
subscribe:
  - topic: alerts
    command: /usr/local/bin/alert.sh
  - topic: backups,disk
    if:
      priority: high,urgent
  - topic: other.example.com/builds
  - topic: https://third.example.com/ntfy/deploys
    token: tk_third
  - topic: open
    user: ""
    password: ""
  - topic: alerts
  - command: echo
"#;

const BACKUP: &str = r#"{"magic":"ntfy2586","version":1,
"settings":{"minPriority":3,"mutedUntil":0,"darkMode":-1},
"subscriptions":[
 {"id":1,"baseUrl":"https://ntfy.sh","topic":"alerts","instant":true,"dedicatedChannels":false,"mutedUntil":0,"minPriority":0,"displayName":"Alerts"},
 {"id":2,"baseUrl":"https://ntfy.example.org","topic":"chat","instant":true,"dedicatedChannels":false,"mutedUntil":1,"minPriority":4},
 {"id":3,"baseUrl":"https://ntfy.example.org","topic":"later","instant":true,"dedicatedChannels":false,"mutedUntil":4102444800,"minPriority":5},
 {"id":4,"baseUrl":"https://ntfy.sh","topic":"up123","instant":true,"dedicatedChannels":false,"mutedUntil":0,"upAppId":"org.example"},
 {"id":5,"topic":"broken"}],
"notifications":[{"id":"a","message":"old"},{"id":"b"}],
"users":[{"baseUrl":"https://ntfy.example.org","username":"ada","password":"marker-secret"}],
"trustedCertificates":[{"baseUrl":"https://ntfy.example.org","pem":"-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n"}],
"clientCertificates":[{"baseUrl":"https://ntfy.sh","p12Base64":"AA==","password":"marker-secret"}]}"#;

fn now() -> Timestamp {
    "2026-11-01T12:00:00Z".parse().unwrap()
}

fn found(text: &str) -> Found {
    read(text, None, now()).unwrap()
}

fn said(found: &Found, words: &str) -> bool {
    found.left_out.iter().any(|says| says.contains(words))
}

#[test]
fn a_client_yml_becomes_an_account_for_each_server_and_sign_in() {
    let found = found(CLIENT_YML);
    assert_eq!(found.from, ImportFrom::Ntfy);
    let servers: Vec<_> = found
        .servers
        .iter()
        .map(|server| {
            let topics: Vec<_> = server.topics.iter().map(|it| it.topic.as_str()).collect();
            let secret = server.credential.secret.as_deref();
            (server.url.as_str(), topics, server.sign_in.clone(), secret)
        })
        .collect();
    let ada = SignIn::Basic {
        user: "ada".to_owned(),
    };
    let own = "https://ntfy.example.org/";
    assert_eq!(
        servers,
        [
            (own, vec!["alerts", "backups", "disk"], ada, Some("12345")),
            (
                "https://other.example.com/",
                vec!["builds"],
                SignIn::None,
                None
            ),
            (
                "https://third.example.com/ntfy/",
                vec!["deploys"],
                SignIn::Token,
                Some("tk_third")
            ),
            (own, vec!["open"], SignIn::None, None),
        ]
    );
    for words in [
        "runs no programs",
        "1 condition under",
        "not taken over for https://other.example.com/",
        "has no topic",
    ] {
        assert!(said(&found, words), "{words}: {:#?}", found.left_out);
    }
}

#[test]
fn a_backup_keeps_names_mutes_and_least_priorities() {
    let found = found(BACKUP);
    assert_eq!(found.from, ImportFrom::NtfyAndroid);
    let topics: Vec<_> = found
        .servers
        .iter()
        .flat_map(|server| {
            server.topics.iter().map(|topic| {
                let name = topic.name.as_str();
                (
                    server.url.as_str(),
                    topic.topic.as_str(),
                    name,
                    topic.muted,
                    topic.min_tier,
                )
            })
        })
        .collect();
    let own = "https://ntfy.example.org/";
    assert_eq!(
        topics,
        [
            (
                "https://ntfy.sh/",
                "alerts",
                "Alerts",
                false,
                Tier::Important
            ),
            (own, "chat", "", true, Tier::Important),
            (own, "later", "", false, Tier::Critical),
        ]
    );
    let own = &found.servers[1];
    assert_eq!(own.credential.secret.as_deref(), Some("marker-secret"));
    // The SHA-256 of the bytes 0, 1, 2.
    assert_eq!(
        own.way.pin,
        "ae4b3280e56e2faf83f414a6e3dabe9d5fbe18976544c05fed121accb85b53fc"
    );
    for words in [
        "priority 2 or 4",
        "certain time",
        "UnifiedPush",
        "Client certificates",
        "old messages",
        "1 of the backup’s 5",
    ] {
        assert!(said(&found, words), "{words}: {:#?}", found.left_out);
    }
    assert!(!format!("{found:?}").contains("marker-secret"));
}

#[test]
fn what_is_long_in_a_backup_is_not_needed() {
    let short = without_notifications(BACKUP);
    assert!(!short.contains("\"old\""));
    assert_eq!(found(&short), found(BACKUP));
    assert_eq!(without_notifications(CLIENT_YML), CLIENT_YML);
}

#[test]
fn gotify_tray_in_both_its_forms() {
    let python = "[Server]\nurl=https://push.example.org/gotify\nclient_token=CmarkerSecret\n\n[tray]\n\
                  notifications\\priority=5\n";
    let cpp = "[General]\nclientToken=@ByteArray(C\\x61 b)\nserverUrl=\"http://10.0.0.1:8080\"\n\
               notificationPriority=8\nselfSignedCertificatePath=/home/me/own.pem\n";
    let one = found(python);
    let server = &one.servers[0];
    assert_eq!(
        (one.from, server.kind),
        (ImportFrom::GotifyTray, BackendKind::Gotify)
    );
    assert_eq!(server.url, "https://push.example.org/gotify/");
    assert_eq!(server.sign_in, SignIn::Token);
    assert_eq!(server.credential.secret.as_deref(), Some("CmarkerSecret"));
    assert_eq!(server.min_tier, Tier::Important);
    assert!(said(&one, "from priority 5"));
    let other = found(cpp);
    let server = &other.servers[0];
    assert_eq!(server.credential.secret.as_deref(), Some("Ca b"));
    assert_eq!(server.min_tier, Tier::Critical);
    assert_eq!(server.way.authorities, "/home/me/own.pem");
    assert_eq!(other.left_out, [""; 0]);
}

#[test]
fn what_cannot_be_read_is_said_with_its_line_and_no_secret() {
    for (text, from, says) in [
        ("", None, "no file that Tidings can read"),
        ("hello", None, "no file that Tidings can read"),
        (
            "{\"magic\":\"else\"}",
            None,
            "no file that Tidings can read",
        ),
        ("# all is off\n", Some(ImportFrom::Ntfy), "Nothing is set"),
        ("subscribe: []", None, "no server in this file"),
        (
            "default-token: marker-secret\nsubscribe:\n  - topic: 'a\n",
            None,
            "Line ",
        ),
        (
            "default-host: &a marker-secret\nsubscribe: [*a]",
            None,
            "Line 2 has a reference",
        ),
        (
            "{\"magic\":\"ntfy2586\",\n\"users\":\"marker-secret\"}",
            None,
            "Line 2",
        ),
        (
            "[Server]\nurl=\nclient_token=marker-secret",
            None,
            "name no server",
        ),
        (
            "default-host: x",
            Some(ImportFrom::NtfyAndroid),
            "is broken",
        ),
    ] {
        let error = read(text, from, now()).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
        assert!(!error.contains("marker-secret"), "{error}");
    }
}

#[test]
fn a_host_alone_is_an_account() {
    let found = found(
        "default-host: ntfy.example.org\ndefault-token: tk_a\ncert-file: /a.p12\ncert-password: p",
    );
    let server = &found.servers[0];
    assert_eq!(
        (server.url.as_str(), &server.sign_in),
        ("https://ntfy.example.org/", &SignIn::Token)
    );
    assert_eq!(server.way.certificate, "/a.p12");
    assert_eq!(server.credential.certificate.as_deref(), Some("p"));
}

proptest! {
    #[test]
    fn any_file_is_survived(text in "\\PC{0,80}", lines in prop::collection::vec("(- |  )?(topic|subscribe|default-host|user|if|\\[Server\\]|url)[:=] ?\\PC{0,10}", 0..8)) {
        let _ = read(&text, None, now());
        for from in [ImportFrom::Ntfy, ImportFrom::NtfyAndroid, ImportFrom::GotifyTray] {
            let _ = read(&lines.join("\n"), Some(from), now());
        }
    }

    #[test]
    fn a_backup_that_was_cut_is_survived(at in 0..BACKUP.len()) {
        if let Some(cut) = BACKUP.get(..at) {
            let _ = read(cut, Some(ImportFrom::NtfyAndroid), now());
        }
    }
}
