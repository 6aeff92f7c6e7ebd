//! The delivery of one invocation's response. The loop and the deadline's alarm share it. One of them delivers, once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::compress::{Client, Compressed};
use crate::error::{Error, Kind, Result};
use crate::invocation::Invocation;
use crate::proxy::{self, BufferedSink, Envelope, Recipient, StreamSink, Unsendable, Warning};
use crate::python::Session;
use crate::response::{Holder, Notes, Refusal, Response, Step};
use crate::runtime::{Api, Receipt, SharedApi, Streamed};
use crate::sync::{lock, lock_within};

use super::body::Body;
use super::own::{INTERNAL_ERROR, Own, TIMEOUT, in_place_of, reached, wrong_length};

/// How long the alarm waits for a chunk that is being sent. A chunk that takes longer waits for a reader, maybe for
/// ever.
const PATIENCE: Duration = Duration::from_millis(50);

/// What was delivered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivered {
    pub(super) status: u16,
    /// The size of the body in bytes.
    pub(super) bytes: u64,
    /// What the platform said about it.
    pub(super) receipt: Receipt,
}

/// What the log tells the function's owner about a response.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    pub(super) notes: Notes,
    pub(super) warnings: Vec<Warning>,
    /// Why the caller got a 500 instead of it.
    pub(super) unsendable: Option<Unsendable>,
}

/// The delivery of one response, whole or streamed.
#[derive(Debug)]
pub(super) struct Delivery {
    api: SharedApi,
    /// Without its event.
    invocation: Invocation,
    recipient: Recipient,
    /// Whether the body is streamed; the response itself knows it only until the loop takes it.
    streams: bool,
    /// The application's response; `None` once the loop has taken it. A step of the application holds the lock while a chunk is
    /// compressed or sent.
    response: Mutex<Option<Response<Compressed<Body>>>>,
    /// Set when a response was delivered: no other can be delivered then. Locked after the response, if both are.
    delivered: Mutex<Option<Delivered>>,
}

/// What ends an invocation.
enum Last<'l> {
    /// A whole response.
    Document(&'l Envelope),
    /// The end of a stream, as complete or with this failure. The notes have its status.
    Stream(&'l mut StreamSink<Streamed>, &'l Notes, Option<&'l Error>),
}

impl Delivery {
    /// The delivery of a response that is streamed, or of one that is sent as one document. It is compressed for a client
    /// that there is.
    pub(super) fn new(
        api: &SharedApi,
        invocation: &Invocation,
        recipient: Recipient,
        streams: bool,
        client: Option<Client>,
    ) -> Arc<Self> {
        let body = if streams {
            Body::Stream(StreamSink::new(recipient, Api::stream(api, invocation)))
        } else {
            Body::Whole(BufferedSink::new(recipient))
        };
        let response = Response::new(recipient.takes_body(), Compressed::new(body, client));
        Arc::new(Self {
            api: SharedApi::clone(api),
            invocation: invocation.without_event(),
            recipient,
            streams,
            response: Mutex::new(Some(response)),
            delivered: Mutex::new(None),
        })
    }

    pub(super) fn request_id(&self) -> &str {
        &self.invocation.request_id
    }

    /// Delivers the application's response, or after a failure one of the runtime's own. If the alarm has already
    /// delivered one, nothing is sent, and what the alarm delivered is returned.
    ///
    /// # Errors
    /// `RuntimeApi` if the platform is gone.
    pub(super) fn deliver(&self, session: Session<'_>, failure: Option<&Error>) -> (Result<Delivered>, Remarks) {
        // The lock is taken detached, since a thread of the application may hold it in a `write()`. The response, which
        // may hold Python's bytes, is taken out, so that it is dropped here, attached.
        let Some(response) = session.detached(|| lock(&self.response).take()) else {
            return (Err(Error::runtime_api("a response was delivered twice")), Remarks::default());
        };
        let (notes, mut compressed) = response.end();
        let truncated = notes.length_mismatch.filter(|_| self.streams).and_then(truncated);
        let failure = failure.filter(|_| !notes.complete).or(truncated.as_ref());
        let ended = if failure.is_none() { session.detached(|| compressed.finish()) } else { Ok(()) };
        match compressed.into_inner() {
            Body::Whole(sink) => {
                let (envelope, unsendable) = self.envelope(sink, failure, ended.is_ok());
                let delivered = session.detached(|| self.end(Last::Document(&envelope)));
                (delivered, Remarks { notes, warnings: envelope.warnings, unsendable })
            }
            Body::Stream(mut sink) => {
                let delivered = session.detached(|| self.end(Last::Stream(&mut sink, &notes, failure)));
                (delivered, Remarks { notes, warnings: sink.take_warnings(), unsendable: None })
            }
        }
    }

    /// The document of a whole response. Nothing of it has been sent, so after a failure the caller gets a 500, not a
    /// part of the response. One that is too large is encoded all the same, because that returns the reason.
    fn envelope(&self, sink: BufferedSink, failure: Option<&Error>, is_whole: bool) -> (Envelope, Option<Unsendable>) {
        if !is_whole && !sink.is_too_large() {
            return (self.own(INTERNAL_ERROR), Some(Unsendable::NoMemory(sink.bytes()))); // the end of a compressed body
        }
        let is_wanted = failure.is_none() || sink.is_too_large();
        match is_wanted.then(|| sink.into_envelope()).flatten() {
            Some(Ok(envelope)) => (envelope, None),
            Some(Err(reason)) => (self.own(INTERNAL_ERROR), Some(reason)),
            None => (self.own(failure.map_or(INTERNAL_ERROR, in_place_of)), None),
        }
    }

    /// The document of a response of the runtime's own.
    fn own(&self, (status, text): Own<'_>) -> Envelope {
        proxy::plain(self.recipient, status, text)
    }

    fn end(&self, last: Last<'_>) -> Result<Delivered> {
        self.end_once(&mut lock(&self.delivered), last)
    }

    /// Ends the invocation, unless it was ended before. Returns what was delivered.
    fn end_once(&self, delivered: &mut Option<Delivered>, last: Last<'_>) -> Result<Delivered> {
        if let Some(delivered) = *delivered {
            return Ok(delivered);
        }
        match last {
            Last::Document(envelope) => {
                let receipt = lock(&self.api).respond(&self.invocation, envelope)?;
                let (status, bytes) = (envelope.status, envelope.body_bytes() as u64);
                Ok(*delivered.insert(Delivered { status, bytes, receipt }))
            }
            Last::Stream(sink, notes, failure) => {
                let own = failure.filter(|_| !sink.has_started()).map(in_place_of);
                let (status, bytes) = own.map_or((notes.status, sink.sent()), |(status, text)| {
                    (status[..3].parse().unwrap_or(500), text.len() as u64)
                });
                let receipt = end_stream(sink, own, failure);
                // Set also after an error: there is no second attempt, since the platform has seen the first.
                let unseen = *delivered.insert(Delivered { status, bytes, receipt: Receipt::Lost });
                Ok(*delivered.insert(Delivered { receipt: receipt?, ..unseen }))
            }
        }
    }

    /// Delivers at the deadline: a 504, or the end of a stream of which something was sent. What the application has made
    /// but not sent is dropped. Returns what was done, as a part of a sentence for the log.
    pub(super) fn give_up(&self) -> &'static str {
        const LATER: &str = "the response ends after what is being sent";
        // Nothing of a whole response is sent before it is complete. So nobody waits for a chunk that is being compressed.
        let mut response = None;
        if self.streams {
            response = lock_within(PATIENCE, &self.response);
            if response.is_none() {
                return LATER;
            }
        }
        let Some(mut delivered) = lock_within(PATIENCE, &self.delivered) else { return LATER };
        if delivered.is_some() {
            return "the response was sent before";
        }
        let response = response.as_mut().and_then(|response| response.as_mut());
        let notes = response.as_deref().map(Response::notes).unwrap_or_default();
        let (ended, outcome) = match response.map(|response| response.sink_mut().inner_mut()) {
            Some(Body::Stream(sink)) => {
                let outcome = if sink.has_started() { "the stream was ended with error trailers" } else { ANSWERED };
                (self.end_once(&mut delivered, Last::Stream(sink, &notes, Some(&reached()))), outcome)
            }
            None if self.streams => return LATER, // the loop ends it
            _ => (self.end_once(&mut delivered, Last::Document(&self.own(TIMEOUT))), ANSWERED),
        };
        match ended.map(|delivered| delivered.receipt) {
            Ok(Receipt::Accepted) => outcome,
            Ok(Receipt::Refused(_)) => "the platform refused the 504 for the caller",
            // If it was a document, the loop tries again when the application has returned.
            Ok(Receipt::Lost) | Err(_) => "the caller could not be told",
        }
    }
}

const ANSWERED: &str = "the caller was answered with 504";

impl Holder for Delivery {
    type Sink = Compressed<Body>;

    fn step<T>(&self, step: impl FnOnce(&mut Response<Self::Sink>) -> Step<T>) -> Step<T> {
        lock(&self.response).as_mut().map_or(Err(Refusal::Ended), step)
    }
}

/// Ends a stream: with a response of the runtime's own if there is one, else with trailers that name the failure, else as
/// complete.
fn end_stream(sink: &mut StreamSink<Streamed>, own: Option<Own<'_>>, failure: Option<&Error>) -> Result<Receipt> {
    if let Some((status, text)) = own
        && sink.plain(status, text).is_err()
    {
        return Ok(Receipt::Lost);
    }
    match (sink.take_writer(), failure.filter(|_| own.is_none())) {
        (None, _) => Ok(Receipt::Lost),
        (Some(streamed), Some(error)) => streamed.fail(error),
        (Some(streamed), None) => streamed.finish(),
    }
}

/// The failure of a stream that has fewer bytes than announced: the caller must not take it for complete.
fn truncated((announced, sent): (u64, u64)) -> Option<Error> {
    (sent < announced).then(|| Error::new(Kind::App, "Runtime.TruncatedResponse", wrong_length(announced, sent)))
}

#[cfg(test)]
mod tests {
    use super::super::own::REACHED;
    use super::*;
    use crate::request::FrontEnd;
    use crate::response::{Head, Steps as _};
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    fn recipient() -> Recipient {
        Recipient::new(FrontEnd::FunctionUrl, "GET")
    }

    /// A streamed response, and the platform that reads it: returns all that arrived.
    fn stream() -> (Arc<Delivery>, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = Arc::new(Mutex::new(Api::new(&listener.local_addr().unwrap().to_string())));
        let platform = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut read = Vec::new();
            while !read.ends_with(b"\r\n0\r\n\r\n") && !String::from_utf8_lossy(&read).contains("Error-Body: ey") {
                let mut some = [0; 1024];
                let count = connection.read(&mut some).unwrap();
                assert!(count > 0, "cut after {}", String::from_utf8_lossy(&read));
                read.extend_from_slice(&some[..count]);
            }
            connection.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").unwrap();
            String::from_utf8_lossy(&read).into_owned()
        });
        (Delivery::new(&api, &Invocation::default(), recipient(), true, None), platform)
    }

    fn starts(delivery: &Delivery) {
        delivery.begin_start(false).unwrap();
        delivery.start(Head::new("201 Created").unwrap()).unwrap();
    }

    /// Ends a response without a failure, as the loop does. Returns what was delivered.
    fn end(delivery: &Delivery) -> Result<Delivered> {
        let (notes, compressed) = lock(&delivery.response).take().unwrap().end();
        match compressed.into_inner() {
            Body::Whole(_) => delivery.end(Last::Document(&delivery.own(INTERNAL_ERROR))),
            Body::Stream(mut sink) => delivery.end(Last::Stream(&mut sink, &notes, None)),
        }
    }

    #[test]
    fn before_the_first_byte_it_is_a_504() {
        let (delivery, platform) = stream();
        assert_eq!(delivery.give_up(), "the caller was answered with 504");
        assert!(platform.join().unwrap().contains("{\"statusCode\":504,"));
        let delivered = end(&delivery).unwrap();
        assert_eq!(
            (delivered.status, delivered.receipt),
            (504, Receipt::Accepted),
            "the loop is told what was delivered"
        );
        assert_eq!(delivery.give_up(), "the response was sent before");
    }

    #[test]
    fn between_the_status_and_the_first_chunk_it_is_a_504_and_nothing_else() {
        let (delivery, platform) = stream();
        starts(&delivery);
        assert_eq!(delivery.give_up(), "the caller was answered with 504");
        let late = delivery.chunk("late".into(), false).unwrap_err();
        assert_eq!(late, Refusal::Gone("the request was given up".to_owned()));
        let arrived = platform.join().unwrap();
        assert!(arrived.contains("{\"statusCode\":504,") && !arrived.contains(":201,"), "{arrived}");
    }

    #[test]
    fn after_the_first_chunk_it_is_trailers() {
        let (delivery, platform) = stream();
        starts(&delivery);
        assert!(delivery.chunk("begin".into(), false).unwrap());
        assert_eq!(delivery.give_up(), "the stream was ended with error trailers");
        let arrived = platform.join().unwrap();
        assert!(arrived.contains(":201,") && arrived.contains("begin") && arrived.contains(REACHED), "{arrived}");
        let delivered = end(&delivery).unwrap();
        assert_eq!((delivered.status, delivered.bytes), (201, 5), "what the caller has seen");
    }

    #[test]
    fn a_chunk_that_nobody_takes_is_not_waited_for() {
        let (delivery, _) = stream();
        let _held = lock(&delivery.response);
        assert_eq!(delivery.give_up(), "the response ends after what is being sent");
    }

    #[test]
    fn a_whole_response_is_given_up_while_a_chunk_is_compressed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = Arc::new(Mutex::new(Api::new(&listener.local_addr().unwrap().to_string())));
        let platform = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut read = vec![0; 4096];
            let count = connection.read(&mut read).unwrap();
            connection.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").unwrap();
            String::from_utf8_lossy(&read[..count]).into_owned()
        });
        let delivery = Delivery::new(&api, &Invocation::default(), recipient(), false, None);
        let _held = lock(&delivery.response);
        assert_eq!(delivery.give_up(), ANSWERED);
        assert!(platform.join().unwrap().contains("{\"statusCode\":504,"));
    }

    #[test]
    fn what_reaches_nobody_is_lost_and_not_accepted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = Arc::new(Mutex::new(Api::new(&listener.local_addr().unwrap().to_string())));
        drop(listener);
        let streamed = Delivery::new(&api, &Invocation::default(), recipient(), true, None);
        assert_eq!(streamed.give_up(), "the caller could not be told");
        assert_eq!(end(&streamed).unwrap().receipt, Receipt::Lost);
        let whole = Delivery::new(&api, &Invocation::default(), recipient(), false, None);
        assert_eq!(whole.give_up(), "the caller could not be told");
        end(&whole).unwrap_err();
    }

    #[test]
    fn a_step_after_the_end_is_refused() {
        let (delivery, platform) = stream();
        starts(&delivery);
        delivery.finish().unwrap();
        assert_eq!(end(&delivery).unwrap().receipt, Receipt::Accepted);
        assert_eq!(delivery.write("late".into()).unwrap_err(), Refusal::Ended);
        platform.join().unwrap();
    }
}
