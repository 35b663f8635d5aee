//! Another client's settings become accounts. One that is there already gets the topics that it lacks, and
//! keeps everything else, so that the same file can be taken over again.

use super::{accounts, invalid, probe, subscriptions};
use crate::backend::{Server, registry};
use crate::engine::{Shared, storage};
use crate::import::{self, Topic};
use crate::model::{Account, AccountId, NewSubscription, SignIn, Tier};
use std::sync::Arc;
use tidings_api::{
    AccountDraft, AccountEdit, ErrorCode, ErrorView, Import, ImportReport, ImportResult,
    ImportedAccount, ImportedTopic, Reply, Secret, SecretPlace,
};

pub async fn import(shared: &Arc<Shared>, asked: Import) -> Result<Reply, ErrorView> {
    let found =
        import::read(asked.text.reveal(), asked.from, shared.clock.now()).map_err(invalid)?;
    let mut report = ImportReport {
        from: found.from,
        accounts: Vec::new(),
        left_out: found.left_out,
    };
    for server in found.servers {
        let imported = one(shared, server, &asked, &mut report.left_out).await?;
        report.accounts.push(imported);
    }
    Ok(Reply::Imported(report))
}

async fn one(
    shared: &Arc<Shared>,
    found: import::Server,
    asked: &Import,
    left_out: &mut Vec<String>,
) -> Result<ImportedAccount, ErrorView> {
    let backend = registry::backend(found.kind);
    let mut imported = ImportedAccount {
        account: None,
        name: String::new(),
        kind: found.kind,
        url: found.url.clone(),
        sign_in: found.sign_in.clone(),
        topics: Vec::new(),
        result: ImportResult::Added,
        error: None,
    };
    let base = match probe::pasted(&found.url) {
        Ok(pasted) => backend.address(&pasted).base,
        Err(error) => {
            imported.topics = views(&found.topics, &[]);
            return Ok(failed(imported, error));
        }
    };
    imported.url = base.to_string();
    imported.name = accounts::usual_name(&base);
    let mut topics = Vec::new();
    for topic in found.topics {
        match backend.check_topic(&topic.topic) {
            Ok(()) => topics.push(topic),
            Err(says) => left_out.push(format!(
                "The topic “{}” of {} was left out. {says}",
                topic.topic, imported.name
            )),
        }
    }
    let server = Server {
        base,
        options: String::new(),
    };
    let found = import::Server { topics, ..found };
    let Some(account) = there(shared, &server, &found).await? else {
        imported.topics = views(&found.topics, &[]);
        if asked.dry_run {
            return Ok(imported);
        }
        return match add(shared, &found, asked.secrets).await {
            Ok((id, name)) => {
                imported.account = Some(id);
                imported.name = name;
                Ok(imported)
            }
            Err(error) => Ok(failed(imported, error)),
        };
    };
    let known: Vec<String> = shared
        .store
        .read(|tx| {
            let all = tx.subscriptions(account.id)?;
            Ok(all.into_iter().map(|one| one.topic).collect())
        })
        .map_err(|error| storage(&error))?;
    imported.account = Some(account.id);
    imported.name.clone_from(&account.name);
    imported.topics = views(&found.topics, &known);
    let new: Vec<_> = found
        .topics
        .iter()
        .filter(|topic| !known.contains(&topic.topic))
        .collect();
    imported.result = if new.is_empty() {
        ImportResult::Unchanged
    } else {
        ImportResult::Extended
    };
    if !asked.dry_run && !new.is_empty() {
        extend(shared, account.id, &new)?;
    }
    Ok(imported)
}

fn failed(imported: ImportedAccount, error: ErrorView) -> ImportedAccount {
    ImportedAccount {
        result: ImportResult::Failed,
        error: Some(error),
        ..imported
    }
}

fn views(topics: &[Topic], known: &[String]) -> Vec<ImportedTopic> {
    topics
        .iter()
        .map(|topic| ImportedTopic {
            topic: topic.topic.clone(),
            name: topic.name.clone(),
            muted: topic.muted,
            min_tier: topic.min_tier,
            known: known.contains(&topic.topic),
        })
        .collect()
}

/// The account that this server is already. Where a server makes tokens from a password, a token stands for
/// it; of several tokens it is the same one, or, where the account has all there is on the server, any.
async fn there(
    shared: &Shared,
    server: &Server,
    found: &import::Server,
) -> Result<Option<Account>, ErrorView> {
    let backend = registry::backend(found.kind);
    let all = shared
        .store
        .read(|tx| tx.accounts())
        .map_err(|error| storage(&error))?;
    for account in all {
        if account.kind != found.kind || account.url != server.base {
            continue;
        }
        let same = match (&found.sign_in, &account.sign_in) {
            (SignIn::Basic { .. }, SignIn::Token) => {
                backend.exchange(server, &shared.device).is_some()
            }
            (SignIn::Token, SignIn::Token) if !backend.capabilities().offers => {
                let kept = shared.secrets.get(account.secrets, account.id).await;
                // What cannot be read just now is not added a second time.
                kept.is_err() || {
                    let kept = kept.ok().flatten().and_then(|kept| kept.secret);
                    kept == found.credential.secret
                }
            }
            (one, other) => one == other,
        };
        if same {
            return Ok(Some(account));
        }
    }
    Ok(None)
}

async fn add(
    shared: &Arc<Shared>,
    found: &import::Server,
    secrets: SecretPlace,
) -> Result<(AccountId, String), ErrorView> {
    let draft = AccountDraft {
        url: found.url.clone(),
        kind: Some(found.kind),
        topics: found.topics.iter().map(|it| it.topic.clone()).collect(),
        names: found
            .topics
            .iter()
            .map(|it| (it.topic.clone(), it.name.clone()))
            .collect(),
        sign_in: found.sign_in.clone(),
        secret: found.credential.secret.as_deref().map(Secret::new),
        secrets,
        way: found.way.clone(),
        certificate_password: found.credential.certificate.as_deref().map(Secret::new),
        ..AccountDraft::default()
    };
    let Reply::Account(account) = accounts::add(shared, draft).await? else {
        return Err(ErrorView::new(
            ErrorCode::Internal,
            "The account was added, but cannot be read.",
        ));
    };
    quieten(shared, account.id, &found.topics.iter().collect::<Vec<_>>())?;
    if found.min_tier != Tier::Informational {
        let edit = AccountEdit {
            min_tier: Some(found.min_tier),
            ..AccountEdit::default()
        };
        accounts::edit(shared, account.id, edit).await?;
    }
    Ok((account.id, account.name))
}

fn extend(shared: &Arc<Shared>, id: AccountId, topics: &[&Topic]) -> Result<(), ErrorView> {
    let new: Vec<_> = topics
        .iter()
        .map(|topic| NewSubscription {
            topic: topic.topic.clone(),
            name: topic.name.clone(),
        })
        .collect();
    subscriptions::store_new(shared, id, &new)?;
    quieten(shared, id, topics)?;
    accounts::topics_changed(shared, id);
    Ok(())
}

/// What may ring of an account's new topics.
fn quieten(shared: &Shared, id: AccountId, topics: &[&Topic]) -> Result<(), ErrorView> {
    let subscriptions = shared
        .store
        .read(|tx| tx.subscriptions(id))
        .map_err(|error| storage(&error))?;
    for one in subscriptions {
        if let Some(topic) = topics.iter().find(|topic| topic.topic == one.topic) {
            shared.edit_cell(id, Some(one.id), Some(topic.muted), Some(topic.min_tier))?;
        }
    }
    Ok(())
}
