//! Questions to the session bus that never wait for a service to be started.

use super::clock::within;
use std::time::Duration;
use zbus::Connection;
use zbus::fdo::DBusProxy;
use zbus::names::BusName;

/// How long the bus itself may take to answer.
const LIMIT: Duration = Duration::from_secs(3);

/// A connection to the session bus; none if there is no bus, or it does not answer.
pub async fn session() -> Option<Connection> {
    connected(Connection::session()).await
}

/// A connection to the system bus; none if there is no bus, or it does not answer.
pub async fn system() -> Option<Connection> {
    connected(Connection::system()).await
}

async fn connected(
    connecting: impl Future<Output = zbus::Result<Connection>>,
) -> Option<Connection> {
    match within(LIMIT, connecting).await? {
        Ok(connection) => Some(connection),
        Err(error) => {
            tracing::debug!(%error, "no bus");
            None
        }
    }
}

/// Whether somebody owns `name` just now.
pub async fn has_owner(connection: &Connection, name: &str) -> bool {
    let asking = async {
        let bus = DBusProxy::new(connection).await.ok()?;
        bus.name_has_owner(BusName::try_from(name).ok()?).await.ok()
    };
    within(LIMIT, asking).await.flatten().unwrap_or(false)
}

/// Whether the bus would start somebody for `name`.
pub async fn is_activatable(connection: &Connection, name: &str) -> bool {
    let asking = async {
        let bus = DBusProxy::new(connection).await.ok()?;
        bus.list_activatable_names().await.ok()
    };
    let names = within(LIMIT, asking).await.flatten().unwrap_or_default();
    names.iter().any(|known| known.as_str() == name)
}

/// Whether `name` is owned, or would be started, on the session bus.
pub async fn is_there(name: &str) -> bool {
    match session().await {
        Some(bus) => has_owner(&bus, name).await || is_activatable(&bus, name).await,
        None => false,
    }
}
