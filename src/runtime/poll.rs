//! Waiting for the platform: `GET /runtime/invocation/next`, and the waits of extensions and of snapshots.

use std::cell::Cell;
use std::io::{ErrorKind, IoSlice, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::connection::{connect, ours, request_head, write_all};
use super::reply::Reply;
use super::{API_VERSION, Api};
use crate::descriptor::{OwnedFile, Socket};
use crate::error::{Error, Result};
use crate::invocation::Invocation;

const EXTENSION_API: &str = "/2020-01-01/extension";
const EXTENSION_ID: &str = "lambda-extension-identifier";

impl Api {
    /// Waits for the next invocation, for as long as it takes: the sandbox is frozen meanwhile. Calls `on_wake` each
    /// time `wake` becomes readable; the request goes on, since one that is dropped could lose an event. One that has come
    /// when `on_wake` wants to end is served first: the next call ends. Before the invocation is taken from the connection
    /// its ids are told to `on_arrival`.
    ///
    /// # Errors
    /// `RuntimeApi` when the connection is lost or the answer is not an invocation: the process has nothing left to do
    /// then. What `on_wake` gives.
    pub fn next(
        &mut self,
        wake: &Wake,
        on_wake: impl Fn() -> Result<()>,
        on_arrival: Option<&(dyn Fn(&Invocation) + Sync)>,
    ) -> Result<Invocation> {
        if let Some(ending) = self.ending.take() {
            return Err(ending);
        }
        wake.drain();
        on_wake()?; // before an event is asked for that would not be served
        let head = self.get(&format!("{API_VERSION}/runtime/invocation/next"), &[]);
        let ending = Cell::new(None);
        let reply = self.connection.get(&head, |socket| {
            ending.set(wait(socket, wake, &on_wake)?);
            if let Some(on_arrival) = on_arrival
                && let Some(invocation) = peek(socket)
            {
                on_arrival(&invocation);
            }
            Ok(())
        })?;
        self.ending = ending.into_inner();
        match reply.status() {
            200 => invocation(reply),
            status => {
                Err(Error::runtime_api(format!("the Runtime API answered {status} to the request for the next event")))
            }
        }
    }

    /// Registers an internal extension without events, because of which the platform sends SIGTERM before it ends the
    /// sandbox (docs, "Lambda Extensions API"; the idea is that of `lambda_runtime`'s graceful shutdown).
    ///
    /// # Errors
    /// `RuntimeApi` when the platform refuses it.
    pub fn register_extension(&mut self) -> Result<()> {
        let body = br#"{"events":[]}"#;
        let headers = [("lambda-extension-name", "wsgi-lambda-shutdown"), ("Content-Length", &body.len().to_string())];
        let address = self.connection.address();
        let head = request_head("POST", address, &format!("{EXTENSION_API}/register"), &[&headers]);
        let reply = self.connection.post(&head, body)?;
        let mut identifier = None;
        reply.headers(|name, value| {
            if name.eq_ignore_ascii_case(EXTENSION_ID) {
                identifier = Some(text(value));
            }
        });
        let identifier = identifier.ok_or_else(|| {
            Error::runtime_api(format!("the platform refused the internal extension: {}", reply.status()))
        })?;
        let next = self.get(&format!("{EXTENSION_API}/event/next"), &[(EXTENSION_ID, &identifier)]);
        let waiting = connect(self.connection.address())
            .and_then(|stream| write_all(&stream, &mut [IoSlice::new(next.as_bytes())]).map(|()| stream));
        let waiting = waiting.map_err(|error| {
            Error::runtime_api(format!("the internal extension has no connection: {error}")).with_source(error)
        })?;
        self.extension = Some(waiting);
        Ok(())
    }

    /// Says that the process is ready for its snapshot, and waits until it has been restored from it. Connections of
    /// before are dead then.
    ///
    /// # Errors
    /// `RuntimeApi`, as [`Api::next`].
    pub fn restore(&mut self) -> Result<()> {
        let head = self.get(&format!("{API_VERSION}/runtime/restore/next"), &[]);
        let status = self.connection.get(&head, |_| Ok(()))?.status();
        self.connection.close();
        match status {
            200..=299 => Ok(()),
            _ => Err(Error::runtime_api(format!("the Runtime API answered {status} to the wait for the restore"))),
        }
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> String {
        request_head("GET", self.connection.address(), path, &[headers])
    }
}

/// Another hand on a connection over which a child asks for events.
#[derive(Debug)]
pub struct Twin(pub(super) Socket);

impl Twin {
    /// Tells the platform that nobody reads any more; what it has sent meanwhile still arrives.
    pub fn hang_up(&self) {
        if let Some(stream) = self.0.get() {
            let _ = stream.shutdown(std::net::Shutdown::Write); // the platform has hung up
        }
    }

    /// Readable when an event has come, or the end.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.0.get().map(|stream| stream.as_fd())
    }

    /// The invocation that has come and was not read, of a child that has ended.
    ///
    /// # Errors
    /// When none can come any more.
    pub fn unread(&self) -> std::io::Result<Option<Invocation>> {
        let stream = ours(&self.0)?;
        if !is_ready(PollFd::new(stream, PollFlags::IN), Duration::ZERO) {
            return Ok(None);
        }
        peek(&self.0).map(Some).ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }
}

/// The ids of an invocation whose head has come, without taking it from the connection.
fn peek(socket: &Socket) -> Option<Invocation> {
    let mut head = vec![0; 16 * 1024];
    let length = socket.get()?.peek(&mut head).ok()?;
    let mut reply = Reply::default();
    reply.feed(&head[..length]).ok()?;
    invocation(reply).ok()
}

/// The reading end of the pipe into which Python's C handler of signals writes.
#[derive(Debug)]
pub struct Wake(OwnedFile);

impl Wake {
    /// A file that becomes readable when there is something to do.
    pub fn new(file: std::fs::File) -> Self {
        Self(OwnedFile::new(file))
    }

    /// Whether it is readable.
    fn has_rung(&self) -> bool {
        self.0.get().is_some_and(|file| is_ready(PollFd::new(file, PollFlags::IN), Duration::ZERO))
    }

    /// Waits until it rings, one of the others is readable, or the patience is over. What has rung is taken.
    pub fn wait_beside(&self, others: &[BorrowedFd<'_>], patience: Option<Duration>) {
        let bell = self.0.get().map(|file| PollFd::new(file, PollFlags::IN));
        let others = others.iter().map(|other| PollFd::from_borrowed_fd(*other, PollFlags::IN));
        let mut watched: Vec<PollFd<'_>> = bell.into_iter().chain(others).collect();
        let _ = poll(&mut watched, patience.map(timespec).as_ref()); // interrupted: something has come
        if self.has_rung() {
            self.drain();
        }
    }

    /// Takes what is there to read: `false` when nothing can come any more.
    fn drain(&self) -> bool {
        let Some(mut file) = self.0.get() else { return false };
        match file.read(&mut [0; 64]) {
            Ok(read) => read > 0, // the bytes say no more than their coming
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }
}

/// How long an event may take to arrive that the platform has sent beside the signal that ends this process. A platform
/// that ends a sandbox has nothing more for it, and gives it half a second.
const LAST_LOOK: Duration = Duration::from_millis(20);

/// Returns when `socket` has something to read, with what ends the process after it.
fn wait(socket: &Socket, wake: &Wake, on_wake: impl Fn() -> Result<()>) -> Result<Option<Error>> {
    let failed = |error: &dyn std::fmt::Display| Error::runtime_api(format!("the wait for an event failed: {error}"));
    let mut signals = true;
    loop {
        let stream = ours(socket).map_err(|error| failed(&error))?;
        let event = PollFd::new(stream, PollFlags::IN);
        let signal = wake.0.get().filter(|_| signals).map(|file| PollFd::new(file, PollFlags::IN));
        let mut watched: Vec<PollFd<'_>> = [event].into_iter().chain(signal).collect();
        let interrupted = match poll(&mut watched, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(failed(&error)),
            polled => polled.is_err(),
        };
        if !interrupted && !watched[0].revents().is_empty() {
            return Ok(None); // before any signal: the platform has given it away
        }
        let rung = !interrupted && watched.get(1).is_some_and(|signal| !signal.revents().is_empty());
        if rung {
            signals = wake.drain(); // no signals any more, and still events
        }
        if (rung || interrupted)
            && let Err(ended) = on_wake()
        {
            let comes = is_ready(PollFd::new(stream, PollFlags::IN), LAST_LOOK);
            return if comes { Ok(Some(ended)) } else { Err(ended) };
        }
    }
}

fn is_ready(watched: PollFd<'_>, patience: Duration) -> bool {
    poll(&mut [watched], Some(&timespec(patience))).is_ok_and(|ready| ready > 0)
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: duration.subsec_nanos().into() }
}

/// Reads the platform's headers. One that is missing or odd is worth no request, but for the id under which to answer.
fn invocation(reply: Reply) -> Result<Invocation> {
    let mut invocation = Invocation::default();
    reply.headers(|name, value| {
        let given = |value: &[u8]| Some(text(value)).filter(|value| !value.is_empty());
        match name.to_ascii_lowercase().as_str() {
            "lambda-runtime-aws-request-id" => invocation.request_id = text(value),
            "lambda-runtime-invocation-id" => invocation.invocation_id = given(value),
            "lambda-runtime-deadline-ms" => invocation.deadline_ms = text(value).parse().unwrap_or(0),
            "lambda-runtime-invoked-function-arn" => invocation.invoked_function_arn = text(value),
            "lambda-runtime-trace-id" => invocation.trace_id = given(value),
            "lambda-runtime-aws-tenant-id" => invocation.tenant_id = given(value),
            "lambda-runtime-client-context" => invocation.client_context = given(value),
            "lambda-runtime-cognito-identity" => invocation.cognito_identity = given(value),
            _ => {}
        }
    });
    if invocation.request_id.is_empty() {
        let message = "the Runtime API sent an event without the header Lambda-Runtime-Aws-Request-Id";
        return Err(Error::runtime_api(message));
    }
    invocation.event = reply.into_body();
    Ok(invocation)
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::io::{Seek as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Instant;

    use http::{HeaderMap, HeaderName, HeaderValue};
    use lambda_runtime::Context;

    use super::*;

    const PLATFORM: [(&str, &str); 6] = [
        ("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("Lambda-Runtime-Deadline-Ms", "1542409706888"),
        ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-2:123456789012:function:shop:live"),
        ("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1"),
        ("Lambda-Runtime-Aws-Tenant-Id", "blue"),
        ("Date", "Sun, 22 Nov 2026 00:00:00 GMT"),
    ];

    fn reply(headers: &[(&str, &str)]) -> Reply {
        let mut reply = Reply::default();
        let mut text = String::from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
        for (name, value) in headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        assert!(reply.feed((text + "\r\n{}").as_bytes()).unwrap());
        reply
    }

    #[test]
    fn the_headers_say_what_awss_own_runtime_reads_in_them() {
        let map: HeaderMap = PLATFORM
            .iter()
            .map(|(name, value)| (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static(value)))
            .collect();
        let theirs = Context::new(PLATFORM[0].1, Arc::default(), &map).unwrap();
        let ours = invocation(reply(&PLATFORM)).unwrap();
        assert_eq!(ours.request_id, theirs.request_id);
        assert_eq!(ours.deadline_ms, theirs.deadline);
        assert_eq!(ours.invoked_function_arn, theirs.invoked_function_arn);
        assert_eq!(ours.trace_id, theirs.xray_trace_id);
        assert_eq!(ours.tenant_id, theirs.tenant_id);
        assert_eq!(ours.event, "{}");
    }

    #[test]
    fn only_the_id_is_worth_a_request() {
        let headers = [PLATFORM[0], ("lambda-runtime-deadline-ms", "soon"), ("lambda-runtime-client-context", "{")];
        let odd = invocation(reply(&headers)).unwrap();
        assert_eq!((odd.deadline_ms, odd.client_context.as_deref(), odd.trace_id), (0, Some("{"), None));
        let error = invocation(reply(&PLATFORM[1..])).unwrap_err();
        assert!(error.message().contains("Lambda-Runtime-Aws-Request-Id"), "{}", error.message());
    }

    /// Returns when the thread sleeps, which it does in its wait for the platform; one that is kept awake is left alone
    /// after a while.
    fn wait_until_asleep(stat: &Path) {
        let asleep = || std::fs::read_to_string(stat).unwrap().contains(") S ");
        let start = Instant::now();
        while !asleep() && start.elapsed() < Duration::from_secs(10) {
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_has_become_something_else_is_left_alone() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut platform, _) = listener.accept().unwrap();
        let mut own = tempfile::tempfile().unwrap();
        own.write_all(b"the application's").unwrap();
        own.rewind().unwrap();
        let same = own.try_clone().unwrap();
        let wake = Wake(OwnedFile::lost(own));
        let stat = Path::new("/proc").join(std::fs::read_link("/proc/thread-self").unwrap()).join("stat");
        let answer = std::thread::spawn(move || {
            wait_until_asleep(&stat);
            platform.write_all(b"HTTP").unwrap();
        });
        let calls = AtomicU32::new(0);
        let count = || {
            calls.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        wait(&Socket::new(stream), &wake, count).unwrap();
        answer.join().unwrap();
        assert_eq!((calls.into_inner(), (&same).stream_position().unwrap()), (0, 0));
    }
}
