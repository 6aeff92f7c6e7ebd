//! What goes back to a client: a head, and a body that is there at once or comes in chunks.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

use super::journal::{BODY_KEPT, Sent};
use super::reporter::Reporter;
use super::trouble::trouble;
use crate::emulator::Progress;
use crate::gateway::{ClientResponse, Head};

/// A response for the client.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) head: Head,
    pub(super) body: Body,
}

/// A stream has ended before its end: the connection has to be cut.
#[derive(Debug)]
pub(super) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the stream was cut")
    }
}

impl std::error::Error for Cut {}

/// The body of a response. When it is dropped, the journal and the terminal get to know what was sent.
#[derive(Debug)]
pub(super) struct Body {
    /// What is there already.
    ready: Option<Bytes>,
    /// Where more comes from.
    steps: Option<mpsc::Receiver<(Instant, Progress)>>,
    tally: Option<Tally>,
}

/// What was sent so far.
#[derive(Debug)]
struct Tally {
    reporter: Arc<Reporter>,
    number: u64,
    head: Head,
    /// The bytes that are kept, of a body that came at once.
    whole: Bytes,
    /// The bytes that are kept, of a body in chunks.
    kept: BytesMut,
    bytes: u64,
    complete: bool,
}

impl Reply {
    /// A response that is complete. `takes_body` is false for HEAD.
    pub(super) fn whole(response: ClientResponse, number: u64, takes_body: bool, reporter: &Arc<Reporter>) -> Self {
        let ClientResponse { head, body } = response;
        let mut tally = Tally::new(number, &head, reporter);
        tally.complete = !takes_body || body.is_empty();
        let body =
            Body { ready: Some(body).filter(|body| takes_body && !body.is_empty()), steps: None, tally: Some(tally) };
        Self { head, body }
    }

    /// A response in chunks, of which the first is there.
    pub(super) fn streamed(
        head: Head,
        first: Bytes,
        steps: mpsc::Receiver<(Instant, Progress)>,
        number: u64,
        reporter: &Arc<Reporter>,
    ) -> Self {
        let tally = Tally::new(number, &head, reporter);
        let ready = Some(first).filter(|first| !first.is_empty());
        Self { head, body: Body { ready, steps: Some(steps), tally: Some(tally) } }
    }

    /// A response that no exchange is about.
    pub(super) fn aside(response: ClientResponse) -> Self {
        let ClientResponse { head, body } = response;
        Self { head, body: Body { ready: Some(body), steps: None, tally: None } }
    }

    /// Takes the whole body, as a client does.
    pub(super) async fn read(mut self) {
        while let Some(Ok(_)) = std::future::poll_fn(|context| self.body.poll(context)).await {}
    }
}

impl Body {
    /// How many bytes follow, if that is known.
    pub(super) fn length(&self) -> Option<u64> {
        let ready = self.ready.as_ref().map_or(0, Bytes::len) as u64;
        self.steps.is_none().then_some(ready)
    }

    /// The next bytes; `None` at the end.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        if let Some(bytes) = self.ready.take() {
            if let Some(tally) = &mut self.tally {
                tally.count(&bytes, self.steps.is_none());
            }
            return Poll::Ready(Some(Ok(bytes)));
        }
        let Some(steps) = &mut self.steps else { return Poll::Ready(None) };
        loop {
            let Poll::Ready(step) = steps.poll_recv(context) else { return Poll::Pending };
            let outcome = match step {
                Some((at, Progress::Chunk(bytes))) => {
                    if let Some(tally) = &mut self.tally {
                        tally.reporter.chunk(tally.number, at, bytes.len());
                        tally.count(&bytes, false);
                    }
                    if bytes.is_empty() {
                        continue;
                    }
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Some((_, Progress::Done(outcome))) => Some(outcome),
                Some((_, Progress::Started | Progress::Head(_) | Progress::End(_) | Progress::Debugger)) => continue,
                None => None,
            };
            self.steps = None;
            let trouble = match &outcome {
                Some(outcome) => trouble(outcome),
                None => Some("the function ended before its response".to_owned()),
            };
            let Some(tally) = &mut self.tally else { return Poll::Ready(None) };
            tally.complete = trouble.is_none();
            return Poll::Ready(trouble.map(|text| {
                tally.reporter.trouble(tally.number, text);
                Err(Cut)
            }));
        }
    }
}

impl Tally {
    fn new(number: u64, head: &Head, reporter: &Arc<Reporter>) -> Self {
        Self {
            reporter: Arc::clone(reporter),
            number,
            head: head.clone(),
            whole: Bytes::new(),
            kept: BytesMut::new(),
            bytes: 0,
            complete: false,
        }
    }

    fn count(&mut self, bytes: &Bytes, is_whole: bool) {
        self.bytes += bytes.len() as u64;
        if is_whole {
            self.whole = bytes.slice(..bytes.len().min(BODY_KEPT));
            self.complete = true;
        } else {
            let room = BODY_KEPT.saturating_sub(self.kept.len());
            self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let Some(tally) = self.tally.take() else { return };
        let body = if tally.kept.is_empty() { tally.whole } else { tally.kept.freeze() };
        // A server reads no further than the announced length, and so not to the end of the stream.
        let announced = tally.head.headers.get(http::header::CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let whole = tally.complete || announced == Some(tally.bytes);
        let sent = Sent { head: tally.head, body, bytes: tally.bytes, whole };
        tally.reporter.sent(tally.number, Some(sent));
    }
}
