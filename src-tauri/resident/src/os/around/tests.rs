//! On a bus of their own, with desktops that are not there.

use super::*;
use futures_util::StreamExt as _;
use serde::Serialize;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use zbus::message::Type;
use zbus::zvariant::{DynamicType, ObjectPath, Value};
use zbus::{Message, MessageStream};

/// What a test fails after, however slow the machine.
const LIMIT: Duration = Duration::from_mins(1);

/// A bus that would start a screen saver, and notes it when it does.
struct OwnBus {
    daemon: Child,
    address: String,
    folder: tempfile::TempDir,
}

impl OwnBus {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let services = folder.path().join("services");
        std::fs::create_dir(&services).unwrap();
        for name in ["org.freedesktop.ScreenSaver", "org.xfce.Xfconf"] {
            let started = folder.path().join("started");
            let service = format!(
                "[D-BUS Service]\nName={name}\nExec=/usr/bin/touch {}\n",
                started.display()
            );
            std::fs::write(services.join(format!("{name}.service")), service).unwrap();
        }
        let config = folder.path().join("bus.conf");
        let text = format!(
            "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>\
             <servicedir>{}</servicedir><policy context='default'><allow send_destination='*'/>\
             <allow eavesdrop='false'/><allow own='*'/></policy></busconfig>",
            services.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon is installed: cargo xtask setup");
        let mut address = String::new();
        let out = daemon.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut address).unwrap();
        Self {
            daemon,
            address: address.trim().to_owned(),
            folder,
        }
    }

    async fn connect(&self) -> Connection {
        let builder = zbus::connection::Builder::address(self.address.as_str()).unwrap();
        builder.build().await.unwrap()
    }

    fn started(&self) -> bool {
        Path::new(&self.folder.path().join("started")).exists()
    }
}

impl Drop for OwnBus {
    fn drop(&mut self) {
        // It ended already where the bus was to go.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

#[derive(Clone)]
enum Answer {
    Flag(bool),
    Words(Vec<&'static str>),
    /// A property, or xfconf's.
    Any(Value<'static>),
}

/// Somebody on the bus, who answers as told: a method, or a property, by its interface and name.
struct Fake {
    connection: Connection,
    answers: Arc<Mutex<HashMap<&'static str, Answer>>>,
}

impl Fake {
    /// It knows its answers before anybody can ask.
    async fn start<const N: usize>(
        bus: &OwnBus,
        name: &'static str,
        answers: [(&'static str, Answer); N],
    ) -> Self {
        let connection = bus.connect().await;
        let answers = Arc::new(Mutex::new(HashMap::from(answers)));
        let mut calls = MessageStream::from(&connection);
        let (known, on) = (Arc::clone(&answers), connection.clone());
        tokio::spawn(async move {
            while let Some(Ok(call)) = calls.next().await {
                if call.message_type() == Type::MethodCall {
                    answer(&on, &call, &known).await;
                }
            }
        });
        connection.request_name(name).await.unwrap();
        Self {
            connection,
            answers,
        }
    }

    fn set(&self, what: &'static str, answer: Answer) {
        self.answers.lock().unwrap().insert(what, answer);
    }

    async fn signal<B>(&self, path: &str, interface: &str, name: &str, body: &B)
    where
        B: Serialize + DynamicType + Sync,
    {
        let emitting = self
            .connection
            .emit_signal(None::<&str>, path, interface, name, body);
        emitting.await.unwrap();
    }

    async fn changed(&self, path: &str, interface: &str, property: &str, value: Value<'_>) {
        let changed = HashMap::from([(property, value)]);
        let body = (interface, changed, Vec::<&str>::new());
        self.signal(path, sources::PROPERTIES, "PropertiesChanged", &body)
            .await;
    }

    async fn leave(self) {
        self.connection.close().await.unwrap();
    }
}

async fn answer(on: &Connection, call: &Message, known: &Mutex<HashMap<&'static str, Answer>>) {
    let header = call.header();
    let interface = header.interface().unwrap().to_string();
    let mut what = format!("{interface}.{}", header.member().unwrap());
    if interface == sources::PROPERTIES || interface == sources::XFCONF {
        let (of, name): (String, String) = call.body().deserialize().unwrap();
        what = format!("{of}.{name}");
    }
    let answer = known.lock().unwrap().get(what.as_str()).cloned();
    let sent = match answer {
        Some(Answer::Flag(flag)) => on.reply(&header, &flag).await,
        Some(Answer::Words(words)) => on.reply(&header, &words).await,
        Some(Answer::Any(value)) => on.reply(&header, &value).await,
        None if interface == sources::XFCONF => {
            let error = "org.xfce.Xfconf.Error.PropertyNotFound";
            on.reply_error(&header, error, &"not set").await
        }
        None => {
            let error = "org.freedesktop.DBus.Error.UnknownMethod";
            on.reply_error(&header, error, &what).await
        }
    };
    sent.unwrap();
}

/// Follows all that is on the bus, as `which`.
async fn follow(bus: &OwnBus, which: Bus) -> Arc<Around> {
    let around = Arc::<Around>::default();
    let connection = bus.connect().await;
    let met = around.meet(which, Some(&connection)).await;
    let following = Arc::clone(&around);
    tokio::spawn(async move { following.follow(which, met).await });
    around
}

/// Waits until the desktop tells of this, and says so.
async fn told(around: &Around, context: Context, expected: Option<bool>) {
    let mut words = around.words.subscribe();
    let waiting = words.wait_for(|words| {
        let says = words.told().is(context).then_some(words.now().is(context));
        says == expected
    });
    let waited = within(LIMIT, waiting).await.is_some();
    assert!(waited, "{context:?} {expected:?}: {:?}", around.words());
}

#[tokio::test]
async fn nobody_there_tells_nothing_and_nobody_is_started() {
    let bus = OwnBus::start();
    for which in [Bus::Session, Bus::System] {
        let around = follow(&bus, which).await;
        assert_eq!(around.words().now(), Surroundings::default());
        assert_eq!(around.words().told(), Surroundings::default());
    }
    // The bus answers in order: had anybody been asked for, it would be starting by now.
    let names = zbus::fdo::DBusProxy::new(&bus.connect().await)
        .await
        .unwrap()
        .list_activatable_names()
        .await
        .unwrap();
    assert!(names.iter().any(|name| name.as_str() == "org.xfce.Xfconf"));
    assert!(!bus.started());
}

#[tokio::test]
async fn no_bus_tells_nothing_at_once() {
    let around = Around::default();
    let met = around.meet(Bus::Session, None).await;
    around.follow(Bus::Session, met).await;
    assert_eq!(around.words(), Words::default());
}

#[tokio::test]
async fn a_locker_is_followed_as_it_comes_and_goes() {
    let bus = OwnBus::start();
    let around = follow(&bus, Bus::Session).await;
    for (name, active) in [
        (
            "org.freedesktop.ScreenSaver",
            "org.freedesktop.ScreenSaver.GetActive",
        ),
        ("org.gnome.ScreenSaver", "org.gnome.ScreenSaver.GetActive"),
        (
            "org.cinnamon.ScreenSaver",
            "org.cinnamon.ScreenSaver.GetActive",
        ),
        ("org.mate.ScreenSaver", "org.mate.ScreenSaver.GetActive"),
        ("org.xfce.ScreenSaver", "org.xfce.ScreenSaver.GetActive"),
    ] {
        told(&around, Context::Locked, None).await;
        // It was locked before anybody listened, or was not.
        for was in [true, false] {
            let fake = Fake::start(&bus, name, [(active, Answer::Flag(was))]).await;
            told(&around, Context::Locked, Some(was)).await;
            for is in [!was, was, !was] {
                fake.signal("/any", name, "ActiveChanged", &is).await;
                told(&around, Context::Locked, Some(is)).await;
            }
            fake.leave().await;
            told(&around, Context::Locked, None).await;
        }
    }
    // One that only takes inhibitions tells nothing of the lock.
    let fake = Fake::start(&bus, "org.freedesktop.ScreenSaver", []).await;
    let other = [("org.gnome.ScreenSaver.GetActive", Answer::Flag(false))];
    let other = Fake::start(&bus, "org.gnome.ScreenSaver", other).await;
    told(&around, Context::Locked, Some(false)).await;
    other.leave().await;
    told(&around, Context::Locked, None).await;
    fake.leave().await;
}

#[tokio::test]
async fn the_first_look_has_all_answers() {
    let bus = OwnBus::start();
    let saver = [("org.gnome.ScreenSaver.GetActive", Answer::Flag(true))];
    let _saver = Fake::start(&bus, "org.gnome.ScreenSaver", saver).await;
    // It owns the name and never answers.
    let hanging = bus.connect().await;
    let name = "org.gnome.SessionManager";
    hanging.request_name(name).await.unwrap();
    let around = Around::default();
    let connection = bus.connect().await;
    let _met = around.meet(Bus::Session, Some(&connection)).await;
    assert!(around.words().now().locked, "{:?}", around.words());
    assert!(!around.words().told().presenting);
}

#[tokio::test]
async fn logind_tells_of_the_session_on_the_screen() {
    let bus = OwnBus::start();
    let path = "/org/freedesktop/login1/session/_32";
    let session = "org.freedesktop.login1.Session";
    let hint = "org.freedesktop.login1.Session.LockedHint";
    let display = Value::from(("2", ObjectPath::try_from(path).unwrap()));
    let answers = [
        ("org.freedesktop.login1.User.Display", Answer::Any(display)),
        (hint, Answer::Any(false.into())),
    ];
    let fake = Fake::start(&bus, "org.freedesktop.login1", answers).await;
    let around = follow(&bus, Bus::System).await;
    // Whether the locker of this desktop sets the hint is not known yet.
    assert_eq!(around.words().silent(Context::Locked), ["logind"]);
    told(&around, Context::Locked, None).await;
    fake.set(hint, Answer::Any(true.into()));
    fake.changed(path, session, "IdleHint", true.into()).await;
    fake.set(hint, Answer::Any(false.into()));
    fake.changed(path, session, "LockedHint", true.into()).await;
    told(&around, Context::Locked, Some(true)).await;
    fake.changed(path, session, "LockedHint", false.into())
        .await;
    told(&around, Context::Locked, Some(false)).await;
    // Another session comes to the screen.
    fake.set(hint, Answer::Any(true.into()));
    let manager = "org.freedesktop.login1.Manager";
    let new = ("3", ObjectPath::try_from("/any").unwrap());
    fake.signal("/org/freedesktop/login1", manager, "SessionNew", &new)
        .await;
    told(&around, Context::Locked, Some(true)).await;
    fake.leave().await;
    told(&around, Context::Locked, None).await;
}

#[tokio::test]
async fn who_keeps_the_screen_awake_is_presenting() {
    let bus = OwnBus::start();
    let around = follow(&bus, Bus::Session).await;
    for (name, interface, method, signals) in [
        (
            "org.gnome.SessionManager",
            "org.gnome.SessionManager",
            "org.gnome.SessionManager.IsInhibited",
            ["InhibitorAdded", "InhibitorRemoved"],
        ),
        (
            "org.kde.Solid.PowerManagement",
            "org.kde.Solid.PowerManagement.PolicyAgent",
            "org.kde.Solid.PowerManagement.PolicyAgent.HasInhibition",
            ["InhibitionsChanged", "InhibitionsChanged"],
        ),
    ] {
        let fake = Fake::start(&bus, name, [(method, Answer::Flag(false))]).await;
        told(&around, Context::Presenting, Some(false)).await;
        for (signal, is) in signals.into_iter().zip([true, false]) {
            fake.set(method, Answer::Flag(is));
            fake.signal("/any", interface, signal, &()).await;
            told(&around, Context::Presenting, Some(is)).await;
        }
        fake.leave().await;
        told(&around, Context::Presenting, None).await;
    }
}

#[tokio::test]
async fn do_not_disturb_of_each_notification_service() {
    let bus = OwnBus::start();
    let around = follow(&bus, Bus::Session).await;
    let quiet = Context::DoNotDisturb;
    let name = "org.freedesktop.Notifications";
    for (what, interface, property) in [
        (
            "org.freedesktop.Notifications.Inhibited",
            "org.freedesktop.Notifications",
            "Inhibited",
        ),
        (
            "org.dunstproject.cmd0.paused",
            "org.dunstproject.cmd0",
            "paused",
        ),
    ] {
        let fake = Fake::start(&bus, name, [(what, Answer::Any(true.into()))]).await;
        told(&around, quiet, Some(true)).await;
        for is in [false, true, false] {
            fake.changed("/any", interface, property, is.into()).await;
            told(&around, quiet, Some(is)).await;
        }
        fake.leave().await;
        told(&around, quiet, None).await;
    }

    // mako says only that its modes are others.
    let modes = "fr.emersion.Mako.ListModes";
    let on = Answer::Words(vec!["default", "do-not-disturb"]);
    let fake = Fake::start(&bus, name, [(modes, on.clone())]).await;
    told(&around, quiet, Some(true)).await;
    let nothing = HashMap::<&str, Value<'_>>::new();
    let stale = ("fr.emersion.Mako", nothing, vec!["Modes"]);
    for (list, is) in [(Answer::Words(vec!["default"]), false), (on, true)] {
        fake.set(modes, list);
        fake.signal("/any", sources::PROPERTIES, "PropertiesChanged", &stale)
            .await;
        told(&around, quiet, Some(is)).await;
    }
    fake.leave().await;
    told(&around, quiet, None).await;

    let swaync = "org.erikreider.swaync.cc";
    let answers = [
        ("org.erikreider.swaync.cc.GetDnd", Answer::Flag(false)),
        ("org.erikreider.swaync.cc.IsInhibited", Answer::Flag(true)),
    ];
    let fake = Fake::start(&bus, swaync, answers).await;
    told(&around, quiet, Some(true)).await;
    for (is, inhibited) in [(false, false), (true, false), (false, true)] {
        let body = (1_u32, is, false, inhibited);
        fake.signal("/any", swaync, "SubscribeV2", &body).await;
        told(&around, quiet, Some(is || inhibited)).await;
    }
}

#[tokio::test]
async fn xfce_keeps_both_in_its_settings() {
    let bus = OwnBus::start();
    let quiet = ("xfce4-notifyd./do-not-disturb", Answer::Any(true.into()));
    let fake = Fake::start(&bus, sources::XFCONF, [quiet]).await;
    let around = follow(&bus, Bus::Session).await;
    told(&around, Context::DoNotDisturb, Some(true)).await;
    assert_eq!(
        around.words().silent(Context::Presenting),
        ["Xfce"],
        "never set"
    );
    let mode = "/xfce4-power-manager/presentation-mode";
    let set = |on: bool| ("xfce4-power-manager", mode, Value::from(on));
    for on in [true, false, true] {
        fake.signal("/any", sources::XFCONF, "PropertyChanged", &set(on))
            .await;
        told(&around, Context::Presenting, Some(on)).await;
    }
    let gone = ("xfce4-power-manager", mode);
    fake.signal("/any", sources::XFCONF, "PropertyRemoved", &gone)
        .await;
    told(&around, Context::Presenting, Some(false)).await;
    told(&around, Context::DoNotDisturb, Some(true)).await;
    assert!(!bus.started());
}

#[test]
fn nobody_presents_all_day() {
    let hour = Duration::from_hours(1);
    let mut presenting = Presenting::default();
    assert_eq!(presenting.left(false, hour), None);
    assert_eq!(presenting.left(true, hour), Some(LONGEST));
    assert_eq!(
        presenting.left(true, hour * 2),
        Some(Duration::from_hours(2))
    );
    assert_eq!(presenting.left(true, hour + LONGEST), None);
    assert_eq!(presenting.left(true, hour * 24), None, "and stays over");
    assert_eq!(presenting.left(false, hour * 25), None);
    assert_eq!(presenting.left(true, hour * 26), Some(LONGEST), "anew");
}
