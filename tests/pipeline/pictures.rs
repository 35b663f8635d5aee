//! Icons and pictures of attachments: from the account's own server at once, from elsewhere only as its user
//! says, from a private network never; fetched once, kept, and never waited for by a toast.

use crate::harness::{Desk, look_again};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::fakes::gotify::{Gotify, Settings, Version};
use tidings_api::{
    AccountDraft, AppSettings, ErrorView, NotificationId, PictureCache, PictureOf, PicturePreview,
    Pictures, Reply, Request, Secret, SecretPlace, SignIn,
};
use tidings_core::ports::Clock as _;
use tidings_core::testing::FakeClock;
use tokio::net::TcpListener;

const HOUR: Duration = Duration::from_hours(1);
/// One red point.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
/// How every PNG begins, in base64.
const BEGINNING: &str = "iVBORw0KGgo";

fn png() -> Vec<u8> {
    BASE64_STANDARD.decode(PNG).expect("base64")
}

/// A few bytes that say they are a picture of 65 535 by 65 535 points.
fn bomb() -> Vec<u8> {
    let one_point = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
    let mut gif = BASE64_STANDARD.decode(one_point).expect("base64");
    gif[6..10].fill(0xff);
    gif
}

/// A server with an application, an account on it, and the token that signs that in.
struct Scene {
    clock: FakeClock,
    server: Gotify,
    application: i64,
    token: String,
    desk: Desk,
}

impl Scene {
    async fn new() -> Self {
        let clock = FakeClock::new();
        let time = clock.clone();
        let server = Gotify::start(Settings {
            version: Version::Two,
            folder: "/push".to_owned(),
            now: Box::new(move || time.now().to_string()),
        })
        .await
        .expect("a server on loopback");
        let application = server.add_application("Backup", 5);
        server.set_image(application, "image/icon.png");
        let token = server.add_client("a test");
        let desk = Desk::new(&clock);
        let scene = Self {
            clock,
            server,
            application,
            token,
            desk,
        };
        scene.join().await;
        scene
    }

    async fn join(&self) {
        let draft = AccountDraft {
            url: self.server.url(),
            sign_in: SignIn::Token,
            secret: Some(Secret::new(self.token.clone())),
            secrets: SecretPlace::Memory,
            ..AccountDraft::default()
        };
        self.desk.add_account(draft).await;
        self.desk.until_live().await;
    }

    /// A path of a file on the server, as the server is asked for it.
    fn path(name: &str) -> String {
        format!("/push/image/{name}")
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        self.server.put_file(&Self::path(name), "image/png", bytes);
    }

    fn asked_for(&self, name: &str) -> usize {
        self.server.asked_for(&Self::path(name))
    }

    /// The address of a file on the server.
    fn url(&self, name: &str) -> String {
        format!("{}image/{name}", self.server.url())
    }

    /// Sends a message with a picture at this address; which one it became.
    async fn with_picture(&self, url: &str) -> NotificationId {
        let before = self.desk.status().await.counts.all;
        let message = json!({
            "message": "look",
            "extras": {"client::notification": {"bigImageUrl": url}},
        });
        self.server.publish_as(self.application, &message).await;
        self.desk.until_count(before + 1).await;
        self.desk.rows().await[0].id
    }

    async fn picture(
        &self,
        id: NotificationId,
        of: PictureOf,
        asked: bool,
    ) -> Result<String, ErrorView> {
        let request = Request::Picture { id, of, asked };
        match self.desk.engine.handle(request).await? {
            Reply::Picture { png } => Ok(png),
            other => panic!("{other:?}"),
        }
    }

    /// The attachment's picture; an error in words that tell no secret.
    async fn attachment(&self, id: NotificationId, asked: bool) -> Result<String, String> {
        let done = self.picture(id, PictureOf::Attachment, asked).await;
        done.map_err(|error| {
            let words = format!("{error} {}", error.detail);
            assert!(!words.contains(&self.token), "{words}");
            words
        })
    }

    async fn preview(&self, id: NotificationId) -> PicturePreview {
        match self.desk.ask(Request::Show { id }).await {
            Reply::Detail(detail) => detail.attachment.expect("an attachment").preview,
            other => panic!("{other:?}"),
        }
    }

    async fn set(&self, pictures: Pictures) {
        let settings = AppSettings {
            pictures,
            ..AppSettings::default()
        };
        self.desk.ask(Request::SettingsSet(settings)).await;
    }

    async fn cache(&self) -> PictureCache {
        match self.desk.ask(Request::PictureCache).await {
            Reply::PictureCache(cache) => cache,
            other => panic!("{other:?}"),
        }
    }

    /// Waits for what is done behind everybody's back.
    async fn until(&self, what: &str, done: impl AsyncFn() -> bool) {
        for _ in 0..10_000 {
            if done().await {
                return;
            }
            look_again().await;
        }
        panic!("{what}");
    }
}

/// A server that counts who comes, and answers nobody.
async fn counting() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    let count = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&count);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counts.fetch_add(1, Ordering::SeqCst);
        }
    });
    (url, count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_icon_comes_from_the_server_once_and_no_toast_waits_for_it() {
    let scene = Scene::new().await;
    scene.put("icon.png", &png());
    scene.server.publish(scene.application, "one").await;
    scene.desk.until_shown(1).await;
    assert_eq!(scene.desk.notifier.shown()[0].icon, None, "not there yet");
    scene
        .until("it is fetched for the next toast", async || {
            scene.cache().await.files == 1
        })
        .await;
    scene.clock.pass(Duration::from_secs(5)).await;
    scene.server.publish(scene.application, "two").await;
    scene.desk.until_shown(2).await;
    let icon = scene.desk.notifier.shown()[1].icon.clone();
    let icon = icon.expect("the icon's file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&icon).expect("a file").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }
    let row = scene.desk.rows().await[0].clone();
    assert!(row.icon);
    let shown = scene.picture(row.id, PictureOf::Icon, false).await;
    let shown = BASE64_STANDARD
        .decode(shown.expect("an icon"))
        .expect("base64");
    assert_eq!(std::fs::read(&icon).expect("a file"), shown);
    assert_eq!(scene.asked_for("icon.png"), 1, "once for all");
    let mut signed = scene.server.asked().into_iter();
    let signed = signed
        .find(|asked| asked.line.contains("icon.png"))
        .expect("asked");
    assert!(
        signed
            .headers
            .contains(&("x-gotify-key".to_owned(), scene.token.clone()))
    );
    assert!(!signed.line.contains(&scene.token));

    let Scene {
        clock,
        server,
        application,
        token,
        desk,
    } = scene;
    let desk = desk.restart().await;
    let scene = Scene {
        clock,
        server,
        application,
        token,
        desk,
    };
    assert!(scene.picture(row.id, PictureOf::Icon, false).await.is_ok());
    assert_eq!(scene.asked_for("icon.png"), 1, "it outlives the process");
    // Its owner may have changed it: it is looked for again, and the old one does meanwhile.
    scene.clock.advance(8 * 24 * HOUR);
    scene.server.refuse(Some(503));
    assert!(scene.picture(row.id, PictureOf::Icon, false).await.is_ok());
    assert_eq!(scene.asked_for("icon.png"), 2);
    scene.desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_look_at_once_are_one_request() {
    let scene = Scene::new().await;
    scene.put("plot.png", &png());
    let id = scene.with_picture(&scene.url("plot.png")).await;
    assert_eq!(scene.preview(id).await, PicturePreview::Ready);
    scene.server.freeze();
    let all = futures_util::future::join_all((0..10).map(|_| scene.attachment(id, false)));
    let thaw = async {
        scene
            .until("it is asked for", async || scene.asked_for("plot.png") == 1)
            .await;
        scene.server.thaw();
    };
    let (all, ()) = tokio::join!(all, thaw);
    for one in all {
        assert!(one.expect("a picture").starts_with(BEGINNING));
    }
    assert_eq!(scene.asked_for("plot.png"), 1);
    scene.desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_the_user_did_not_choose_hears_nothing() {
    let scene = Scene::new().await;
    let (elsewhere, heard) = counting().await;
    let id = scene.with_picture(&format!("{elsewhere}spy.png")).await;
    assert_eq!(scene.preview(id).await, PicturePreview::Ask);
    let says = scene.attachment(id, false).await.expect_err("not unasked");
    assert!(says.contains("none of your servers"), "{says}");
    // Asked for, or allowed: it still leads into a private network, where only this computer can go.
    let says = scene.attachment(id, true).await.expect_err("never");
    assert!(says.contains("https") || says.contains("http"), "{says}");
    scene.set(Pictures::Everywhere).await;
    assert_eq!(scene.preview(id).await, PicturePreview::Ready);
    scene.attachment(id, false).await.expect_err("never");
    let host = elsewhere.replace("http://127.0.0.1", "https://localhost");
    let id = scene.with_picture(&format!("{host}spy.png")).await;
    let says = scene.attachment(id, true).await.expect_err("never");
    assert!(says.contains("private network"), "{says}");
    assert_eq!(heard.load(Ordering::SeqCst), 0);
    scene.desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switched_off_is_no_request_at_all() {
    let scene = Scene::new().await;
    scene.set(Pictures::Never).await;
    scene.put("icon.png", &png());
    scene.put("plot.png", &png());
    let id = scene.with_picture(&scene.url("plot.png")).await;
    scene.desk.until_shown(1).await;
    assert!(!scene.desk.rows().await[0].icon);
    assert_eq!(scene.preview(id).await, PicturePreview::Ask);
    for of in [PictureOf::Icon, PictureOf::Attachment] {
        let error = scene.picture(id, of, false).await.expect_err("it is off");
        assert!(error.message.contains("switched off"), "{error}");
    }
    assert_eq!(
        (scene.asked_for("icon.png"), scene.asked_for("plot.png")),
        (0, 0)
    );
    // Until its user asks for this one.
    assert!(scene.attachment(id, true).await.is_ok());
    assert_eq!(
        (scene.asked_for("icon.png"), scene.asked_for("plot.png")),
        (0, 1)
    );
    assert_eq!(
        scene.preview(id).await,
        PicturePreview::Ready,
        "it is here already"
    );
    assert!(scene.attachment(id, false).await.is_ok());
    assert_eq!(scene.asked_for("plot.png"), 1);
    scene.desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_picture_is_refused_whatever_its_server_says() {
    let scene = Scene::new().await;
    for (name, bytes, words) in [
        (
            "vector",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
            "no PNG",
        ),
        ("page", b"<!doctype html><p>Sign in".to_vec(), "no PNG"),
        ("bomb", bomb(), "too many pixels"),
        ("half", png()[..40].to_vec(), "damaged"),
        ("huge", vec![0; 5 * 1024 * 1024 + 1], "too large"),
    ] {
        scene.put(name, &bytes);
        let id = scene.with_picture(&scene.url(name)).await;
        assert_eq!(scene.preview(id).await, PicturePreview::Ready);
        let says = scene.attachment(id, false).await.expect_err(name);
        assert!(says.contains(words), "{says}");
        scene.attachment(id, false).await.expect_err(name);
        assert_eq!(scene.asked_for(name), 1, "it is remembered");
    }
    assert_eq!(scene.cache().await, PictureCache::default());
    scene.desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_in_trouble_is_not_asked_again_and_again() {
    let scene = Scene::new().await;
    let id = scene.with_picture(&scene.url("late.png")).await;
    let look = async || scene.attachment(id, false).await.is_ok();
    for _ in 0..5 {
        assert!(!look().await);
    }
    assert_eq!(scene.asked_for("late.png"), 1);
    scene.clock.advance(HOUR);
    assert!(!look().await);
    assert_eq!(scene.asked_for("late.png"), 1, "it said no");
    // A user who asks is believed, once.
    scene.attachment(id, true).await.expect_err("still not");
    scene.attachment(id, true).await.expect_err("still not");
    assert_eq!(scene.asked_for("late.png"), 2);
    scene.put("late.png", &png());
    scene.clock.advance(6 * HOUR);
    assert!(look().await);
    assert_eq!(scene.asked_for("late.png"), 3);
    scene.desk.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_can_be_emptied_and_goes_with_its_account() {
    let scene = Scene::new().await;
    scene.put("plot.png", &png());
    let id = scene.with_picture(&scene.url("plot.png")).await;
    assert!(scene.attachment(id, false).await.is_ok());
    let cache = scene.cache().await;
    assert!(cache.files == 1 && cache.bytes > 0, "{cache:?}");
    let Reply::PictureCache(cache) = scene.desk.ask(Request::PictureCacheEmpty).await else {
        panic!("it says what is left");
    };
    assert_eq!(cache, PictureCache::default());
    assert!(scene.attachment(id, false).await.is_ok());
    assert_eq!(scene.asked_for("plot.png"), 2);
    let folder = scene
        .desk
        .database()
        .with_file_name("cache")
        .join("pictures");
    let files = || std::fs::read_dir(&folder).expect("the folder").count();
    assert_eq!(files(), 1);
    let id = scene.desk.account().await.id;
    scene.desk.ask(Request::AccountRemove { id }).await;
    scene.until("its pictures go", async || files() == 0).await;
    assert_eq!(scene.cache().await, PictureCache::default());
    scene.desk.engine.stop().await;
}
