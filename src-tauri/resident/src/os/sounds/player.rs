//! Programs that play a sound: which there are, and how each is told what to play and how loud. No shell sees any of
//! it.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The programs that are known, the best first: the first two need no display.
pub const PROGRAMS: [&str; 3] = ["pw-play", "paplay", "canberra-gtk-play"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Of `PipeWire` (pw-cat(1)).
    PwPlay,
    /// Of `PulseAudio` (pacat(1)).
    PaPlay,
    /// Of libcanberra (canberra-gtk-play(1)).
    Canberra,
}

/// A program that plays sounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Player {
    kind: Kind,
    program: PathBuf,
}

/// What is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, by its absolute path.
    File(PathBuf),
    /// A sound of the theme, by its name.
    Name(String),
}

/// A program, ready to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Play {
    /// Its path.
    pub program: PathBuf,
    /// What it is told.
    pub arguments: Vec<OsString>,
    /// The user's file, if it is one.
    pub file: Option<PathBuf>,
    /// What is played if this cannot be.
    pub otherwise: Option<Box<Play>>,
}

impl Player {
    /// The best program in these folders, as `PATH` lists them.
    pub fn find(path: &OsStr) -> Option<Self> {
        PROGRAMS.iter().find_map(|name| {
            let mut folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
            let folder = folders.find(|folder| is_program(&folder.join(name)))?;
            Self::named(name, &folder)
        })
    }

    /// A program by its name, in a folder; none if it is not known.
    pub fn named(name: &str, folder: &Path) -> Option<Self> {
        let kind = match name {
            "pw-play" => Kind::PwPlay,
            "paplay" => Kind::PaPlay,
            "canberra-gtk-play" => Kind::Canberra,
            _ => return None,
        };
        let program = folder.join(name);
        Some(Self { kind, program })
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::PwPlay => PROGRAMS[0],
            Kind::PaPlay => PROGRAMS[1],
            Kind::Canberra => PROGRAMS[2],
        }
    }

    /// Whether it finds sounds of the theme itself.
    pub fn knows_names(&self) -> bool {
        self.kind == Kind::Canberra
    }

    /// How it is told to play `source` at a volume in percent; as loud with each of them. The sound server hears that
    /// it is one of the desktop's event sounds, which many mix by themselves.
    pub fn play(&self, source: &Source, volume: u8) -> Play {
        let volume = f64::from(volume.min(100)) / 100.0;
        let (mut arguments, file): (Vec<OsString>, _) = match self.kind {
            // Linear, and PulseAudio's volume is cubic (pulse/volume.h).
            Kind::PwPlay => (
                vec![
                    "--media-role=Notification".into(),
                    format!("--volume={:.4}", volume.powi(3)).into(),
                ],
                OsString::new(),
            ),
            Kind::PaPlay => (
                vec![
                    "--client-name=Tidings".into(),
                    "--property=media.role=event".into(),
                    format!("--volume={:.0}", volume * 65536.0).into(),
                ],
                OsString::new(),
            ),
            // Decibels.
            Kind::Canberra => (
                vec![format!("--volume={:.1}", 60.0 * volume.max(0.001).log10()).into()],
                OsString::from("--file="),
            ),
        };
        arguments.push(match source {
            Source::File(path) => {
                let mut argument = file;
                argument.push(path);
                argument
            }
            Source::Name(name) => format!("--id={name}").into(),
        });
        Play {
            program: self.program.clone(),
            arguments,
            file: match source {
                Source::File(path) => Some(path.clone()),
                Source::Name(_) => None,
            },
            otherwise: None,
        }
    }
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, source: &Source, volume: u8) -> Vec<String> {
        let play = Player::named(name, Path::new("/usr/bin"))
            .unwrap()
            .play(source, volume);
        let words = play.arguments.iter().map(|word| word.to_str().unwrap());
        words.map(str::to_owned).collect()
    }

    #[test]
    fn each_program_is_told_in_its_own_words() {
        let file = Source::File("/home/ada/$(x) ding.wav".into());
        assert_eq!(
            told("pw-play", &file, 50),
            [
                "--media-role=Notification",
                "--volume=0.1250",
                "/home/ada/$(x) ding.wav"
            ]
        );
        assert_eq!(
            told("paplay", &file, 50)[2..],
            ["--volume=32768", "/home/ada/$(x) ding.wav"]
        );
        assert_eq!(
            told("canberra-gtk-play", &file, 50),
            ["--volume=-18.1", "--file=/home/ada/$(x) ding.wav"]
        );
        assert_eq!(
            told("canberra-gtk-play", &Source::Name("bell".to_owned()), 100),
            ["--volume=0.0", "--id=bell"]
        );
        assert_eq!(told("pw-play", &file, 255)[1], "--volume=1.0000");
        assert_eq!(told("canberra-gtk-play", &file, 0)[0], "--volume=-180.0");
    }

    #[test]
    fn the_best_program_is_found_wherever_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        for folder in [&one, &two] {
            std::fs::create_dir(folder).unwrap();
        }
        let path = std::env::join_paths([&one, Path::new("relative"), &two]).unwrap();
        let found = || Player::find(&path).map(|player| player.program);
        let make = |path: &Path, mode| {
            std::fs::write(path, "").unwrap();
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(path, mode).unwrap();
        };
        assert_eq!(found(), None);
        std::fs::create_dir(one.join("paplay")).unwrap();
        make(&two.join("pw-play"), 0o644);
        assert_eq!(found(), None, "a folder, and no program");
        make(&one.join("canberra-gtk-play"), 0o755);
        assert_eq!(found(), Some(one.join("canberra-gtk-play")));
        make(&two.join("pw-play"), 0o755);
        assert_eq!(found(), Some(two.join("pw-play")));
    }
}
