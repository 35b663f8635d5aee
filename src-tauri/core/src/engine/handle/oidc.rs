//! Signing in in the browser: the user's own browser, the page that the server names, and a listener on this
//! computer that hears when the browser comes back (RFC 8252). It lives as long as one sign-in.

use super::accounts::{refused, unreachable};
use super::{invalid, probe};
use crate::backend::{Backend, Server, pkce};
use crate::engine::Shared;
use crate::transport::Route;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use std::net::Ipv4Addr;
use std::time::Duration;
use tidings_api::{ErrorCode, ErrorView, Event};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// What a user has for the whole of it.
const PATIENCE: Duration = Duration::from_mins(5);
/// What a browser has for its request.
const REQUEST: Duration = Duration::from_secs(10);
/// The longest head of a request, in bytes.
const HEAD: usize = 16 * 1024;
/// Connections at a time; browsers open some that they do not use.
const CONNECTIONS: usize = 16;
/// Where the browser comes back to.
const BACK: &str = "/signed-in";

/// Signs the user in in the browser, and says the token that it brought.
pub async fn sign_in(
    shared: &Shared,
    backend: &'static dyn Backend,
    server: &Server,
    route: &Route,
) -> Result<String, ErrorView> {
    let Some(browser) = backend.browser() else {
        return Err(invalid(format!(
            "{} does not sign its users in in the browser.",
            backend.capabilities().name
        )));
    };
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| {
        ErrorView::new(
            ErrorCode::Internal,
            "This computer gives no random numbers.",
        )
        .with_detail(error)
    })?;
    let verifier = pkce::verifier(&random);
    let (listener, redirect) = listen().await.map_err(|error| {
        let says = "Tidings could not listen for the browser on this computer. Try again, or sign in with \
                    user name and password.";
        ErrorView::new(ErrorCode::Internal, says).with_detail(error)
    })?;
    let challenge = pkce::challenge(&verifier);
    let request = browser.begin(server, &shared.device, &redirect, &challenge);
    let (status, body) = probe::ask(shared, &request, route)
        .await
        .map_err(|error| unreachable(&error))?;
    let page = browser.page(status, &body).map_err(refused)?;
    // Not every desktop says that it has no browser: whoever waits shows the address too, and any browser on
    // this computer will do.
    shared.hint(Event::Browse {
        url: page.url.to_string(),
    });
    if let Err(error) = shared.desktop.open(page.url.as_str(), None) {
        tracing::info!(%error, "no browser could be opened for a sign-in");
    }
    let mut over = shared.clock.sleep(PATIENCE);
    let back = tokio::select! {
        back = comes_back(shared, &listener, &page.state) => back,
        () = &mut over => {
            return Err(ErrorView::new(
                ErrorCode::Unauthorized,
                "Nobody signed in in the browser within 5 minutes. Begin anew.",
            ));
        }
    };
    drop(listener);
    let code = match back {
        Back::Code(code) => code,
        Back::Refused(why) => {
            let says =
                "The sign-in was refused in the browser. Begin anew, or ask the server's owner.";
            return Err(ErrorView::new(ErrorCode::Unauthorized, says).with_detail(why));
        }
    };
    let request = browser.token(server, &code, &page.state, &verifier);
    let (status, body) = probe::ask(shared, &request, route)
        .await
        .map_err(|error| unreachable(&error))?;
    browser.signed_in(status, &body).map_err(refused)
}

/// Only this computer can reach it; the port is any that is free.
async fn listen() -> Result<(TcpListener, Url), std::io::Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let redirect = Url::parse(&format!("http://127.0.0.1:{port}{BACK}"));
    Ok((listener, redirect.map_err(std::io::Error::other)?))
}

/// What a browser brought back.
#[derive(Debug, PartialEq, Eq)]
enum Back {
    /// A code to be exchanged.
    Code(String),
    /// Why there is none, in a word of the identity provider's.
    Refused(String),
}

/// Waits for the browser. Whoever else connects, or does not know the state, is answered and changes
/// nothing.
async fn comes_back(shared: &Shared, listener: &TcpListener, state: &str) -> Back {
    let mut visits = FuturesUnordered::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if visits.len() < CONNECTIONS => {
                // One that was gone again before it was taken in is nobody.
                if let Ok((stream, _)) = accepted {
                    visits.push(visit(shared, stream, state));
                }
            }
            Some(back) = visits.next(), if !visits.is_empty() => {
                if let Some(back) = back {
                    return back;
                }
            }
        }
    }
}

/// One connection: one request, one answer.
async fn visit(shared: &Shared, mut stream: TcpStream, state: &str) -> Option<Back> {
    let mut over = shared.clock.sleep(REQUEST);
    let work = async {
        let head = head(&mut stream).await?;
        let back = read(&head, state);
        let (status, words) = match &back {
            Some(Back::Code(_)) => (
                "200 OK",
                "Tidings goes on from here. You can close this page.",
            ),
            Some(Back::Refused(_)) => (
                "200 OK",
                "You are not signed in. Close this page; Tidings says what to do.",
            ),
            None => ("404 Not Found", "There is nothing here."),
        };
        // A browser that does not wait for the page has brought what it had to.
        let _ = stream.write_all(answer(status, words).as_bytes()).await;
        let _ = stream.shutdown().await;
        back
    };
    tokio::select! {
        back = work => back,
        () = &mut over => None,
    }
}

/// The head of a request; none if it is none, or too long.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut part = [0; 2048];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut part).await {
            Ok(read) if read > 0 && head.len() + read <= HEAD => {
                head.extend_from_slice(&part[..read]);
            }
            _ => return None,
        }
    }
    String::from_utf8(head).ok()
}

/// What a request brings, if it is the one that is waited for (RFC 6749, 4.1.2).
fn read(head: &str, state: &str) -> Option<Back> {
    let line = head.lines().next()?;
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    let url = Url::parse("http://127.0.0.1").ok()?.join(target).ok()?;
    let member = |name: &str| {
        let found = url.query_pairs().find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned())
    };
    if url.path() != BACK || member("state").as_deref() != Some(state) {
        return None;
    }
    match (member("code"), member("error")) {
        (Some(code), None) if !code.is_empty() => Some(Back::Code(code)),
        (_, Some(error)) => Some(Back::Refused(crate::text::one_line(&error, 80))),
        _ => None,
    }
}

fn answer(status: &str, words: &str) -> String {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Tidings</title>\
         <p style=\"font: 1.2em system-ui; margin: 3em auto; max-width: 30em\">{words}"
    );
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\n\
         content-security-policy: default-src 'none'; style-src 'unsafe-inline'\r\n\
         connection: close\r\n\r\n{page}",
        page.len()
    )
}

#[cfg(test)]
mod tests {
    use super::{Back, answer, read};
    use proptest::prelude::*;

    #[test]
    fn only_who_knows_the_state_is_heard() {
        let code = Some(Back::Code("c/1".to_owned()));
        for (line, back) in [
            ("GET /signed-in?code=c%2F1&state=s HTTP/1.1", code),
            (
                "GET /signed-in?state=s&iss=x&error=access_denied HTTP/1.1",
                { Some(Back::Refused("access_denied".to_owned())) },
            ),
            ("GET /signed-in?code=c HTTP/1.1", None),
            ("GET /signed-in?code=c&state=t HTTP/1.1", None),
            ("GET /signed-in?code=c&state= HTTP/1.1", None),
            ("GET /signed-in?error=access_denied&state=t HTTP/1.1", None),
            ("GET /signed-in?code=&state=s HTTP/1.1", None),
            ("GET /signed-in?state=s HTTP/1.1", None),
            ("GET /favicon.ico HTTP/1.1", None),
            ("GET /elsewhere?code=c&state=s HTTP/1.1", None),
            ("POST /signed-in?code=c&state=s HTTP/1.1", None),
            ("", None),
        ] {
            assert_eq!(
                read(&format!("{line}\r\nhost: x\r\n\r\n"), "s"),
                back,
                "{line}"
            );
        }
    }

    #[test]
    fn an_answer_is_as_long_as_it_says() {
        let answer = answer("200 OK", "Done, über and out.");
        let (head, page) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", page.len())));
    }

    proptest! {
        #[test]
        fn any_request_is_survived(head in "(GET )?\\PC{0,60}(\r\n)?\\PC{0,20}") {
            read(&head, "s");
        }
    }
}
