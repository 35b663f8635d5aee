//! What works on this desktop, in words, with advice for the rest.

#[cfg(target_os = "linux")]
use super::around::Words;
use super::network;
#[cfg(target_os = "linux")]
use super::notifier::{DesktopNotifier, Look};
use super::secrets::Secrets;
use tidings_api::{DoctorItem, DoctorVerdict, ErrorView, Status};
#[cfg(target_os = "linux")]
use tidings_core::model::Context;
use tidings_core::ports::SecretError;
use tidings_core::settings::MandatesFile;

/// Looks at everything. `database` is what reading the inbox gave.
pub async fn examine(
    #[cfg(target_os = "linux")] notifier: &DesktopNotifier,
    #[cfg(target_os = "linux")] words: &Words,
    secrets: &Secrets,
    mandates: &MandatesFile,
    database: Result<Status, ErrorView>,
) -> Vec<DoctorItem> {
    #[cfg(target_os = "linux")]
    let desktop = {
        let (host, look) = tokio::join!(super::tray::has_host(), notifier.look());
        vec![tray(host), notifications(look), screen(words)]
    };
    #[cfg(not(target_os = "linux"))]
    let desktop = Vec::new();
    let mut items = desktop;
    items.push(keyring(secrets.try_keyring().await));
    items.push(network(network::is_up()));
    items.push(self::mandates(mandates));
    items.push(self::database(database));
    items
}

fn item(name: &str, verdict: DoctorVerdict, says: impl Into<String>, advice: &str) -> DoctorItem {
    DoctorItem {
        name: name.to_owned(),
        verdict,
        says: says.into(),
        advice: advice.to_owned(),
    }
}

#[cfg(target_os = "linux")]
fn tray(host: bool) -> DoctorItem {
    if host {
        let says = "The desktop has a place for tray icons.";
        item("Tray", DoctorVerdict::Good, says, "")
    } else {
        item(
            "Tray",
            DoctorVerdict::Fair,
            "The desktop has no place for tray icons.",
            "Start Tidings again to open the inbox. On GNOME, the extension AppIndicator and \
             KStatusNotifierItem Support adds the place.",
        )
    }
}

#[cfg(target_os = "linux")]
fn notifications(look: Look) -> DoctorItem {
    let name = "Notifications";
    let (says, advice) = match look {
        Look::NoBus => (
            "There is no session bus, so nothing can be shown.".to_owned(),
            "Start Tidings from within the desktop's session.",
        ),
        Look::Absent => (
            "Nothing on this desktop shows notifications just now.".to_owned(),
            "Start the desktop's notification service, or install one, such as dunst or mako.",
        ),
        Look::Hangs => (
            "The notification service does not answer.".to_owned(),
            "Restart it, or sign out and in again. Notifications are received all the same.",
        ),
        Look::Answers(server, version, words) => {
            let has = |word: &str| words.iter().any(|known| known == word);
            let says = format!("{server} {version} shows notifications");
            if has("actions") {
                return item(
                    name,
                    DoctorVerdict::Good,
                    format!("{says}, with buttons."),
                    "",
                );
            }
            let advice =
                "A click cannot open the inbox from there: use the tray, or start Tidings again.";
            let says = format!("{says}, but without buttons.");
            return item(name, DoctorVerdict::Fair, says, advice);
        }
    };
    item(name, DoctorVerdict::Bad, says, advice)
}

/// What this desktop tells of what is around the screen.
#[cfg(target_os = "linux")]
fn screen(words: &Words) -> DoctorItem {
    let name = |context| match context {
        Context::Locked => "locked screen",
        Context::Presenting => "presenting",
        Context::FullScreen => "full screen",
        Context::ScreenShared => "screen shared",
        Context::DoNotDisturb => "do not disturb",
    };
    let (told, untold): (Vec<_>, Vec<_>) = Context::ALL
        .into_iter()
        .partition(|context| words.told().is(*context));
    let told: Vec<_> = told
        .into_iter()
        .map(|context| {
            let now = if words.now().is(context) {
                ", so just now"
            } else {
                ""
            };
            let who = words.tellers(context).join(" and ");
            format!("{} (by {who}{now})", name(context))
        })
        .collect();
    let untold: Vec<_> = untold
        .into_iter()
        .map(|context| match &words.silent(context)[..] {
            [] => name(context).to_owned(),
            silent => format!("{} (not so far by {})", name(context), silent.join(" and ")),
        })
        .collect();
    let says = match (&told[..], &untold[..]) {
        ([], untold) => format!("This desktop does not tell: {}.", untold.join(", ")),
        (told, []) => format!("This desktop tells: {}.", told.join(", ")),
        (told, untold) => format!(
            "This desktop tells: {}. It does not tell: {}.",
            told.join(", "),
            untold.join(", ")
        ),
    };
    if words.told().locked {
        return item("Screen", DoctorVerdict::Good, says, "");
    }
    item(
        "Screen",
        DoctorVerdict::Fair,
        says,
        "Without word of the lock, toasts say on a locked screen what they always say. Have the screen locker tell \
         logind (LockedHint), or choose under Settings → Privacy what toasts may say.",
    )
}

fn keyring(tried: Result<(), SecretError>) -> DoctorItem {
    let name = "Keyring";
    match tried {
        Ok(()) => {
            let says = "Passwords can be kept in the desktop's keyring.";
            item(name, DoctorVerdict::Good, says, "")
        }
        Err(SecretError::Missing) => item(
            name,
            DoctorVerdict::Bad,
            "This desktop has no keyring.",
            "Install one (gnome-keyring, KWallet, KeePassXC), or choose for each account to keep its \
             password in memory or in a file.",
        ),
        Err(error @ SecretError::Locked) => item(
            name,
            DoctorVerdict::Bad,
            error.to_string(),
            "Unlock it when asked, or in the desktop's password program.",
        ),
        Err(error) => item(
            name,
            DoctorVerdict::Bad,
            error.to_string(),
            "Restart the keyring, or sign out and in again.",
        ),
    }
}

fn network(up: bool) -> DoctorItem {
    if up {
        item(
            "Network",
            DoctorVerdict::Good,
            "The machine has a network.",
            "",
        )
    } else {
        item(
            "Network",
            DoctorVerdict::Bad,
            "The machine has no network.",
            "Only servers on this machine can be reached. Connect it; Tidings notices by itself.",
        )
    }
}

fn mandates(file: &MandatesFile) -> DoctorItem {
    let name = "Administrator";
    let path = file.path();
    if let [first, ..] = file.problems() {
        return item(
            name,
            DoctorVerdict::Fair,
            &first.says,
            "Ask whoever looks after this computer to mend the file. Until then what cannot be read of it makes \
             nothing mandatory.",
        );
    }
    let says = match file.mandates().mandatory.len() {
        0 => format!("Nothing is made mandatory here: {path} says nothing, or is not there."),
        1 => format!("{path} makes notifications mandatory, with 1 entry."),
        entries => format!("{path} makes notifications mandatory, with {entries} entries."),
    };
    item(name, DoctorVerdict::Good, says, "")
}

fn database(read: Result<Status, ErrorView>) -> DoctorItem {
    let name = "Database";
    match read {
        Ok(status) => {
            let all = status.counts.all + status.counts.done;
            let says = match all {
                1 => "The inbox can be read: 1 notification.".to_owned(),
                _ => format!("The inbox can be read: {all} notifications."),
            };
            item(name, DoctorVerdict::Good, says, "")
        }
        Err(error) => item(name, DoctorVerdict::Bad, error.message, &error.detail),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn told(contexts: &[Context]) -> Words {
        let mut words = Words::default();
        for context in contexts {
            words.hear(*context, "dunst", Some(*context == Context::Locked), true);
        }
        words
    }

    #[test]
    fn what_is_told_of_the_screen_and_by_whom() {
        let mut words = told(&[Context::Locked, Context::DoNotDisturb]);
        words.hear(Context::Presenting, "Xfce", Some(false), false);
        assert_eq!(
            screen(&words).says,
            "This desktop tells: locked screen (by dunst, so just now), do not disturb (by dunst). \
             It does not tell: presenting (not so far by Xfce), full screen, screen shared."
        );
        assert_eq!(
            screen(&Words::default()).says,
            "This desktop does not tell: locked screen, presenting, full screen, screen shared, do not disturb."
        );
    }

    #[test]
    fn what_does_not_work_comes_with_advice() {
        let answers = |words: &[&str]| {
            let words = words.iter().map(|&word| word.to_owned()).collect();
            notifications(Look::Answers("dunst".into(), "1".into(), words))
        };
        let file = |text: &str| MandatesFile::new("/etc/policy.json", Some(Ok(text.to_owned())));
        for (item, verdict) in [
            (mandates(&file("{}")), DoctorVerdict::Good),
            (
                mandates(&file(r#"{"mandatory": [{"server": "*"}]}"#)),
                DoctorVerdict::Good,
            ),
            (mandates(&file("[")), DoctorVerdict::Fair),
            (tray(true), DoctorVerdict::Good),
            (tray(false), DoctorVerdict::Fair),
            (notifications(Look::NoBus), DoctorVerdict::Bad),
            (notifications(Look::Absent), DoctorVerdict::Bad),
            (notifications(Look::Hangs), DoctorVerdict::Bad),
            (answers(&["actions"]), DoctorVerdict::Good),
            (answers(&["body"]), DoctorVerdict::Fair),
            (screen(&Words::default()), DoctorVerdict::Fair),
            (screen(&told(&[Context::FullScreen])), DoctorVerdict::Fair),
            (screen(&told(&Context::ALL)), DoctorVerdict::Good),
            (keyring(Ok(())), DoctorVerdict::Good),
            (keyring(Err(SecretError::Missing)), DoctorVerdict::Bad),
            (keyring(Err(SecretError::Locked)), DoctorVerdict::Bad),
            (keyring(Err(SecretError::Timeout)), DoctorVerdict::Bad),
            (network(true), DoctorVerdict::Good),
            (network(false), DoctorVerdict::Bad),
        ] {
            assert_eq!(item.verdict, verdict, "{item:?}");
            assert_eq!(
                item.advice.is_empty(),
                verdict == DoctorVerdict::Good,
                "{item:?}"
            );
        }
    }
}
