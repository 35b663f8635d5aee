//! Following one that tells: asked once, then heard, through its coming and going.

use super::sources::{Source, Tell};
use super::{Words, ask};
use crate::os::clock::within;
use futures_util::StreamExt as _;
use futures_util::stream::{SelectAll, select_all};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use zbus::fdo::DBusProxy;
use zbus::message::Type;
use zbus::names::BusName;
use zbus::zvariant::Value;
use zbus::{Connection, MatchRule, Message, MessageStream};

/// How long one may take to answer. One that hangs tells nothing until it says something by itself.
const LIMIT: Duration = Duration::from_secs(1);
/// Signals that may wait for being read.
const QUEUE: usize = 16;

/// What a signal says about one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    Is(bool),
    /// It may be otherwise.
    Ask,
}

/// One that is followed.
pub struct Following {
    source: &'static Source,
    bus: Connection,
    words: Arc<watch::Sender<Words>>,
    owners: MessageStream,
    owner: Option<String>,
    signals: SelectAll<MessageStream>,
}

impl Following {
    /// Listens, then asks: what changes in between is heard twice, never missed.
    ///
    /// # Errors
    /// The bus'.
    pub async fn begin(
        source: &'static Source,
        bus: &Connection,
        words: Arc<watch::Sender<Words>>,
    ) -> zbus::Result<Self> {
        let owners = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender("org.freedesktop.DBus")?
            .interface("org.freedesktop.DBus")?
            .member("NameOwnerChanged")?
            .add_arg(source.name)?
            .build();
        let owners = MessageStream::for_match_rule(owners, bus, Some(QUEUE)).await?;
        let mut following = Self {
            source,
            bus: bus.clone(),
            words,
            owners,
            owner: None,
            signals: SelectAll::new(),
        };
        let owner = DBusProxy::new(bus)
            .await?
            .get_name_owner(BusName::try_from(source.name)?)
            .await
            .ok();
        following.meet(owner.map(|name| name.to_string())).await?;
        Ok(following)
    }

    /// Hears it until the bus is gone.
    pub async fn go_on(mut self) {
        if let Err(error) = self.listen().await {
            tracing::debug!(who = self.source.who, %error, "it cannot be heard any more");
        }
        self.hear(None);
    }

    async fn listen(&mut self) -> zbus::Result<()> {
        loop {
            tokio::select! {
                biased;
                message = self.owners.next() => {
                    let Some(message) = message else { return Ok(()) };
                    let Ok((_, _, new)) = message?.body().deserialize::<(String, String, String)>() else {
                        continue;
                    };
                    self.meet((!new.is_empty()).then_some(new)).await?;
                }
                Some(message) = self.signals.next() => self.signal(&message?).await,
            }
        }
    }

    /// Somebody, or nobody, owns the name now.
    async fn meet(&mut self, owner: Option<String>) -> zbus::Result<()> {
        self.signals = match &owner {
            Some(owner) => signals(self.source, &self.bus, owner).await?,
            None => SelectAll::new(),
        };
        self.owner = owner;
        self.ask().await;
        Ok(())
    }

    fn hear(&self, is: Option<bool>) {
        let Source {
            context, who, sure, ..
        } = self.source;
        super::hear(&self.words, *context, who, is, *sure);
    }

    async fn ask(&self) {
        let is = match &self.owner {
            Some(owner) => within(LIMIT, ask::any(&self.bus, owner, self.source.asks))
                .await
                .flatten(),
            None => None,
        };
        self.hear(is);
    }

    async fn signal(&self, message: &Message) {
        let heard = self.source.tells.iter().map(|tell| read(*tell, message));
        match heard.reduce(first_of).unwrap_or(Heard::Nothing) {
            Heard::Nothing => {}
            Heard::Is(is) => self.hear(Some(is)),
            Heard::Ask => self.ask().await,
        }
    }
}

fn first_of(a: Heard, b: Heard) -> Heard {
    if a == Heard::Nothing { b } else { a }
}

async fn signals(
    source: &Source,
    bus: &Connection,
    owner: &str,
) -> zbus::Result<SelectAll<MessageStream>> {
    let mut streams = Vec::new();
    for tell in source.tells {
        for (interface, name) in tell.signals() {
            let mut rule = MatchRule::builder()
                .msg_type(Type::Signal)
                .interface(interface)?
                .member(name)?;
            if tell.is_of_owner() {
                rule = rule.sender(owner)?;
            }
            // The bus compares the first word, so that what others' properties become wakes nobody.
            if let Tell::Property(interface, _) = tell {
                rule = rule.arg(0, *interface)?;
            }
            streams.push(MessageStream::for_match_rule(rule.build(), bus, Some(QUEUE)).await?);
        }
    }
    Ok(select_all(streams))
}

fn read(tell: Tell, message: &Message) -> Heard {
    let header = message.header();
    let (Some(interface), Some(name)) = (header.interface(), header.member()) else {
        return Heard::Nothing;
    };
    let known = tell.signals();
    if !known.contains(&(interface.as_str(), name.as_str())) {
        return Heard::Nothing;
    }
    heard(tell, name.as_str(), message).unwrap_or(Heard::Nothing)
}

/// What a signal says; none if it is not what it should be.
fn heard(tell: Tell, name: &str, message: &Message) -> Option<Heard> {
    let body = message.body();
    Some(match tell {
        Tell::Flag(..) => Heard::Is(body.deserialize().ok()?),
        Tell::Again(..) => Heard::Ask,
        Tell::Property(interface, property) => {
            let (of, changed, stale): (String, HashMap<String, Value<'_>>, Vec<String>) =
                body.deserialize().ok()?;
            match changed.get(property) {
                _ if of != interface => Heard::Nothing,
                Some(Value::Bool(is)) => Heard::Is(*is),
                Some(_) => Heard::Ask,
                None if stale.iter().any(|stale| stale == property) => Heard::Ask,
                None => Heard::Nothing,
            }
        }
        Tell::Xfconf(channel, property) if name == "PropertyRemoved" => {
            let (of, which): (String, String) = body.deserialize().ok()?;
            if of == channel && which == property {
                Heard::Is(false)
            } else {
                Heard::Nothing
            }
        }
        Tell::Xfconf(channel, property) => {
            let (of, which, value): (String, String, Value<'_>) = body.deserialize().ok()?;
            match value {
                Value::Bool(is) if of == channel && which == property => Heard::Is(is),
                _ => Heard::Nothing,
            }
        }
        Tell::Written(folder) => {
            let (prefix, paths, _): (String, Vec<String>, String) = body.deserialize().ok()?;
            let touches = |path: &String| {
                let written = format!("{prefix}{path}");
                written.starts_with(folder)
                    || written.ends_with('/') && folder.starts_with(&written)
            };
            if paths.iter().any(touches) {
                Heard::Ask
            } else {
                Heard::Nothing
            }
        }
        Tell::Swaync => {
            let (_, quiet, _, inhibited): (u32, bool, bool, bool) = body.deserialize().ok()?;
            Heard::Is(quiet || inhibited)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use zbus::zvariant::DynamicType;

    fn says<B: Serialize + DynamicType>(tell: Tell, name: &str, body: &B) -> Heard {
        let interface = tell.signals()[0].0;
        let message = Message::signal("/any", interface, name).unwrap();
        read(tell, &message.build(body).unwrap())
    }

    #[test]
    fn a_signal_says_what_it_is_about_and_nothing_else() {
        let flag = Tell::Flag("org.gnome.ScreenSaver", "ActiveChanged");
        let again = Tell::Again("org.gnome.SessionManager", "InhibitorAdded");
        let property = Tell::Property("a.B", "Modes");
        let xfconf = Tell::Xfconf("notifyd", "/quiet");
        let written = Tell::Written("/org/a/notifications/");
        let changed = |name: &str, value: Value<'static>| {
            let changed = HashMap::from([(name.to_owned(), value)]);
            ("a.B", changed, Vec::<&str>::new())
        };
        let stale = |of: &'static str, name: &'static str| {
            (of, HashMap::<&str, Value<'_>>::new(), vec![name])
        };
        let all = "PropertiesChanged";
        let note = |prefix: &'static str, paths: &[&'static str]| (prefix, paths.to_vec(), "tag");
        for (heard, expected) in [
            (says(flag, "ActiveChanged", &true), Heard::Is(true)),
            (says(flag, "ActiveChanged", &false), Heard::Is(false)),
            (says(flag, "ActiveChanged", &"yes"), Heard::Nothing),
            (says(flag, "WakeUpScreen", &true), Heard::Nothing),
            (says(again, "InhibitorAdded", &"/any"), Heard::Ask),
            (says(again, "SessionOver", &()), Heard::Nothing),
            (
                says(property, all, &changed("Modes", true.into())),
                Heard::Is(true),
            ),
            (
                says(property, all, &changed("Modes", "x".into())),
                Heard::Ask,
            ),
            (
                says(property, all, &changed("Other", true.into())),
                Heard::Nothing,
            ),
            (says(property, all, &stale("a.B", "Modes")), Heard::Ask),
            (says(property, all, &stale("a.B", "Other")), Heard::Nothing),
            (says(property, all, &stale("a.C", "Modes")), Heard::Nothing),
            (says(property, all, &true), Heard::Nothing),
            (
                says(
                    xfconf,
                    "PropertyChanged",
                    &("notifyd", "/quiet", Value::from(true)),
                ),
                Heard::Is(true),
            ),
            (
                says(
                    xfconf,
                    "PropertyChanged",
                    &("notifyd", "/quiet", Value::from(1_u32)),
                ),
                Heard::Nothing,
            ),
            (
                says(
                    xfconf,
                    "PropertyChanged",
                    &("panel", "/quiet", Value::from(true)),
                ),
                Heard::Nothing,
            ),
            (
                says(xfconf, "PropertyRemoved", &("notifyd", "/quiet")),
                Heard::Is(false),
            ),
            (
                says(xfconf, "PropertyRemoved", &("notifyd", "/other")),
                Heard::Nothing,
            ),
            (
                says(written, "Notify", &note("/org/a/notifications/show", &[""])),
                Heard::Ask,
            ),
            (
                says(
                    written,
                    "Notify",
                    &note("/org/a/", &["b", "notifications/show"]),
                ),
                Heard::Ask,
            ),
            (says(written, "Notify", &note("/org/", &[""])), Heard::Ask),
            (
                says(written, "Notify", &note("/org/a/b", &[""])),
                Heard::Nothing,
            ),
            (
                says(Tell::Swaync, "SubscribeV2", &(3_u32, false, true, true)),
                Heard::Is(true),
            ),
            (
                says(Tell::Swaync, "SubscribeV2", &(3_u32, false, true, false)),
                Heard::Is(false),
            ),
        ] {
            assert_eq!(heard, expected);
        }
    }
}
