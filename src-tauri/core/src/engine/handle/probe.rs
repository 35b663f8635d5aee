//! Finding out what lives at an address, and testing an account hop by hop.

use super::{invalid, pasted};
use crate::backend::{Address, Backend, Found, Probed, Server, registry};
use crate::engine::connection::{failure, task};
use crate::engine::{Shared, lock, storage};
use crate::model::{
    Account, AccountId, BackendKind, Credential, HttpRequest, Quota, SignIn, TransportKind, Way,
};
use crate::transport::{self, Route, TransportError, hops};
use std::time::Duration;
use tidings_api::{
    AccountDraft, Detected, ErrorCode, ErrorView, Event, Hop, HopResult, Reply, TestReport,
};
use url::Url;

/// How much of an answer is read.
const ANSWER: usize = 64 * 1024;
/// What to do about an address that is none.
const EXAMPLE: &str = "Paste it as in the browser, for example https://ntfy.sh/mytopic.";
/// A probe is answered soon or not at all.
const SILENCE: Duration = Duration::from_secs(20);
/// How long a stream is watched to see what it is.
const GLIMPSE: Duration = Duration::from_secs(3);

/// What a draft resolves to.
pub struct Resolved {
    /// The family.
    pub kind: BackendKind,
    /// The server.
    pub server: Server,
    /// All topics, each once.
    pub topics: Vec<String>,
    /// Names that the address gave to some of them.
    pub names: Vec<(String, String)>,
}

/// An address as pasted: a scheme is supplied, anything that cannot be a server is refused in words.
pub fn pasted(text: &str) -> Result<Url, ErrorView> {
    let text = text.trim();
    if text.is_empty() {
        return Err(invalid(
            "Paste the server's address, for example https://ntfy.sh/mytopic.",
        ));
    }
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else if text.starts_with("localhost") || text.starts_with("127.") || text.starts_with("[::1]")
    {
        format!("http://{text}")
    } else {
        format!("https://{text}")
    };
    let url = Url::parse(&with_scheme).map_err(|error| {
        invalid(format!("“{text}” is not an address. {EXAMPLE}")).with_detail(error)
    })?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err(invalid(format!("“{text}” names no server. {EXAMPLE}")));
    }
    if !matches!(
        url.scheme(),
        "http" | "https" | "ws" | "wss" | "ntfy" | "gotify"
    ) {
        return Err(invalid(format!(
            "An address begins with https:// (or http://), not {}://.",
            url.scheme()
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(
            "Leave user name and password out of the address and enter them below it.",
        ));
    }
    Ok(url)
}

/// How a server is reached, if it can be.
pub fn check_way(way: &Way) -> Result<Way, ErrorView> {
    transport::way::check(way).map_err(invalid)
}

/// What a draft would sign in with.
pub fn credential(draft: &AccountDraft) -> Credential {
    Credential {
        secret: draft
            .secret
            .as_ref()
            .filter(|_| draft.sign_in != SignIn::None)
            .map(|secret| secret.reveal().to_owned()),
        headers: draft
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.reveal().to_owned()))
            .collect(),
        proxy: draft
            .proxy_sign_in
            .as_ref()
            .map(|secret| secret.reveal().to_owned()),
        certificate: draft
            .certificate_password
            .as_ref()
            .map(|secret| secret.reveal().to_owned()),
    }
}

/// How the requests of a draft are signed in: its credential is for the address that was pasted, and for
/// what its options name.
pub fn draft_route(draft: &AccountDraft, backend: &dyn Backend, server: &Server) -> Route {
    Route {
        sign_in: backend.sent_as(server, &draft.sign_in),
        credential: credential(draft),
        allow_http: draft.allow_http,
        own: task::own_addresses(backend, server),
        way: draft.way.clone(),
        silence: SILENCE,
    }
}

/// A probe goes to an address that may be anybody's: it carries no credential but the headers that let it
/// through a proxy.
fn bare_route(draft: Option<&AccountDraft>, url: &Url) -> Route {
    let way = draft.map(|draft| draft.way.clone()).unwrap_or_default();
    let credential = Credential {
        secret: None,
        ..draft.map(credential).unwrap_or_default()
    };
    Route {
        sign_in: SignIn::None,
        allow_http: draft.is_none_or(|draft| draft.allow_http),
        credential,
        own: vec![url.clone()],
        way,
        silence: SILENCE,
    }
}

/// Takes a draft's address apart, finds its family out if it does not say, and checks its topics.
pub async fn resolve(shared: &Shared, draft: &AccountDraft) -> Result<Resolved, ErrorView> {
    let pasted::Pasted {
        url, kind, names, ..
    } = pasted::read(&draft.url)?;
    if let SignIn::Basic { user } = &draft.sign_in
        && (user.is_empty() || draft.secret.is_none())
    {
        return Err(invalid(
            "Signing in this way needs a user name and a password.",
        ));
    }
    if draft.sign_in == SignIn::Token && draft.secret.is_none() {
        return Err(invalid("Signing in this way needs a token."));
    }
    check_way(&draft.way)?;
    let (kind, address) = match draft.kind.or(kind) {
        Some(kind) => (kind, registry::backend(kind).address(&url)),
        None => match find(shared, &url, &bare_route(Some(draft), &url)).await? {
            Seen::Known(kind, found) => (kind, found.address),
            Seen::Unknown(error) => return Err(error),
        },
    };
    let backend = registry::backend(kind);
    if let (SignIn::Token, Some(token)) = (&draft.sign_in, &draft.secret) {
        backend.check_token(token.reveal()).map_err(invalid)?;
    }
    let Address {
        base,
        topics,
        options,
    } = address;
    let mut all = Vec::<String>::new();
    for topic in topics.iter().chain(&draft.topics) {
        let topic = topic.trim();
        if topic.is_empty() || all.iter().any(|known| known == topic) {
            continue;
        }
        backend.check_topic(topic).map_err(invalid)?;
        all.push(topic.to_owned());
    }
    let options = if draft.options.trim().is_empty() {
        &options
    } else {
        &draft.options
    };
    let options = backend.check_options(options).map_err(invalid)?;
    Ok(Resolved {
        kind,
        server: Server { base, options },
        topics: all,
        names,
    })
}

/// What was seen at an address.
enum Seen {
    /// A family knows it.
    Known(BackendKind, Found),
    /// It answers, but nobody knows it; in words.
    Unknown(ErrorView),
}

fn unknown(url: &Url, locked: bool) -> ErrorView {
    let host = url.host_str().unwrap_or_default();
    let words = if locked {
        format!(
            "{host} asks for a sign-in before it shows what it is. Choose its kind, and sign in."
        )
    } else {
        format!(
            "{host} answers, but not as a notification server that Tidings knows. Is the address right?"
        )
    };
    ErrorView::new(ErrorCode::Network, words)
}

async fn find(shared: &Shared, url: &Url, route: &Route) -> Result<Seen, ErrorView> {
    let mut asked: Vec<(HttpRequest, Result<Glimpse, TransportError>)> = Vec::new();
    for backend in registry::backends() {
        for (probe, request) in backend.probes(url).into_iter().enumerate() {
            // Several families ask the same of an address that may be theirs.
            let known = asked.iter().position(|(before, _)| *before == request);
            let known = if let Some(known) = known {
                known
            } else {
                let glimpse = glimpse(shared, &request, route).await;
                asked.push((request, glimpse));
                asked.len() - 1
            };
            let (request, Ok(glimpse)) = &asked[known] else {
                continue;
            };
            let probed = Probed {
                probe,
                url: &request.url,
                status: glimpse.status,
                headers: &glimpse.headers,
                body: &glimpse.body,
            };
            if let Some(found) = backend.recognise(url, &probed) {
                return Ok(Seen::Known(backend.kind(), found));
            }
        }
    }
    // What answered, and was recognised by nobody, says more than what did not answer.
    let answers: Vec<_> = asked
        .iter()
        .filter_map(|(_, glimpse)| glimpse.as_ref().ok())
        .collect();
    if !answers.is_empty() {
        let locked = answers.iter().any(|glimpse| glimpse.status == 401);
        return Ok(Seen::Unknown(unknown(url, locked)));
    }
    match asked.pop() {
        Some((_, Err(error))) => {
            let failure = failure::failure(&error, TransportKind::Poll);
            Err(ErrorView::new(ErrorCode::Network, failure.says).with_detail(error))
        }
        _ => Ok(Seen::Unknown(unknown(url, false))),
    }
}

/// The start of an answer.
struct Glimpse {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Asks, and reads what comes at once: the answer may be a stream that never ends.
async fn glimpse(
    shared: &Shared,
    request: &HttpRequest,
    route: &Route,
) -> Result<Glimpse, TransportError> {
    let mut answer = shared.dial.fetch(request, route).await?;
    let status = answer.status();
    let headers = answer.headers().to_vec();
    let mut body = String::new();
    let mut enough = shared.clock.sleep(GLIMPSE);
    while body.len() < ANSWER {
        tokio::select! {
            biased;
            line = answer.line() => match line {
                Ok(Some(line)) => {
                    body.push_str(&line);
                    body.push('\n');
                }
                // What was cut short shows what it shows.
                Ok(None) | Err(_) => break,
            },
            () = &mut enough => break,
        }
    }
    Ok(Glimpse {
        status,
        headers,
        body,
    })
}

pub async fn ask(
    shared: &Shared,
    request: &HttpRequest,
    route: &Route,
) -> Result<(u16, String), TransportError> {
    let mut answer = shared.dial.fetch(request, route).await?;
    let status = answer.status();
    Ok((status, answer.text(ANSWER).await?))
}

pub async fn detect(shared: &Shared, text: &str) -> Result<Reply, ErrorView> {
    let pasted::Pasted {
        url,
        kind,
        names,
        says,
    } = pasted::read(text)?;
    if let Some(kind) = kind {
        let address = registry::backend(kind).address(&url);
        return Ok(Reply::Detected(Detected {
            kind: Some(kind),
            url: address.base.to_string(),
            topics: address.topics,
            names,
            options: address.options,
            says,
        }));
    }
    let detected = match find(shared, &url, &bare_route(None, &url)).await? {
        Seen::Known(kind, found) => Detected {
            kind: Some(kind),
            url: found.address.base.to_string(),
            topics: found.address.topics,
            names,
            options: found.address.options,
            says: found.says,
        },
        Seen::Unknown(error) => Detected {
            kind: None,
            url: url.to_string(),
            topics: Vec::new(),
            names,
            options: String::new(),
            says: error.message,
        },
    };
    Ok(Reply::Detected(detected))
}

pub async fn try_draft(shared: &Shared, draft: &AccountDraft) -> Result<Reply, ErrorView> {
    let resolved = match resolve(shared, draft).await {
        Ok(resolved) => resolved,
        // A server that cannot be reached is what the hops are for: they say where it ends.
        Err(error) if error.code == ErrorCode::Network => {
            let url = pasted::read(&draft.url)?.url;
            let report = lower_hops(shared, &url, &bare_route(Some(draft), &url)).await;
            return if report.ok {
                Err(error)
            } else {
                Ok(Reply::Test(report))
            };
        }
        Err(error) => return Err(error),
    };
    let backend = registry::backend(resolved.kind);
    let route = draft_route(draft, backend, &resolved.server);
    let mut report = report(shared, backend, &resolved.server, &resolved.topics, &route).await;
    add_quota(shared, backend, &resolved.server, &route, &mut report).await;
    Ok(Reply::Test(report))
}

pub async fn test(shared: &Shared, id: AccountId) -> Result<Reply, ErrorView> {
    let (account, topics): (Account, Vec<String>) = shared
        .store
        .read(|tx| {
            let topics = tx.subscriptions(id)?.into_iter().map(|s| s.topic).collect();
            Ok((tx.account(id)?, topics))
        })
        .map_err(|error| storage(&error))?;
    let backend = registry::backend(account.kind);
    let report = match task::route(shared, &account).await {
        Ok(route) => {
            let server = task::server(&account);
            let mut report = report(shared, backend, &server, &topics, &route).await;
            let quota = add_quota(shared, backend, &server, &route, &mut report).await;
            if let Some(quota) = quota {
                lock(&shared.quotas).insert(id, quota);
                shared.hint(Event::Status);
                shared.hint(Event::Accounts);
            }
            report
        }
        Err(failure) => TestReport {
            hops: vec![Hop {
                name: "Keyring".to_owned(),
                result: HopResult::Failed,
                says: failure.says,
                millis: 0,
                certificate: String::new(),
            }],
            ok: false,
        },
    };
    Ok(Reply::Test(report))
}

async fn lower_hops(shared: &Shared, url: &Url, route: &Route) -> TestReport {
    if !shared.dial.goes_straight(url, route).await {
        return TestReport {
            hops: Vec::new(),
            ok: true,
        };
    }
    let (found, ok) = hops::hops(url, route, shared.clock.as_ref()).await;
    let hops = found
        .into_iter()
        .map(|hop| Hop {
            name: hop.name.to_owned(),
            result: if hop.ok {
                HopResult::Ok
            } else {
                HopResult::Failed
            },
            says: hop.says,
            millis: hop.millis,
            certificate: hop.certificate,
        })
        .collect();
    TestReport { hops, ok }
}

async fn report(
    shared: &Shared,
    backend: &'static dyn Backend,
    server: &Server,
    topics: &[String],
    route: &Route,
) -> TestReport {
    let base = &server.base;
    let mut report = lower_hops(shared, base, route).await;
    if !report.ok {
        return report;
    }
    let name = backend.capabilities().name;
    let mut reached = true;
    let probes = backend.test_probes(server);
    if !probes.is_empty() {
        let hop = timed(shared, "HTTP", async {
            let mut last = Err(format!("{name} does not answer at this address."));
            for (probe, request) in probes.iter().enumerate() {
                last = match glimpse(shared, request, route).await {
                    Ok(glimpse) => {
                        let probed = Probed {
                            probe,
                            url: &request.url,
                            status: glimpse.status,
                            headers: &glimpse.headers,
                            body: &glimpse.body,
                        };
                        match backend.recognise(base, &probed) {
                            Some(found) => return Ok(found.says),
                            None if matches!(glimpse.status, 401 | 403) => Err(format!(
                                "It refuses the sign-in with status {}. Check the password or token.",
                                glimpse.status
                            )),
                            None => Err(format!(
                                "Something answers with status {}, but not {name}. Is the address \
                                 right?",
                                glimpse.status
                            )),
                        }
                    }
                    Err(error) => Err(failure::failure(&error, TransportKind::Poll).says),
                };
            }
            last
        })
        .await;
        reached = hop.result == HopResult::Ok;
        report.hops.push(hop);
    }
    let alone = [String::new()];
    let asked = if topics.is_empty() { &alone } else { topics };
    let mut tried = false;
    for topic in asked.iter().filter(|_| reached) {
        let Some(request) = backend.access(server, topic) else {
            continue;
        };
        tried = true;
        let called = if topic.is_empty() {
            "Sign-in".to_owned()
        } else {
            format!("Topic {topic}")
        };
        let hop = timed(shared, &called, async {
            // What tells may be a stream that never ends.
            match glimpse(shared, &request, route).await {
                Ok(seen) => match backend.judge_access(seen.status, &seen.body, topic) {
                    Ok(()) if topic.is_empty() => Ok("Accepted.".to_owned()),
                    Ok(()) => Ok("May be read.".to_owned()),
                    Err(failure) => Err(failure.says),
                },
                Err(error) => Err(failure::failure(&error, TransportKind::Poll).says),
            }
        })
        .await;
        report.hops.push(hop);
    }
    if reached && !tried {
        let says = if topics.is_empty() && !backend.offers(server, &route.sign_in) {
            "There is no topic to subscribe to yet, so the sign-in was not tried."
        } else {
            "Only a connection shows whether the sign-in is right; it is made once the account is \
             added."
        };
        report.hops.push(Hop {
            name: "Topics".to_owned(),
            result: HopResult::Warning,
            says: says.to_owned(),
            millis: 0,
            certificate: String::new(),
        });
    }
    report.ok = report
        .hops
        .iter()
        .all(|hop| hop.result != HopResult::Failed);
    report
}

/// Adds what the server lets this account do, where it says so.
async fn add_quota(
    shared: &Shared,
    backend: &'static dyn Backend,
    server: &Server,
    route: &Route,
    report: &mut TestReport,
) -> Option<Quota> {
    let request = backend.ask_quota(server).filter(|_| report.ok)?;
    let start = shared.clock.awake();
    let (status, body) = ask(shared, &request, route).await.ok()?;
    let time = shared.clock.awake().saturating_sub(start);
    let mut add = |name: &str, result, says: String| {
        report.hops.push(Hop {
            name: name.to_owned(),
            result,
            says,
            millis: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            certificate: String::new(),
        });
    };
    if status == 401
        && let Err(failure) = backend.judge_access(status, &body, "")
    {
        // Without a topic, nothing before has tried it.
        add("Sign-in", HopResult::Failed, failure.says);
        report.ok = false;
        return None;
    }
    let quota = backend
        .quota(&body, shared.clock.now())
        .filter(|_| status == 200)?;
    add("Limits", HopResult::Ok, quota.says.clone());
    Some(quota)
}

async fn timed(
    shared: &Shared,
    name: &str,
    work: impl Future<Output = Result<String, String>>,
) -> Hop {
    let start = shared.clock.awake();
    let result = work.await;
    let time = shared.clock.awake().saturating_sub(start);
    let (result, says) = match result {
        Ok(says) => (HopResult::Ok, says),
        Err(says) => (HopResult::Failed, says),
    };
    Hop {
        name: name.to_owned(),
        result,
        says,
        millis: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
        certificate: String::new(),
    }
}
