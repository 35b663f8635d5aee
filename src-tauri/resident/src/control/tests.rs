use super::*;
use crate::profile::Places;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tidings_api::{AccountId, Client, ClientError, Presence};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::Notify;

/// Answers at once, but for `Quit`, which waits until it is told to.
struct Echo {
    hints: broadcast::Sender<Event>,
    asked: Mutex<Vec<Request>>,
    go: Notify,
    under_way: AtomicUsize,
    gone: Notify,
}

impl Verbs for Echo {
    fn handle(&self, request: Request) -> Later<'_, Result<Reply, ErrorView>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(request.clone());
            match request {
                Request::Quit => {
                    self.under_way.fetch_add(1, Ordering::SeqCst);
                    self.go.notified().await;
                    Ok(Reply::Done)
                }
                Request::AccountTest { .. } => {
                    Err(ErrorView::new(ErrorCode::NotFound, "No such account."))
                }
                _ => Ok(Reply::Done),
            }
        })
    }

    fn hints(&self) -> broadcast::Receiver<Event> {
        self.hints.subscribe()
    }

    fn window_gone(&self) {
        self.gone.notify_one();
    }
}

struct Running {
    _folder: tempfile::TempDir,
    profile: Profile,
    echo: Arc<Echo>,
    clients: Arc<Clients>,
    _serving: JoinSet<()>,
}

fn running() -> Running {
    let folder = tempfile::tempdir().unwrap();
    let profile = Profile::find(Some(folder.path()), &Places::default()).unwrap();
    profile.create().unwrap();
    // What a killed resident leaves behind.
    std::fs::write(&profile.socket, "").unwrap();
    let echo = Arc::new(Echo {
        hints: broadcast::channel(4).0,
        asked: Mutex::default(),
        go: Notify::new(),
        under_way: AtomicUsize::new(0),
        gone: Notify::new(),
    });
    let clients = Arc::<Clients>::default();
    let mut serving = JoinSet::new();
    serving.spawn(serve(
        listen(&profile).unwrap(),
        Arc::<Echo>::clone(&echo),
        Arc::clone(&clients),
    ));
    Running {
        _folder: folder,
        profile,
        echo,
        clients,
        _serving: serving,
    }
}

const HELLO_LINE: &str = "{\"tidings\":1,\"version\":\"0\",\"role\":\"test\"}\n";

#[tokio::test]
async fn calls_are_answered_each_by_its_id_and_errors_keep_their_words() {
    let running = running();
    let client = Client::connect(&running.profile.socket, "test")
        .await
        .unwrap();
    assert_eq!(client.call(Request::Status).await.unwrap(), Reply::Done);
    let id = AccountId(1);
    let error = client.call(Request::AccountTest { id }).await.unwrap_err();
    assert!(matches!(error, ClientError::Refused(view) if view.message == "No such account."));
    let (slow, quick) = tokio::join!(client.call(Request::Quit), async {
        let quick = client.call(Request::Kinds).await;
        running.echo.go.notify_one();
        quick
    });
    assert_eq!(slow.unwrap(), Reply::Done);
    assert_eq!(quick.unwrap(), Reply::Done);
}

#[tokio::test]
async fn a_watcher_hears_hints_and_one_that_lags_is_told_to_read_again() {
    let running = running();
    let client = Client::connect(&running.profile.socket, "test")
        .await
        .unwrap();
    let mut events = client.watch().await.unwrap();
    running.echo.hints.send(Event::Status).unwrap();
    assert_eq!(events.next().await, Some(Event::Status));
    // A caller that does not read: its line, its queue and the channel fill up.
    let mut deaf = UnixStream::connect(&running.profile.socket).await.unwrap();
    let watch = format!("{HELLO_LINE}{{\"id\":1,\"request\":{{\"do\":\"watch\"}}}}\n");
    deaf.write_all(watch.as_bytes()).await.unwrap();
    let mut reader = BufReader::new(deaf);
    let mut line = String::new();
    for _ in 0..2 {
        line.clear();
        reader.read_line(&mut line).await.unwrap();
    }
    assert!(line.contains("reply"), "{line}");
    let mut sent = 0;
    while sent < 100_000 {
        running.echo.hints.send(Event::Accounts).unwrap();
        sent += 1;
    }
    let mut heard = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).await.unwrap();
        heard += 1;
        if line.contains("resync") {
            break;
        }
    }
    assert!(heard < sent, "{heard}");
}

#[tokio::test]
async fn abuse_ends_one_connection_and_nothing_else() {
    let running = running();
    let garbage: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        b"{\"tidings\":99,\"version\":\"9\",\"role\":\"x\"}\n".to_vec(),
        b"\n".to_vec(),
        vec![0xff; 100],
        vec![b'x'; wire::MAX_LINE + 10],
        [HELLO_LINE.as_bytes(), &vec![b'x'; wire::MAX_LINE + 10]].concat(),
        [HELLO_LINE.as_bytes(), b"\xff\xfe\n"].concat(),
    ];
    for bytes in garbage {
        let mut stream = UnixStream::connect(&running.profile.socket).await.unwrap();
        // It may be cut off while it still writes.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    }
    let client = Client::connect(&running.profile.socket, "test")
        .await
        .unwrap();
    assert_eq!(client.call(Request::Status).await.unwrap(), Reply::Done);
    assert_eq!(running.echo.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_unknown_request_is_refused_and_its_connection_lives() {
    let running = running();
    let mut stream = UnixStream::connect(&running.profile.socket).await.unwrap();
    let lines = format!(
        "{HELLO_LINE}{{\"id\":7,\"request\":{{\"do\":\"marker-secret\"}}}}\n{{\"id\":8,\"request\":{{\"do\":\"status\"}}}}\n"
    );
    stream.write_all(lines.as_bytes()).await.unwrap();
    let mut reader = BufReader::new(stream).lines();
    let mut next = async || reader.next_line().await.unwrap().unwrap();
    assert!(next().await.contains("resident"));
    let refused = next().await;
    assert!(
        refused.contains("\"id\":7") && refused.contains("invalid"),
        "{refused}"
    );
    assert!(!refused.contains("marker-secret"), "{refused}");
    assert!(next().await.contains("\"id\":8"));
}

#[tokio::test]
async fn calls_under_way_and_connections_are_bounded() {
    let running = running();
    let mut stream = UnixStream::connect(&running.profile.socket).await.unwrap();
    let mut lines = HELLO_LINE.to_owned();
    for id in 1..=UNDER_WAY * 3 {
        let call = format!("{{\"id\":{id},\"request\":{{\"do\":\"quit\"}}}}\n");
        lines.push_str(&call);
    }
    stream.write_all(lines.as_bytes()).await.unwrap();
    while running.echo.under_way.load(Ordering::SeqCst) < UNDER_WAY {
        tokio::task::yield_now().await;
    }
    // Another caller is served all the same, and each turn of it gives the first one a chance.
    let client = Client::connect(&running.profile.socket, "test")
        .await
        .unwrap();
    for _ in 0..20 {
        client.call(Request::Status).await.unwrap();
    }
    assert_eq!(running.echo.under_way.load(Ordering::SeqCst), UNDER_WAY);
    let mut held = Vec::new();
    let refused = loop {
        match Client::connect(&running.profile.socket, "test").await {
            Ok(client) => held.push(client),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, ClientError::Refused(_)), "{refused}");
    assert_eq!(held.len(), clients::MOST - 2);
    assert!(client.call(Request::Status).await.is_ok());
}

#[tokio::test]
async fn looking_is_withdrawn_when_the_window_is_killed() {
    let running = running();
    let window = Client::connect(&running.profile.socket, "window")
        .await
        .unwrap();
    let presence = Presence {
        focused: true,
        ..Presence::default()
    };
    window.call(Request::Looking(presence)).await.unwrap();
    drop(window);
    running.echo.gone.notified().await;
    let _ = &running.clients;
}

#[cfg(unix)]
#[tokio::test]
async fn the_socket_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let running = running();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&running.profile.run), 0o700);
    assert_eq!(mode(&running.profile.socket), 0o600);
}
