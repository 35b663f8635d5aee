//! A desktop portal that knows about proxies only (`org.freedesktop.portal.ProxyResolver`, version 1), and says
//! what it is told to.

use std::sync::{Arc, Mutex, PoisonError};

use zbus::{Connection, connection, fdo, interface};

use crate::Result;

const NAME: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";

#[derive(Default)]
struct State {
    ways: Vec<String>,
    hangs: bool,
    asked: Vec<String>,
}

/// The portal, until it is dropped.
pub struct Portal {
    state: Arc<Mutex<State>>,
    _connection: Connection,
}

struct ProxyResolver(Arc<Mutex<State>>);

#[interface(name = "org.freedesktop.portal.ProxyResolver")]
impl ProxyResolver {
    async fn lookup(&self, uri: String) -> fdo::Result<Vec<String>> {
        let (ways, hangs) = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.asked.push(uri);
            (state.ways.clone(), state.hangs)
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        Ok(ways)
    }
}

impl Portal {
    /// Appears on the bus at `address`.
    ///
    /// # Errors
    /// The bus is not there, or has a portal.
    pub async fn start(address: &str) -> Result<Self> {
        let state = Arc::<Mutex<State>>::default();
        let connection = connection::Builder::address(address)?
            .serve_at(PATH, ProxyResolver(Arc::clone(&state)))?
            .name(NAME)?
            .build()
            .await?;
        Ok(Self {
            state,
            _connection: connection,
        })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on these are the ways to everything, best first.
    pub fn say(&self, ways: &[&str]) {
        self.state().ways = ways.iter().map(ToString::to_string).collect();
    }

    /// From now on it answers nobody, or answers again.
    pub fn hang(&self, hang: bool) {
        self.state().hangs = hang;
    }

    /// What it was asked about, in order.
    pub fn asked(&self) -> Vec<String> {
        self.state().asked.clone()
    }
}
