//! A Gotify server in memory, version 2 or 3: users, clients, applications, messages, the stream, and the sign-in
//! with an identity provider that says yes to everybody. What it does about tokens, pages, errors and the ends of
//! connections follows Gotify's source.

mod answers;
mod state;
mod stream;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use serde_json::{Value, json};
use state::Store;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Which Gotify it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 2.6.
    Two,
    /// 3.0, with enhanced tokens, elevation, and an identity provider.
    Three,
}

/// What a server is started with.
pub struct Settings {
    /// Which one.
    pub version: Version,
    /// The folder it is served in, such as `/gotify`; empty for none.
    pub folder: String,
    /// What time it is there: RFC 3339, as messages carry it.
    pub now: Box<dyn Fn() -> String + Send + Sync>,
}

/// A request that it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Method, path and query.
    pub line: String,
    /// Names and values of its headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

struct Shared {
    settings: Settings,
    store: Mutex<Store>,
    /// Rises when every stream is to end.
    streams_end: watch::Sender<u64>,
    /// Nothing is read or written any more, and nothing is closed.
    frozen: watch::Sender<bool>,
    asked: Mutex<Vec<Asked>>,
    refusal: Mutex<Option<u16>>,
    /// Files by their paths, with their media types.
    files: Mutex<HashMap<String, (String, Vec<u8>)>>,
    /// The paths of applications' pictures.
    images: Mutex<HashMap<i64, String>>,
}

/// A running server. It ends with this value.
pub struct Gotify {
    shared: Arc<Shared>,
    addr: SocketAddr,
    serving: JoinHandle<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Gotify {
    fn drop(&mut self) {
        self.serving.abort();
        self.drop_all();
    }
}

impl Gotify {
    /// Starts with the user `admin`, whose password is `admin`, and no application.
    ///
    /// # Errors
    /// No port is free on loopback.
    pub async fn start(settings: Settings) -> crate::Result<Self> {
        let shared = Arc::new(Shared {
            store: Mutex::new(Store::new(settings.version)),
            settings,
            streams_end: watch::Sender::new(0),
            frozen: watch::Sender::new(false),
            asked: Mutex::default(),
            refusal: Mutex::default(),
            files: Mutex::default(),
            images: Mutex::default(),
        });
        let (addr, serving) = serve(&shared, 0).await?;
        Ok(Self {
            shared,
            addr,
            serving,
        })
    }

    /// Its address, with its folder.
    pub fn url(&self) -> String {
        format!("http://{}{}/", self.addr, self.shared.settings.folder)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops and starts at the same address: connections end, what was stored stays.
    ///
    /// # Errors
    /// Its port was taken meanwhile.
    pub async fn restart(&mut self) -> crate::Result<()> {
        self.stop().await;
        self.start_again().await
    }

    /// Stops: connections end, and none is taken in.
    pub async fn stop(&mut self) {
        self.serving.abort();
        // Cancelled, which is what was asked for; the port is free then.
        let _ = (&mut self.serving).await;
        self.drop_all();
        self.refuse(Some(503));
    }

    /// Starts a stopped one at its old address.
    ///
    /// # Errors
    /// Its port was taken meanwhile.
    pub async fn start_again(&mut self) -> crate::Result<()> {
        self.refuse(None);
        (self.addr, self.serving) = serve(&self.shared, self.addr.port()).await?;
        Ok(())
    }

    /// Ends every stream without a close frame, as Gotify does.
    pub fn drop_all(&self) {
        self.shared.streams_end.send_modify(|n| *n += 1);
    }

    /// From now on nothing is answered and nothing closed; open streams stay so for ever.
    pub fn freeze(&self) {
        self.shared.frozen.send_replace(true);
    }

    /// New requests are answered again.
    pub fn thaw(&self) {
        self.shared.frozen.send_replace(false);
    }

    /// Answers everything with this status, as a proxy before a broken server would; none: no more.
    pub fn refuse(&self, status: Option<u16>) {
        *lock(&self.shared.refusal) = status;
    }

    /// Adds an application of `admin`; its number.
    pub fn add_application(&self, name: &str, default_priority: i64) -> i64 {
        lock(&self.shared.store).add_application(1, name, default_priority)
    }

    /// Has a file, `path` from the server's root, and says that it is of this media type.
    pub fn put_file(&self, path: &str, media_type: &str, bytes: &[u8]) {
        let file = (media_type.to_owned(), bytes.to_vec());
        lock(&self.shared.files).insert(path.to_owned(), file);
    }

    /// An application gets a picture, `path` from the server's root.
    pub fn set_image(&self, application: i64, path: &str) {
        lock(&self.shared.images).insert(application, path.to_owned());
    }

    /// How often a path was asked for.
    pub fn asked_for(&self, path: &str) -> usize {
        let line = format!("GET {path}");
        let asked = lock(&self.shared.asked);
        asked.iter().filter(|asked| asked.line == line).count()
    }

    /// Deletes an application with its messages.
    pub fn delete_application(&self, id: i64) {
        lock(&self.shared.store).delete_application(id);
    }

    /// The token with which an application sends.
    pub fn application_token(&self, id: i64) -> String {
        lock(&self.shared.store).application_token(id)
    }

    /// Makes a client of `admin`; its token.
    pub fn add_client(&self, name: &str) -> String {
        lock(&self.shared.store).add_client(1, name, 0).token
    }

    /// What its clients are called, in the order in which they were made.
    pub fn clients(&self) -> Vec<String> {
        lock(&self.shared.store).client_names()
    }

    /// Deletes all clients, which ends their streams.
    pub fn revoke_all(&self) {
        lock(&self.shared.store).revoke_all();
    }

    /// An application sends a text. Its message's id.
    pub async fn publish(&self, application: i64, text: &str) -> i64 {
        self.publish_as(application, &json!({"message": text}))
            .await
    }

    /// An application sends something.
    pub async fn publish_as(&self, application: i64, message: &Value) -> i64 {
        let date = (self.shared.settings.now)();
        let stored = lock(&self.shared.store).publish(application, message, &date);
        stream::notify(&self.shared, application, &stored).await;
        stored["id"].as_i64().unwrap_or_default()
    }

    /// The same, but nobody who listens is told: it was stored just before they were registered.
    pub fn publish_unheard(&self, application: i64, text: &str) -> i64 {
        let date = (self.shared.settings.now)();
        let message = json!({"message": text});
        let stored = lock(&self.shared.store).publish(application, &message, &date);
        stored["id"].as_i64().unwrap_or_default()
    }

    /// Somebody deletes a message in the web page.
    pub fn delete(&self, id: i64) {
        lock(&self.shared.store).messages.remove(&id);
    }

    /// Ids of its messages.
    pub fn messages(&self) -> Vec<i64> {
        lock(&self.shared.store).messages.keys().copied().collect()
    }

    /// Goes back to an older state of itself: messages above this id are gone, and their ids are given anew.
    pub fn restore_backup(&self, id: i64) {
        lock(&self.shared.store).go_back(id);
        self.drop_all();
    }

    /// What it was asked, oldest first.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.shared.asked).clone()
    }

    /// Streams that are open.
    pub fn streams(&self) -> usize {
        lock(&self.shared.store).streams.len()
    }
}

async fn serve(shared: &Arc<Shared>, port: u16) -> crate::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let addr = listener.local_addr()?;
    let router = router(shared, addr);
    let serving = tokio::spawn(async move {
        // It only ends by being aborted.
        let _ = axum::serve(listener, router).await;
    });
    Ok((addr, serving))
}

fn router(shared: &Arc<Shared>, addr: SocketAddr) -> Router {
    let mut router = Router::new()
        .route("/version", get(answers::version))
        .route("/health", get(answers::health))
        .route("/stream", get(stream::open))
        .route("/current/user", get(answers::current_user))
        .route(
            "/client",
            get(answers::clients).post(answers::create_client),
        )
        .route("/client/{id}", delete(answers::delete_client))
        .route("/application", get(answers::applications))
        .route("/application/{id}", delete(answers::delete_application))
        .route(
            "/application/{id}/message",
            get(answers::messages_of).delete(answers::delete_messages_of),
        )
        .route(
            "/message",
            get(answers::messages)
                .post(answers::create_message)
                .delete(answers::delete_messages),
        )
        .route("/message/{id}", delete(answers::delete_message));
    if shared.settings.version == Version::Three {
        router = router
            .route("/gotifyinfo", get(answers::info))
            .route("/client/{id}/elevate", post(answers::elevate))
            .route(
                "/auth/oidc/external/authorize",
                post(async move |state, body| answers::authorize(state, addr, body)),
            )
            .route("/auth/oidc/external/token", post(answers::token));
    }
    let router = router.fallback(answers::file);
    let router = match shared.settings.folder.as_str() {
        "" => router,
        folder => Router::new().nest(folder, router),
    };
    router
        .route("/provider", get(answers::provider))
        .layer(middleware::from_fn_with_state(Arc::clone(shared), before))
        .with_state(Arc::clone(shared))
}

/// Notes what is asked, and stands in for a server that is frozen or broken.
async fn before(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let headers = headers.collect();
    lock(&shared.asked).push(Asked { line, headers });
    let mut frozen = shared.frozen.subscribe();
    // The sender is in `shared`.
    let _ = frozen.wait_for(|frozen| !frozen).await;
    let refusal = *lock(&shared.refusal);
    match refusal.and_then(|status| StatusCode::from_u16(status).ok()) {
        Some(status) => (status, [("connection", "close")]).into_response(),
        None => next.run(request).await,
    }
}
