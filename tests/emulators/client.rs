//! A small HTTP client that sees a response while it arrives.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A response whose body may still be on its way.
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    connection: BufReader<TcpStream>,
}

/// Sends a request and reads the head of its response.
pub(crate) fn request(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    // Nothing is measured: without it a broken emulator would hold the tests up for ever.
    connection.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let length = body.len();
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    connection.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut connection = BufReader::new(connection);
    let status = line(&mut connection).split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = Vec::new();
    loop {
        let line = line(&mut connection);
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    Reply { status, headers, connection }
}

fn line(connection: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    connection.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// Invokes the function behind AWS's emulator; returns the payload, which is text after a timeout.
pub(crate) fn invoke(port: u16, event: &Value) -> Value {
    let path = "/2015-03-31/functions/function/invocations";
    let text = request(port, "POST", path, &[], event.to_string().as_bytes()).text();
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

impl Reply {
    /// Each value of a header field.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The next chunk; empty at the end.
    pub(crate) fn chunk(&mut self) -> Vec<u8> {
        assert_eq!(self.all("transfer-encoding"), ["chunked"]);
        let size = usize::from_str_radix(&line(&mut self.connection), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.connection.read_exact(&mut chunk).unwrap();
        chunk.truncate(size);
        chunk
    }

    /// The whole body.
    pub(crate) fn body(mut self) -> Vec<u8> {
        let mut body = Vec::new();
        if self.all("transfer-encoding").is_empty() {
            self.connection.read_to_end(&mut body).unwrap();
            return body;
        }
        loop {
            let chunk = self.chunk();
            if chunk.is_empty() {
                return body;
            }
            body.extend(chunk);
        }
    }

    /// The whole body as text.
    pub(crate) fn text(self) -> String {
        String::from_utf8(self.body()).unwrap()
    }
}
