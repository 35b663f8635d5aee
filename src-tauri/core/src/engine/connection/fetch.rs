//! A request beside the connection: its answer, in parts, as the session wants to read it.

use super::failure::failure;
use crate::backend::Read;
use crate::model::{HttpRequest, TransportKind};
use crate::ports::Clock;
use crate::transport::{Answer, Dial, Route, TransportError};
use std::time::Duration;
use tokio::sync::mpsc;

/// How much of a refusal's body a codec sees.
const REFUSAL_BODY: usize = 4096;
/// The longest body that is read as one text.
const WHOLE_BODY: usize = 16 * 1024 * 1024;

/// A part of a fetched answer, owned.
pub(super) enum Part {
    Head(Vec<(String, String)>),
    Line(String),
    Body(String),
    TooLong,
    End,
    Refused {
        status: u16,
        headers: Vec<(String, String)>,
        retry_after: Option<Duration>,
        body: String,
    },
    Broken(TransportError),
}

/// Makes the request and hands over what comes; an error where nobody wants it any more.
pub(super) async fn fetch_parts(
    dial: &dyn Dial,
    clock: &dyn Clock,
    request: &HttpRequest,
    route: &Route,
    (tag, read): (u32, Read),
    parts: &mpsc::Sender<(u32, Part)>,
) -> Result<(), mpsc::error::SendError<(u32, Part)>> {
    let mut answer = match dial.fetch(request, route).await {
        Ok(answer) => answer,
        Err(TransportError::Timeout) if request.patience.is_some() => {
            let part = Part::Refused {
                status: 408,
                headers: Vec::new(),
                retry_after: None,
                body: String::new(),
            };
            return parts.send((tag, part)).await;
        }
        Err(error) => return parts.send((tag, broken(error, read))).await,
    };
    if !(200..300).contains(&answer.status()) {
        let part = match refusal(answer.as_mut()).await {
            Ok(part) => part,
            Err(error) => broken(error, read),
        };
        return parts.send((tag, part)).await;
    }
    let headers = answer.headers().to_vec();
    parts.send((tag, Part::Head(headers))).await?;
    if matches!(read, Read::Whole | Read::Apart) {
        let part = match answer.text(WHOLE_BODY + 1).await {
            Ok(body) if body.len() > WHOLE_BODY => Part::TooLong,
            Ok(body) => Part::Body(body),
            Err(error) => return parts.send((tag, broken(error, read))).await,
        };
        parts.send((tag, part)).await?;
        return parts.send((tag, Part::End)).await;
    }
    let mut room = WHOLE_BODY;
    loop {
        let line = match read {
            Read::Backlog { quiet } => {
                let mut over = clock.sleep(quiet);
                tokio::select! {
                    biased;
                    line = answer.line() => line,
                    () = &mut over => Ok(None),
                }
            }
            Read::Lines | Read::Whole | Read::Apart => answer.line().await,
        };
        let part = match line {
            Ok(Some(line)) => {
                if let Read::Backlog { .. } = read {
                    room = room.saturating_sub(line.len());
                }
                Part::Line(line)
            }
            Ok(None) => return parts.send((tag, Part::End)).await,
            Err(error) => return parts.send((tag, Part::Broken(error))).await,
        };
        parts.send((tag, part)).await?;
        if room == 0 {
            parts.send((tag, Part::TooLong)).await?;
            return parts.send((tag, Part::End)).await;
        }
    }
}

/// No answer: the end of the attempt, unless the connection can do without. What needs the user ends it all
/// the same.
fn broken(error: TransportError, read: Read) -> Part {
    if read != Read::Apart || error == TransportError::Cleartext {
        return Part::Broken(error);
    }
    Part::Refused {
        status: 0,
        headers: Vec::new(),
        retry_after: None,
        body: failure(&error, TransportKind::Poll).says,
    }
}

async fn refusal(answer: &mut dyn Answer) -> Result<Part, TransportError> {
    let status = answer.status();
    Ok(Part::Refused {
        status,
        headers: answer.headers().to_vec(),
        retry_after: answer.retry_after(),
        body: answer.text(REFUSAL_BODY).await?,
    })
}
