//! Who may come in: nginx's own passwords, and an application that nginx asks.

use super::servers;
use super::{
    House, Store, TRANSPORTS, as_ada, came_in_order, desk, draft, in_order, is_stopped, live,
};
use support::Result;
use tidings_api::{AccountDraft, Reply, Request, Secret, SignIn};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_stops_and_a_right_one_receives() -> Result<()> {
    if !servers::are_here()? {
        return Ok(());
    }
    let house = House::new(Store::Memory).await?;
    house.publish_some("/pub/alerts", "message", 0, 2).await?;
    let url = house.nginx.url("/basic/alerts");
    for transport in TRANSPORTS {
        for wrong in [
            draft(&url, Some(transport), ""),
            as_ada(draft(&url, Some(transport), ""), "guessed"),
        ] {
            let desk = desk();
            desk.add_account(wrong).await;
            desk.until_in_time("it stops", is_stopped).await;
            assert!(desk.rows().await.is_empty());
            desk.engine.stop().await;
        }
        let desk = desk();
        desk.add_account(as_ada(draft(&url, Some(transport), ""), "reads-all-1"))
            .await;
        live(&desk).await;
        came_in_order(&desk, &in_order("message", 2), &format!("{transport:?}")).await;
        desk.engine.stop().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_tells_a_wrong_password_from_a_right_one() -> Result<()> {
    if !servers::are_here()? {
        return Ok(());
    }
    let house = House::new(Store::Memory).await?;
    let url = house.nginx.url("/basic/alerts");
    let desk = desk();
    for (password, ok) in [("guessed", false), ("reads-all-1", true)] {
        let tried = desk.ask(Request::AccountTry(as_ada(draft(&url, None, ""), password)));
        tokio::pin!(tried);
        let report = loop {
            tokio::select! {
                reply = &mut tried => match reply {
                    Reply::Test(report) => break report,
                    other => panic!("{other:?}"),
                },
                () = desk.clock.pass(std::time::Duration::from_millis(200)) => {}
            }
        };
        assert_eq!(report.ok, ok, "{report:?}");
    }
    Ok(())
}

/// An application that lets in who brings the right token.
async fn door() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((visitor, _)) = listener.accept().await {
            tokio::spawn(answer(visitor));
        }
    });
    Ok(addr.to_string())
}

async fn answer(mut visitor: TcpStream) -> std::io::Result<()> {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        if visitor.read_buf(&mut asked).await? == 0 {
            return Ok(());
        }
    }
    let asked = String::from_utf8_lossy(&asked).to_lowercase();
    let head = if asked.contains("\r\nauthorization: bearer good\r\n") {
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    } else {
        "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
    };
    visitor.write_all(head.as_bytes()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_is_asked_who_may_come_in() -> Result<()> {
    if !servers::are_here()? {
        return Ok(());
    }
    let house = House::with_door(Store::Memory, &door().await?).await?;
    house.publish_some("/pub/alerts", "message", 0, 2).await?;
    let url = house.nginx.url("/asked/alerts");
    for transport in TRANSPORTS {
        for (token, may) in [("bad", false), ("good", true)] {
            let desk = desk();
            let draft = AccountDraft {
                sign_in: SignIn::Token,
                secret: Some(Secret::new(token)),
                ..draft(&url, Some(transport), "")
            };
            desk.add_account(draft).await;
            if may {
                live(&desk).await;
                came_in_order(&desk, &in_order("message", 2), &format!("{transport:?}")).await;
            } else {
                desk.until_in_time("it stops", is_stopped).await;
                let says = &desk.status().await.connections[0].problem;
                assert!(says.contains("does not allow"), "{transport:?}: {says}");
                assert!(desk.rows().await.is_empty());
            }
            desk.engine.stop().await;
        }
    }
    // An older Nchan's worker ends where nginx answers by itself; an application's answer is fine.
    assert!(
        !house.nginx.log().contains("exited on signal"),
        "{}",
        house.nginx.log()
    );
    Ok(())
}
