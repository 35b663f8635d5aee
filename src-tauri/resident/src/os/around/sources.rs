//! Who on a Linux desktop tells what over D-Bus, how each is asked, and how it says that something changed.

use tidings_core::model::Context;

/// The bus that somebody is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bus {
    Session,
    System,
}

/// How somebody is asked. Its answer is yes or no.
#[derive(Clone, Copy, Debug)]
pub enum Ask {
    /// A method without arguments: path, interface, name.
    Method(&'static str, &'static str, &'static str),
    /// A method with one number.
    With(&'static str, &'static str, &'static str, u32),
    /// A property: path, interface, name.
    Property(&'static str, &'static str, &'static str),
    /// A method that answers with a list of words: whether this one is among them.
    Among(&'static str, &'static str, &'static str, &'static str),
    /// `LockedHint` of the user's session on the screen (org.freedesktop.login1(5)).
    Session,
    /// A channel and property of xfconf; one that was never set is off.
    Xfconf(&'static str, &'static str),
    /// A schema and key of `GSettings`; and what it holds where this is so.
    Setting(&'static str, &'static str, bool),
}

/// What is a signal of change, and what it says.
#[derive(Clone, Copy, Debug)]
pub enum Tell {
    /// A signal that carries the answer, and nothing else: interface, name.
    Flag(&'static str, &'static str),
    /// `PropertiesChanged` of this interface, about this property.
    Property(&'static str, &'static str),
    /// Ask again after this signal: interface, name.
    Again(&'static str, &'static str),
    /// `PropertyChanged` of this channel and property, or its removal.
    Xfconf(&'static str, &'static str),
    /// dconf's note that something in or below this folder was written, whoever wrote it.
    Written(&'static str),
    /// `SwayNotificationCenter`'s `SubscribeV2`: count, "do not disturb", panel open, inhibited.
    Swaync,
}

/// One that tells of one thing.
#[derive(Debug)]
pub struct Source {
    pub context: Context,
    /// Who it is, for people.
    pub who: &'static str,
    pub bus: Bus,
    /// It tells while somebody owns this name; nobody is started for it.
    pub name: &'static str,
    /// Any of them that says yes is enough.
    pub asks: &'static [Ask],
    pub tells: &'static [Tell],
    /// It tells wherever it is there; otherwise only who has heard a "yes" of it knows that it does.
    pub sure: bool,
}

const ACTIVE: &str = "GetActive";
const CHANGED: &str = "ActiveChanged";
pub const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const NOTIFICATIONS: &str = "org.freedesktop.Notifications";
const NOTIFICATIONS_PATH: &str = "/org/freedesktop/Notifications";
const SAVER: &str = "org.freedesktop.ScreenSaver";
const POLICY: &str = "org.kde.Solid.PowerManagement.PolicyAgent";
const POLICY_PATH: &str = "/org/kde/Solid/PowerManagement/PolicyAgent";
const DUNST: &str = "org.dunstproject.cmd0";
const MAKO: &str = "fr.emersion.Mako";
const SWAYNC: &str = "org.erikreider.swaync.cc";
const SWAYNC_PATH: &str = "/org/erikreider/swaync/cc";
const SESSIONS: &str = "org.gnome.SessionManager";
const SESSIONS_PATH: &str = "/org/gnome/SessionManager";
/// Of GNOME's flags: the session becoming idle is inhibited.
const IDLE: u32 = 8;
/// Of Plasma's policies: `ChangeScreenSettings`, that the screen is dimmed or switched off.
const SCREEN: u32 = 4;
pub const XFCONF: &str = "org.xfce.Xfconf";

/// A desktop's own locker, with the interface that all of them copied.
macro_rules! locker {
    ($who:literal, $name:literal, $path:literal) => {
        Source {
            context: Context::Locked,
            who: $who,
            bus: Bus::Session,
            name: $name,
            asks: &[Ask::Method($path, $name, ACTIVE)],
            tells: &[Tell::Flag($name, CHANGED)],
            sure: true,
        }
    };
}

/// A switch of a desktop that keeps its settings in dconf.
macro_rules! setting {
    ($who:literal, $name:literal, $schema:literal, $key:literal, $on:literal, $folder:literal) => {
        Source {
            context: Context::DoNotDisturb,
            who: $who,
            bus: Bus::Session,
            name: $name,
            asks: &[Ask::Setting($schema, $key, $on)],
            tells: &[Tell::Written($folder)],
            sure: true,
        }
    };
}

/// Everybody who is known to tell.
///
/// logind's signals `Lock` and `Unlock` are not among it: they are requests to a locker, and lockers that follow the
/// first without ever sending the second would leave the screen locked for good. Nor is
/// `org.freedesktop.PowerManagement.Inhibit`: it is also taken for a download or music, which only ask the machine
/// not to sleep; and so are logind's inhibitors.
pub static SOURCES: &[Source] = &[
    Source {
        context: Context::Locked,
        who: "logind",
        bus: Bus::System,
        name: "org.freedesktop.login1",
        asks: &[Ask::Session],
        tells: &[
            Tell::Property("org.freedesktop.login1.Session", "LockedHint"),
            Tell::Again("org.freedesktop.login1.Manager", "SessionNew"),
            Tell::Again("org.freedesktop.login1.Manager", "SessionRemoved"),
        ],
        // Every session has the hint; not every locker sets it.
        sure: false,
    },
    Source {
        context: Context::Locked,
        who: "the screen saver",
        bus: Bus::Session,
        name: SAVER,
        asks: &[
            Ask::Method("/org/freedesktop/ScreenSaver", SAVER, ACTIVE),
            Ask::Method("/ScreenSaver", SAVER, ACTIVE),
        ],
        tells: &[Tell::Flag(SAVER, CHANGED)],
        sure: true,
    },
    locker!("GNOME", "org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
    locker!(
        "Cinnamon",
        "org.cinnamon.ScreenSaver",
        "/org/cinnamon/ScreenSaver"
    ),
    locker!("MATE", "org.mate.ScreenSaver", "/org/mate/ScreenSaver"),
    locker!("Xfce", "org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
    Source {
        context: Context::Presenting,
        // GNOME's, which Cinnamon and MATE have copied under its name.
        who: "the session manager",
        bus: Bus::Session,
        name: SESSIONS,
        asks: &[Ask::With(SESSIONS_PATH, SESSIONS, "IsInhibited", IDLE)],
        tells: &[
            Tell::Again(SESSIONS, "InhibitorAdded"),
            Tell::Again(SESSIONS, "InhibitorRemoved"),
        ],
        sure: true,
    },
    Source {
        context: Context::Presenting,
        who: "Plasma",
        bus: Bus::Session,
        name: "org.kde.Solid.PowerManagement",
        asks: &[Ask::With(POLICY_PATH, POLICY, "HasInhibition", SCREEN)],
        tells: &[Tell::Again(POLICY, "InhibitionsChanged")],
        sure: true,
    },
    Source {
        context: Context::Presenting,
        who: "Xfce",
        bus: Bus::Session,
        name: XFCONF,
        asks: &[Ask::Xfconf(
            "xfce4-power-manager",
            "/xfce4-power-manager/presentation-mode",
        )],
        tells: &[Tell::Xfconf(
            "xfce4-power-manager",
            "/xfce4-power-manager/presentation-mode",
        )],
        // xfconf is there wherever a program of Xfce's runs.
        sure: false,
    },
    Source {
        context: Context::DoNotDisturb,
        // Plasma's idea; others may have it.
        who: "the notification service",
        bus: Bus::Session,
        name: NOTIFICATIONS,
        asks: &[Ask::Property(
            NOTIFICATIONS_PATH,
            NOTIFICATIONS,
            "Inhibited",
        )],
        tells: &[Tell::Property(NOTIFICATIONS, "Inhibited")],
        sure: true,
    },
    Source {
        context: Context::DoNotDisturb,
        who: "dunst",
        bus: Bus::Session,
        name: NOTIFICATIONS,
        asks: &[Ask::Property(NOTIFICATIONS_PATH, DUNST, "paused")],
        tells: &[Tell::Property(DUNST, "paused")],
        sure: true,
    },
    Source {
        context: Context::DoNotDisturb,
        who: "mako",
        bus: Bus::Session,
        name: NOTIFICATIONS,
        asks: &[Ask::Among(
            "/fr/emersion/Mako",
            MAKO,
            "ListModes",
            "do-not-disturb",
        )],
        tells: &[Tell::Property(MAKO, "Modes")],
        // The mode is the user's own, named as its manual names it; before 1.10 no change is told.
        sure: false,
    },
    Source {
        context: Context::DoNotDisturb,
        who: "SwayNotificationCenter",
        bus: Bus::Session,
        name: SWAYNC,
        asks: &[
            Ask::Method(SWAYNC_PATH, SWAYNC, "GetDnd"),
            Ask::Method(SWAYNC_PATH, SWAYNC, "IsInhibited"),
        ],
        tells: &[Tell::Swaync],
        sure: true,
    },
    Source {
        context: Context::DoNotDisturb,
        who: "Xfce",
        bus: Bus::Session,
        name: XFCONF,
        asks: &[Ask::Xfconf("xfce4-notifyd", "/do-not-disturb")],
        tells: &[Tell::Xfconf("xfce4-notifyd", "/do-not-disturb")],
        sure: false,
    },
    setting!(
        "GNOME",
        "org.gnome.Shell",
        "org.gnome.desktop.notifications",
        "show-banners",
        false,
        "/org/gnome/desktop/notifications/"
    ),
    setting!(
        "Cinnamon",
        "org.Cinnamon",
        "org.cinnamon.desktop.notifications",
        "display-notifications",
        false,
        "/org/cinnamon/desktop/notifications/"
    ),
    setting!(
        "MATE",
        "org.mate.SettingsDaemon",
        "org.mate.NotificationDaemon",
        "do-not-disturb",
        true,
        "/org/mate/notification-daemon/"
    ),
    setting!(
        "elementary",
        "io.elementary.notifications",
        "io.elementary.notifications",
        "do-not-disturb",
        true,
        "/io/elementary/notifications/"
    ),
];

impl Tell {
    /// Interface and name of its signals.
    pub fn signals(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Flag(interface, name) | Self::Again(interface, name) => vec![(interface, name)],
            Self::Property(..) => vec![(PROPERTIES, "PropertiesChanged")],
            Self::Xfconf(..) => vec![(XFCONF, "PropertyChanged"), (XFCONF, "PropertyRemoved")],
            Self::Written(_) => vec![("ca.desrt.dconf.Writer", "Notify")],
            Self::Swaync => vec![(SWAYNC, "SubscribeV2")],
        }
    }

    /// Whoever owns the source's name sends them; dconf's are its writer's.
    pub fn is_of_owner(self) -> bool {
        !matches!(self, Self::Written(_))
    }
}
