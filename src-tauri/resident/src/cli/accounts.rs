//! `tidings account …`, and where a password comes from.

use super::arguments::{Account, Add, Edit, SecretFrom, TransportOrAuto, WayFrom};
use super::output::{self, End, Output, Style, plain, say};
use super::reach::{Reach, unexpected};
use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;
use tidings_api::{
    AccountDraft, AccountEdit, AccountView, ErrorCode, ErrorView, HopResult, Reply, Request,
    Secret, SecretPlace, SignIn, TestReport, TransportChoice, TransportKind, Way,
};

/// The longest secret that is read, bytes.
const LONGEST_SECRET: u64 = 64 * 1024;

const IN_THE_BROWSER: &str =
    "Sign in on the page that opens in your browser; there are 5 minutes for it.";

/// Does what was said.
///
/// # Errors
/// In words.
pub async fn run(command: Account, reach: &Reach, out: &Output) -> Result<(), End> {
    match command {
        Account::Add(add) => add_account(*add, reach, out).await,
        Account::List => list(reach, out).await,
        Account::Test { account } => {
            let id = reach.account(&account).await?.id;
            match reach.call(Request::AccountTest { id }).await? {
                Reply::Test(report) => test(&report, out),
                other => Err(unexpected(&other).into()),
            }
        }
        Account::Remove { account } => {
            let account = reach.account(&account).await?;
            reach
                .call(Request::AccountRemove { id: account.id })
                .await?;
            say(&format!("Removed {} and its notifications.", account.name));
            Ok(())
        }
        Account::Edit(edit) => edit_account(*edit, reach, out).await,
        Account::Import(file) => super::import::run(file, reach, out).await,
    }
}

async fn add_account(add: Add, reach: &Reach, out: &Output) -> Result<(), End> {
    if add.secrets == super::arguments::Secrets::Memory && !reach.is_resident() {
        return Err(End::Failed(ErrorView::new(
            ErrorCode::NeedsResident,
            "Tidings is not running, so there is no memory to keep the password in. Start it first, or \
             choose --secrets keyring or file.",
        )));
    }
    let (sign_in, secret) = match read_secret(&add.secret)? {
        Some((sign_in, secret)) => (sign_in, Some(secret)),
        None => (SignIn::None, None),
    };
    let draft = AccountDraft {
        url: add.url,
        kind: add.kind.map(Into::into),
        name: add.name,
        topics: add.topics,
        sign_in,
        secret,
        secrets: add.secrets.into(),
        transport: add.transport.map(Into::into),
        allow_http: add.allow_http,
        options: with_options("", add.options)?,
        proxy_sign_in: from_file(add.way.proxy_sign_in_file.as_deref())?,
        certificate_password: from_file(add.way.certificate_password_file.as_deref())?,
        way: with_way(Way::default(), &add.way),
        headers: add
            .headers
            .into_iter()
            .map(|(name, value)| (name, Secret::new(value)))
            .collect(),
        names: Vec::new(),
    };
    let request = if add.browser {
        say(IN_THE_BROWSER);
        Request::AccountAddByBrowser(draft)
    } else {
        Request::AccountAdd(draft)
    };
    let account = match reach.call_showing(request, show_page).await {
        Ok(Reply::Account(account)) => account,
        Ok(other) => return Err(unexpected(&other).into()),
        Err(mut error) => {
            if error.code == ErrorCode::Keyring {
                error.message += " On the command line: --secrets file, or --secrets memory.";
            }
            return Err(error.into());
        }
    };
    if out.json {
        out.object(&account)
    } else {
        out.line(&format!(
            "Added {} (account {}), subscribed to {}.",
            plain(&account.name),
            account.id,
            topics(&account)
        ))
    }
}

/// The page of a sign-in, for where no browser opens by itself: over SSH, say.
fn show_page(url: &str) {
    say(&format!(
        "If none opens, open this address in a browser on this computer:\n{url}"
    ));
}

fn topics(account: &AccountView) -> String {
    if account.subscriptions.is_empty() {
        return "nothing yet".to_owned();
    }
    let topics: Vec<_> = account
        .subscriptions
        .iter()
        .map(|one| plain(&one.topic))
        .collect();
    topics.join(", ")
}

async fn list(reach: &Reach, out: &Output) -> Result<(), End> {
    let accounts = reach.accounts().await?;
    if out.json {
        return accounts.iter().try_for_each(|account| out.object(account));
    }
    if accounts.is_empty() {
        say("No account yet. Add one: tidings account add URL --topic TOPIC");
    }
    let rows: Vec<_> = accounts
        .iter()
        .map(|account| {
            let (state, style) = if reach.is_resident() {
                output::state(account.connection.state)
            } else {
                ("not running", Style::Faint)
            };
            vec![
                (account.id.to_string(), Style::Faint),
                (plain(&account.name), Style::Strong),
                (state.to_owned(), style),
                (plain(&account.url), Style::Plain),
                (topics(account), Style::Plain),
            ]
        })
        .collect();
    out.table(&rows)
}

/// Prints a test's hops; a failed one is a failure.
fn test(report: &TestReport, out: &Output) -> Result<(), End> {
    for hop in &report.hops {
        if out.json {
            out.object(hop)?;
            continue;
        }
        let (mark, style) = match hop.result {
            HopResult::Ok => ("ok", Style::Good),
            HopResult::Warning => ("note", Style::Fair),
            HopResult::Failed => ("FAILED", Style::Bad),
        };
        out.line(&format!(
            "{:<12}  {}{}  {} {}",
            plain(&hop.name),
            out.styled(mark, style),
            " ".repeat(6 - mark.len()),
            plain(&hop.says),
            out.styled(&format!("({} ms)", hop.millis), Style::Faint),
        ))?;
    }
    if report.ok { Ok(()) } else { Err(End::Told) }
}

async fn edit_account(edit: Edit, reach: &Reach, out: &Output) -> Result<(), End> {
    let account = reach.account(&edit.account).await?;
    let id = account.id;
    let (sign_in, secret) = match read_secret(&edit.secret)? {
        Some((sign_in, secret)) => {
            // A new password alone keeps the user.
            let sign_in = match (sign_in, &account.sign_in) {
                (SignIn::Basic { user }, SignIn::Basic { user: known }) if user.is_empty() => {
                    SignIn::Basic {
                        user: known.clone(),
                    }
                }
                (sign_in, _) => sign_in,
            };
            (Some(sign_in), Some(secret))
        }
        None => (edit.no_sign_in.then_some(SignIn::None), None),
    };
    if matches!(&sign_in, Some(SignIn::Basic { user }) if user.is_empty()) {
        return Err(End::Failed(ErrorView::new(
            ErrorCode::Invalid,
            "Whose password is that? Say --user USER.",
        )));
    }
    if edit.secrets == Some(super::arguments::Secrets::Memory)
        && account.secrets != SecretPlace::Memory
        && !reach.is_resident()
    {
        return Err(End::Failed(ErrorView::new(
            ErrorCode::NeedsResident,
            "Tidings is not running, so there is no memory to keep the password in. Start it first.",
        )));
    }
    let change = AccountEdit {
        name: edit.name,
        url: edit.url,
        sign_in,
        secret,
        secrets: edit.secrets.map(Into::into),
        transport: edit.transport.map(choice),
        allow_http: edit.allow_http,
        muted: edit.muted,
        min_tier: edit.min_tier.map(Into::into),
        disabled: edit.enabled.map(|enabled| !enabled),
        options: match edit.options {
            none if none.is_empty() => None,
            some => Some(with_options(&account.options, some)?),
        },
        proxy_sign_in: from_file(edit.way.proxy_sign_in_file.as_deref())?,
        certificate_password: from_file(edit.way.certificate_password_file.as_deref())?,
        way: Some(with_way(account.way.clone(), &edit.way)).filter(|way| *way != account.way),
        headers: with_headers(&account, edit.headers, &edit.remove_header)?,
    };
    let mut requests = Vec::new();
    if change != AccountEdit::default() {
        requests.push(Request::AccountEdit { id, edit: change });
    }
    if edit.browser {
        say(IN_THE_BROWSER);
        requests.push(Request::AccountSignInByBrowser { id });
    }
    for topic in edit.add_topic {
        requests.push(Request::SubscriptionAdd { account: id, topic });
    }
    for topic in edit.remove_topic {
        let known = account.subscriptions.iter().find(|one| one.topic == topic);
        let known = known.ok_or_else(|| {
            ErrorView::new(
                ErrorCode::NotFound,
                format!(
                    "{} is not subscribed to {topic}, but to {}.",
                    account.name,
                    topics(&account)
                ),
            )
        })?;
        requests.push(Request::SubscriptionRemove {
            id: known.id,
            forget: false,
        });
    }
    let mut changed = account;
    for request in requests {
        match reach.call_showing(request, show_page).await? {
            Reply::Account(account) => changed = account,
            other => return Err(unexpected(&other).into()),
        }
    }
    if out.json {
        out.object(&changed)
    } else {
        out.line(&format!(
            "Changed {}, subscribed to {}.",
            plain(&changed.name),
            topics(&changed)
        ))
    }
}

/// Names, and what is new of their values.
type Headers = Vec<(String, Option<Secret>)>;

/// The headers before, with what was said about them; none if nothing was.
fn with_headers(
    account: &AccountView,
    new: Vec<(String, String)>,
    gone: &[String],
) -> Result<Option<Headers>, End> {
    if new.is_empty() && gone.is_empty() {
        return Ok(None);
    }
    let is = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    if let Some(unknown) = gone
        .iter()
        .find(|name| !account.headers.iter().any(|known| is(known, name)))
    {
        let words = format!("{} has no extra header {unknown}.", account.name);
        return Err(End::Failed(ErrorView::new(ErrorCode::NotFound, words)));
    }
    let mut headers: Vec<_> = account
        .headers
        .iter()
        .filter(|known| {
            !gone.iter().any(|name| is(known, name)) && !new.iter().any(|(name, _)| is(known, name))
        })
        .map(|known| (known.clone(), None))
        .collect();
    headers.extend(
        new.into_iter()
            .map(|(name, value)| (name, Some(Secret::new(value)))),
    );
    Ok(Some(headers))
}

fn choice(transport: TransportOrAuto) -> TransportChoice {
    TransportChoice::Fixed(match transport {
        TransportOrAuto::Auto => return TransportChoice::Ladder,
        TransportOrAuto::Websocket => TransportKind::Websocket,
        TransportOrAuto::Sse => TransportKind::Sse,
        TransportOrAuto::HttpStream => TransportKind::HttpStream,
        TransportOrAuto::Poll => TransportKind::Poll,
    })
}

/// The way before, with what was said about it.
fn with_way(mut way: Way, said: &WayFrom) -> Way {
    if let Some(proxy) = &said.proxy {
        way.proxy.clone_from(proxy);
    }
    for (said, part) in [
        (&said.ca_file, &mut way.authorities),
        (&said.pin, &mut way.pin),
        (&said.client_certificate, &mut way.certificate),
    ] {
        if let Some(said) = said {
            *part = if said == "none" {
                String::new()
            } else {
                said.clone()
            };
        }
    }
    way
}

/// A secret in a file, without the line end.
fn from_file(path: Option<&Path>) -> Result<Option<Secret>, End> {
    let Some(path) = path else {
        return Ok(None);
    };
    let file = File::open(path).map_err(|error| {
        let words = format!("{} cannot be read.", path.display());
        ErrorView::new(ErrorCode::Invalid, words).with_detail(error)
    })?;
    Ok(Some(Secret::new(read_from(file)?)))
}

/// The options before, with these changed; an empty value takes one away.
fn with_options(before: &str, changes: Vec<(String, serde_json::Value)>) -> Result<String, End> {
    if changes.is_empty() {
        return Ok(before.to_owned());
    }
    let mut options = if before.is_empty() {
        serde_json::Map::new()
    } else {
        serde_json::from_str(before).map_err(|error| {
            ErrorView::new(
                ErrorCode::Invalid,
                "This account's settings cannot be read; remove it and add it anew.",
            )
            .with_detail(error)
        })?
    };
    for (name, value) in changes {
        if value == "" {
            options.remove(&name);
        } else {
            options.insert(name, value);
        }
    }
    Ok(if options.is_empty() {
        String::new()
    } else {
        serde_json::Value::Object(options).to_string()
    })
}

/// How to sign in, with the secret; none if nothing was said about it. Asks without echo where a person
/// sits at a terminal.
fn read_secret(from: &SecretFrom) -> Result<Option<(SignIn, Secret)>, End> {
    let (sign_in, prompt) = match (&from.user, from.password_stdin, from.token_stdin) {
        (None, false, false) => return Ok(None),
        (_, _, true) => (from.token_in.clone().unwrap_or(SignIn::Token), "Token: "),
        (user, _, _) => {
            let user = user.clone().unwrap_or_default();
            (SignIn::Basic { user }, "Password: ")
        }
    };
    let terminal = io::stdin().is_terminal();
    let read_it = from.password_stdin || from.token_stdin;
    let secret = if terminal {
        rpassword::prompt_password(prompt).map_err(|error| {
            ErrorView::new(ErrorCode::Invalid, "The password could not be asked for.")
                .with_detail(error)
        })?
    } else if read_it {
        read_from(io::stdin().lock())?
    } else {
        return Err(End::Failed(ErrorView::new(
            ErrorCode::Invalid,
            "The password is missing: say --password-stdin and give it on standard input.",
        )));
    };
    if secret.is_empty() {
        return Err(End::Failed(ErrorView::new(
            ErrorCode::Invalid,
            "The password is empty.",
        )));
    }
    Ok(Some((sign_in, Secret::new(secret))))
}

/// A secret as it stands, without the line end that `echo` adds.
fn read_from(input: impl io::Read) -> Result<String, ErrorView> {
    let wrong = |words: &str| ErrorView::new(ErrorCode::Invalid, words);
    let mut text = String::new();
    input
        .take(LONGEST_SECRET + 1)
        .read_to_string(&mut text)
        .map_err(|_| wrong("The password on standard input is no text."))?;
    if text.len() as u64 > LONGEST_SECRET {
        return Err(wrong("That is too long for a password."));
    }
    let end = text.strip_suffix('\n').unwrap_or(&text);
    Ok(end.strip_suffix('\r').unwrap_or(end).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_as_it_stands_but_for_its_line_end() {
        for (text, expected) in [
            ("a b\n", "a b"),
            ("a\r\n", "a"),
            (" a ", " a "),
            ("a\n\n", "a\n"),
            ("", ""),
        ] {
            assert_eq!(read_from(text.as_bytes()).unwrap(), expected);
        }
        assert!(read_from(&b"\xff\xfe"[..]).is_err());
        assert!(read_from("x".repeat(100_000).as_bytes()).is_err());
    }
}
