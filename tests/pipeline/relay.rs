//! A TCP relay that can stop relaying without closing anything (a half-open connection), and hang up.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, tcp};
use tokio::sync::watch;

pub struct Relay {
    addr: SocketAddr,
    frozen: Arc<watch::Sender<u64>>,
    cut: Arc<watch::Sender<()>>,
    refusing: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
}

impl Relay {
    pub async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let frozen = Arc::new(watch::Sender::new(0));
        let state = Arc::clone(&frozen);
        let cut = Arc::new(watch::Sender::new(()));
        let end = Arc::clone(&cut);
        let refusing = Arc::new(AtomicBool::new(false));
        let refused = Arc::new(AtomicUsize::new(0));
        let (refuse, count) = (Arc::clone(&refusing), Arc::clone(&refused));
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                if refuse.load(Ordering::SeqCst) {
                    count.fetch_add(1, Ordering::SeqCst);
                    continue;
                }
                let Ok(to) = TcpStream::connect(to).await else {
                    continue;
                };
                let (from_read, from_write) = from.into_split();
                let (to_read, to_write) = to.into_split();
                tokio::spawn(pump(
                    from_read,
                    to_write,
                    state.subscribe(),
                    end.subscribe(),
                ));
                tokio::spawn(pump(
                    to_read,
                    from_write,
                    state.subscribe(),
                    end.subscribe(),
                ));
            }
        });
        Self {
            addr,
            frozen,
            cut,
            refusing,
            refused,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// From now on nothing passes, on old connections for ever, on new ones until [`Relay::thaw`].
    pub fn freeze(&self) {
        self.frozen.send_modify(|generation| *generation += 1);
    }

    /// Hangs up on everybody, wherever they are in what they say.
    #[allow(dead_code, reason = "not every test hangs up")]
    pub fn cut(&self) {
        self.cut.send_replace(());
    }

    /// New connections end at once, or are let through again; those that are there go on.
    #[allow(dead_code, reason = "not every test refuses")]
    pub fn refuse(&self, refuse: bool) {
        self.refusing.store(refuse, Ordering::SeqCst);
    }

    /// How many were refused.
    #[allow(dead_code, reason = "not every test refuses")]
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    /// New connections pass again.
    pub fn thaw(&self) {
        self.frozen.send_modify(|generation| *generation += 1);
    }
}

async fn pump(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    mut state: watch::Receiver<u64>,
    mut cut: watch::Receiver<()>,
) {
    let born = *state.borrow_and_update();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        // Odd generations are frozen; an older connection stays so.
        if *state.borrow() != born || born % 2 == 1 {
            // Hanging up is all that can still happen to it.
            let _ = cut.changed().await;
            return;
        }
        tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(0) | Err(_) => return,
                Ok(n) => {
                    if to.write_all(&buffer[..n]).await.is_err() {
                        return;
                    }
                }
            },
            _ = state.changed() => {}
            _ = cut.changed() => return,
        }
    }
}
