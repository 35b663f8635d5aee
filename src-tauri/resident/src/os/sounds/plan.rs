//! Who plays a toast's sound: the notification daemon, at a hint, or a program of the user's. Pure.
//!
//! A hint (Desktop Notifications Specification 1.3, "Hints") has no volume, and a daemon that does not say that it
//! plays sounds plays none. So what has a volume, what is a file, and whatever the daemon does not play is played by
//! a program, where there is one.

use super::player::{Play, Player, Source};
use std::path::{Path, PathBuf};
use tidings_core::model::Tier;
use tidings_core::model::preferences::Sound;

/// A toast's sound.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which one.
    pub sound: Sound,
    /// What the default sounds like depends on it.
    pub tier: Tier,
    /// In percent.
    pub volume: u8,
    /// Whether it sounds is up to the desktop alone.
    pub left: bool,
}

/// What there is to play with.
pub struct Desk<'a> {
    /// The daemon says that it plays sounds.
    pub daemon_plays: bool,
    /// The best program there is.
    pub player: Option<&'a Player>,
    /// The file of a sound of the theme.
    pub theme: &'a dyn Fn(&str) -> Option<PathBuf>,
    /// Whether a file can be read.
    pub is_readable: &'a dyn Fn(&Path) -> bool,
}

/// Who plays what. Of both at most one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The daemon is told to play this; none: it is told to be silent.
    pub hint: Option<Sound>,
    /// We play this.
    pub play: Option<Play>,
}

/// The name of the sound that a toast has where nothing else is said.
pub fn default_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Critical => "dialog-warning",
        Tier::Important | Tier::Informational => "message-new-instant",
    }
}

/// Whether the daemon does as well as anybody: nothing has to be looked for.
pub fn is_the_daemons(asked: &Asked, daemon_plays: bool) -> bool {
    let plain = matches!(asked.sound, Sound::Default | Sound::Named { .. });
    asked.sound == Sound::None || asked.left || (plain && daemon_plays && asked.volume >= 100)
}

/// Who plays it. A file that cannot be read sounds like the default.
pub fn plan(asked: &Asked, desk: &Desk<'_>) -> Plan {
    if asked.sound == Sound::None || asked.volume == 0 {
        return Plan::default();
    }
    let sound = match &asked.sound {
        Sound::File { path } if !(desk.is_readable)(Path::new(path)) => Sound::Default,
        sound => sound.clone(),
    };
    let asked = Asked {
        sound,
        ..asked.clone()
    };
    if !is_the_daemons(&asked, desk.daemon_plays)
        && let Some(play) = ours(&asked, desk)
    {
        return Plan {
            hint: None,
            play: Some(play),
        };
    }
    Plan {
        hint: Some(asked.sound),
        play: None,
    }
}

/// What we would play, where we can.
fn ours(asked: &Asked, desk: &Desk<'_>) -> Option<Play> {
    let player = desk.player?;
    let named = |name: &str| {
        if player.knows_names() {
            Some(Source::Name(name.to_owned()))
        } else {
            (desk.theme)(name).map(Source::File)
        }
    };
    let default = named(default_name(asked.tier));
    let play = |source: Source| player.play(&source, asked.volume);
    match &asked.sound {
        Sound::None => None,
        Sound::Default => default.map(play),
        // A name that the theme does not know sounds like the default.
        Sound::Named { name } => named(name).or(default).map(play),
        Sound::File { path } => {
            let mut first = play(Source::File(path.into()));
            first.otherwise = default.map(play).map(Box::new);
            Some(first)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(sound: Sound, volume: u8) -> Asked {
        Asked {
            sound,
            tier: Tier::Important,
            volume,
            left: false,
        }
    }

    fn named(name: &str) -> Sound {
        Sound::Named {
            name: name.to_owned(),
        }
    }

    fn file(path: &str) -> Sound {
        Sound::File {
            path: path.to_owned(),
        }
    }

    fn with(asked: &Asked, daemon_plays: bool, player: Option<&str>) -> Plan {
        let player = player.map(|name| Player::named(name, Path::new("/bin")).unwrap());
        plan(
            asked,
            &Desk {
                daemon_plays,
                player: player.as_ref(),
                theme: &|name| (name != "unknown").then(|| format!("/theme/{name}.oga").into()),
                is_readable: &|path| path == Path::new("/a.wav"),
            },
        )
    }

    /// The last argument of what we play, and the hint.
    fn who(plan: &Plan) -> (Option<String>, Option<Sound>) {
        let last = plan.play.as_ref().and_then(|play| play.arguments.last());
        let last = last.map(|last| last.to_string_lossy().into_owned());
        (last, plan.hint.clone())
    }

    /// A sound and its volume, whether the daemon plays, the player; what that plays, and the hint.
    type Case<'a> = (
        Sound,
        u8,
        bool,
        Option<&'a str>,
        Option<&'a str>,
        Option<Sound>,
    );

    #[test]
    fn each_sound_has_one_who_plays_it() {
        let pw = Some("pw-play");
        let instant = "/theme/message-new-instant.oga";
        let rows: [Case<'_>; 15] = [
            // What the daemon plays as well as anybody is left to it.
            (Sound::Default, 100, true, pw, None, Some(Sound::Default)),
            (named("bell"), 100, true, pw, None, Some(named("bell"))),
            // It knows no volume, and files only perhaps.
            (Sound::Default, 50, true, pw, Some(instant), None),
            (named("bell"), 50, true, pw, Some("/theme/bell.oga"), None),
            (named("unknown"), 50, true, pw, Some(instant), None),
            (file("/a.wav"), 100, true, pw, Some("/a.wav"), None),
            // One that plays nothing.
            (Sound::Default, 100, false, pw, Some(instant), None),
            // Nobody else is there.
            (Sound::Default, 50, true, None, None, Some(Sound::Default)),
            (file("/a.wav"), 100, false, None, None, Some(file("/a.wav"))),
            (Sound::Default, 100, false, None, None, Some(Sound::Default)),
            // What cannot be read sounds like the default.
            (file("/gone.wav"), 100, true, pw, None, Some(Sound::Default)),
            (file("/gone.wav"), 100, false, pw, Some(instant), None),
            // Silence is always possible.
            (Sound::None, 100, true, pw, None, None),
            (Sound::Default, 0, true, None, None, None),
            (file("/a.wav"), 0, false, pw, None, None),
        ];
        for (sound, volume, daemon, player, plays, hint) in rows {
            let plan = with(&asked(sound.clone(), volume), daemon, player);
            let wanted = (plays.map(str::to_owned), hint);
            assert_eq!(who(&plan), wanted, "{sound:?} {volume} {daemon} {player:?}");
        }
    }

    #[test]
    fn what_is_left_to_the_desktop_is_not_played_by_us() {
        for sound in [Sound::Default, file("/a.wav")] {
            let left = Asked {
                left: true,
                ..asked(sound.clone(), 40)
            };
            let plan = with(&left, false, Some("pw-play"));
            assert_eq!(who(&plan), (None, Some(sound)));
        }
    }

    #[test]
    fn the_default_is_that_of_the_tier_and_stands_in_for_a_file_that_does_not_play() {
        let critical = Asked {
            tier: Tier::Critical,
            ..asked(file("/a.wav"), 100)
        };
        let play = with(&critical, true, Some("paplay")).play.unwrap();
        let otherwise = play.otherwise.unwrap();
        assert_eq!(
            otherwise.arguments.last().unwrap(),
            "/theme/dialog-warning.oga"
        );
        let by_name = with(
            &asked(named("unknown"), 50),
            true,
            Some("canberra-gtk-play"),
        );
        assert_eq!(
            who(&by_name).0.unwrap(),
            "--id=unknown",
            "it knows the theme"
        );
    }
}
