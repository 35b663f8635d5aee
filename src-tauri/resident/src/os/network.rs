//! Whether the machine has a network, told by the kernel when it changes (rtnetlink(7)).

use std::path::Path;
use std::time::Duration;

/// Changes come in bursts (link, address, route): they are looked at together.
const SETTLE: Duration = Duration::from_millis(300);

/// Calls `changed` with whether there is a network: once at the start, and whenever that, or the way
/// out, changes. Never ends; where changes are not told, it only calls once.
pub async fn watch(changed: impl Fn(bool) + Send + Sync) {
    let mut known = Ways::now();
    changed(known.is_up());
    #[cfg(target_os = "linux")]
    {
        let Ok(socket) = netlink::Socket::open() else {
            tracing::warn!("changes of the network are not told on this system");
            return std::future::pending().await;
        };
        loop {
            if let Err(error) = socket.changed().await {
                tracing::warn!(%error, "changes of the network are not told any more");
                break;
            }
            super::clock::pause(SETTLE).await;
            let now = Ways::now();
            if now != known {
                changed(now.is_up());
                known = now;
            }
        }
    }
    std::future::pending::<()>().await;
}

/// Whether there is a network just now.
pub fn is_up() -> bool {
    Ways::now().is_up()
}

/// The ways out of this machine: what differs when it moves to another network. None where the
/// system does not say.
#[derive(Debug, PartialEq, Eq)]
struct Ways(Option<Vec<String>>);

impl Ways {
    fn now() -> Self {
        let read = |path: &str| std::fs::read_to_string(Path::new(path)).ok();
        match (read("/proc/net/route"), read("/proc/net/if_inet6")) {
            (None, None) => Self(None),
            (routes, addresses) => Self(Some(ways(
                &routes.unwrap_or_default(),
                &addresses.unwrap_or_default(),
            ))),
        }
    }

    /// Any way is a network; where nothing is known there is hope.
    fn is_up(&self) -> bool {
        self.0.as_ref().is_none_or(|ways| !ways.is_empty())
    }
}

/// IPv4 routes of other interfaces than loopback (`/proc/net/route`: interface, destination, gateway),
/// and IPv6 addresses that reach beyond the link (`/proc/net/if_inet6`: address, index, prefix length,
/// scope, flags, interface; scope 00 is global), sorted.
fn ways(routes: &str, addresses: &str) -> Vec<String> {
    let mut ways = Vec::new();
    for line in routes.lines().skip(1) {
        let mut fields = line.split_whitespace();
        let (Some(interface), Some(destination), Some(gateway)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        if interface != "lo" {
            ways.push(format!("{interface} {destination} {gateway}"));
        }
    }
    for line in addresses.lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        if let [address, _, _, scope, _, interface] = fields[..]
            && interface != "lo"
            && scope == "00"
        {
            ways.push(format!("{interface} {address}"));
        }
    }
    ways.sort();
    ways.dedup();
    ways
}

#[cfg(target_os = "linux")]
mod netlink {
    use rustix::fd::OwnedFd;
    use rustix::net::{
        AddressFamily, RecvFlags, SocketFlags, SocketType, bind, netlink::SocketAddrNetlink, recv,
        socket_with,
    };
    use std::io;
    use tokio::io::unix::AsyncFd;

    /// Links, IPv4 and IPv6 addresses and routes (`RTMGRP_*`, rtnetlink(7)).
    const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

    /// A socket that hears of changes and never asks.
    pub struct Socket(AsyncFd<OwnedFd>);

    impl Socket {
        pub fn open() -> io::Result<Self> {
            let socket = socket_with(
                AddressFamily::NETLINK,
                SocketType::RAW,
                SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
                None,
            )?;
            bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
            Ok(Self(crate::os::fd::readable(socket)?))
        }

        /// Waits for a change and takes all that is told just now. What it says does not matter: the
        /// state is read afterwards, so that an overflow of the socket loses nothing.
        pub async fn changed(&self) -> io::Result<()> {
            let mut ready = self.0.readable().await?;
            let mut buffer = [0_u8; 4096];
            loop {
                match ready.try_io(|socket| {
                    Ok(recv(socket.get_ref(), &mut buffer[..], RecvFlags::empty())?)
                }) {
                    Ok(Ok(_)) => {}
                    Ok(Err(error))
                        if error.raw_os_error()
                            == Some(rustix::io::Errno::NOBUFS.raw_os_error()) => {}
                    Ok(Err(error)) => return Err(error),
                    // Nothing more just now.
                    Err(_) => return Ok(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Iface\tDestination\tGateway \tFlags\n";
    const LOOPBACK_6: &str = "00000000000000000000000000000001 01 80 10 80       lo\n";

    #[test]
    fn loopback_and_link_local_alone_are_no_network() {
        assert_eq!(ways("", ""), Vec::<String>::new());
        assert_eq!(ways(HEADER, LOOPBACK_6), Vec::<String>::new());
        let link_local = "fe800000000000000000000000000001 02 40 20 80     eth0\n";
        assert_eq!(ways(HEADER, link_local), Vec::<String>::new());
        let loopback_route = format!("{HEADER}lo\t0000007F\t00000000\t0001\n");
        assert_eq!(ways(&loopback_route, ""), Vec::<String>::new());
    }

    #[test]
    fn a_route_or_a_global_address_is_a_network_and_another_is_another() {
        let home = ways(&format!("{HEADER}wlan0\t00000000\t0101A8C0\t0003\n"), "");
        let office = ways(&format!("{HEADER}wlan0\t00000000\t0100000A\t0003\n"), "");
        assert_eq!(home.len(), 1);
        assert_ne!(home, office);
        let six = "20010db8000000000000000000000001 02 40 00 80     eth0\n";
        assert_eq!(ways("", six).len(), 1);
        // Damaged lines say nothing.
        assert_eq!(ways("x\neth0", "20 01"), Vec::<String>::new());
        assert!(Ways(None).is_up());
    }

    /// In a network of its own, which this test plugs and unplugs: run by the next one.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    #[ignore = "needs a network of its own"]
    async fn in_a_network_of_its_own() {
        let ip = |arguments: &str| {
            let mut command = std::process::Command::new("ip");
            let done = command.args(arguments.split(' ')).status().unwrap();
            assert!(done.success(), "ip {arguments}");
        };
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let watching = tokio::spawn(watch(move |up| tell.send(up).unwrap()));
        assert_eq!(told.recv().await, Some(false), "nothing but loopback");
        ip("link add tidings0 type veth peer name tidings1");
        ip("address add 192.0.2.1/24 dev tidings0");
        ip("link set tidings1 up");
        ip("link set tidings0 up");
        assert_eq!(told.recv().await, Some(true), "plugged in");
        // Another way out is news too: connections over the old one are dead.
        ip("route add default via 192.0.2.2");
        assert_eq!(told.recv().await, Some(true), "another network");
        ip("link delete tidings0");
        assert_eq!(told.recv().await, Some(false), "unplugged");
        watching.abort();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernel_tells_of_every_change() {
        use std::process::Command;
        let alone = |arguments: &[&str]| {
            let mut command = Command::new("unshare");
            command.args(["--map-root-user", "--net"]).args(arguments);
            command.output()
        };
        let can = alone(&["ip", "link", "add", "tidings0", "type", "veth"]);
        if !can.is_ok_and(|can| can.status.success()) {
            eprintln!("skipped: this system lets nobody have a network of their own");
            return;
        }
        let this = std::env::current_exe().unwrap();
        let name = "os::network::tests::in_a_network_of_its_own";
        let run = alone(&[this.to_str().unwrap(), "--ignored", "--exact", name]).unwrap();
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && said.contains("1 passed"), "{said}");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_first_state_is_told_at_once() {
        let (tell, told) = tokio::sync::oneshot::channel();
        let tell = std::sync::Mutex::new(Some(tell));
        let watching = tokio::spawn(watch(move |up| {
            if let Some(tell) = tell.lock().unwrap().take() {
                let _ = tell.send(up);
            }
        }));
        assert_eq!(told.await.unwrap(), is_up());
        watching.abort();
    }
}
