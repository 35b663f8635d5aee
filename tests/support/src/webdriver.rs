//! A small W3C `WebDriver` client for `WebKitWebDriver`, which drives the real window.

use std::{net::TcpListener, path::Path, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Desktop, Program, Result, until};

/// The first paint may take over 4 s on a loaded machine; anything slower is broken.
const LIMIT: Duration = Duration::from_mins(1);

/// The key under which `WebDriver` hides the id of an element (W3C `WebDriver`, 11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Resolves when what was drawn last is on screen: a picture is stale before.
const TWO_FRAMES: &str = "const done = arguments[arguments.length - 1]; \
     requestAnimationFrame(() => requestAnimationFrame(() => done(true)));";

/// A running `WebKitWebDriver`.
#[derive(Debug)]
pub struct Driver {
    program: Program,
    client: reqwest::Client,
    base: String,
}

/// A program's window under the driver's control. The program ends with [`Window::close`], or with
/// the driver.
#[derive(Debug)]
pub struct Window {
    client: reqwest::Client,
    base: String,
}

/// An element of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element(String);

impl Driver {
    /// Starts the driver on `desktop`, on a free port.
    ///
    /// # Errors
    /// It isn't installed, or doesn't start.
    pub async fn start(desktop: &Desktop) -> Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(LIMIT)
            .build()?;
        let mut failure = None;
        // Somebody may take the free port before the driver does.
        for attempt in 1..=5 {
            let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            let mut command = desktop.command("WebKitWebDriver");
            command
                .arg(format!("--port={port}"))
                .arg("--host=127.0.0.1")
                .env("TAURI_WEBVIEW_AUTOMATION", "true");
            let mut program = desktop.run(command, &format!("webdriver-{port}-{attempt}"))?;
            let base = format!("http://127.0.0.1:{port}");
            let ready = until("WebKitWebDriver", LIMIT, async || {
                if let Some(status) = program.try_wait()? {
                    return Err(format!("WebKitWebDriver ended with {status}").into());
                }
                let answer = client.get(format!("{base}/status")).send().await;
                Ok(answer.ok().filter(|answer| answer.status().is_success()))
            })
            .await;
            match ready {
                Ok(_) => {
                    return Ok(Self {
                        program,
                        client,
                        base,
                    });
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| "no free port".into()))
    }

    /// Starts `binary` with `arguments` under the driver and waits for its window.
    ///
    /// The program gets the environment of the driver, which is that of the desktop.
    ///
    /// # Errors
    /// The program doesn't start or opens no window.
    pub async fn open(&self, binary: &Path, arguments: &[&str]) -> Result<Window> {
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "webkitgtk:browserOptions": {"binary": binary, "args": arguments}
        }}});
        let url = format!("{}/session", self.base);
        let answer = call(&self.client, Method::POST, &url, Some(wanted)).await?;
        let session = answer["sessionId"].as_str().ok_or("a session without id")?;
        Ok(Window {
            client: self.client.clone(),
            base: format!("{url}/{session}"),
        })
    }

    /// The driver's process.
    pub fn program(&mut self) -> &mut Program {
        &mut self.program
    }
}

impl Window {
    async fn get(&self, path: &str) -> Result<Value> {
        call(
            &self.client,
            Method::GET,
            &format!("{}{path}", self.base),
            None,
        )
        .await
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value> {
        let url = format!("{}{path}", self.base);
        call(&self.client, Method::POST, &url, Some(body)).await
    }

    /// Loads another page.
    ///
    /// # Errors
    /// It can't be loaded.
    pub async fn go(&self, url: &str) -> Result<()> {
        self.post("/url", json!({"url": url})).await.map(drop)
    }

    /// The elements that fit a CSS selector, now.
    ///
    /// # Errors
    /// The window is gone, or the selector is wrong.
    pub async fn find_all(&self, css: &str) -> Result<Vec<Element>> {
        // The driver fails if one of them is drawn anew while it lists them.
        until(&format!("{css} to be listed"), LIMIT, async || {
            match self.list(css).await {
                Err(error) if error.to_string().contains("stale element reference") => Ok(None),
                listed => listed.map(Some),
            }
        })
        .await
    }

    async fn list(&self, css: &str) -> Result<Vec<Element>> {
        let found = self
            .post("/elements", json!({"using": "css selector", "value": css}))
            .await?;
        let elements = found.as_array().ok_or("no list of elements")?.iter();
        Ok(elements.filter_map(element).collect())
    }

    /// The first element that fits a CSS selector, as soon as there is one.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn find(&self, css: &str) -> Result<Element> {
        until(&format!("an element {css}"), LIMIT, async || {
            Ok(self.find_all(css).await?.into_iter().next())
        })
        .await
    }

    /// The first element that fits a CSS selector and whose text contains `text`, as soon as there is
    /// one.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn find_with_text(&self, css: &str, text: &str) -> Result<Element> {
        until(
            &format!("an element {css} with {text:?}"),
            LIMIT,
            async || {
                for element in self.find_all(css).await? {
                    // Lists are drawn anew at any moment: an element that is gone doesn't fit.
                    if self
                        .text(&element)
                        .await
                        .is_ok_and(|found| found.contains(text))
                    {
                        return Ok(Some(element));
                    }
                }
                Ok(None)
            },
        )
        .await
    }

    /// Waits until no element fits a CSS selector.
    ///
    /// # Errors
    /// There still is one.
    pub async fn wait_for_none(&self, css: &str) -> Result<()> {
        until(&format!("no element {css}"), LIMIT, async || {
            Ok(self.find_all(css).await?.is_empty().then_some(()))
        })
        .await
    }

    /// Clicks into the middle of an element.
    ///
    /// # Errors
    /// It is gone or covered.
    pub async fn click(&self, element: &Element) -> Result<()> {
        let path = format!("/element/{}/click", element.0);
        self.post(&path, json!({})).await.map(drop)
    }

    /// Empties a field.
    ///
    /// # Errors
    /// It is gone or no field.
    pub async fn clear(&self, element: &Element) -> Result<()> {
        let path = format!("/element/{}/clear", element.0);
        self.post(&path, json!({})).await.map(drop)
    }

    /// Types into an element.
    ///
    /// # Errors
    /// It is gone or takes no text.
    pub async fn type_into(&self, element: &Element, text: &str) -> Result<()> {
        let path = format!("/element/{}/value", element.0);
        self.post(&path, json!({"text": text})).await.map(drop)
    }

    /// Presses and releases keys one after the other, wherever the focus is. Keys without a letter
    /// have code points of their own (W3C `WebDriver`, 17.4.2): Enter is `\u{e007}`, Escape `\u{e00c}`.
    ///
    /// # Errors
    /// The window is gone.
    pub async fn press(&self, keys: &str) -> Result<()> {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()}))
            })
            .collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": strokes});
        let body = json!({"actions": [keyboard]});
        self.post("/actions", body).await.map(drop)
    }

    /// The text of an element, as shown.
    ///
    /// # Errors
    /// It is gone.
    pub async fn text(&self, element: &Element) -> Result<String> {
        let text = self.get(&format!("/element/{}/text", element.0)).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// An attribute of an element, if it is set.
    ///
    /// # Errors
    /// The element is gone.
    pub async fn attribute(&self, element: &Element, name: &str) -> Result<Option<String>> {
        // The driver's own question answers "" for an attribute that isn't there.
        let script = "return arguments[0].getAttribute(arguments[1])";
        let arguments = [json!({ELEMENT: element.0}), json!(name)];
        let value = self.execute(script, &arguments).await?;
        Ok(value.as_str().map(str::to_owned))
    }

    /// The title of the page.
    ///
    /// # Errors
    /// The window is gone.
    pub async fn title(&self) -> Result<String> {
        let title = self.get("/title").await?;
        Ok(title.as_str().unwrap_or_default().to_owned())
    }

    /// Runs the body of a function in the page; its arguments are in `arguments`.
    ///
    /// # Errors
    /// It throws, or the window is gone.
    pub async fn execute(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        let body = json!({"script": script, "args": arguments});
        self.post("/execute/sync", body).await
    }

    /// Runs the body of a function in the page that answers by calling its last argument.
    ///
    /// # Errors
    /// It throws or never answers, or the window is gone.
    pub async fn execute_async(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        let body = json!({"script": script, "args": arguments});
        self.post("/execute/async", body).await
    }

    /// A picture of the page as PNG, of what was drawn last.
    ///
    /// # Errors
    /// The window is gone.
    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        self.execute_async(TWO_FRAMES, &[]).await?;
        let picture = self.get("/screenshot").await?;
        Ok(STANDARD.decode(picture.as_str().ok_or("no picture")?)?)
    }

    /// Gives the window a size, in pixels.
    ///
    /// # Errors
    /// The window is gone.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        let size = json!({"width": width, "height": height});
        self.post("/window/rect", size).await.map(drop)
    }

    /// Closes the window and ends its program.
    ///
    /// # Errors
    /// It is gone already.
    pub async fn close(self) -> Result<()> {
        call(&self.client, Method::DELETE, &self.base, None)
            .await
            .map(drop)
    }
}

fn element(value: &Value) -> Option<Element> {
    value[ELEMENT].as_str().map(|id| Element(id.to_owned()))
}

async fn call(
    client: &reqwest::Client,
    method: Method,
    url: &str,
    body: Option<Value>,
) -> Result<Value> {
    let mut request = client.request(method, url);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await?;
    let status = answer.status();
    let mut answer: Value = answer.json().await?;
    let value = answer["value"].take();
    if status.is_success() {
        return Ok(value);
    }
    Err(format!(
        "WebDriver: {}: {}",
        value["error"].as_str().unwrap_or("failed"),
        value["message"].as_str().unwrap_or_default()
    )
    .into())
}
