//! Accounts: added, changed, removed. A secret goes to the keyring and nowhere else.

use super::headers::{self, NewSecrets};
use super::{invalid, oidc, probe, view};
use crate::backend::{Backend, Failure, FailureKind, Server, registry};
use crate::engine::connection::{failure, task};
use crate::engine::{Shared, lock, storage};
use crate::model::{
    Account, AccountId, Credential, NewAccount, NewSubscription, SecretPlace, SignIn, TransportKind,
};
use crate::ports::SecretError;
use crate::transport::{Route, TransportError};
use std::sync::Arc;
use tidings_api::{
    AccountDraft, AccountEdit, ErrorCode, ErrorView, Event, Reply, Secret, TransportChoice,
};
use url::Url;

pub fn all(shared: &Shared) -> Result<Reply, ErrorView> {
    shared
        .store
        .read(|tx| {
            tx.accounts()?
                .iter()
                .map(|account| view::account(shared, tx, account))
                .collect::<Result<_, _>>()
                .map(Reply::Accounts)
        })
        .map_err(|error| storage(&error))
}

pub(super) fn one(shared: &Shared, id: AccountId) -> Result<Reply, ErrorView> {
    shared
        .store
        .read(|tx| view::account(shared, tx, &tx.account(id)?).map(Reply::Account))
        .map_err(|error| storage(&error))
}

pub(super) fn get(shared: &Shared, id: AccountId) -> Result<Account, ErrorView> {
    shared
        .store
        .read(|tx| tx.account(id))
        .map_err(|error| storage(&error))
}

pub async fn add(shared: &Arc<Shared>, draft: AccountDraft) -> Result<Reply, ErrorView> {
    let found = probe::resolve(shared, &draft).await?;
    let backend = registry::backend(found.kind);
    check_transport(backend, &found.server, draft.transport)?;
    let route = probe::draft_route(&draft, backend, &found.server);
    let token = exchange(shared, backend, &found.server, &draft.sign_in, &route).await?;
    store(shared, draft, found, token).await
}

/// Adds an account whose user signs in in the browser.
pub async fn add_by_browser(shared: &Arc<Shared>, draft: AccountDraft) -> Result<Reply, ErrorView> {
    let draft = AccountDraft {
        sign_in: SignIn::None,
        secret: None,
        ..draft
    };
    let found = probe::resolve(shared, &draft).await?;
    let backend = registry::backend(found.kind);
    check_transport(backend, &found.server, draft.transport)?;
    let route = probe::draft_route(&draft, backend, &found.server);
    let token = oidc::sign_in(shared, backend, &found.server, &route).await?;
    let made = Made {
        token,
        name: String::new(),
    };
    store(shared, draft, found, Some(made)).await
}

/// Signs an account in anew, in the browser.
pub async fn sign_in_by_browser(shared: &Arc<Shared>, id: AccountId) -> Result<Reply, ErrorView> {
    let before = get(shared, id)?;
    let backend = registry::backend(before.kind);
    // What its proxy wants goes along; the old token does not.
    let kept = shared.secrets.get(before.secrets, id).await;
    let kept = kept.ok().flatten().unwrap_or_default();
    let route = task::route_with(
        shared,
        &Account {
            sign_in: SignIn::None,
            ..before.clone()
        },
        Credential {
            secret: None,
            ..kept
        },
    );
    let token = oidc::sign_in(shared, backend, &task::server(&before), &route).await?;
    // It may have been changed, or removed, while its user was in the browser.
    let before = get(shared, id)?;
    let after = Account {
        sign_in: SignIn::Token,
        made_token: String::new(),
        ..before.clone()
    };
    save(
        shared,
        &before,
        &after,
        NewSecrets {
            secret: Some(Secret::new(token)),
            ..NewSecrets::default()
        },
    )
    .await
}

/// What an account's own settings describe counts, not all that its family could have.
fn check_transport(
    backend: &dyn Backend,
    server: &Server,
    transport: Option<TransportKind>,
) -> Result<(), ErrorView> {
    let Some(fixed) = transport else {
        return Ok(());
    };
    let can = backend.transports(server);
    if can.contains(&fixed) {
        return Ok(());
    }
    let names: Vec<_> = can.iter().copied().map(transport_name).collect();
    Err(invalid(format!(
        "This account cannot be connected over {}. There is: {}.",
        transport_name(fixed),
        names.join(", ")
    )))
}

fn transport_name(transport: TransportKind) -> &'static str {
    match transport {
        TransportKind::Websocket => "WebSocket",
        TransportKind::Sse => "server-sent events",
        TransportKind::HttpStream => "an HTTP stream",
        TransportKind::LongPoll => "long polling",
        TransportKind::Poll => "polling",
    }
}

/// Stores a new account; a token takes the place of what its draft signs in with.
async fn store(
    shared: &Arc<Shared>,
    draft: AccountDraft,
    found: probe::Resolved,
    made: Option<Made>,
) -> Result<Reply, ErrorView> {
    let mut credential = probe::credential(&draft);
    let mut sign_in = draft.sign_in.clone();
    let mut made_token = String::new();
    if let Some(made) = made {
        credential.secret = Some(made.token);
        made_token = made.name;
        sign_in = SignIn::Token;
    }
    let name = if draft.name.trim().is_empty() {
        usual_name(&found.server.base)
    } else {
        draft.name.trim().to_owned()
    };
    let account = NewAccount {
        kind: found.kind,
        name,
        url: found.server.base,
        options: found.server.options,
        way: probe::check_way(&draft.way)?,
        sign_in,
        secrets: draft.secrets,
        header_names: draft.headers.iter().map(|(name, _)| name.clone()).collect(),
        transport: draft.transport,
        allow_http: draft.allow_http,
        made_token,
    };
    let mut names = draft.names;
    names.extend(found.names);
    let subscriptions: Vec<_> = found
        .topics
        .into_iter()
        .map(|topic| NewSubscription {
            name: names
                .iter()
                .find(|(named, _)| *named == topic)
                .map(|(_, name)| name.trim().to_owned())
                .unwrap_or_default(),
            topic,
        })
        .collect();
    let now = shared.clock.now();
    let id = shared
        .store
        .write(|tx| tx.add_account(&account, &subscriptions, now))
        .map_err(|error| storage(&error))?;
    if let Err(error) = keep_secret(shared, draft.secrets, id, credential.clone()).await {
        // An account without its secret could never connect: it is as if it had not been added.
        if let Ok(account) = get(shared, id) {
            revoke(shared, &account, credential);
        }
        shared
            .store
            .write(|tx| tx.remove_account(id))
            .map_err(|error| storage(&error))?;
        return Err(error);
    }
    changed(shared, id);
    one(shared, id)
}

/// A token that the server made in exchange for a password.
struct Made {
    token: String,
    /// What names it there.
    name: String,
}

/// Revokes the token that an account was given in exchange for its password, if there is one: tried once, in the
/// background, since nobody can wait for a server that may be gone.
fn revoke(shared: &Arc<Shared>, account: &Account, credential: Credential) {
    if account.made_token.is_empty() {
        return;
    }
    let backend = registry::backend(account.kind);
    let Some(request) = backend.revoke(&task::server(account), &account.made_token) else {
        return;
    };
    let route = task::route_with(shared, account, credential);
    let (shared, id) = (Arc::clone(shared), account.id);
    tokio::spawn(async move {
        match shared.dial.fetch(&request, &route).await {
            Ok(answer) if matches!(answer.status(), 200..=299 | 401 | 404) => {}
            Ok(answer) => {
                let status = answer.status();
                tracing::warn!(account = %id, status, "a token could not be revoked; its server lists it");
            }
            Err(error) => {
                tracing::warn!(account = %id, %error, "a token could not be revoked; its server lists it");
            }
        }
    });
}

/// Where the server makes tokens, one takes the password's place, which is then kept nowhere.
async fn exchange(
    shared: &Shared,
    backend: &'static dyn Backend,
    server: &Server,
    sign_in: &SignIn,
    route: &Route,
) -> Result<Option<Made>, ErrorView> {
    if !matches!(sign_in, SignIn::Basic { .. }) {
        return Ok(None);
    }
    let Some(request) = backend.exchange(server, &shared.device) else {
        return Ok(None);
    };
    let (status, body) = probe::ask(shared, &request, route)
        .await
        .map_err(|error| unreachable(&error))?;
    let token = backend
        .exchanged_at(server, status, &body)
        .map_err(refused)?;
    Ok(token.map(|token| Made {
        token,
        name: backend.made_token(&body),
    }))
}

/// A request that never got to its server.
pub(super) fn unreachable(error: &TransportError) -> ErrorView {
    let failure = failure::failure(error, TransportKind::Poll);
    ErrorView::new(ErrorCode::Network, failure.says).with_detail(error)
}

/// What a server answered to a sign-in.
pub(super) fn refused(failure: Failure) -> ErrorView {
    let code = match failure.kind {
        FailureKind::SignIn | FailureKind::Forbidden => ErrorCode::Unauthorized,
        _ => ErrorCode::Network,
    };
    ErrorView::new(code, failure.says)
}

async fn keep_secret(
    shared: &Shared,
    place: SecretPlace,
    id: AccountId,
    credential: Credential,
) -> Result<(), ErrorView> {
    if credential == Credential::default() {
        return Ok(());
    }
    shared
        .secrets
        .set(place, id, credential.clone())
        .await
        .map_err(|error| no_keyring(&error))?;
    lock(&shared.credentials).insert(id, credential);
    Ok(())
}

fn no_keyring(error: &SecretError) -> ErrorView {
    let what = match error {
        SecretError::Missing => {
            "This desktop has no keyring to keep the password in. Start one (GNOME Keyring, KWallet, \
             KeePassXC) and try again, keep the password for this run only, or save it in a file that \
             only you can read."
        }
        SecretError::Locked => {
            "The keyring is locked. Unlock it and try again, keep the password for this run only, or \
             save it in a file that only you can read."
        }
        SecretError::Timeout | SecretError::Refused(_) => {
            "The keyring did not take the password. Try again, keep the password for this run only, or \
             save it in a file that only you can read."
        }
    };
    ErrorView::new(ErrorCode::Keyring, what).with_detail(error)
}

/// Somebody changed an account: its connection begins anew, watchers look again.
pub(super) fn changed(shared: &Arc<Shared>, id: AccountId) {
    shared.read_preferences();
    if shared.started.get().is_some() {
        shared.supervisor.changed(shared, id);
    }
    shared.hint(Event::Accounts);
    shared.hint(Event::Status);
}

/// The same where a subscription came or went: the connection goes on.
pub(super) fn topics_changed(shared: &Arc<Shared>, id: AccountId) {
    shared.read_preferences();
    if shared.started.get().is_some() {
        shared.supervisor.topics_changed(shared, id);
    }
    shared.hint(Event::Accounts);
    shared.hint(Event::Status);
}

/// What an account is called whose user gave it no name: its host, and its port where that is not the
/// usual one, so that two servers on one host can be told apart.
pub(super) fn usual_name(base: &Url) -> String {
    let host = base.host_str().unwrap_or("server");
    match base.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

pub async fn edit(
    shared: &Arc<Shared>,
    id: AccountId,
    edit: AccountEdit,
) -> Result<Reply, ErrorView> {
    let before = get(shared, id)?;
    let mut account = before.clone();
    let (muted, min_tier) = (edit.muted, edit.min_tier);
    if let Some(name) = edit.name {
        let name = name.trim();
        if name.is_empty() {
            return Err(invalid("An account needs a name."));
        }
        name.clone_into(&mut account.name);
    }
    if let Some(url) = &edit.url {
        let pasted = probe::pasted(url)?;
        account.url = registry::backend(account.kind).address(&pasted).base;
    }
    if let Some(options) = &edit.options {
        account.options = registry::backend(account.kind)
            .check_options(options)
            .map_err(invalid)?;
    }
    if let Some(TransportChoice::Fixed(fixed)) = edit.transport {
        let server = task::server(&account);
        check_transport(registry::backend(account.kind), &server, Some(fixed))?;
        account.transport = Some(fixed);
    } else if edit.transport.is_some() {
        account.transport = None;
    }
    if let Some(way) = edit.way {
        account.way = probe::check_way(&way)?;
    }
    account.sign_in = edit.sign_in.unwrap_or(account.sign_in);
    account.secrets = edit.secrets.unwrap_or(account.secrets);
    account.allow_http = edit.allow_http.unwrap_or(account.allow_http);
    account.disabled = edit.disabled.unwrap_or(account.disabled);
    if account.sign_in == SignIn::None {
        account.made_token.clear();
    }
    let mut secret = edit.secret;
    if let Some(new) = &secret {
        if account.sign_in == SignIn::Token {
            registry::backend(account.kind)
                .check_token(new.reveal())
                .map_err(invalid)?;
        }
        let made = exchange_again(shared, &account, new).await?;
        account.made_token.clear();
        if let Some(made) = made {
            secret = Some(Secret::new(made.token));
            account.made_token = made.name;
            account.sign_in = SignIn::Token;
        }
    }
    if let Some(headers) = &edit.headers {
        account.header_names = headers::names(&before, headers)?;
    }
    let secrets = NewSecrets {
        secret,
        proxy: edit.proxy_sign_in,
        certificate: edit.certificate_password,
        headers: edit.headers,
    };
    shared.edit_cell(id, None, muted, min_tier)?;
    save(shared, &before, &account, secrets).await
}

/// The token for a new password of an account, where its server makes them.
async fn exchange_again(
    shared: &Shared,
    account: &Account,
    password: &Secret,
) -> Result<Option<Made>, ErrorView> {
    let kept = shared.secrets.get(account.secrets, account.id).await;
    let credential = Credential {
        secret: Some(password.reveal().to_owned()),
        ..kept.ok().flatten().unwrap_or_default()
    };
    let route = task::route_with(shared, account, credential);
    let backend = registry::backend(account.kind);
    let server = task::server(account);
    exchange(shared, backend, &server, &account.sign_in, &route).await
}

/// Stores a changed account, and its secret before it.
async fn save(
    shared: &Arc<Shared>,
    before: &Account,
    after: &Account,
    secrets: NewSecrets,
) -> Result<Reply, ErrorView> {
    let signed_in_anew = secrets.any();
    let replaced = secrets.secret.is_some() || after.sign_in == SignIn::None;
    let old = if replaced && !before.made_token.is_empty() {
        let kept = shared.secrets.get(before.secrets, before.id).await;
        kept.ok().flatten()
    } else {
        None
    };
    move_secret(shared, before, after, secrets).await?;
    shared
        .store
        .write(|tx| tx.save_account(after))
        .map_err(|error| storage(&error))?;
    shared.read_preferences();
    if let Some(old) = old {
        revoke(shared, before, old);
    }
    if signed_in_anew || reconnects(before, after) {
        changed(shared, before.id);
    } else {
        shared.hint(Event::Accounts);
        shared.hint(Event::Status);
    }
    one(shared, before.id)
}

/// A name is no reason to hang up.
fn reconnects(before: &Account, after: &Account) -> bool {
    let quiet = Account {
        name: after.name.clone(),
        ..before.clone()
    };
    quiet != *after
}

/// Puts the secret where the account wants it now, before the account says so.
async fn move_secret(
    shared: &Shared,
    before: &Account,
    after: &Account,
    new: NewSecrets,
) -> Result<(), ErrorView> {
    let moved = before.secrets != after.secrets;
    let signed_out = after.sign_in == SignIn::None && before.sign_in != SignIn::None;
    if !new.any() && !moved && !signed_out {
        return Ok(());
    }
    let kept = shared.secrets.get(before.secrets, before.id).await;
    let mut credential = match kept {
        Ok(kept) => kept.unwrap_or_default(),
        // What cannot be read would be lost, unless all of it is new.
        Err(error) if before.sign_in != SignIn::None && new.secret.is_none() && !signed_out => {
            return Err(no_keyring(&error));
        }
        Err(_) => Credential::default(),
    };
    new.put(&mut credential)?;
    if signed_out {
        credential.secret = None;
    }
    if credential == Credential::default() {
        // Nothing is left to be kept: what was kept goes.
        lock(&shared.credentials).remove(&before.id);
        if let Err(error) = shared.secrets.delete(after.secrets, before.id).await {
            tracing::warn!(account = %before.id, %error, "a secret could not be removed");
        }
    } else {
        keep_secret(shared, after.secrets, before.id, credential).await?;
    }
    if moved && let Err(error) = shared.secrets.delete(before.secrets, before.id).await {
        tracing::warn!(account = %before.id, %error, "an old copy of a secret could not be removed");
    }
    Ok(())
}

pub async fn remove(shared: &Arc<Shared>, id: AccountId) -> Result<Reply, ErrorView> {
    let account = get(shared, id)?;
    if !account.made_token.is_empty()
        && let Ok(credential) = shared.credential(&account).await
    {
        revoke(shared, &account, credential);
    }
    shared.supervisor.removed(id);
    lock(&shared.connections).remove(&id);
    lock(&shared.credentials).remove(&id);
    lock(&shared.quotas).remove(&id);
    if let Err(error) = shared.secrets.delete(account.secrets, id).await {
        tracing::warn!(account = %id, %error, "a secret could not be removed");
    }
    shared
        .store
        .write(|tx| tx.remove_account(id))
        .map_err(|error| storage(&error))?;
    shared.pictures.tidy_soon();
    shared.hint(Event::Accounts);
    shared.hint(Event::Resync);
    Ok(Reply::Done)
}
