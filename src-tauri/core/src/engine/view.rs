//! What clients see, made from what is stored. Everything a publisher wrote is neutralised here.

use super::attention::Attention;
use super::connection::task;
use super::pictures::Shown;
use super::{Shared, lock, preferences, storage};
use crate::backend::{Backend, FieldKind, Missing, registry};
use crate::model::{
    Account, Action, ActionKind, Context, Format, HoldCause, Notification, Preferences, Rule,
    Subscription,
};
use crate::model::{Disposition, SubscriptionId};
use crate::store::{LedgerRow, StoreError, Tx};
use crate::text;
use std::collections::HashMap;
use tidings_api::{
    AccountView, ActionView, AttachmentView, ConnectionState, ConnectionView, Continuity, Detail,
    ErrorView, FieldView, GapView, KindView, LedgerEntry, LedgerLine, PauseView, RevisionView, Row,
    Status, SubscriptionView,
};

/// Characters of a preview.
const PREVIEW: usize = 200;
/// Characters of a title in a list.
const TITLE: usize = 300;
/// Notifications shown in the tray's menu.
const LATEST: usize = 3;
/// Gaps shown for a subscription.
const GAPS: usize = 10;

/// Names of accounts and subscriptions, read once for many rows.
pub struct Names {
    accounts: HashMap<crate::model::AccountId, String>,
    subscriptions: HashMap<SubscriptionId, (String, String)>,
    shown: Shown,
}

impl Names {
    /// Reads them.
    pub fn read(shared: &Shared, tx: &Tx<'_>) -> Result<Self, StoreError> {
        let accounts = tx.accounts()?;
        let mut subscriptions = HashMap::new();
        let mut icons = HashMap::new();
        for subscription in tx.all_subscriptions()? {
            let shown = subscription.display_name().to_owned();
            subscriptions.insert(subscription.id, (subscription.topic, shown));
            if !subscription.icon.is_empty() {
                icons.insert(subscription.id, subscription.icon);
            }
        }
        Ok(Self {
            shown: Shown::new(shared.settings().pictures, &accounts, icons),
            accounts: accounts
                .into_iter()
                .map(|account| (account.id, account.name))
                .collect(),
            subscriptions,
        })
    }

    /// What the user sees as a subscription's name.
    pub fn of(&self, subscription: SubscriptionId) -> String {
        let known = self.subscriptions.get(&subscription);
        known.map(|(_, shown)| shown.clone()).unwrap_or_default()
    }
}

/// A row of the list.
pub fn row(n: &Notification, names: &Names) -> Row {
    let draft = &n.draft;
    let (topic, subscription_name) = names
        .subscriptions
        .get(&n.subscription)
        .cloned()
        .unwrap_or_default();
    let title = text::one_line(&draft.title, TITLE);
    let plain = match draft.format {
        Format::Plain => draft.body.clone(),
        Format::Markdown => text::markdown_text(&draft.body),
    };
    let (emoji, tags): (Vec<_>, Vec<_>) = draft
        .tags
        .iter()
        .map(|tag| (text::emoji(tag), tag))
        .partition(|(emoji, _)| emoji.is_some());
    Row {
        id: n.id,
        account: n.account,
        account_name: names.accounts.get(&n.account).cloned().unwrap_or_default(),
        subscription: n.subscription,
        title: if title.is_empty() {
            subscription_name.clone()
        } else {
            title
        },
        subscription_name,
        topic,
        kind: draft.kind.clone(),
        preview: text::one_line(&plain, PREVIEW),
        emoji: emoji.into_iter().filter_map(|(emoji, _)| emoji).collect(),
        tags: tags
            .into_iter()
            .map(|(_, tag)| text::one_line(tag, TITLE))
            .collect(),
        tier: n.tier,
        priority: draft.priority,
        created_at: draft.created_at,
        received_at: n.received_at,
        seen: n.seen_at.is_some() || n.read_at.is_some(),
        read: n.read_at.is_some(),
        done: n.done_at.is_some(),
        back: None,
        has_url: draft.url.is_some(),
        icon: names.shown.icon(n),
        actions: u32::try_from(draft.actions.len()).unwrap_or(u32::MAX),
        revisions: n.revisions,
    }
}

/// A row that says when it comes back.
pub fn with_back(row: Row, tx: &Tx<'_>) -> Result<Row, StoreError> {
    Ok(Row {
        back: tx.snoozed(row.id)?,
        ..row
    })
}

/// A notification, whole.
pub fn detail(shared: &Shared, tx: &Tx<'_>, n: &Notification) -> Result<Detail, StoreError> {
    let names = Names::read(shared, tx)?;
    let draft = &n.draft;
    let attachment = draft.attachment.as_ref().map(|file| {
        let now = shared.clock.now();
        Ok::<_, StoreError>(AttachmentView {
            name: text::one_line(&file.name, TITLE),
            url: text::allowed_link(&file.url).unwrap_or_default(),
            media_type: file.media_type.clone(),
            size: file.size,
            expires_at: file.expires_at,
            preview: names.shown.preview(tx, n.account, file, now)?,
        })
    });
    Ok(Detail {
        row: with_back(row(n, &names), tx)?,
        remote_id: draft.remote_id.clone(),
        body: text::neutralise(&draft.body),
        format: draft.format,
        html: match draft.format {
            Format::Plain => String::new(),
            Format::Markdown => text::markdown_html(&draft.body),
        },
        url: draft.url.clone(),
        actions: draft.actions.iter().map(action).collect(),
        attachment: attachment.transpose()?,
        revisions: tx
            .revisions(n.id)?
            .into_iter()
            .map(|old| RevisionView {
                replaced_at: old.replaced_at,
                title: text::one_line(&old.title, TITLE),
                body: text::neutralise(&old.body),
            })
            .collect(),
        raw: text::neutralise(&draft.raw),
    })
}

fn action(action: &Action) -> ActionView {
    let says = match action.kind {
        ActionKind::Open => format!("Opens {}", action.url),
        ActionKind::Http => sends(action),
        ActionKind::Copy => "Copies a text".to_owned(),
        ActionKind::Unsupported => "Only a phone can do this".to_owned(),
    };
    ActionView {
        kind: action.kind,
        label: text::one_line(&action.label, TITLE),
        says: text::one_line(&says, TITLE),
    }
}

/// What an HTTP action will send, in words.
pub fn sends(action: &Action) -> String {
    let mut says = format!("Sends {} to {}", action.method, action.url);
    if !action.body.is_empty() {
        says.push_str(", with: ");
        says.push_str(&action.body);
    }
    says
}

/// Connections, counts, pause.
pub fn status(shared: &Shared) -> Result<Status, ErrorView> {
    let now = shared.clock.now();
    let book = shared.rulebook();
    let badge = |account, subscription, kind: &str| book.counts(account, subscription, kind, now);
    let zoned = now.to_zoned(shared.clock.zone());
    let (counts, pause, latest, connections, attention) = shared
        .store
        .read(|tx| {
            let names = Names::read(shared, tx)?;
            let latest: Vec<_> = tx.latest(LATEST)?.iter().map(|n| row(n, &names)).collect();
            let connections: Vec<_> = tx
                .accounts()?
                .iter()
                .map(|account| connection(shared, account))
                .collect();
            let attention = Attention::read(shared, tx, &names, &zoned)?;
            Ok((
                tx.counts(&badge)?,
                tx.pause()?,
                latest,
                connections,
                attention,
            ))
        })
        .map_err(|error| storage(&error))?;
    Ok(Status {
        version: shared.version.clone(),
        counts,
        pause: pause
            .filter(|pause| pause.holds_at(now))
            .map(|pause| PauseView {
                until: pause.until,
                critical_rings: pause.critical_rings,
            }),
        quiet: attention.quiet,
        next_quiet: attention.next_quiet,
        held: attention.held,
        around: attention.around,
        told: attention.told,
        cards: attention.cards,
        connections,
        notices: lock(&shared.notices).values().cloned().collect(),
        latest,
    })
}

fn connection(shared: &Shared, account: &Account) -> ConnectionView {
    let known = lock(&shared.connections).get(&account.id).cloned();
    let mut view = known.unwrap_or_else(|| ConnectionView {
        account: account.id,
        account_name: String::new(),
        state: ConnectionState::Idle,
        transport: None,
        since: shared.clock.now(),
        retry_at: None,
        problem: String::new(),
        quota: None,
    });
    view.quota = lock(&shared.quotas).get(&account.id).cloned().map(Box::new);
    view.account_name.clone_from(&account.name);
    view
}

/// An account with its subscriptions.
pub fn account(shared: &Shared, tx: &Tx<'_>, account: &Account) -> Result<AccountView, StoreError> {
    let book = shared.rulebook();
    let (muted, min_tier) = preferences::cell_of(book.document(), account.id, None);
    let off = tx.turned_off(account.id)?;
    let subscriptions = tx
        .subscriptions(account.id)?
        .iter()
        .map(|one| subscription(book.document(), tx, one, false))
        .chain(
            off.iter()
                .map(|one| subscription(book.document(), tx, one, true)),
        )
        .collect::<Result<_, _>>()?;
    Ok(AccountView {
        id: account.id,
        kind: account.kind,
        name: account.name.clone(),
        url: account.url.to_string(),
        sign_in: account.sign_in.clone(),
        secrets: account.secrets,
        transport: account.transport,
        transports: registry::backend(account.kind).transports(&task::server(account)),
        allow_http: account.allow_http,
        muted,
        min_tier,
        disabled: account.disabled,
        options: account.options.clone(),
        way: account.way.clone(),
        headers: account.header_names.clone(),
        connection: connection(shared, account),
        subscriptions,
    })
}

fn subscription(
    document: &Preferences,
    tx: &Tx<'_>,
    one: &Subscription,
    off: bool,
) -> Result<SubscriptionView, StoreError> {
    let (muted, min_tier) = preferences::cell_of(document, one.account, Some(one.id));
    let (since, gaps) = tx.continuity(one.id)?;
    Ok(SubscriptionView {
        id: one.id,
        name: one.display_name().to_owned(),
        topic: one.topic.clone(),
        muted,
        min_tier,
        unread: tx.unread_of(one.id)?,
        problem: tx.topic_problem_of(one.id)?,
        off,
        continuity: Continuity {
            since,
            gaps: gaps
                .into_iter()
                .take(GAPS)
                .map(|gap| GapView {
                    from: gap.from,
                    to: gap.to,
                    filled: gap.filled,
                    missing: Missing::of_word(&gap.missing)
                        .map(|missing| missing.says().to_owned())
                        .unwrap_or_default(),
                })
                .collect(),
        },
    })
}

/// A server family.
pub fn kind(backend: &dyn Backend) -> KindView {
    let can = backend.capabilities();
    KindView {
        kind: backend.kind(),
        browser: backend.browser().is_some(),
        name: can.name.to_owned(),
        fields: can
            .fields
            .iter()
            .map(|field| FieldView {
                name: field.name.to_owned(),
                label: field.label.to_owned(),
                hint: field.hint.to_owned(),
                kind: match field.kind {
                    FieldKind::Text => tidings_api::FieldKind::Text,
                    FieldKind::Secret => tidings_api::FieldKind::Secret,
                    FieldKind::Lines => tidings_api::FieldKind::Lines,
                    FieldKind::Switch => tidings_api::FieldKind::Switch,
                    FieldKind::Choice(_) => tidings_api::FieldKind::Choice,
                },
                choices: match field.kind {
                    FieldKind::Choice(choices) => choices
                        .iter()
                        .map(|(value, label)| ((*value).to_owned(), (*label).to_owned()))
                        .collect(),
                    _ => Vec::new(),
                },
            })
            .collect(),
        transports: can.transports.to_vec(),
        mirrors: can.mirrors,
        sends: can.sends,
    }
}

/// A decision, in words.
pub fn ledger(row: LedgerRow) -> LedgerEntry {
    LedgerEntry {
        at: row.at,
        verdict: match &row.disposition {
            Disposition::Present => "Rings".to_owned(),
            Disposition::InboxOnly => "Inbox only".to_owned(),
            Disposition::Fold { .. } => "Joins the one that said the same".to_owned(),
            Disposition::Join => "Joins the toast of its type".to_owned(),
            Disposition::Hold { because, .. } => match because {
                HoldCause::Pause => "Held until the pause ends".to_owned(),
                HoldCause::Quiet => "Held until quiet hours end".to_owned(),
                HoldCause::Context { context } => format!("Held until {}", over(*context)),
                HoldCause::LowPriority => "Joins a quiet digest".to_owned(),
                HoldCause::Digest => "Joins a digest".to_owned(),
                HoldCause::Window { .. } => "Rings with others of its type".to_owned(),
                HoldCause::Daily { at } => format!("Rings with others at {at}"),
                HoldCause::Escalation => "Rings again if it stays unread".to_owned(),
                HoldCause::Snooze { .. } => "Snoozed".to_owned(),
                HoldCause::Away => "Joins the digest of what came while you were away".to_owned(),
                HoldCause::SubscriptionLimit { .. } | HoldCause::OverallLimit => {
                    "Joins a digest, because there were too many".to_owned()
                }
                HoldCause::CriticalLimit => "Joins a critical digest".to_owned(),
            },
        },
        progress: row.progress.to_string(),
        lines: row
            .trace
            .into_iter()
            .map(|line| LedgerLine {
                rule: rule(line.rule).to_owned(),
                decided: line.decided,
                says: line.says,
            })
            .collect(),
    }
}

fn over(context: Context) -> &'static str {
    match context {
        Context::Locked => "the screen is unlocked",
        Context::Presenting => "you stop presenting",
        Context::FullScreen => "no window fills the screen",
        Context::ScreenShared => "the screen is no longer shared",
        Context::DoNotDisturb => "“do not disturb” is off",
    }
}

fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::Known => "Known",
        Rule::Over => "Over",
        Rule::Ephemeral => "Ephemeral",
        Rule::Mandatory => "Mandatory",
        Rule::Muted => "Muted",
        Rule::Grid => "Your choice",
        Rule::MinimumTier => "Minimum tier",
        Rule::Duplicate => "Said before",
        Rule::Paused => "Paused",
        Rule::QuietHours => "Quiet hours",
        Rule::Context => "What you are doing",
        Rule::Backfill => "Backfill",
        Rule::Batch => "Batch",
        Rule::RateLimit => "Limit",
        Rule::Toast => "Tier",
        Rule::Snoozed => "Snoozed",
    }
}
