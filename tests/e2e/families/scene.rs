//! A person with the settings window before them, and a server to add.

use crate::app::{App, PATIENCE, click, fill, find, pictures, testid};
use serde_json::{Value, json};
use support::{Driver, Result, Toast, Window, until};

/// The resident, and its settings window.
pub struct Scene {
    pub app: App,
    pub settings: Window,
    driver: Driver,
    name: &'static str,
}

impl Scene {
    /// Opens the settings. Pictures begin with `name`.
    pub async fn open(name: &'static str) -> Result<Self> {
        let app = App::start().await?;
        let driver = Driver::start(&app.desktop).await?;
        app.tidings(&["open", "--settings"])?;
        let settings = app.open_wanted(&driver).await?;
        find(&settings, "add-account").await?;
        Ok(Self {
            app,
            settings,
            driver,
            name,
        })
    }

    /// Pictures the window, with this element in the middle of it.
    pub async fn picture(&self, stage: &str, at: &str) -> Result<()> {
        let script = "document.querySelector(arguments[0]).scrollIntoView({ block: 'center' })";
        find(&self.settings, at).await?;
        self.settings.execute(script, &[json!(testid(at))]).await?;
        keep(&self.app, &self.settings, &format!("{}-{stage}", self.name)).await
    }

    /// Begins a new account with an address.
    pub async fn add(&self, address: &str) -> Result<()> {
        click(&self.settings, "add-account").await?;
        self.look_at(address).await
    }

    /// Asks what is at an address.
    pub async fn look_at(&self, address: &str) -> Result<()> {
        fill(&self.settings, "account-url", address).await?;
        click(&self.settings, "account-detect").await?;
        // It is pressed once more where the answer is not what was hoped for: not before this is over.
        self.settings
            .find("[data-testid=\"account-detect\"]:enabled")
            .await
            .map(drop)
    }

    /// What was found, in the window's words.
    pub async fn found(&self, words: &str) -> Result<()> {
        let said = testid("detected");
        self.settings.find_with_text(&said, words).await.map(drop)
    }

    /// Chooses in a list.
    pub async fn choose(&self, list: &str, value: &str) -> Result<()> {
        let option = format!("{} option[value=\"{value}\"]", testid(list));
        let option = self.settings.find(&option).await?;
        self.settings.click(&option).await
    }

    /// Signs in with user name and password.
    pub async fn as_user(&self, user: &str, password: &str) -> Result<()> {
        click(&self.settings, "sign-in-basic").await?;
        fill(&self.settings, "account-user", user).await?;
        fill(&self.settings, "account-secret", password).await
    }

    /// Signs in with a token.
    pub async fn with_token(&self, token: &str) -> Result<()> {
        click(&self.settings, "sign-in-token").await?;
        fill(&self.settings, "account-secret", token).await
    }

    /// Enters topics.
    pub async fn topics(&self, topics: &[&str]) -> Result<()> {
        for topic in topics {
            fill(
                &self.settings,
                "account-topics",
                &format!("{topic}\u{e007}"),
            )
            .await?;
        }
        Ok(())
    }

    /// Presses Test, which fails at a hop; what that says.
    pub async fn test_fails(&self) -> Result<String> {
        let (passed, words) = self.test("2-failing").await?;
        assert!(!passed, "{words}");
        let failing = "[data-testid=\"hop\"][data-result=\"failed\"]";
        let failing = self.settings.find(failing).await?;
        self.settings.text(&failing).await
    }

    /// Presses Test, which passes.
    pub async fn test_passes(&self) -> Result<()> {
        let (passed, words) = self.test("3-passing").await?;
        assert!(passed, "{words}");
        Ok(())
    }

    /// Presses Test: whether it passes, and its words.
    async fn test(&self, stage: &str) -> Result<(bool, String)> {
        click(&self.settings, "account-test").await?;
        let over = "[data-testid=\"account-test\"]:enabled";
        self.settings.find(over).await?;
        self.picture(stage, "account-test").await?;
        let hops = find(&self.settings, "hops").await?;
        let passed = self.settings.attribute(&hops, "data-ok").await?;
        let words = self.settings.text(&hops).await?;
        Ok((passed.as_deref() == Some("true"), words))
    }

    /// Adds the account, which comes to be live.
    pub async fn save(&self) -> Result<()> {
        click(&self.settings, "account-save").await?;
        self.settings.wait_for_none(&testid("account-form")).await?;
        self.live().await?;
        self.picture("4-live", "account-card").await
    }

    /// Waits until the window says that the account is connected.
    pub async fn live(&self) -> Result<()> {
        let live = "[data-testid=\"account-card\"][data-state=\"live\"]";
        self.settings.find(live).await.map(drop)
    }

    /// Unfolds the account.
    pub async fn unfold(&self) -> Result<()> {
        click(&self.settings, "edit-account").await?;
        find(&self.settings, "topic-add").await.map(drop)
    }

    /// Adds a topic in the unfolded account.
    pub async fn subscribe(&self, topic: &str) -> Result<()> {
        fill(&self.settings, "topic-add", topic).await?;
        click(&self.settings, "topic-add-save").await?;
        self.settings.find(&row_of(topic)).await?;
        self.live().await?;
        self.picture("5-topics", "topic-add").await
    }

    /// Leaves a topic of the unfolded account.
    pub async fn leave(&self, topic: &str) -> Result<()> {
        let button = format!("{} button[aria-label^=\"Leave\"]", row_of(topic));
        let button = self.settings.find(&button).await?;
        self.settings.click(&button).await?;
        self.picture("6-leaving", "topic-leave-yes").await?;
        click(&self.settings, "topic-leave-yes").await?;
        self.settings.wait_for_none(&row_of(topic)).await?;
        self.live().await
    }

    /// What is in the inbox, newest first, once it is so many.
    pub async fn inbox(&self, number: u64) -> Result<Vec<Value>> {
        let what = format!("{number} notifications");
        self.app
            .until_status(&what, |status| status.counts.all == number)
            .await?;
        self.app.objects(&["list", "--json"])
    }

    /// A toast with this text.
    pub async fn rings(&self, text: &str) -> Result<Toast> {
        let daemon = self.app.desktop.notifications();
        daemon
            .wait_for(PATIENCE, |toast| {
                toast.summary.contains(text) || toast.body.contains(text)
            })
            .await
    }

    /// Closes the settings and clicks on a toast: the notification is open in the inbox, below its row.
    pub async fn open_from(self, toast: &Toast, title: &str) -> Result<Reading> {
        self.settings.close().await?;
        let daemon = self.app.desktop.notifications();
        daemon.choose(toast.id, "default", None).await?;
        let inbox = self.app.open_wanted(&self.driver).await?;
        inbox.find_with_text(&testid("detail-title"), title).await?;
        inbox.resize(1100, 640).await?;
        inbox.find_with_text(&testid("row"), title).await?;
        keep(&self.app, &inbox, &format!("{}-7-inbox", self.name)).await?;
        Ok(Reading {
            inbox,
            _driver: self.driver,
            _app: self.app,
        })
    }
}

/// A notification that is open in the inbox.
pub struct Reading {
    pub inbox: Window,
    // They end with this value.
    _driver: Driver,
    _app: App,
}

/// The row of a topic in an unfolded account.
fn row_of(topic: &str) -> String {
    format!("{}[data-topic=\"{topic}\"]", testid("subscription-row"))
}

/// Keeps a picture of the display in `target/e2e/families`.
pub async fn keep(app: &App, window: &Window, name: &str) -> Result<()> {
    std::fs::create_dir_all(pictures()?.join("families"))?;
    app.picture(window, &format!("families/{name}")).await
}

/// Waits until a picture in a window has arrived and been drawn: a broken one has no width.
pub async fn until_drawn(window: &Window, picture: &str) -> Result<()> {
    let width =
        "const one = document.querySelector(arguments[0]); return one ? one.naturalWidth : 0";
    until("the picture", PATIENCE, async || {
        let width = window.execute(width, &[json!(picture)]).await?;
        Ok(width.as_u64().filter(|width| *width > 0).map(drop))
    })
    .await
}
