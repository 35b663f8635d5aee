//! A resident on a desktop whose settings name a proxy.

use crate::desktop::Desk;
use ::support::Portal;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tidings_api::ConnectionState;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// An HTTP proxy (RFC 9112, 3.2.2) behind which there is one server, whatever it is called.
struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let notes = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let notes = Arc::clone(&notes);
                tokio::spawn(async move {
                    let mut client = BufReader::new(client);
                    let mut line = String::new();
                    if client.read_line(&mut line).await.unwrap_or(0) == 0 {
                        return;
                    }
                    notes.lock().unwrap().push(line.trim_end().to_owned());
                    let mut server = TcpStream::connect(server).await.unwrap();
                    drop(server.write_all(line.as_bytes()).await);
                    drop(copy_bidirectional(&mut client, &mut server).await);
                });
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn live(desk: &Desk, name: &str) {
    desk.wait(|status| {
        let is = |one: &&tidings_api::ConnectionView| one.account_name == name;
        let found = status.connections.iter().find(is);
        found.is_some_and(|one| one.state == ConnectionState::Live)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_of_the_desktops_settings_is_taken() {
    let desk = Desk::new().await;
    let portal = Portal::start(&desk.address).await.unwrap();
    let proxy = Proxy::start(desk.server.addr()).await;
    portal.say(&[&format!("http://{}", proxy.address), "direct://"]);
    let mut resident = desk.resident("daemon").await;
    assert!(
        portal.asked().is_empty(),
        "this computer is nobody's business"
    );
    // The server's name is known behind the proxy only.
    let added = [
        "account",
        "add",
        "http://ntfy.invalid",
        "--kind",
        "ntfy",
        "--name",
        "away",
    ];
    let more = ["--topic", "t", "--transport", "http-stream"];
    desk.place.run(&[&added[..], &more].concat()).ok();
    live(&desk, "away").await;
    let stream = "GET http://ntfy.invalid/t/json HTTP/1.1";
    let asked = proxy.asked();
    assert!(asked.iter().any(|line| line == stream), "{asked:?}");
    let asked = portal.asked();
    assert!(
        !asked.is_empty() && asked.iter().all(|uri| uri == "http://ntfy.invalid/"),
        "neither paths nor what is in them: {asked:?}"
    );

    // What the account says comes first, and is not even asked for.
    let before = (proxy.asked().len(), portal.asked().len());
    desk.place
        .run(&["account", "edit", "away", "--proxy", "none"])
        .ok();
    desk.wait(|status| {
        let gone =
            |one: &tidings_api::ConnectionView| one.problem.contains("name could not be found");
        status.connections.iter().any(gone)
    })
    .await;
    assert_eq!((proxy.asked().len(), portal.asked().len()), before);
    desk.place
        .run(&["account", "edit", "away", "--proxy", "system"])
        .ok();
    live(&desk, "away").await;

    // A portal that does not answer is none, and holds nobody up for long.
    portal.hang(true);
    let asked = portal.asked().len();
    desk.server.drop_connections();
    desk.wait(|status| {
        let gone =
            |one: &tidings_api::ConnectionView| one.problem.contains("name could not be found");
        status.connections.iter().any(gone)
    })
    .await;
    assert!(portal.asked().len() > asked);
    assert_eq!(resident.end(true).await, Some(0));
}

/// The environment comes before the desktop.
#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_of_the_environment_comes_first() {
    let desk = Desk::new().await;
    let portal = Portal::start(&desk.address).await.unwrap();
    let proxy = Proxy::start(desk.server.addr()).await;
    portal.say(&["direct://"]);
    let address = format!("http://{}", proxy.address);
    let mut resident = desk
        .resident_with("daemon", &[("http_proxy", &address)])
        .await;
    let added = [
        "account",
        "add",
        "http://ntfy.invalid",
        "--kind",
        "ntfy",
        "--name",
        "away",
    ];
    let more = ["--topic", "t", "--transport", "http-stream"];
    desk.place.run(&[&added[..], &more].concat()).ok();
    live(&desk, "away").await;
    assert!(!proxy.asked().is_empty() && portal.asked().is_empty());
    assert_eq!(resident.end(true).await, Some(0));
}
