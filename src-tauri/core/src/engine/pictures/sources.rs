//! Where a notification's pictures are, and whether they may be fetched.

use crate::backend::registry;
use crate::engine::connection::task;
use crate::model::{Account, AccountId, Attachment, Notification, SubscriptionId, hexadecimal};
use crate::picture::{LARGEST_FILE, Use};
use crate::store::{StoreError, Tx};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use tidings_api::{ErrorCode, ErrorView, PictureOf, PicturePreview, Pictures as Setting};
use url::Url;

/// Endings of files that are shown.
const ENDINGS: [&str; 5] = [".gif", ".jpeg", ".jpg", ".png", ".webp"];
/// Media types that are shown. A server's word for it is only where to look: the bytes decide.
const TYPES: [&str; 4] = ["image/gif", "image/jpeg", "image/png", "image/webp"];

/// A picture somewhere.
#[derive(Clone, Debug)]
pub struct Source {
    /// What the cache finds it by. Accounts share none: one may see what another may not.
    pub key: String,
    /// Whose notification it belongs to.
    pub account: Account,
    /// Where it is.
    pub url: Url,
    /// What it is for.
    pub wanted: Use,
    /// When its server drops it.
    pub expires_at: Option<Timestamp>,
}

impl Source {
    /// The places of a notification's picture, best first.
    pub fn all(
        tx: &Tx<'_>,
        notification: &Notification,
        of: PictureOf,
    ) -> Result<Vec<Self>, StoreError> {
        let draft = &notification.draft;
        let links: Vec<_> = match of {
            PictureOf::Icon => {
                let of_topic = tx.subscription(notification.subscription)?.icon;
                let mut links: Vec<_> = draft.icon.iter().cloned().chain([of_topic]).collect();
                links.dedup();
                links
            }
            PictureOf::Attachment => draft
                .attachment
                .iter()
                .filter(|file| may_be_picture(file))
                .map(|file| file.url.clone())
                .collect(),
        };
        let urls: Vec<_> = links.iter().filter_map(|link| web(link)).collect();
        if urls.is_empty() {
            return Ok(Vec::new());
        }
        let account = tx.account(notification.account)?;
        let (wanted, expires_at) = match (of, &draft.attachment) {
            (PictureOf::Attachment, Some(file)) => (Use::Preview, file.expires_at),
            (PictureOf::Attachment, None) => (Use::Preview, None),
            (PictureOf::Icon, _) => (Use::Icon, None),
        };
        let source = |url| Self {
            key: key(account.id, wanted, &url),
            account: account.clone(),
            url,
            wanted,
            expires_at,
        };
        Ok(urls.into_iter().map(source).collect())
    }

    /// Whether it may be fetched.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn check(&self, setting: Setting, asked: bool, now: Timestamp) -> Result<(), ErrorView> {
        let words = |words: String| Err(ErrorView::new(ErrorCode::Invalid, words));
        if self.expires_at.is_some_and(|at| at <= now) {
            return words(format!("{} no longer has this picture.", self.host()));
        }
        if asked || setting == Setting::Everywhere {
            return Ok(());
        }
        if setting == Setting::Never {
            return words("Pictures are switched off in the settings.".to_owned());
        }
        if is_own(&own(&self.account), &self.url) {
            Ok(())
        } else {
            words(format!(
                "This picture is on {}, which is none of your servers. Loading it tells {0} when and from \
                 where it is looked at.",
                self.host()
            ))
        }
    }

    /// Its host, for words and the log.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

/// An address on the web.
fn web(link: &str) -> Option<Url> {
    Url::parse(link)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn own(account: &Account) -> Vec<Url> {
    task::own_addresses(registry::backend(account.kind), &task::server(account))
}

fn is_own(own: &[Url], url: &Url) -> bool {
    own.iter().any(|own| own.origin() == url.origin())
}

fn key(account: AccountId, wanted: Use, url: &Url) -> String {
    let size = match wanted {
        Use::Icon => "icon",
        Use::Preview => "preview",
    };
    let text = format!("{}\n{size}\n{url}", account.0);
    hexadecimal(&Sha256::digest(text))
}

/// Whether it is worth a look, by what its sender says of it.
fn may_be_picture(file: &Attachment) -> bool {
    if file.size.is_some_and(|size| size > LARGEST_FILE as u64) {
        return false;
    }
    let of_type = file.media_type.split(';').next().unwrap_or_default();
    if !of_type.is_empty() {
        return TYPES
            .iter()
            .any(|known| known.eq_ignore_ascii_case(of_type.trim()));
    }
    let name = file.name.to_ascii_lowercase();
    // A name without an ending says nothing: then it is tried.
    !name.contains('.') || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// What can be shown, for the rows of a list.
pub struct Shown {
    setting: Setting,
    own: HashMap<AccountId, Vec<Url>>,
    icons: HashMap<SubscriptionId, String>,
}

impl Shown {
    /// Under this setting, of these accounts; `icons` are those of their subscriptions.
    pub fn new(
        setting: Setting,
        accounts: &[Account],
        icons: HashMap<SubscriptionId, String>,
    ) -> Self {
        let own = if setting == Setting::OwnServers {
            accounts.iter().map(|one| (one.id, own(one))).collect()
        } else {
            HashMap::new()
        };
        Self {
            setting,
            own,
            icons,
        }
    }

    fn allows(&self, account: AccountId, url: &Url) -> bool {
        match self.setting {
            Setting::Everywhere => true,
            Setting::Never => false,
            Setting::OwnServers => self.own.get(&account).is_some_and(|own| is_own(own, url)),
        }
    }

    /// Whether it has an icon that may be loaded.
    pub fn icon(&self, notification: &Notification) -> bool {
        self.setting != Setting::Never
            && [
                notification.draft.icon.as_ref(),
                self.icons.get(&notification.subscription),
            ]
            .into_iter()
            .flatten()
            .filter_map(|link| web(link))
            .any(|url| self.allows(notification.account, &url))
    }

    /// What can be shown of an attachment.
    pub fn preview(
        &self,
        tx: &Tx<'_>,
        account: AccountId,
        file: &Attachment,
        now: Timestamp,
    ) -> Result<PicturePreview, StoreError> {
        let Some(url) = web(&file.url).filter(|_| may_be_picture(file)) else {
            return Ok(PicturePreview::None);
        };
        Ok(if file.expires_at.is_some_and(|at| at <= now) {
            PicturePreview::Gone
        } else if self.allows(account, &url)
            || tx
                .picture(&key(account, Use::Preview, &url), now)?
                .is_some()
        {
            PicturePreview::Ready
        } else {
            PicturePreview::Ask
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BackendKind, SecretPlace, SignIn, Way};
    use crate::store::Store;

    fn account() -> Account {
        Account {
            made_token: String::new(),
            id: AccountId(1),
            kind: BackendKind::Ntfy,
            name: "Home".to_owned(),
            url: "https://ntfy.example/folder/".parse().unwrap(),
            sign_in: SignIn::None,
            secrets: SecretPlace::Keyring,
            header_names: Vec::new(),
            transport: None,
            allow_http: false,
            disabled: false,
            created_at: Timestamp::UNIX_EPOCH,
            options: String::new(),
            way: Way::default(),
        }
    }

    /// Scheme, host and port: another port of the same host may be another person's server.
    #[test]
    fn whose_server_it_is_decides_unless_its_user_does() {
        let shown = |setting| Shown::new(setting, &[account()], HashMap::new());
        for (url, own) in [
            ("https://ntfy.example/file/a.png", true),
            ("https://ntfy.example:443/icon.png", true),
            ("https://ntfy.example:8443/a.png", false),
            ("http://ntfy.example/a.png", false),
            ("https://cdn.ntfy.example/a.png", false),
            ("https://ntfy.example.evil.test/a.png", false),
            ("https://evil.test/ntfy.example", false),
        ] {
            let source = Source {
                key: "k".to_owned(),
                account: account(),
                url: url.parse().unwrap(),
                wanted: Use::Preview,
                expires_at: None,
            };
            for (setting, allowed) in [
                (Setting::OwnServers, own),
                (Setting::Everywhere, true),
                (Setting::Never, false),
            ] {
                let now = Timestamp::UNIX_EPOCH;
                let unasked = source.check(setting, false, now);
                assert_eq!(unasked.is_ok(), allowed, "{url} {setting:?}");
                assert!(source.check(setting, true, now).is_ok(), "{url}");
                assert_eq!(shown(setting).allows(AccountId(1), &source.url), allowed);
                assert!(
                    setting == Setting::Everywhere
                        || !shown(setting).allows(AccountId(2), &source.url)
                );
            }
        }
    }

    #[test]
    fn what_its_server_has_dropped_is_not_asked_for() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let file = Attachment {
            name: "a.png".to_owned(),
            url: "https://ntfy.example/file/a.png".to_owned(),
            media_type: "image/png".to_owned(),
            size: None,
            expires_at: Some(at(100)),
        };
        let source = Source {
            key: "k".to_owned(),
            account: account(),
            url: file.url.parse().unwrap(),
            wanted: Use::Preview,
            expires_at: file.expires_at,
        };
        let shown = Shown::new(Setting::OwnServers, &[account()], HashMap::new());
        let store = Store::in_memory().unwrap();
        let preview = |now| store.read(|tx| shown.preview(tx, AccountId(1), &file, now));
        assert!(source.check(Setting::OwnServers, true, at(99)).is_ok());
        assert_eq!(preview(at(99)).unwrap(), PicturePreview::Ready);
        let error = source
            .check(Setting::Everywhere, true, at(100))
            .unwrap_err();
        assert!(error.message.contains("no longer"), "{error}");
        assert_eq!(preview(at(100)).unwrap(), PicturePreview::Gone);
    }

    #[test]
    fn what_may_be_a_picture_is_told_by_what_its_sender_says() {
        for (name, media_type, size, is) in [
            ("a.png", "image/png", Some(10), true),
            ("a", "IMAGE/JPEG; q=1", None, true),
            ("a.png", "application/pdf", None, false),
            ("a.svg", "image/svg+xml", None, false),
            ("A.WebP", "", None, true),
            ("a.svg", "", None, false),
            ("a.tar.gz", "", None, false),
            ("image", "", None, true),
            ("a.png", "image/png", Some(5 * 1024 * 1024), true),
            ("a.png", "image/png", Some(5 * 1024 * 1024 + 1), false),
        ] {
            let file = Attachment {
                name: name.to_owned(),
                url: "https://x.test/f".to_owned(),
                media_type: media_type.to_owned(),
                size,
                expires_at: None,
            };
            assert_eq!(may_be_picture(&file), is, "{name} {media_type}");
        }
    }

    #[test]
    fn no_two_accounts_and_no_two_uses_share_a_key() {
        let url: Url = "https://x.test/a.png".parse().unwrap();
        let other: Url = "https://x.test/b.png".parse().unwrap();
        let one = key(AccountId(1), Use::Icon, &url);
        assert_eq!(one.len(), 64);
        assert_eq!(one, key(AccountId(1), Use::Icon, &url));
        for different in [
            key(AccountId(2), Use::Icon, &url),
            key(AccountId(1), Use::Preview, &url),
            key(AccountId(1), Use::Icon, &other),
        ] {
            assert_ne!(one, different);
        }
    }
}
