//! What is taken over from elsewhere: another client's settings, and a link.

use crate::app::{App, CANARY, USER, click, fill, find, testid};
use crate::scene::{Scene, keep};
use support::{Driver, Result};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_clients_settings() -> Result<()> {
    let scene = Scene::open("import").await?;
    let file = scene.app.desktop.folder().join("client.yml");
    let text = format!(
        "default-host: {}\ndefault-user: {USER}\ndefault-password: {CANARY}\nsubscribe:\n  - topic: alerts\n  \
         - topic: builds\n    command: 'notify-send \"$m\"'\n",
        scene.app.server.url()
    );
    std::fs::write(&file, text)?;
    click(&scene.settings, "import").await?;
    let field = find(&scene.settings, "import-file").await?;
    scene
        .settings
        .type_into(&field, &file.display().to_string())
        .await?;
    scene
        .settings
        .find("[data-testid=\"imported\"][data-result=\"added\"]")
        .await?;
    scene.picture("1-plan", "import-form").await?;
    let accounts = scene.app.objects(&["account", "list", "--json"])?;
    assert!(accounts.is_empty(), "nothing is changed yet");
    click(&scene.settings, "import-save").await?;
    scene.live().await?;
    scene.picture("2-done", "import-form").await?;
    click(&scene.settings, "import-close").await?;
    scene.settings.wait_for_none(&testid("import-form")).await?;

    scene.app.curl("builds", &["Title: Build 7"], "green")?;
    let toast = scene.rings("Build 7").await?;
    scene.open_from(&toast, "Build 7").await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link() -> Result<()> {
    let app = App::start().await?;
    let driver = Driver::start(&app.desktop).await?;
    let host = app.server.url().replacen("http://", "", 1);
    let link = format!("ntfy://{host}/disk?display=The%20disk&secure=false");
    app.tidings(&[&link])?;
    let settings = app.open_wanted(&driver).await?;
    find(&settings, "from-link").await?;
    keep(&app, &settings, "link-1-offered").await?;
    let value = "return document.querySelector(arguments[0]).value";
    let value = settings
        .execute(value, &[testid("account-url").into()])
        .await?;
    assert_eq!(value, link);
    assert!(app.server.log().is_empty(), "{:?}", app.server.log());

    click(&settings, "account-detect").await?;
    settings
        .find_with_text(&testid("topic-chip"), "disk")
        .await?;
    assert!(!app.server.log().is_empty(), "now it is asked");
    click(&settings, "sign-in-basic").await?;
    fill(&settings, "account-user", USER).await?;
    fill(&settings, "account-secret", CANARY).await?;
    keep(&app, &settings, "link-2-filled").await?;
    click(&settings, "account-save").await?;
    settings
        .find("[data-testid=\"account-card\"][data-state=\"live\"]")
        .await?;
    let accounts = app.objects(&["account", "list", "--json"])?;
    assert_eq!(accounts[0]["subscriptions"][0]["name"], "The disk");
    keep(&app, &settings, "link-3-live").await
}
