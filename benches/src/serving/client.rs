//! A client that keeps its connection where the server does, and reads until it has the whole response.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long a server may take to listen and to answer.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Client {
    port: u16,
    request: Vec<u8>,
    connection: Option<TcpStream>,
    received: Vec<u8>,
}

/// Where a response's body is, and whether the server keeps the connection.
struct Framing {
    status: u16,
    /// Bytes before the body.
    head: usize,
    /// `None`: as long as the connection.
    length: Option<usize>,
    chunked: bool,
    close: bool,
}

impl Client {
    pub(super) fn new(port: u16, path: &str) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: */*\r\n\r\n").into_bytes();
        Self { port, request, connection: None, received: Vec::new() }
    }

    /// Sends the request; returns status and body. Connects if there is no connection, and waits until somebody listens.
    pub(super) fn get(&mut self) -> Result<(u16, Vec<u8>)> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        connection.write_all(&self.request)?;
        self.received.clear();
        let framing = loop {
            self.read(&mut connection)?;
            if let Some(framing) = framing(&self.received)? {
                break framing;
            }
        };
        let body = self.body(&framing, &mut connection)?;
        if !framing.close && (framing.length.is_some() || framing.chunked) {
            self.connection = Some(connection);
        }
        Ok((framing.status, body))
    }

    fn connect(&self) -> Result<TcpStream> {
        let begin = Instant::now();
        loop {
            match TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) {
                Ok(connection) => {
                    connection.set_nodelay(true)?;
                    connection.set_read_timeout(Some(PATIENCE))?;
                    return Ok(connection);
                }
                Err(error) if begin.elapsed() > PATIENCE => return Err(error).context("nobody listens"),
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Reads what is there; `false` at the end.
    fn read(&mut self, connection: &mut TcpStream) -> Result<bool> {
        let mut buffer = [0; 16 * 1024];
        let count = connection.read(&mut buffer)?;
        self.received.extend_from_slice(&buffer[..count]);
        if count == 0 && framing(&self.received)?.is_none() {
            bail!("the connection was closed before a response");
        }
        Ok(count > 0)
    }

    fn body(&mut self, framing: &Framing, connection: &mut TcpStream) -> Result<Vec<u8>> {
        loop {
            let received = &self.received[framing.head..];
            if framing.chunked {
                if let Some(body) = unchunked(received)? {
                    return Ok(body);
                }
            } else if let Some(length) = framing.length
                && received.len() >= length
            {
                return Ok(received[..length].to_vec());
            }
            if !self.read(connection)? {
                return match framing.length {
                    None if !framing.chunked => Ok(self.received[framing.head..].to_vec()),
                    _ => bail!("the response was cut"),
                };
            }
        }
    }
}

fn framing(received: &[u8]) -> Result<Option<Framing>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(received)? else { return Ok(None) };
    let value = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    Ok(Some(Framing {
        status: response.code.unwrap_or_default(),
        head,
        length: value("content-length").and_then(|length| length.parse().ok()),
        chunked: value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")),
        close: response.version == Some(0)
            || value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")),
    }))
}

/// The body in chunks, if its last chunk is there.
fn unchunked(mut rest: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let httparse::Status::Complete((start, size)) =
            httparse::parse_chunk_size(rest).map_err(|_| anyhow::anyhow!("an invalid size of a chunk"))?
        else {
            return Ok(None);
        };
        let end = start + usize::try_from(size)?;
        if rest.len() < end + 2 {
            return Ok(None);
        }
        if size == 0 {
            return Ok(Some(body));
        }
        body.extend_from_slice(&rest[start..end]);
        rest = &rest[end + 2..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined() {
        assert_eq!(unchunked(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").unwrap().unwrap(), b"abcde");
        assert!(unchunked(b"3\r\nab").unwrap().is_none());
        assert!(unchunked(b"x\r\n").is_err());
    }
}
