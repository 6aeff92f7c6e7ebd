//! One connection: heads through `httparse`, bodies sized or chunked.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::posted::Posted;

/// How long a function may take here, and how long a subject that has begun to send may pause.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// What a call begins with.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) path: String,
    body: Body,
    /// libcurl asks before it sends a large body.
    expects: bool,
}

#[derive(Clone, Copy, Debug)]
enum Body {
    Sized(usize),
    Chunked,
}

/// A connection and what was read from it before it was needed.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    scratch: Vec<u8>,
    from: usize,
    to: usize,
    /// Whether a poll of `/next` waits on it.
    pub(super) parked: bool,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Self { stream, scratch: vec![0; 256 * 1024], from: 0, to: 0, parked: false })
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).context("it does not read what it asked for")
    }

    fn pending(&self) -> &[u8] {
        &self.scratch[self.from..self.to]
    }

    /// Reads more; `false` at the end of the connection.
    fn fill(&mut self) -> Result<bool> {
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
        } else if self.to == self.scratch.len() {
            self.scratch.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
        }
        match self.stream.read(&mut self.scratch[self.to..]) {
            Ok(read) => {
                self.to += read;
                Ok(read > 0)
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
            Err(error) => Err(error).context("it stopped in the middle of a call"),
        }
    }

    /// The next call's head; `None` when the subject closed the connection.
    pub(super) fn head(&mut self) -> Result<Option<Head>> {
        loop {
            if let Some((head, length)) = parse(self.pending())? {
                self.from += length;
                return Ok(Some(head));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    pub(super) fn body(&mut self, head: &Head, posted: &mut Posted) -> Result<()> {
        if head.expects {
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        posted.begin(matches!(head.body, Body::Chunked));
        match head.body {
            Body::Sized(length) => self.sized(length, posted)?,
            Body::Chunked => self.chunked(posted)?,
        }
        posted.end();
        Ok(())
    }

    fn sized(&mut self, length: usize, posted: &mut Posted) -> Result<()> {
        let ready = self.pending().len().min(length);
        posted.add(&self.scratch[self.from..self.from + ready]);
        self.from += ready;
        let Some(space) = posted.space(length - ready) else { bail!("its response has {length} bytes") };
        self.stream.read_exact(space).context("its response is shorter than announced")
    }

    fn chunked(&mut self, posted: &mut Posted) -> Result<()> {
        loop {
            let (size, head) = self.chunk_head()?;
            self.from += head;
            if size == 0 {
                return self.trailers();
            }
            self.chunk(size, posted)?;
        }
    }

    fn chunk_head(&mut self) -> Result<(usize, usize)> {
        loop {
            match httparse::parse_chunk_size(self.pending()) {
                Ok(httparse::Status::Complete((head, size))) => return Ok((usize::try_from(size)?, head)),
                Ok(httparse::Status::Partial) => self.more()?,
                Err(_) => bail!("its response has a chunk whose size cannot be read"),
            }
        }
    }

    fn chunk(&mut self, mut left: usize, posted: &mut Posted) -> Result<()> {
        while left > 0 {
            if self.from == self.to {
                self.more()?;
            }
            let part = left.min(self.to - self.from);
            posted.add(&self.scratch[self.from..self.from + part]);
            posted.mark();
            self.from += part;
            left -= part;
        }
        while self.pending().len() < 2 {
            self.more()?;
        }
        self.from += 2; // the line end behind the data
        Ok(())
    }

    /// Reads trailers away, up to the empty line.
    fn trailers(&mut self) -> Result<()> {
        loop {
            while !self.pending().contains(&b'\n') {
                self.more()?;
            }
            let line = self.pending().iter().take_while(|byte| **byte != b'\n').count();
            let empty = line <= 1;
            self.from += line + 1;
            if empty {
                return Ok(());
            }
        }
    }

    fn more(&mut self) -> Result<()> {
        if self.fill()? { Ok(()) } else { bail!("it cut its response off") }
    }
}

fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let Ok(status) = request.parse(bytes) else { bail!("its call is not HTTP: {}", bytes.escape_ascii()) };
    let httparse::Status::Complete(length) = status else { return Ok(None) };
    let mut head = Head { path: request.path.unwrap_or_default().to_owned(), body: Body::Sized(0), expects: false };
    for header in request.headers {
        let value = header.value.trim_ascii();
        if header.name.eq_ignore_ascii_case("content-length") {
            head.body = Body::Sized(std::str::from_utf8(value)?.parse().context("its Content-Length")?);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case(b"chunked") {
            head.body = Body::Chunked;
        } else if header.name.eq_ignore_ascii_case("expect") {
            head.expects = true;
        }
    }
    Ok(Some((head, length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Sends these pieces, one write each, and reads them as a call with its body.
    fn read(pieces: &[&str]) -> (Result<()>, Posted) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_nodelay(true).unwrap();
        let mut wire = Wire::new(listener.accept().unwrap().0).unwrap();
        let pieces: Vec<String> = pieces.iter().map(|&piece| piece.to_owned()).collect();
        let sender = std::thread::spawn(move || {
            for piece in pieces {
                client.write_all(piece.as_bytes()).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        });
        let mut posted = Posted::default();
        let head = wire.head().unwrap().unwrap();
        assert_eq!(head.path, "/x");
        let read = wire.body(&head, &mut posted);
        sender.join().unwrap();
        (read, posted)
    }

    #[test]
    fn a_sized_body_in_pieces() {
        let (read, posted) = read(&["POST /x HTTP/1.1\r\nContent-", "Length: 6\r\n\r\nab", "cd", "ef"]);
        read.unwrap();
        assert_eq!((posted.body(), posted.total, posted.chunked), (&b"abcdef"[..], 6, false));
    }

    #[test]
    fn chunks_cut_anywhere_with_trailers() {
        let head = "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let (read, posted) = read(&[head, "3\r\nab", "c\r", "\nA\r\n0123456789\r\n0", "\r\nName: v\r\n\r\n"]);
        read.unwrap();
        assert_eq!((posted.body(), posted.total, posted.chunked), (&b"abc0123456789"[..], 13, true));
        let totals: Vec<usize> = posted.marks.iter().map(|mark| mark.1).collect();
        assert_eq!(totals, [2, 3, 13]);
        assert!(posted.marks.is_sorted() && posted.marks.iter().all(|mark| mark.0 <= posted.at));
    }

    #[test]
    fn a_response_that_is_cut_off_is_no_response() {
        assert!(read(&["POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab"]).0.is_err());
        assert!(read(&["POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nab"]).0.is_err());
    }
}
