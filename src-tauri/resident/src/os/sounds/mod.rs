//! Sounds of toasts, where the notification daemon does not play them: by a program of the user's desktop. A toast never
//! waits for one.

mod plan;
mod player;
mod theme;

#[cfg(test)]
mod tests;

pub use plan::{Asked, Plan, default_name};
pub use player::Play;

use super::clock::within;
use plan::{Desk, is_the_daemons};
use player::{PROGRAMS, Player};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tidings_api::{ProblemView, SoundsView};
use tidings_core::model::Tier;
use tidings_core::model::preferences::{Preferences, Sound};
use tokio::process::Command;
use tokio::task::AbortHandle;
use zbus::Connection;
use zbus::zvariant::OwnedValue;

/// How long looking for programs and files may hold a toast up; a folder may be far away.
const LOOK: Duration = Duration::from_millis(500);
/// How long the portal may.
const PORTAL: Duration = Duration::from_millis(300);
/// A sound that is longer is cut.
const LONGEST: Duration = Duration::from_secs(30);
/// A program that cannot play something says so within this time.
const FAILS: Duration = Duration::from_secs(1);

/// What the desktop says about its own sounds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OfDesktop {
    on: bool,
    theme: String,
}

/// Plays sounds.
pub struct Sounds {
    /// `PATH`.
    path: OsString,
    /// Where sound themes are.
    folders: Vec<PathBuf>,
    playing: Mutex<Option<AbortHandle>>,
    /// Files that a program could not play, and what it said.
    failed: Mutex<BTreeMap<PathBuf, String>>,
}

impl Sounds {
    /// As this process's environment says.
    pub fn of_environment() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        // XDG Base Directory 0.8.
        let own = variable("XDG_DATA_HOME")
            .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".local/share").into()));
        let shared =
            variable("XDG_DATA_DIRS").unwrap_or_else(|| "/usr/local/share:/usr/share".into());
        let folders = own
            .into_iter()
            .map(PathBuf::from)
            .chain(std::env::split_paths(&shared));
        let folders = folders.filter(|folder| folder.is_absolute());
        Self::new(
            variable("PATH").unwrap_or_default(),
            folders.map(|folder| folder.join("sounds")).collect(),
        )
    }

    fn new(path: OsString, folders: Vec<PathBuf>) -> Self {
        Self {
            path,
            folders,
            playing: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// Who plays it. What takes too long to find out is left to the daemon.
    pub async fn plan(&self, bus: Option<&Connection>, asked: Asked, daemon_plays: bool) -> Plan {
        if is_the_daemons(&asked, daemon_plays) || asked.volume == 0 {
            let hint = Some(asked.sound).filter(|sound| *sound != Sound::None && asked.volume > 0);
            return Plan { hint, play: None };
        }
        let desktop = of_desktop(bus).await;
        if !desktop.on {
            return Plan::default();
        }
        let (path, folders) = (self.path.clone(), self.folders.clone());
        let otherwise = match &asked.sound {
            Sound::File { .. } => Sound::Default,
            sound => sound.clone(),
        };
        let looking = tokio::task::spawn_blocking(move || {
            let player = Player::find(&path);
            let desk = Desk {
                daemon_plays,
                player: player.as_ref(),
                theme: &|name| theme::file(&folders, &desktop.theme, name),
                is_readable: &|path| readable(path).is_ok(),
            };
            plan::plan(&asked, &desk)
        });
        match within(LOOK, looking).await {
            Some(Ok(plan)) => plan,
            _ => Plan {
                hint: Some(otherwise),
                play: None,
            },
        }
    }

    /// Starts to play, and goes on meanwhile. Of several at one moment the first is heard; a critical one is heard at
    /// once.
    pub fn play(self: &Arc<Self>, play: Play, tier: Tier) {
        let mut playing = lock(&self.playing);
        if let Some(before) = playing.as_ref().filter(|before| !before.is_finished()) {
            if tier != Tier::Critical {
                return;
            }
            before.abort();
        }
        let sounds = Arc::clone(self);
        let task = tokio::spawn(async move {
            let mut next = Some(play);
            while let Some(play) = next {
                next = match sounds.run(&play).await {
                    Ok(()) => None,
                    Err(says) => {
                        tracing::warn!(says, "a sound could not be played");
                        play.otherwise.map(|otherwise| *otherwise)
                    }
                };
            }
        });
        *playing = Some(task.abort_handle());
    }

    /// To its end; a program that is given up is ended.
    async fn run(&self, play: &Play) -> Result<(), String> {
        let name = play
            .program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let running = Command::new(&play.program)
            .args(&play.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .status();
        let said = match within(LONGEST, running).await {
            None => Ok(()),
            Some(Ok(status)) if status.success() => Ok(()),
            Some(Ok(status)) => Err(format!("{name} could not play it ({status})")),
            Some(Err(error)) => Err(format!("{name} could not be started ({error})")),
        };
        if let Some(file) = &play.file {
            let mut failed = lock(&self.failed);
            match &said {
                Ok(()) => drop(failed.remove(file)),
                Err(says) => drop(failed.insert(file.clone(), says.clone())),
            }
        }
        said
    }

    /// Plays it for who wants to hear it, as soon as what is played before can be ended. Says what happens, in words.
    ///
    /// # Errors
    /// In words: the program cannot play it.
    pub async fn try_out(self: &Arc<Self>, play: Play) -> Result<String, String> {
        if let Some(before) = lock(&self.playing).take() {
            before.abort();
        }
        let name = play
            .program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let sounds = Arc::clone(self);
        let alone = Play {
            otherwise: None,
            ..play
        };
        let task = tokio::spawn(async move { sounds.run(&alone).await });
        *lock(&self.playing) = Some(task.abort_handle());
        match within(FAILS, task).await {
            Some(Ok(Err(says))) => Err(format!("{says}.")),
            _ => Ok(format!("{name} plays it.")),
        }
    }

    /// Whether a file can be played, as far as can be said without playing it.
    ///
    /// # Errors
    /// In words.
    pub async fn check(path: PathBuf) -> Result<(), String> {
        let shown = path.display().to_string();
        let looking = tokio::task::spawn_blocking(move || readable(&path));
        match within(LOOK, looking).await {
            Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(says))) => Err(format!("{shown}: {says}.")),
            _ => Err(format!("{shown}: this cannot be read in time.")),
        }
    }

    /// Who plays sounds here, and which of the preferences' files cannot be played.
    pub async fn view(
        &self,
        bus: Option<&Connection>,
        daemon_plays: Option<bool>,
        preferences: &Preferences,
    ) -> SoundsView {
        let desktop = of_desktop(bus).await;
        let files = files(preferences);
        let path = self.path.clone();
        let looking = tokio::task::spawn_blocking(move || {
            let wrong = |(at, path): (String, PathBuf)| {
                let says = readable(&path).err()?;
                Some((at, path, says))
            };
            let found = files
                .clone()
                .into_iter()
                .filter_map(wrong)
                .collect::<Vec<_>>();
            (Player::find(&path), files, found)
        });
        let (player, files, mut wrong) = match within(LOOK, looking).await {
            Some(Ok(looked)) => looked,
            _ => (None, Vec::new(), Vec::new()),
        };
        let failed = lock(&self.failed).clone();
        for (at, path) in files {
            if let Some(says) = failed.get(&path)
                && !wrong.iter().any(|(known, ..)| *known == at)
            {
                wrong.push((at, path, says.clone()));
            }
        }
        SoundsView {
            says: who(desktop.on, daemon_plays, player.as_ref()),
            volume: player.is_some(),
            problems: wrong
                .into_iter()
                .map(|(at, path, says)| ProblemView {
                    at,
                    says: format!(
                        "{}: {says}. The default sound is played instead.",
                        path.display()
                    ),
                })
                .collect(),
        }
    }
}

/// Who plays, in words. `daemon_plays`: none: there is no daemon.
fn who(on: bool, daemon_plays: Option<bool>, player: Option<&Player>) -> String {
    if !on {
        return "The sounds of this desktop are switched off in its own settings, so toasts make none.".to_owned();
    }
    let programs = PROGRAMS.join(", ");
    match (player, daemon_plays) {
        (None, None) => {
            "Nothing on this desktop shows notifications just now, so nothing sounds.".to_owned()
        }
        (Some(player), Some(true)) => format!(
            "Sounds of the desktop at 100 % are played by the desktop itself; files, and what is softer, by {}.",
            player.name()
        ),
        (Some(player), _) => format!(
            "Sounds are played by {}: the desktop plays none with its toasts.",
            player.name()
        ),
        (None, Some(true)) => format!(
            "The desktop plays the sounds, as loud as it likes: it cannot be told a volume other than 0, and may not \
             play files. For both, install one of {programs} (packages pipewire-bin or pulseaudio-utils on Debian, \
             pipewire-utils or pulseaudio-utils on Fedora)."
        ),
        (None, Some(false)) => format!(
            "The desktop does not say that it plays sounds, and none of {programs} is installed: toasts are probably \
             silent. On Debian one is in the package pipewire-bin or pulseaudio-utils, on Fedora in pipewire-utils or \
             pulseaudio-utils."
        ),
    }
}

/// The files that preferences name, and where.
fn files(preferences: &Preferences) -> Vec<(String, PathBuf)> {
    let standard = ("sounds.sound".to_owned(), Some(&preferences.sounds.sound));
    let tiers = [
        ("critical", Tier::Critical),
        ("important", Tier::Important),
        ("informational", Tier::Informational),
    ];
    let tiers = tiers.map(|(name, tier)| {
        let cell = preferences.tiers.of(tier);
        (format!("tiers.{name}.sound"), cell.sound.as_ref())
    });
    let rows = preferences.rows.iter().enumerate();
    let rows = rows.map(|(index, row)| (format!("rows[{index}].sound"), row.cell.sound.as_ref()));
    std::iter::once(standard)
        .chain(tiers)
        .chain(rows)
        .filter_map(|(at, sound)| match sound {
            Some(Sound::File { path }) => Some((at, path.into())),
            _ => None,
        })
        .collect()
}

/// Whether a file can be played, as far as can be said without playing it. The words are no sentence.
fn readable(path: &Path) -> Result<(), String> {
    if !path.is_absolute() {
        return Err("this is not an absolute path".to_owned());
    }
    let cannot = |error: std::io::Error| format!("this cannot be read ({error})");
    let found = std::fs::metadata(path).map_err(cannot)?;
    if !found.is_file() {
        return Err("this is no file".to_owned());
    }
    if found.len() == 0 {
        return Err("this file is empty".to_owned());
    }
    File::open(path).map(drop).map_err(cannot)
}

/// Asked of the portal (`org.freedesktop.portal.Settings`), which tells GNOME's choices; a desktop that says nothing
/// has its sounds on.
async fn of_desktop(bus: Option<&Connection>) -> OfDesktop {
    const SOUND: &str = "org.gnome.desktop.sound";
    let nothing = OfDesktop {
        on: true,
        theme: String::new(),
    };
    let Some(bus) = bus else {
        return nothing;
    };
    let wanted: &[&str] = &[SOUND];
    let asking = bus.call_method(
        Some("org.freedesktop.portal.Desktop"),
        "/org/freedesktop/portal/desktop",
        Some("org.freedesktop.portal.Settings"),
        "ReadAll",
        &wanted,
    );
    let Some(Ok(answer)) = within(PORTAL, asking).await else {
        return nothing;
    };
    let all: Result<HashMap<String, HashMap<String, OwnedValue>>, _> = answer.body().deserialize();
    let Some(mut said) = all.ok().and_then(|mut all| all.remove(SOUND)) else {
        return nothing;
    };
    OfDesktop {
        on: said
            .remove("event-sounds")
            .and_then(|value| bool::try_from(value).ok())
            .unwrap_or(true),
        theme: said
            .remove("theme-name")
            .and_then(|value| String::try_from(value).ok())
            .unwrap_or_default(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
