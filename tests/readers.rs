//! Those who read a streamed response: slow ones, ones that stop, ones that go away.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use support::{Function, event, source};
use tempfile::TempDir;
use wsgi_lambda::emulator::{Fault, Outcome, Progress, Route, Running, Submission};

/// Bytes in a chunk of the application, and the most that Lambda streams.
const CHUNK: u64 = 65_536;
const LARGE: u64 = 200 << 20;

/// With more memory than this a process does not keep it flat over [`LARGE`].
const FLAT: u64 = 100 << 20;

const APP: &str = r#"
import os

given = os.open(os.environ["GIVEN"], os.O_CREAT | os.O_RDWR, 0o600)
ended = []

class Counted:
    """Chunks that hold their own number; a file tells how many bytes were given."""
    def __init__(self, chunks):
        self.chunks = chunks
        self.number = 0
    def __iter__(self):
        return self
    def __next__(self):
        if self.number == self.chunks:
            raise StopIteration
        self.number += 1
        os.pwrite(given, b"%020d" % (self.number * 65536), 0)
        return b"%020d" % self.number + bytes(65536 - 20)
    def close(self):
        ended.append("closed")

def app(environ, start_response):
    path = environ["PATH_INFO"]
    write = start_response("200 OK", [("Content-Type", "application/octet-stream")])
    if path == "/written":
        try:
            while True:
                write(bytes(65536))
        except OSError as error:
            ended.append("caught")
            raise
    elif path == "/ended":
        response = repr((os.getpid(), ended)).encode()
        ended.clear()
        return [response]
    elif path == "/file":
        return environ["wsgi.file_wrapper"](open(os.environ["LARGE"], "rb"))
    return Counted(-1 if path == "/endless" else int(path[1:]))
"#;

/// A function, and the file that tells how far its generator is.
struct Streaming {
    function: Function,
    given: PathBuf,
    _folder: TempDir,
}

fn streaming() -> Streaming {
    let folder = tempfile::tempdir().unwrap();
    let given = folder.path().join("given");
    // A file of holes takes no room.
    let large = folder.path().join("large");
    std::fs::File::create(&large).unwrap().set_len(LARGE).unwrap();
    let function = source(APP)
        .env("WSGI_LAMBDA_RESPONSE_MODE", "stream")
        .env("GIVEN", given.to_str().unwrap())
        .env("LARGE", large.to_str().unwrap())
        .start();
    Streaming { function, given, _folder: folder }
}

fn get(path: &str) -> Value {
    let mut event = event("function-url-get");
    event["rawPath"] = path.into();
    event
}

impl Streaming {
    fn submit(&self, path: &str) -> Running {
        self.function.api().submit(Submission::new(get(path).to_string()).timeout(Duration::from_secs(300)))
    }

    /// Reads on; `None` at the clean end. A transfer that is cut fails.
    fn read(&mut self, running: &mut Running) -> Option<Vec<u8>> {
        loop {
            match self.function.with(async |_| running.next().await) {
                Some((_, Progress::Chunk(bytes))) => return Some(bytes.to_vec()),
                Some((_, Progress::End(None))) => return None,
                Some((_, Progress::Started | Progress::Head(_))) => {}
                other => panic!("{other:?}: {}", self.function.logs()),
            }
        }
    }

    /// Lets time pass in which nobody reads, and everybody else could go on.
    fn pause(&mut self, millis: u64) {
        self.function.with(async |_| tokio::time::sleep(Duration::from_millis(millis)).await);
    }

    /// How many bytes the generator has given.
    fn given(&self) -> u64 {
        std::fs::read_to_string(&self.given).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The process id, and how streams have ended since this was asked last.
    fn ended(&mut self) -> (u32, String) {
        let response = self.function.invoke(get("/ended"));
        let text = response.text().trim_matches(['(', ')']).to_owned();
        let (pid, ended) = text.split_once(", ").unwrap();
        (pid.parse().unwrap(), ended.to_owned())
    }
}

/// What may be between the generator and its reader: what the kernel holds at the most in the two buffers of a
/// connection, and a few chunks in our hands and the emulator's.
fn on_the_way() -> u64 {
    let most = |name: &str| {
        let limits = std::fs::read_to_string(Path::new("/proc/sys/net/ipv4").join(name)).unwrap();
        limits.split_whitespace().last().unwrap().parse::<u64>().unwrap()
    };
    most("tcp_wmem") + most("tcp_rmem") + (2 << 20)
}

/// Sums up a body of numbered chunks, and checks that none is missing.
#[derive(Default)]
struct Body {
    bytes: u64,
    tail: Vec<u8>,
}

impl Body {
    fn add(&mut self, bytes: &[u8]) {
        let chunk = usize::try_from(CHUNK).unwrap();
        self.tail.extend_from_slice(bytes);
        while self.tail.len() >= chunk {
            let number: u64 = std::str::from_utf8(&self.tail[..20]).unwrap().parse().unwrap();
            self.bytes += CHUNK;
            assert_eq!(number * CHUNK, self.bytes, "chunks in their order");
            self.tail.drain(..chunk);
        }
    }
}

/// Without the prelude and the delimiter, which may come in pieces of their own.
fn skip_prelude(streaming: &mut Streaming, running: &mut Running) -> Body {
    let mut first = Vec::new();
    loop {
        first.extend(streaming.read(running).expect("a body"));
        if let Some(at) = first.windows(8).position(|window| window == [0; 8]) {
            let mut body = Body::default();
            body.add(&first[at + 8..]);
            return body;
        }
    }
}

#[test]
fn a_slow_reader_slows_the_generator_and_memory_stays_flat() {
    let mut streaming = streaming();
    let mut running = streaming.submit(&format!("/{}", LARGE / CHUNK));
    let mut body = skip_prelude(&mut streaming, &mut running);
    let mut next_pause = 0;
    while let Some(bytes) = streaming.read(&mut running) {
        body.add(&bytes);
        if body.bytes >= next_pause {
            // Time enough to give all of the rest, if nothing held the generator.
            streaming.pause(20);
            next_pause = body.bytes + (2 << 20);
        }
        let ahead = streaming.given() - body.bytes;
        assert!(ahead <= on_the_way(), "{ahead} bytes ahead of the reader");
    }
    assert_eq!((body.bytes, streaming.given()), (LARGE, LARGE));
    assert!(streaming.function.peak() < FLAT, "{} bytes of memory", streaming.function.peak());
    assert_eq!(streaming.ended().1, "['closed']");
}

#[test]
fn a_file_is_never_read_whole() {
    let mut streaming = streaming();
    let mut running = streaming.submit("/file");
    let mut bytes = 0;
    while let Some(chunk) = streaming.read(&mut running) {
        bytes += chunk.len() as u64;
    }
    assert!((LARGE..LARGE + 1000).contains(&bytes), "{bytes} bytes with the prelude");
    assert!(streaming.function.peak() < FLAT, "{} bytes of memory", streaming.function.peak());
}

#[test]
fn a_reader_that_stops_holds_the_generator_until_it_reads_on() {
    let mut streaming = streaming();
    let mut running = streaming.submit(&format!("/{}", LARGE / CHUNK));
    let mut body = skip_prelude(&mut streaming, &mut running);
    streaming.pause(1000);
    let stopped_at = streaming.given();
    assert!(stopped_at <= on_the_way(), "{stopped_at} bytes without a reader");
    assert!(streaming.function.peak() < FLAT, "{} bytes of memory", streaming.function.peak());
    while let Some(bytes) = streaming.read(&mut running) {
        body.add(&bytes);
    }
    assert_eq!((body.bytes, streaming.given()), (LARGE, LARGE));
    assert_eq!(streaming.ended().1, "['closed']");
}

#[test]
fn a_reader_that_goes_away_ends_the_iteration() {
    let mut streaming = streaming();
    let (pid, _) = streaming.ended();
    for (path, how) in [("/endless", "['closed']"), ("/written", "['caught']")] {
        for bytes in [1, 1 << 20] {
            streaming.function.api().arrange(Route::Response, Fault::CloseAfter(bytes));
            let response = streaming.function.invoke(get(path));
            assert!(matches!(response.outcome, Outcome::Platform(_)), "{path}: {:?}", response.outcome);
            assert_eq!(streaming.ended(), (pid, how.to_owned()), "{path}: {}", streaming.function.logs());
        }
    }
    assert!(streaming.function.logs().contains("the response could not be delivered"), "{}", streaming.function.logs());
}

#[test]
fn a_reader_that_goes_away_before_the_last_chunk_is_sent_leaves_the_next_request_alone() {
    let mut streaming = streaming();
    let (pid, _) = streaming.ended();
    for _ in 0..20 {
        // All of it fits into the kernel's buffers: it is the end that cannot be told.
        streaming.function.api().arrange(Route::Response, Fault::CloseAfter(1));
        streaming.function.invoke(get("/2"));
        assert_eq!(streaming.ended(), (pid, "['closed']".to_owned()), "{}", streaming.function.logs());
    }
}
