//! Files whose address somebody else wrote: icons and attachments. The account's own server is asked as
//! always; any other host only if that is wanted, without a credential, past no proxy, over https, and at
//! addresses of the public internet, after each redirect again.

use super::fault::{before_response, in_body};
use super::http::{Network, Purpose, bare, retry_after, within};
use super::limits;
use super::names::NotPublic;
use super::way::Through;
use super::{Route, TransportError};
use crate::model::{Credential, HttpRequest, Sign, SignIn, Way};
use crate::ports::Later;
use futures_util::StreamExt as _;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Response, header};
use std::error::Error;
use std::time::Duration;
use url::{Host, Url};

/// A file that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it is.
    pub url: Url,
    /// The account's credential goes with the request, as long as that stays at the account's server.
    pub signed: bool,
    /// Other hosts than the account's may be asked.
    pub abroad: bool,
    /// What the answer should be (RFC 9110, 12.5.1).
    pub accept: &'static str,
    /// The most bytes that it may have.
    pub limit: usize,
}

/// Why a file was not fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFetched {
    /// It is at another host than the account's, and those are not to be asked.
    #[error("it is on another server")]
    Abroad,
    /// It is at another host that is not on the public internet.
    #[error("its address leads into a private network")]
    Private,
    /// It is at another host and not https.
    #[error("its address is http, which anybody on the way can read and change")]
    Cleartext,
    /// It is at another host, and a proxy would have to find that: its address cannot be judged.
    #[error("it is on another server, behind a proxy")]
    Proxy,
    /// It has more bytes than were wanted.
    #[error("it is too large")]
    TooLarge,
    /// The server refused it.
    #[error("the server answered with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// `Retry-After`, seconds or date made relative.
        retry_after: Option<Duration>,
    },
    /// It could not be had.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

/// Fetches a file, following redirects.
pub(super) async fn download(
    network: &Network,
    wanted: &Wanted,
    route: &Route,
) -> Result<Vec<u8>, NotFetched> {
    let mut deadline = network.clock.sleep(limits::DOWNLOAD);
    let mut url = bare(&wanted.url);
    let mut at_home = true;
    for _ in 0..=limits::REDIRECTS {
        // Whoever was sent away does not come back: a stranger must not make requests to our server.
        at_home = at_home && is_own(&url, route);
        let response = if at_home {
            ask(network, wanted, &url, route, Purpose::Fetch, &mut deadline).await?
        } else {
            let stranger = abroad(network, wanted, &url, route).await?;
            ask(
                network,
                wanted,
                &url,
                &stranger,
                Purpose::Abroad,
                &mut deadline,
            )
            .await?
        };
        match next(&url, &response) {
            Some(to) => url = bare(&to),
            None => return whole(network, response, wanted.limit, &mut deadline).await,
        }
    }
    Err(TransportError::Redirect(super::http::without_query(&url)).into())
}

fn is_own(url: &Url, route: &Route) -> bool {
    route.own.iter().any(|own| own.origin() == url.origin())
}

/// The route to somebody else's server; an error if it must not be asked.
async fn abroad(
    network: &Network,
    wanted: &Wanted,
    url: &Url,
    route: &Route,
) -> Result<Route, NotFetched> {
    if !wanted.abroad {
        return Err(NotFetched::Abroad);
    }
    match url.scheme() {
        "https" => {}
        "http" if route.allow_http => {}
        _ => return Err(NotFetched::Cleartext),
    }
    // Names are judged where they are resolved.
    let literal = match url.host() {
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
        _ => None,
    };
    if literal.is_some_and(|address| !(network.strangers.allowed)(address)) {
        return Err(NotFetched::Private);
    }
    let proxied = match network.proxy(url, &route.way).await {
        Through::Direct => false,
        Through::Named(_) | Through::Desktop(_) => true,
        // It may leave this one out.
        Through::Environment => {
            let target = url.as_str().parse();
            target.is_ok_and(|target| Matcher::from_system().intercept(&target).is_some())
        }
    };
    if proxied {
        return Err(NotFetched::Proxy);
    }
    Ok(Route {
        sign_in: SignIn::None,
        credential: Credential::default(),
        allow_http: route.allow_http,
        own: Vec::new(),
        way: Way::default(),
        silence: route.silence,
    })
}

async fn ask(
    network: &Network,
    wanted: &Wanted,
    url: &Url,
    route: &Route,
    purpose: Purpose,
    deadline: &mut Later<'static, ()>,
) -> Result<Response, NotFetched> {
    let sign = if wanted.signed && purpose == Purpose::Fetch {
        Sign::Account
    } else {
        Sign::Nothing
    };
    let request = HttpRequest {
        sign,
        ..HttpRequest::get(url.clone()).header(header::ACCEPT.as_str(), wanted.accept)
    };
    let through = match purpose {
        Purpose::Abroad => Through::Direct,
        _ => network.proxy(url, &route.way).await,
    };
    let builder = network.build(purpose, &request, url, (route, &through), &[])?;
    within(deadline, builder.send()).await?.map_err(|error| {
        if is_private(&error) {
            NotFetched::Private
        } else {
            before_response(&error, &*network.clock).into()
        }
    })
}

fn is_private(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        if error.is::<NotPublic>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// Where a response points.
fn next(from: &Url, response: &Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let to = response.headers().get(header::LOCATION)?.to_str().ok()?;
    from.join(to).ok()
}

/// The whole body, as long as it is within the limit.
async fn whole(
    network: &Network,
    response: Response,
    limit: usize,
    deadline: &mut Later<'static, ()>,
) -> Result<Vec<u8>, NotFetched> {
    let status = response.status().as_u16();
    if status != 200 {
        return Err(NotFetched::Refused {
            status,
            retry_after: retry_after(response.headers(), &*network.clock),
        });
    }
    if response
        .content_length()
        .is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit))
    {
        return Err(NotFetched::TooLarge);
    }
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = within(deadline, chunks.next()).await? {
        let chunk = chunk.map_err(|error| in_body(&error))?;
        if body.len() + chunk.len() > limit {
            return Err(NotFetched::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
