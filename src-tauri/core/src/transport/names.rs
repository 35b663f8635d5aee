//! Names by the system's resolver: so that a name without an address can be told from other errors, and so
//! that where a stranger sends us is judged by the very addresses that are then connected to. A name that
//! answers otherwise the next time gains nothing by it.

use super::fault::Unresolved;
use super::guard::is_public;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::{error, fmt};

/// The way to look a name up: the system's, unless a test says otherwise.
pub(super) type LookUp = Arc<
    dyn Fn(String) -> crate::ports::Later<'static, Result<Vec<SocketAddr>, Unresolved>>
        + Send
        + Sync,
>;

/// How names are found, and which of their addresses are taken.
#[derive(Clone)]
pub(super) struct Names {
    /// Finds a name's addresses.
    pub look_up: LookUp,
    /// Whether an address may be connected to.
    pub allowed: fn(IpAddr) -> bool,
}

impl Names {
    /// The system's, every address.
    pub(super) fn any() -> Self {
        Self {
            look_up: Arc::new(|name| Box::pin(async move { resolve(&name, 0).await })),
            allowed: |_| true,
        }
    }

    /// The same, of the public internet only.
    pub(super) fn public() -> Self {
        Self {
            allowed: is_public,
            ..Self::any()
        }
    }
}

/// A name, or an address, that is not on the public internet.
#[derive(Debug)]
pub(super) struct NotPublic;

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the address is not on the public internet")
    }
}

impl error::Error for NotPublic {}

impl reqwest::dns::Resolve for Names {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let found = (self.look_up)(name.as_str().to_owned());
        let allowed = self.allowed;
        Box::pin(async move {
            let mut found = found.await?;
            found.retain(|address| allowed(address.ip()));
            if found.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(found.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

/// The addresses of a name.
pub(super) async fn resolve(name: &str, port: u16) -> Result<Vec<SocketAddr>, Unresolved> {
    let unresolved = |cause| Unresolved {
        name: name.to_owned(),
        cause,
    };
    let found: Vec<_> = tokio::net::lookup_host((name, port))
        .await
        .map_err(unresolved)?
        .collect();
    if found.is_empty() {
        return Err(unresolved(std::io::Error::other("it has no address")));
    }
    Ok(found)
}
