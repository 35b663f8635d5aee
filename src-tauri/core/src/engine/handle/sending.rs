//! Publishing.

use super::invalid;
use crate::backend::{Attach, FailureKind, Publication, registry};
use crate::engine::connection::{failure, task};
use crate::engine::{Shared, lock, storage};
use crate::model::{Account, TransportKind};
use crate::text;
use std::path::PathBuf;
use tidings_api::{ErrorCode, ErrorView, Outgoing, Reply};

/// How much of a server's answer is read.
const ANSWER: usize = 64 * 1024;
/// The largest file that is read at all, in bytes.
const LARGEST_FILE: u64 = 256 << 20;

pub async fn send(shared: &Shared, outgoing: Outgoing) -> Result<Reply, ErrorView> {
    let account = by_name(shared, &outgoing.account)?;
    let backend = registry::backend(account.kind);
    if !backend.capabilities().sends {
        return Err(invalid(format!("{} cannot be published to.", account.name)));
    }
    backend.check_topic(&outgoing.topic).map_err(invalid)?;
    if outgoing.priority.is_some_and(|p| !(1..=5).contains(&p)) {
        return Err(invalid("A priority is a number from 1 to 5."));
    }
    let route = task::route(shared, &account)
        .await
        .map_err(|failure| ErrorView::new(ErrorCode::Keyring, failure.says))?;
    let publication = Publication {
        attach: attachment(shared, &account, outgoing.attach.trim()).await?,
        topic: outgoing.topic,
        title: outgoing.title,
        priority: outgoing.priority,
        tags: outgoing.tags,
        body: outgoing.body,
        at: outgoing.at.trim().to_owned(),
    };
    backend.check_publication(&publication).map_err(invalid)?;
    let request = backend.publish(&task::server(&account), &publication);
    let Some(request) = request else {
        return Err(invalid(format!("{} cannot be published to.", account.name)));
    };
    let network = |error| {
        let failure = failure::failure(&error, TransportKind::Poll);
        ErrorView::new(ErrorCode::Network, failure.says).with_detail(error)
    };
    let mut answer = shared.dial.fetch(&request, &route).await.map_err(network)?;
    let status = answer.status();
    let body = answer.text(ANSWER).await.map_err(network)?;
    match backend.published(status, &body) {
        Ok(remote_id) => Ok(Reply::Sent { remote_id }),
        Err(failure) => Err(ErrorView::new(
            match failure.kind {
                FailureKind::SignIn | FailureKind::Forbidden => ErrorCode::Unauthorized,
                _ => ErrorCode::Network,
            },
            failure.says,
        )),
    }
}

/// A link stays one; a path is read.
async fn attachment(
    shared: &Shared,
    account: &Account,
    what: &str,
) -> Result<Option<Attach>, ErrorView> {
    if what.is_empty() {
        return Ok(None);
    }
    if what.starts_with("https://") || what.starts_with("http://") {
        return Ok(Some(Attach::Link(what.to_owned())));
    }
    let path = PathBuf::from(what);
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let (Some(name), true) = (name, path.is_absolute()) else {
        return Err(invalid(format!(
            "“{what}” is neither a web address nor the path of a file from the root on."
        )));
    };
    let quota = lock(&shared.quotas).get(&account.id).cloned();
    let most = quota
        .and_then(|quota| quota.file_size)
        .unwrap_or(LARGEST_FILE)
        .min(LARGEST_FILE);
    let reading = tokio::task::spawn_blocking(move || {
        let size = std::fs::metadata(&path)?.len();
        if size > most {
            return Ok(Err(size));
        }
        std::fs::read(&path).map(Ok)
    });
    let read: std::io::Result<Result<Vec<u8>, u64>> = reading
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)));
    match read {
        Ok(Ok(bytes)) => Ok(Some(Attach::File { name, bytes })),
        Ok(Err(size)) => Err(invalid(if most == 0 {
            format!(
                "{} takes no files. Send a link to it instead.",
                account.name
            )
        } else {
            format!(
                "{name} has {}, and {} takes at most {}. Send a link to it instead.",
                text::size(size),
                account.name,
                text::size(most)
            )
        })),
        Err(error) => Err(invalid(format!(
            "{what} cannot be read. Check its name and its rights."
        ))
        .with_detail(error)),
    }
}

fn by_name(shared: &Shared, name: &str) -> Result<Account, ErrorView> {
    let accounts = shared
        .store
        .read(|tx| tx.accounts())
        .map_err(|error| storage(&error))?;
    let mut named = accounts
        .into_iter()
        .filter(|account| account.id.to_string() == name || account.name == name);
    match (named.next(), named.next()) {
        (Some(account), None) => Ok(account),
        (None, _) => Err(ErrorView::new(
            ErrorCode::NotFound,
            format!("There is no account {name}. See: tidings account list"),
        )),
        (Some(_), Some(_)) => Err(invalid(format!(
            "Several accounts are called {name}. Use the number from: tidings account list"
        ))),
    }
}
