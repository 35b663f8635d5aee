//! `tidings serve`: the embedded server by itself.

use super::output::{End, Output, say};
use crate::wiring::stop_signal;
use std::net::SocketAddr;
use std::path::PathBuf;
use tidings_api::{ErrorCode, ErrorView};
use tidings_server::{Access, Config, Server, ServerError};

/// Serves until it is told to stop.
///
/// # Errors
/// In words.
pub async fn run(
    listen: SocketAddr,
    auth: Option<PathBuf>,
    store: Option<PathBuf>,
    out: &Output,
) -> Result<(), End> {
    let access = match auth {
        Some(path) => Access::from_file(&path).map_err(|error| worded(&error))?,
        None => Access::default(),
    };
    let config = Config {
        listen,
        store,
        access,
        ..Config::default()
    };
    let stopped = stop_signal();
    let server = Server::start(config)
        .await
        .map_err(|error| worded(&error))?;
    let url = server.url();
    if out.json {
        out.object(&serde_json::json!({ "url": url }))?;
    } else {
        out.line(&format!("Serving at {url}"))?;
    }
    if !listen.ip().is_loopback() {
        say("Others on the network can reach it.");
    }
    stopped.await;
    server.stop().await;
    Ok(())
}

/// The server's error as one of ours.
pub fn worded(error: &ServerError) -> ErrorView {
    let mut words = error.to_string();
    if let Some(first) = words.get(..1) {
        words = format!("{}{}.", first.to_uppercase(), &words[1..]);
    }
    ErrorView::new(ErrorCode::Invalid, words)
}
