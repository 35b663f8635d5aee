//! Asking those who tell. They are asked by the unique name of who owns theirs, so that the bus never starts anybody
//! for a question.

use super::sources::{Ask, PROPERTIES, XFCONF};
use futures_util::future::join_all;
use std::process::Stdio;
use zbus::zvariant::{DynamicType, OwnedObjectPath, OwnedValue};
use zbus::{Connection, Message};

const LOGIND_USER: &str = "/org/freedesktop/login1/user/self";
/// The caller's session, or that of its user's screen.
const LOGIND_AUTO: &str = "/org/freedesktop/login1/session/auto";

/// Whether any of the questions is answered with yes; none if nobody answers any of them.
pub async fn any(bus: &Connection, owner: &str, asks: &[Ask]) -> Option<bool> {
    let answers = join_all(asks.iter().map(|one| ask(bus, owner, *one))).await;
    answers.into_iter().flatten().reduce(|a, b| a || b)
}

async fn ask(bus: &Connection, owner: &str, ask: Ask) -> Option<bool> {
    match ask {
        Ask::Method(path, interface, name) => call(bus, owner, path, interface, name, &()).await,
        Ask::With(path, interface, name, number) => {
            call(bus, owner, path, interface, name, &number).await
        }
        Ask::Property(path, interface, name) => property(bus, owner, path, interface, name)
            .await
            .and_then(|value| bool::try_from(value).ok()),
        Ask::Among(path, interface, name, word) => {
            let answer = send(bus, owner, path, interface, name, &()).await.ok()?;
            let words: Vec<String> = answer.body().deserialize().ok()?;
            Some(words.iter().any(|known| known == word))
        }
        Ask::Session => session(bus, owner).await,
        Ask::Xfconf(channel, property) => xfconf(bus, owner, channel, property).await,
        Ask::Setting(schema, key, on) => Some(setting(schema, key).await? == on),
    }
}

async fn send<B>(
    bus: &Connection,
    owner: &str,
    path: &str,
    interface: &str,
    name: &str,
    body: &B,
) -> zbus::Result<Message>
where
    B: serde::ser::Serialize + DynamicType + Sync,
{
    let sent = bus.call_method(Some(owner), path, Some(interface), name, body);
    let answer = sent.await;
    if let Err(error) = &answer {
        tracing::debug!(interface, name, %error, "the desktop does not answer this");
    }
    answer
}

async fn call<B>(
    bus: &Connection,
    owner: &str,
    path: &str,
    interface: &str,
    name: &str,
    body: &B,
) -> Option<bool>
where
    B: serde::ser::Serialize + DynamicType + Sync,
{
    let answer = send(bus, owner, path, interface, name, body).await.ok()?;
    answer.body().deserialize().ok()
}

async fn property(
    bus: &Connection,
    owner: &str,
    path: &str,
    interface: &str,
    name: &str,
) -> Option<OwnedValue> {
    let answer = send(bus, owner, path, PROPERTIES, "Get", &(interface, name)).await;
    answer.ok()?.body().deserialize().ok()
}

/// The session of the screen is the user's, whichever session this process belongs to, if any: the toasts are shown
/// there.
async fn session(bus: &Connection, owner: &str) -> Option<bool> {
    let display = property(
        bus,
        owner,
        LOGIND_USER,
        "org.freedesktop.login1.User",
        "Display",
    );
    let display: Option<(String, OwnedObjectPath)> =
        display.await.and_then(|value| value.try_into().ok());
    let path = match &display {
        Some((id, path)) if !id.is_empty() => path.as_str(),
        _ => LOGIND_AUTO,
    };
    let hint = property(
        bus,
        owner,
        path,
        "org.freedesktop.login1.Session",
        "LockedHint",
    );
    bool::try_from(hint.await?).ok()
}

async fn xfconf(bus: &Connection, owner: &str, channel: &str, property: &str) -> Option<bool> {
    let path = "/org/xfce/Xfconf";
    match send(
        bus,
        owner,
        path,
        XFCONF,
        "GetProperty",
        &(channel, property),
    )
    .await
    {
        Ok(answer) => bool::try_from(answer.body().deserialize::<OwnedValue>().ok()?).ok(),
        Err(zbus::Error::MethodError(name, ..)) if name.ends_with("PropertyNotFound") => {
            Some(false)
        }
        Err(_) => None,
    }
}

/// A yes or no of `GSettings`, as the desktop's own program reads it: defaults and an administrator's locks
/// included, which are nowhere on the bus.
async fn setting(schema: &str, key: &str) -> Option<bool> {
    let mut command = tokio::process::Command::new("gsettings");
    command
        .args(["get", schema, key])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    match command.output().await {
        Ok(output) => match output.stdout.trim_ascii() {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        },
        Err(error) => {
            tracing::debug!(%error, "gsettings cannot be run");
            None
        }
    }
}
