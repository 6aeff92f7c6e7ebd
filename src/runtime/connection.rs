//! One HTTP/1.1 connection, which is made when it is needed and kept as long as possible.

use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::linux::net::TcpStreamExt as _;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::payload::Payload;
use super::reply::Reply;
use crate::descriptor::Socket;
use crate::error::{Error, Result};

/// The name and version that requests carry.
const USER_AGENT: &str = concat!("wsgi-lambda/", env!("CARGO_PKG_VERSION"));

/// Names and values of headers. One without a name is left out.
pub(super) type Headers<'h> = &'h [(&'h str, &'h str)];

/// The head of a request, up to its body.
pub(super) fn request_head(method: &str, address: &str, path: &str, headers: &[Headers<'_>]) -> String {
    let (host, base) = split(address);
    let mut head = String::with_capacity(512);
    head.extend([method, " ", base, path, " HTTP/1.1\r\nHost: ", host, "\r\nUser-Agent: ", USER_AGENT, "\r\n"]);
    for (name, value) in headers.iter().copied().flatten().filter(|(name, _)| !name.is_empty()) {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    head
}

/// Splits an address into host with port, and the path before the API's own paths. The platform has no such path.
/// cargo-lambda, which serves several functions at one address, has `127.0.0.1:9000/.rt/orders`.
fn split(address: &str) -> (&str, &str) {
    let (host, base) = address.split_at(address.find('/').unwrap_or(address.len()));
    (host, base.trim_end_matches('/'))
}

/// Makes a connection to the API at `address`.
pub(super) fn connect(address: &str) -> io::Result<Socket> {
    let (host, _) = split(address);
    let stream = if host.contains(':') { TcpStream::connect(host)? } else { TcpStream::connect((host, 80))? };
    // Without it the head of a large response waits for the delayed acknowledgement of the kernel (about 40 ms).
    stream.set_nodelay(true)?;
    Ok(Socket::new(stream))
}

/// The connection to one API.
#[derive(Debug)]
pub(super) struct Connection {
    address: String,
    /// The id of the process that may use it. A child that the application forks has the descriptor, too.
    process: u32,
    stream: Option<Socket>,
    /// Replies are read into it first: the head, and a small body with it.
    buffer: Box<[u8]>,
}

impl Connection {
    /// A connection to the API at `address`: host and port, then perhaps a path. It is made at the first request.
    pub(super) fn new(address: &str) -> Self {
        let buffer = vec![0; 16 * 1024].into_boxed_slice();
        Self { address: address.to_owned(), process: std::process::id(), stream: None, buffer }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Closes the connection. The next request makes a new one.
    pub(super) fn close(&mut self) {
        self.stream = None;
    }

    /// Takes the idle connection out, if there is one that still works. The next request makes a new one.
    pub(super) fn take_idle(&mut self) -> Option<Socket> {
        self.stream.take().filter(is_quiet)
    }

    /// Connects, and returns a duplicate of the connection's descriptor.
    pub(super) fn open(&mut self) -> Option<Socket> {
        let socket = connect(&self.address).ok()?;
        let twin = socket.get()?.try_clone().ok().map(Socket::new);
        self.stream = Some(socket);
        twin
    }

    /// Makes this process the one that may use the connection.
    pub(super) fn adopt(&mut self) {
        self.process = std::process::id();
    }

    /// Checks that this process may use the connection.
    ///
    /// # Errors
    /// `Forked` in a child that the application forked.
    pub(super) fn refuse_children(&self) -> Result<()> {
        if std::process::id() == self.process { Ok(()) } else { Err(Error::forked()) }
    }

    /// Sends a GET, calls `wait`, which returns when the reply begins, and reads the reply. The request is never sent
    /// twice: an event that the platform sent in reply to the first would be lost without a trace.
    ///
    /// # Errors
    /// `RuntimeApi` if the connection is lost. The error of `wait`.
    pub(super) fn get(&mut self, head: &str, wait: impl Fn(&Socket) -> Result<()>) -> Result<Reply> {
        let mut reply = Reply::default();
        self.attempt(&mut reply, head, &NOTHING, &wait)?.map_err(|error| self.lost(error))?;
        Ok(reply)
    }

    /// Sends a POST and reads its reply. If the connection was idle before and is lost without a reply, the request is
    /// sent again: the platform refuses what it has already.
    ///
    /// # Errors
    /// `RuntimeApi` if the connection is lost.
    pub(super) fn post(&mut self, head: &str, body: &dyn Payload) -> Result<Reply> {
        let mut reply = Reply::status_only();
        let reused = self.stream.is_some();
        let mut done = self.attempt(&mut reply, head, body, |_| Ok(()))?;
        if reused && done.is_err() && !reply.has_begun() {
            done = self.attempt(&mut reply, head, body, |_| Ok(()))?;
        }
        done.map_err(|error| self.lost(error))?;
        Ok(reply)
    }

    fn lost(&self, error: io::Error) -> Error {
        let message = format!("the connection to the Runtime API at {} is lost: {error}", self.address);
        Error::runtime_api(message).with_source(error)
    }

    /// Sends a request once and reads its reply. The connection is kept only if both succeed.
    ///
    /// # Errors
    /// `Forked`, and the error of `wait`, after which there must not be another attempt. Inside: that of the
    /// connection.
    fn attempt(
        &mut self,
        reply: &mut Reply,
        head: &str,
        body: &dyn Payload,
        wait: impl Fn(&Socket) -> Result<()>,
    ) -> Result<io::Result<()>> {
        self.refuse_children()?;
        let socket = match self.take_idle().map_or_else(|| connect(&self.address), Ok) {
            Ok(socket) => socket,
            Err(error) => return Ok(Err(error)),
        };
        let written = send(&socket, head, body);
        if written.is_ok() {
            wait(&socket)?;
        }
        let read = read(&socket, &mut self.buffer, reply);
        if read.is_ok() && written.is_ok() && reply.keeps_connection() {
            self.stream = Some(socket);
        }
        // A server that refuses a body may hang up before all of it was sent. If it has replied, the reply counts.
        Ok(read.map_err(|error| written.err().unwrap_or(error)))
    }
}

/// The payload of a request without one.
const NOTHING: Vec<u8> = Vec::new();

/// Sends a request, part by part. A small one is sent with one system call.
fn send(socket: &Socket, head: &str, body: &dyn Payload) -> io::Result<()> {
    let mut part = body.buffer();
    part.extend_from_slice(head.as_bytes());
    let (mut position, mut sent) = (0, 0);
    loop {
        let begin = part.len();
        let is_last = !body.part(&mut position, &mut part);
        write_all(socket, &mut [IoSlice::new(&part)])?;
        sent += part.len() - begin;
        part.clear();
        if is_last {
            if sent == body.size() {
                return Ok(());
            }
            // The platform would wait for what is missing, or read what is too much as another request.
            ours(socket)?.shutdown(Shutdown::Write)?;
            return Err(ErrorKind::InvalidData.into());
        }
    }
}

/// Whether nothing has arrived on an idle connection: neither its end, nor bytes that would be read as the next reply.
fn is_quiet(socket: &Socket) -> bool {
    let Some(stream) = socket.get() else { return false };
    let mut watched = [PollFd::new(stream, PollFlags::IN)];
    poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) == Ok(0)
}

/// Writes several slices completely, without copying them together, in as few system calls as the kernel allows.
pub(super) fn write_all(socket: &Socket, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    let mut stream = ours(socket)?;
    IoSlice::advance_slices(&mut slices, 0); // drops empty ones at the front
    while !slices.is_empty() {
        match stream.write_vectored(slices) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The stream of a socket.
///
/// # Errors
/// If the application has closed its descriptor.
pub(super) fn ours(socket: &Socket) -> io::Result<&TcpStream> {
    socket.get().ok_or_else(|| io::Error::other("the application has closed its descriptor"))
}

/// Reads a whole reply. The head is read into `buffer`, a long body straight into the reply.
pub(super) fn read(socket: &Socket, buffer: &mut [u8], reply: &mut Reply) -> io::Result<()> {
    let mut stream = ours(socket)?;
    loop {
        match stream.read(buffer) {
            Ok(read) => {
                if reply.feed(&buffer[..read])? {
                    return Ok(());
                }
                // A server that sends the head by itself, as Python's http.server does, sends the body after the
                // acknowledgement of the head (Nagle, RFC 896). The kernel delays that by 40 ms, unless it is told not
                // to (tcp(7)). If this fails, the body only arrives later.
                let _ = stream.set_quickack(true);
                if reply.read_rest(stream)? {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;

    const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";

    /// An API that replies to one request on each connection, before it has read all of it, and then hangs up.
    fn hasty(connections: usize, reply: &'static [u8]) -> (String, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let api = std::thread::spawn(move || {
            for _ in 0..connections {
                let (mut stream, _) = listener.accept().unwrap();
                assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
                stream.write_all(reply).unwrap();
            }
        });
        (address, api)
    }

    /// Returns when the other side has closed the connection, which is idle.
    fn wait_for_its_end(connection: &Connection) {
        let stream = ours(connection.stream.as_ref().unwrap()).unwrap();
        assert_eq!(stream.peek(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn who_hangs_up_on_a_body_that_is_too_large_is_heard() {
        let (address, api) =
            hasty(1, b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let mut connection = Connection::new(&address);
        let reply = connection.post("POST / HTTP/1.1\r\n\r\n", &vec![0; 32 << 20]).unwrap();
        assert_eq!(reply.status(), 413);
        api.join().unwrap();
    }

    #[test]
    fn a_connection_that_was_closed_while_idle_is_made_again() {
        let (address, api) = hasty(4, ACCEPTED);
        let mut connection = Connection::new(&address);
        for _ in 0..2 {
            assert_eq!(connection.post("POST / HTTP/1.1\r\n\r\n", &NOTHING).unwrap().status(), 202);
            wait_for_its_end(&connection);
            assert_eq!(connection.get("GET / HTTP/1.1\r\n\r\n", |_| Ok(())).unwrap().status(), 202);
            wait_for_its_end(&connection);
        }
        api.join().unwrap();
        let error = connection.post("POST / HTTP/1.1\r\n\r\n", &NOTHING).unwrap_err();
        assert!(error.message().contains(&address), "{}", error.message());
    }

    /// A payload that has another size than it says.
    struct Lying(usize);

    impl Payload for Lying {
        fn size(&self) -> usize {
            self.0
        }

        fn part(&self, _: &mut usize, out: &mut Vec<u8>) -> bool {
            out.extend_from_slice(b"12345678");
            false
        }
    }

    /// Reads until the client has sent all that it sends, and hangs up without a reply.
    fn patient() -> (String, JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let api = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            all
        });
        (address, api)
    }

    #[test]
    fn nobody_waits_for_a_payload_that_is_shorter_than_announced() {
        for size in [7, 9] {
            let (address, api) = patient();
            let mut connection = Connection::new(&address);
            connection.post("POST / HTTP/1.1\r\n\r\n", &Lying(size)).unwrap_err();
            assert!(connection.stream.is_none());
            assert!(api.join().unwrap().ends_with(b"\r\n\r\n12345678"));
        }
    }

    #[test]
    fn a_payload_of_many_parts_is_sent_again_from_its_beginning() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let payload: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        let length = payload.len();
        let api = std::thread::spawn(move || {
            let (mut first, _) = listener.accept().unwrap();
            assert!(first.read(&mut [0; 1024]).unwrap() > 0);
            first.write_all(ACCEPTED).unwrap();
            let mut begin = vec![0; 100_000];
            first.read_exact(&mut begin).unwrap(); // a part, and then the connection is lost
            drop(first);
            let (mut second, _) = listener.accept().unwrap();
            let mut all = vec![0; length + 19];
            second.read_exact(&mut all).unwrap();
            second.write_all(ACCEPTED).unwrap();
            all.split_off(19)
        });
        let mut connection = Connection::new(&address);
        connection.post("POST / HTTP/1.1\r\n\r\n", &NOTHING).unwrap();
        assert_eq!(connection.post("POST / HTTP/1.1\r\n\r\n", &payload).unwrap().status(), 202);
        assert!(api.join().unwrap() == payload);
    }

    #[test]
    fn what_came_unasked_is_no_reply() {
        let (address, api) =
            hasty(2, b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\nHTTP/1.1 408 Too late\r\n\r\n");
        let mut connection = Connection::new(&address);
        for _ in 0..2 {
            assert_eq!(connection.post("POST / HTTP/1.1\r\n\r\n", &NOTHING).unwrap().status(), 202);
        }
        api.join().unwrap();
    }

    #[test]
    fn a_get_that_was_taken_is_not_sent_again() {
        let (address, api) = hasty(2, b"");
        let mut connection = Connection::new(&address);
        connection.get("GET / HTTP/1.1\r\n\r\n", |_| Ok(())).unwrap_err();
        connection.get("GET / HTTP/1.1\r\n\r\n", |_| Ok(())).unwrap_err(); // the second connection of two
        api.join().unwrap();
    }

    #[test]
    fn an_address_may_end_in_a_path() {
        for (address, parts) in [
            ("127.0.0.1:9001", ("127.0.0.1:9001", "")),
            ("127.0.0.1:9000/.rt/orders", ("127.0.0.1:9000", "/.rt/orders")),
            ("[::1]:9000/", ("[::1]:9000", "")),
        ] {
            assert_eq!(split(address), parts);
        }
        let head =
            request_head("POST", "localhost:9000/.rt/f", "/runtime/init/error", &[&[("", "left out"), ("X-A", "1")]]);
        assert!(head.starts_with("POST /.rt/f/runtime/init/error HTTP/1.1\r\nHost: localhost:9000\r\n"));
        assert!(head.ends_with("\r\nX-A: 1\r\n\r\n"), "{head}");
    }
}
