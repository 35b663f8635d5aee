//! Credentials: in the OS keyring, in memory, or, only where the user asked for it, in a file.

use super::clock::within;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tidings_core::model::{AccountId, Credential, SecretPlace};
use tidings_core::ports::{Later, SecretError, SecretStore};

/// The service under which a keyring shows our entries.
const SERVICE: &str = "tidings";

/// How long a keyring may take, its prompt included.
const LIMIT: Duration = Duration::from_secs(10);

/// A credential as it is kept: one JSON object an account.
#[derive(Serialize, Deserialize)]
struct Kept {
    secret: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proxy: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
}

impl From<Credential> for Kept {
    fn from(credential: Credential) -> Self {
        Self {
            secret: credential.secret,
            headers: credential.headers,
            proxy: credential.proxy,
            certificate: credential.certificate,
        }
    }
}

impl From<Kept> for Credential {
    fn from(kept: Kept) -> Self {
        Self {
            secret: kept.secret,
            headers: kept.headers,
            proxy: kept.proxy,
            certificate: kept.certificate,
        }
    }
}

/// The three places for one profile's credentials.
pub struct Secrets {
    /// Tells this profile's entries from others' in the one keyring.
    profile: String,
    file: Arc<SecretFile>,
    memory: Mutex<BTreeMap<AccountId, Credential>>,
}

impl Secrets {
    /// For the profile called `profile` (empty for the user's own), whose data is in `data`.
    pub fn new(profile: &str, data: &Path) -> Self {
        Self {
            profile: profile.to_owned(),
            file: Arc::new(SecretFile {
                path: data.join("secrets.json"),
                writing: Mutex::new(()),
            }),
            memory: Mutex::default(),
        }
    }

    fn entry(&self, account: AccountId) -> String {
        if self.profile.is_empty() {
            format!("account-{account}")
        } else {
            format!("account-{account}@{}", self.profile)
        }
    }

    /// Writes, reads and removes an entry of its own: whether the keyring really works.
    ///
    /// # Errors
    /// As any use of the keyring.
    pub async fn try_keyring(&self) -> Result<(), SecretError> {
        let user = format!("doctor@{}", self.profile);
        in_keyring(move || {
            let entry = keyring_entry(&user)?;
            entry.set_secret(b"a test").map_err(worded)?;
            let read = entry.get_secret().map_err(worded)?;
            entry.delete_credential().map_err(worded)?;
            if read == b"a test" {
                Ok(())
            } else {
                Err(SecretError::Refused(
                    "it gave back something else than it was given".to_owned(),
                ))
            }
        })
        .await
    }
}

impl SecretStore for Secrets {
    fn get(
        &self,
        place: SecretPlace,
        account: AccountId,
    ) -> Later<'_, Result<Option<Credential>, SecretError>> {
        Box::pin(async move {
            match place {
                SecretPlace::Memory => Ok(lock(&self.memory).get(&account).cloned()),
                SecretPlace::File => {
                    let file = Arc::clone(&self.file);
                    blocking(move || {
                        let mut all = file.read()?;
                        Ok(all.remove(&account.to_string()).map(Credential::from))
                    })
                    .await
                }
                SecretPlace::Keyring => {
                    let user = self.entry(account);
                    in_keyring(move || match keyring_entry(&user)?.get_secret() {
                        Ok(bytes) => serde_json::from_slice::<Kept>(&bytes)
                            .map(|kept| Some(kept.into()))
                            // The error's words could quote the secret.
                            .map_err(|_| {
                                SecretError::Refused("its entry is not one of ours".to_owned())
                            }),
                        Err(keyring::Error::NoEntry) => Ok(None),
                        Err(error) => Err(worded(error)),
                    })
                    .await
                }
            }
        })
    }

    fn set(
        &self,
        place: SecretPlace,
        account: AccountId,
        credential: Credential,
    ) -> Later<'_, Result<(), SecretError>> {
        Box::pin(async move {
            match place {
                SecretPlace::Memory => {
                    lock(&self.memory).insert(account, credential);
                    Ok(())
                }
                SecretPlace::File => {
                    let file = Arc::clone(&self.file);
                    blocking(move || {
                        file.change(|all| {
                            all.insert(account.to_string(), credential.into());
                        })
                    })
                    .await
                }
                SecretPlace::Keyring => {
                    let user = self.entry(account);
                    in_keyring(move || {
                        let kept = serde_json::to_vec(&Kept::from(credential))
                            .map_err(|_| SecretError::Refused("it cannot be stored".to_owned()))?;
                        keyring_entry(&user)?.set_secret(&kept).map_err(worded)
                    })
                    .await
                }
            }
        })
    }

    fn delete(&self, place: SecretPlace, account: AccountId) -> Later<'_, Result<(), SecretError>> {
        Box::pin(async move {
            match place {
                SecretPlace::Memory => {
                    lock(&self.memory).remove(&account);
                    Ok(())
                }
                SecretPlace::File => {
                    let file = Arc::clone(&self.file);
                    blocking(move || {
                        file.change(|all| {
                            all.remove(&account.to_string());
                        })
                    })
                    .await
                }
                SecretPlace::Keyring => {
                    let user = self.entry(account);
                    in_keyring(move || match keyring_entry(&user)?.delete_credential() {
                        Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
                        Err(error) => Err(worded(error)),
                    })
                    .await
                }
            }
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SecretError> + Send + 'static,
) -> Result<T, SecretError> {
    match within(LIMIT, tokio::task::spawn_blocking(work)).await {
        Some(Ok(result)) => result,
        Some(Err(_)) => Err(SecretError::Refused("its library failed".to_owned())),
        None => Err(SecretError::Timeout),
    }
}

/// Runs `work` once it is known that a keyring is there: asking for a missing one waits for 25 s.
async fn in_keyring<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SecretError> + Send + 'static,
) -> Result<T, SecretError> {
    #[cfg(target_os = "linux")]
    if !super::bus::is_there("org.freedesktop.secrets").await {
        return Err(SecretError::Missing);
    }
    blocking(work).await
}

/// An entry of the keyring. On Linux its store is made anew each time: the library's own is chosen
/// once, so that a keyring that is late, or that was restarted, would stay lost for this process.
#[cfg(target_os = "linux")]
fn keyring_entry(user: &str) -> Result<keyring::Entry, SecretError> {
    use keyring_core::api::CredentialStoreApi as _;
    let store = zbus_secret_service_keyring_store::Store::new().map_err(worded)?;
    let inner = store.build(SERVICE, user, None).map_err(worded)?;
    Ok(keyring::Entry { inner })
}

#[cfg(not(target_os = "linux"))]
fn keyring_entry(user: &str) -> Result<keyring::Entry, SecretError> {
    keyring::Entry::new(SERVICE, user).map_err(worded)
}

/// The library's error in our words. Its own may carry what was read, so only the kinds that cannot
/// are quoted.
fn worded(error: keyring::Error) -> SecretError {
    match error {
        keyring::Error::NoDefaultStore => SecretError::Missing,
        keyring::Error::NoStorageAccess(_) => SecretError::Locked,
        keyring::Error::PlatformFailure(cause) => SecretError::Refused(cause.to_string()),
        keyring::Error::TooLong(..) => SecretError::Refused("the secret is too long".to_owned()),
        keyring::Error::Ambiguous(_) => {
            SecretError::Refused("it has several entries for this account".to_owned())
        }
        _ => SecretError::Refused("it could not be used".to_owned()),
    }
}

/// A file of mode 0600, replaced as a whole.
struct SecretFile {
    path: PathBuf,
    writing: Mutex<()>,
}

impl SecretFile {
    fn read(&self) -> Result<BTreeMap<String, Kept>, SecretError> {
        match fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| {
                SecretError::Refused(format!(
                    "{} cannot be read; move it away and enter the passwords anew",
                    self.path.display()
                ))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Kept>)) -> Result<(), SecretError> {
        let _writing = lock(&self.writing);
        let mut all = self.read()?;
        change(&mut all);
        self.write(&all).map_err(|error| self.failed(&error))
    }

    fn write(&self, all: &BTreeMap<String, Kept>) -> io::Result<()> {
        let Some(folder) = self.path.parent() else {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        };
        // A temporary file is made with mode 0600.
        let mut file = tempfile::Builder::new()
            .prefix(".secrets")
            .tempfile_in(folder)?;
        serde_json::to_writer(&mut file, all)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> SecretError {
        SecretError::Refused(format!("{}: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(secret: &str) -> Credential {
        Credential {
            secret: Some(secret.to_owned()),
            headers: vec![("X-Key".to_owned(), "k".to_owned())],
            ..Credential::default()
        }
    }

    #[tokio::test]
    async fn file_and_memory_give_back_what_they_were_given() {
        let folder = tempfile::tempdir().unwrap();
        for place in [SecretPlace::File, SecretPlace::Memory] {
            let secrets = Secrets::new("p", folder.path());
            let (one, two) = (AccountId(1), AccountId(2));
            assert_eq!(secrets.get(place, one).await, Ok(None));
            secrets.delete(place, one).await.unwrap();
            secrets.set(place, one, credential("a")).await.unwrap();
            secrets.set(place, two, credential("b")).await.unwrap();
            secrets.set(place, one, credential("c")).await.unwrap();
            assert_eq!(secrets.get(place, one).await, Ok(Some(credential("c"))));
            assert_eq!(secrets.get(place, two).await, Ok(Some(credential("b"))));
            secrets.delete(place, one).await.unwrap();
            assert_eq!(secrets.get(place, one).await, Ok(None));
            let again = Secrets::new("p", folder.path())
                .get(place, two)
                .await
                .unwrap();
            assert_eq!(again.is_some(), place == SecretPlace::File);
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_file_is_for_its_owner_alone_and_damage_is_not_overwritten() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let secrets = Secrets::new("p", folder.path());
        let id = AccountId(1);
        secrets
            .set(SecretPlace::File, id, credential("a"))
            .await
            .unwrap();
        let path = folder.path().join("secrets.json");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::write(&path, "{damaged secret").unwrap();
        for result in [
            secrets.get(SecretPlace::File, id).await.map(drop),
            secrets.set(SecretPlace::File, id, credential("b")).await,
        ] {
            let words = result.unwrap_err().to_string();
            assert!(
                words.contains("move it away") && !words.contains("damaged"),
                "{words}"
            );
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "{damaged secret");
    }

    #[test]
    fn profiles_do_not_share_an_entry() {
        let path = Path::new("/nowhere");
        let own = Secrets::new("", path).entry(AccountId(3));
        let other = Secrets::new("ab", path).entry(AccountId(3));
        assert_eq!(own, "account-3");
        assert_ne!(own, other);
    }
}
