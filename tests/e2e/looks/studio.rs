//! Where windows stand for their pictures.

use crate::app::{App, PATIENCE, drawn, pictures, testid};
use std::path::PathBuf;
use support::{Driver, Result, Screen, Window, binary, grab_window, until};
use tidings_api::{AppSettings, Appearance, Reply, Request, Target};

/// From the narrowest that is allowed to all panes beside each other, in pixels.
pub const WIDTHS: [u32; 3] = [320, 700, 1200];
/// In pixels.
pub const HEIGHT: u32 = 640;
/// Elements that reach beyond their window's edge, by name. What is cut with an ellipsis does not.
const STICKING_OUT: &str = "
    const cut = (element) => element !== null
        && (getComputedStyle(element).textOverflow === 'ellipsis' || cut(element.parentElement));
    return [...document.querySelectorAll('body *')].filter((element) => {
        const box = element.getBoundingClientRect();
        const meant = element.closest('[data-scrolls], pre, .unseen') || cut(element);
        return box.width > 1 && !meant && (box.right > innerWidth + 1 || box.left < -1);
    }).map((element) => `${element.tagName}.${element.getAttribute('class')}`)";

/// A resident, its windows, and a camera.
pub struct Studio {
    pub app: App,
    driver: Driver,
    screen: Screen,
    folder: PathBuf,
}

impl Studio {
    pub async fn start() -> Result<Self> {
        let app = App::start().await?;
        let driver = Driver::start(&app.desktop).await?;
        let screen = Screen::open(app.desktop.display())?;
        let folder = pictures()?.join("looks");
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            app,
            driver,
            screen,
            folder,
        })
    }

    pub async fn open(&self, target: &Target) -> Result<Window> {
        let socket = self.app.socket().display().to_string();
        let target = serde_json::to_string(target)?;
        let arguments = ["--socket", &socket, "--show", &target];
        self.driver
            .open(&binary("tidings-window")?, &arguments)
            .await
    }

    pub async fn ask(&self, request: Request) -> Result<Reply> {
        Ok(self.app.client().await?.call(request).await?)
    }

    /// Pictures a window as it is.
    pub async fn picture(&self, window: &Window, name: &str) -> Result<()> {
        drawn(window).await?;
        let shown = self.screen.window()?.ok_or("no window is shown")?;
        let file = self.folder.join(format!("{name}.png"));
        grab_window(self.app.desktop.display(), shown, &file)
    }

    /// Pictures a window in every light and width.
    pub async fn shoot(&self, window: &Window, name: &str) -> Result<()> {
        for appearance in [Appearance::Light, Appearance::Dark] {
            let light = if appearance == Appearance::Dark {
                "dark"
            } else {
                "light"
            };
            let settings = AppSettings {
                appearance,
                close_explained: true,
                ..AppSettings::default()
            };
            self.ask(Request::SettingsSet(settings)).await?;
            self.shoot_in(window, name, light).await?;
        }
        Ok(())
    }

    /// Pictures a window in every width, in the light that it has or comes to have.
    pub async fn shoot_in(&self, window: &Window, name: &str, light: &str) -> Result<()> {
        let theme = "return document.documentElement.dataset.theme";
        until("the light", PATIENCE, async || {
            Ok((window.execute(theme, &[]).await? == light).then_some(()))
        })
        .await?;
        for width in WIDTHS {
            window.resize(width, HEIGHT).await?;
            until("the width", PATIENCE, async || {
                let inner = window.execute("return innerWidth", &[]).await?;
                Ok((inner == width).then_some(()))
            })
            .await?;
            self.picture(window, &format!("{name}-{light}-{width}"))
                .await?;
            let out = window.execute(STICKING_OUT, &[]).await?;
            assert_eq!(out, serde_json::json!([]), "{name}, {light}, {width} px");
        }
        Ok(())
    }
}

/// Brings something into view, by what it is called for tests.
pub async fn scroll_to(window: &Window, id: &str) -> Result<()> {
    let script = format!(
        "document.querySelector('{}').scrollIntoView({{ block: 'end' }})",
        testid(id)
    );
    window.execute(&script, &[]).await.map(drop)
}
