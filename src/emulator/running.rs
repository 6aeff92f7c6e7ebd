//! A queued or running invocation: its steps, and how they add up to an outcome.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use tokio::sync::mpsc;

use super::outcome::{Chunk, FunctionResponse, Outcome, PlatformError, Stream};

/// One step of a running invocation.
#[derive(Clone, Debug)]
pub enum Progress {
    /// The runtime has taken the event; the timeout starts to count.
    Started,
    /// The head of a streamed response; [`Progress::Chunk`]s follow.
    Head(HeaderMap),
    /// Bytes of a streamed response.
    Chunk(Bytes),
    /// The clean end of a streamed response, with its trailers.
    End(Option<HeaderMap>),
    /// A debugger in the application waits for the user at the terminal. Only from [`Sandbox::invoke_with`].
    ///
    /// [`Sandbox::invoke_with`]: super::Sandbox::invoke_with
    Debugger,
    /// Everything at once: a buffered response, or an error.
    Done(Outcome),
}

impl Progress {
    /// Whether no other step follows.
    pub(super) fn is_last(&self) -> bool {
        matches!(self, Self::End(_) | Self::Done(_))
    }
}

/// The sending half of a [`Running`]: steps, and when they happened.
pub type Steps = mpsc::Sender<(Instant, Progress)>;

/// A queued or running invocation.
///
/// The runtime has to wait until its steps are taken, so a slow client slows a streaming application here as it does
/// on Lambda. After this is dropped, the runtime still finishes, and its response is thrown away.
#[derive(Debug)]
pub struct Running {
    request_id: String,
    steps: mpsc::Receiver<(Instant, Progress)>,
}

impl Running {
    pub(super) fn new(request_id: String) -> (Steps, Self) {
        // Room for the start and one more step: the runtime waits with the next chunk until this one is taken.
        let (sender, steps) = mpsc::channel(2);
        (sender, Self { request_id, steps })
    }

    /// The request id.
    pub fn id(&self) -> &str {
        &self.request_id
    }

    /// The next step and when it happened; `None` after the last one.
    ///
    /// `None` without [`Progress::End`] or [`Progress::Done`] before it means that the transfer was cut.
    pub async fn next(&mut self) -> Option<(Instant, Progress)> {
        self.steps.recv().await
    }

    /// Waits for the end and returns what the steps add up to.
    pub async fn outcome(mut self) -> Outcome {
        let mut collected = Collected::new(true);
        while let Some((at, step)) = self.next().await {
            if let Some(outcome) = collected.add(at, step) {
                return outcome;
            }
        }
        collected.cut(&self.request_id)
    }
}

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Collected {
    keeps_chunks: bool,
    head: Option<(Instant, HeaderMap)>,
    body: BytesMut,
    stream: Stream,
}

impl Collected {
    /// Without `keeps_chunks`, the outcome of a streamed response is without its body.
    pub(super) fn new(keeps_chunks: bool) -> Self {
        Self { keeps_chunks, ..Self::default() }
    }

    /// Adds a step; returns the outcome after the last one.
    pub(super) fn add(&mut self, at: Instant, step: Progress) -> Option<Outcome> {
        match step {
            Progress::Started | Progress::Debugger => None,
            Progress::Head(headers) => {
                self.head = Some((at, headers));
                None
            }
            Progress::Chunk(_) if !self.keeps_chunks => None,
            Progress::Chunk(bytes) => {
                let start = self.head.as_ref().map_or(at, |(start, _)| *start);
                self.body.extend_from_slice(&bytes);
                self.stream.chunks.push(Chunk { after: at.duration_since(start), bytes });
                None
            }
            Progress::End(trailers) => {
                self.stream.trailers = trailers;
                self.stream.complete = true;
                self.response()
            }
            Progress::Done(outcome) => Some(outcome),
        }
    }

    /// The outcome of an invocation whose steps stopped before the last one.
    pub(super) fn cut(mut self, request_id: &str) -> Outcome {
        self.response().unwrap_or_else(|| {
            Outcome::Platform(PlatformError::new(
                "Runtime.TruncatedResponse",
                format!("RequestId: {request_id} Error: the runtime's response was cut before its end"),
            ))
        })
    }

    fn response(&mut self) -> Option<Outcome> {
        let (_, headers) = self.head.take()?;
        let body = std::mem::take(&mut self.body).freeze();
        Some(Outcome::Response(FunctionResponse { body, headers, stream: Some(std::mem::take(&mut self.stream)) }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn chunks_have_the_time_since_the_head() {
        let (start, after) = (Instant::now(), [3, 40].map(Duration::from_millis));
        let mut collected = Collected::new(true);
        assert!(collected.add(start, Progress::Head(HeaderMap::new())).is_none());
        for after in after {
            assert!(collected.add(start + after, Progress::Chunk(Bytes::from_static(b"x"))).is_none());
        }
        let outcome = collected.add(start + Duration::from_secs(1), Progress::End(None));
        let Some(Outcome::Response(FunctionResponse { stream: Some(stream), .. })) = outcome else { panic!() };
        assert_eq!([0, 1].map(|number: usize| stream.chunks[number].after), after);
    }
}
