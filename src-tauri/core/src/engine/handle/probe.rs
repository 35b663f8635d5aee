//! Finding out what lives at an address, and testing an account hop by hop.

use super::invalid;
use crate::backend::{Address, Backend, registry};
use crate::engine::connection::{attempt, task};
use crate::engine::{Shared, storage};
use crate::model::{
    Account, AccountId, BackendKind, Credential, HttpRequest, SignIn, TransportKind,
};
use crate::transport::{Route, TransportError, hops};
use std::time::Duration;
use tidings_api::{
    AccountDraft, Detected, ErrorCode, ErrorView, Hop, HopResult, Reply, TestReport,
};
use url::Url;

/// How much of an answer is read.
const ANSWER: usize = 64 * 1024;
/// What to do about an address that is none.
const EXAMPLE: &str = "Paste it as in the browser, for example https://ntfy.sh/mytopic.";
/// A probe is answered soon or not at all.
const SILENCE: Duration = Duration::from_secs(20);

/// What a draft resolves to.
pub struct Resolved {
    /// The family.
    pub kind: BackendKind,
    /// The server.
    pub base: Url,
    /// All topics, each once.
    pub topics: Vec<String>,
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
    if !matches!(url.scheme(), "http" | "https" | "ws" | "wss" | "ntfy") {
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
    }
}

fn draft_route(draft: &AccountDraft) -> Route {
    Route {
        sign_in: draft.sign_in.clone(),
        credential: credential(draft),
        allow_http: draft.allow_http,
        silence: SILENCE,
    }
}

/// A probe goes to an address that may be anybody's: it carries no credential.
fn bare_route() -> Route {
    Route {
        sign_in: SignIn::None,
        credential: Credential::default(),
        allow_http: true,
        silence: SILENCE,
    }
}

/// Takes a draft's address apart, finds its family out if it does not say, and checks its topics.
pub async fn resolve(shared: &Shared, draft: &AccountDraft) -> Result<Resolved, ErrorView> {
    let url = pasted(&draft.url)?;
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
    let kind = match draft.kind {
        Some(kind) => kind,
        None => match find(shared, &url, &draft_route(draft)).await? {
            Some((kind, _)) => kind,
            None => return Err(unknown(&url)),
        },
    };
    let backend = registry::backend(kind);
    let Address { base, topics } = backend.address(&url);
    let mut all = Vec::<String>::new();
    for topic in topics.iter().chain(&draft.topics) {
        let topic = topic.trim();
        if topic.is_empty() || all.iter().any(|known| known == topic) {
            continue;
        }
        backend.check_topic(topic).map_err(invalid)?;
        all.push(topic.to_owned());
    }
    Ok(Resolved {
        kind,
        base,
        topics: all,
    })
}

fn unknown(url: &Url) -> ErrorView {
    ErrorView::new(
        ErrorCode::Network,
        format!(
            "{} answers, but not as a notification server that Tidings knows. Is the address right?",
            url.host_str().unwrap_or_default()
        ),
    )
}

async fn find(
    shared: &Shared,
    url: &Url,
    route: &Route,
) -> Result<Option<(BackendKind, Address)>, ErrorView> {
    let mut last = None;
    for backend in registry::backends() {
        let address = backend.address(url);
        match ask(shared, &backend.probe(&address.base), route).await {
            Ok((status, body)) if backend.recognise(status, &body) => {
                return Ok(Some((backend.kind(), address)));
            }
            Ok(_) => {}
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) => {
            let failure = attempt::failure(&error, TransportKind::Poll);
            Err(ErrorView::new(ErrorCode::Network, failure.says).with_detail(error))
        }
        None => Ok(None),
    }
}

async fn ask(
    shared: &Shared,
    request: &HttpRequest,
    route: &Route,
) -> Result<(u16, String), TransportError> {
    let mut answer = shared.dial.fetch(request, route).await?;
    let status = answer.status();
    Ok((status, answer.text(ANSWER).await?))
}

pub async fn detect(shared: &Shared, text: &str) -> Result<Reply, ErrorView> {
    let url = pasted(text)?;
    let detected = match find(shared, &url, &bare_route()).await? {
        Some((kind, address)) => Detected {
            kind: Some(kind),
            url: address.base.to_string(),
            topics: address.topics,
            says: format!("{} answers.", registry::backend(kind).capabilities().name),
        },
        None => Detected {
            kind: None,
            url: url.to_string(),
            topics: Vec::new(),
            says: unknown(&url).message,
        },
    };
    Ok(Reply::Detected(detected))
}

pub async fn try_draft(shared: &Shared, draft: &AccountDraft) -> Result<Reply, ErrorView> {
    let resolved = match resolve(shared, draft).await {
        Ok(resolved) => resolved,
        // A server that cannot be reached is what the hops are for: they say where it ends.
        Err(error) if error.code == ErrorCode::Network => {
            let url = pasted(&draft.url)?;
            let report = lower_hops(shared, &url).await;
            return if report.ok {
                Err(error)
            } else {
                Ok(Reply::Test(report))
            };
        }
        Err(error) => return Err(error),
    };
    let route = draft_route(draft);
    let backend = registry::backend(resolved.kind);
    let report = report(shared, backend, &resolved.base, &resolved.topics, &route).await;
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
        Ok(route) => report(shared, backend, &account.url, &topics, &route).await,
        Err(failure) => TestReport {
            hops: vec![Hop {
                name: "Keyring".to_owned(),
                result: HopResult::Failed,
                says: failure.says,
                millis: 0,
            }],
            ok: false,
        },
    };
    Ok(Reply::Test(report))
}

async fn lower_hops(shared: &Shared, url: &Url) -> TestReport {
    let (found, ok) = hops::hops(url, shared.clock.as_ref()).await;
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
        })
        .collect();
    TestReport { hops, ok }
}

async fn report(
    shared: &Shared,
    backend: &'static dyn Backend,
    base: &Url,
    topics: &[String],
    route: &Route,
) -> TestReport {
    let mut report = lower_hops(shared, base).await;
    if !report.ok {
        return report;
    }
    let name = backend.capabilities().name;
    let hop = timed(shared, "HTTP", async {
        match ask(shared, &backend.probe(base), route).await {
            Ok((status, body)) if backend.recognise(status, &body) => {
                Ok(format!("{name} answers."))
            }
            Ok((status, _)) => Err(format!(
                "Something answers with status {status}, but not {name}. Is the address right?"
            )),
            Err(error) => Err(attempt::failure(&error, TransportKind::Poll).says),
        }
    })
    .await;
    let reached = hop.result == HopResult::Ok;
    report.hops.push(hop);
    for topic in topics.iter().filter(|_| reached) {
        let hop = timed(shared, &format!("Topic {topic}"), async {
            match ask(shared, &backend.access(base, topic), route).await {
                Ok((status, body)) => match backend.judge_access(status, &body, topic) {
                    Ok(()) => Ok("May be read.".to_owned()),
                    Err(failure) => Err(failure.says),
                },
                Err(error) => Err(attempt::failure(&error, TransportKind::Poll).says),
            }
        })
        .await;
        report.hops.push(hop);
    }
    if reached && topics.is_empty() {
        report.hops.push(Hop {
            name: "Topics".to_owned(),
            result: HopResult::Warning,
            says: "There is no topic to subscribe to yet, so the sign-in was not tried.".to_owned(),
            millis: 0,
        });
    }
    report.ok = report
        .hops
        .iter()
        .all(|hop| hop.result != HopResult::Failed);
    report
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
    }
}
