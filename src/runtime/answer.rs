//! Answers and errors, posted over one blocking connection that stays open.
//!
//! Ours, because AWS's crate has no init error, no stack traces and no TCP_NODELAY on this path (platform facts:
//! `lambda_runtime` 1.5.0).

use std::io::{IoSlice, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;

use super::{API_VERSION, USER_AGENT};
use crate::error::{Error, Result};
use crate::invocation::Invocation;

/// What the platform said to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It was taken.
    Accepted,
    /// It was refused with this status, and the platform has dealt with the caller itself: too large (413), too late
    /// (410), not the current invocation (400, 403). The next event is asked for as if nothing had happened.
    Refused(u16),
}

/// The posting side of the Runtime API.
#[derive(Debug)]
pub struct Answers {
    address: String,
    connection: Option<TcpStream>,
}

type Headers<'h> = &'h [(&'h str, &'h str)];

impl Answers {
    /// Answers to the API at `address` (host and port). Connects when the first one is posted.
    pub fn new(address: &str) -> Self {
        Self { address: address.to_owned(), connection: None }
    }

    /// Posts the answer to an invocation: one JSON document.
    ///
    /// # Errors
    /// `RuntimeApi` when the platform is gone or says that it fails (5xx): the process has to end.
    pub fn respond(&mut self, invocation: &Invocation, json: &[u8]) -> Result<Receipt> {
        let path = format!("/runtime/invocation/{}/response", invocation.request_id);
        self.post(&path, &[("Content-Type", "application/json"), echo(invocation)], json)
    }

    /// Posts the failure of an invocation.
    ///
    /// # Errors
    /// As [`Answers::respond`].
    pub fn fail(&mut self, invocation: &Invocation, error: &Error) -> Result<Receipt> {
        let path = format!("/runtime/invocation/{}/error", invocation.request_id);
        self.post_error(&path, error, echo(invocation))
    }

    /// Posts the failure of the start: the platform logs it and answers the first invocation with it.
    ///
    /// # Errors
    /// As [`Answers::respond`].
    pub fn init_error(&mut self, error: &Error) -> Result<Receipt> {
        self.post_error("/runtime/init/error", error, ("", ""))
    }

    fn post_error(&mut self, path: &str, error: &Error, echo: (&str, &str)) -> Result<Receipt> {
        let body = json!({
            "errorMessage": error.message(), "errorType": error.error_type(), "stackTrace": error.stack_trace(),
        });
        let error_type: String = error.error_type().chars().filter(char::is_ascii_graphic).collect();
        let headers = [
            ("Content-Type", "application/vnd.aws.lambda.error+json"),
            ("Lambda-Runtime-Function-Error-Type", error_type.as_str()),
            echo,
        ];
        self.post(path, &headers, body.to_string().as_bytes())
    }

    fn post(&mut self, path: &str, headers: Headers<'_>, body: &[u8]) -> Result<Receipt> {
        let head = self.request_head(path, headers, body.len());
        // A connection that was idle may have been closed meanwhile; only a new one's failure means anything.
        let reused = self.connection.is_some();
        let mut result = self.exchange(head.as_bytes(), body);
        if result.is_err() && reused {
            result = self.exchange(head.as_bytes(), body);
        }
        let status = result.map_err(|error| {
            Error::runtime_api(format!("the connection to the Runtime API is lost: {error}")).with_source(error)
        })?;
        match status {
            200..=299 => Ok(Receipt::Accepted),
            // "Container error. Non-recoverable state. Runtime should exit promptly." (docs)
            500..=599 => Err(Error::runtime_api(format!("the Runtime API answered {status} to an answer"))),
            _ => Ok(Receipt::Refused(status)),
        }
    }

    fn request_head(&self, path: &str, headers: Headers<'_>, length: usize) -> String {
        let mut head = format!(
            "POST {API_VERSION}{path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {USER_AGENT}\r\nContent-Length: {length}\r\n",
            self.address
        );
        for (name, value) in headers.iter().filter(|(name, _)| !name.is_empty()) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        head
    }

    /// Sends one request and reads its answer's status. The connection is kept only when all went well.
    fn exchange(&mut self, head: &[u8], body: &[u8]) -> std::io::Result<u16> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.address)?,
        };
        write_both(&mut connection, head, body)?;
        let (status, keep) = read_reply(&mut connection)?;
        if keep {
            self.connection = Some(connection);
        }
        Ok(status)
    }
}

/// The header that tells this answer from a late one of an invocation that timed out under the same request id.
fn echo(invocation: &Invocation) -> (&str, &str) {
    match &invocation.invocation_id {
        Some(id) => ("Lambda-Runtime-Invocation-Id", id),
        None => ("", ""),
    }
}

fn connect(address: &str) -> std::io::Result<TcpStream> {
    let connection =
        if address.contains(':') { TcpStream::connect(address)? } else { TcpStream::connect((address, 80))? };
    // Without it the head of a large answer waits for the kernel's delayed acknowledgement (about 40 ms).
    connection.set_nodelay(true)?;
    Ok(connection)
}

/// Writes head and body with as few system calls as the kernel allows, without copying the body.
fn write_both(connection: &mut TcpStream, head: &[u8], body: &[u8]) -> std::io::Result<()> {
    let mut slices = [IoSlice::new(head), IoSlice::new(body)];
    let mut rest = &mut slices[..];
    IoSlice::advance_slices(&mut rest, 0); // drops an empty body
    while !rest.is_empty() {
        match connection.write_vectored(rest) {
            Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads one reply; gives its status and whether the connection can be used again.
fn read_reply(connection: &mut TcpStream) -> std::io::Result<(u16, bool)> {
    let mut buffer = Vec::with_capacity(1024);
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut reply = httparse::Response::new(&mut headers);
        let parsed = reply.parse(&buffer).map_err(std::io::Error::other)?;
        if let httparse::Status::Complete(head_len) = parsed {
            let status = reply.code.unwrap_or(0);
            let length = content_length(reply.headers);
            let keep = reply.version == Some(1) && !says_close(reply.headers) && length.is_some();
            let missing = length.unwrap_or(0).saturating_sub(buffer.len() - head_len);
            let drained = keep && drain(connection, missing)?;
            return Ok((status, drained));
        }
        let mut chunk = [0; 1024];
        match connection.read(&mut chunk) {
            Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => buffer.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads the rest of a reply's body, so that the connection can carry the next request.
fn drain(connection: &mut TcpStream, missing: usize) -> std::io::Result<bool> {
    let read = std::io::copy(&mut connection.take(missing as u64), &mut std::io::sink())?;
    Ok(read == missing as u64)
}

fn content_length(headers: &[httparse::Header<'_>]) -> Option<usize> {
    let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"))?;
    std::str::from_utf8(header.value).ok()?.trim().parse().ok()
}

fn says_close(headers: &[httparse::Header<'_>]) -> bool {
    headers
        .iter()
        .any(|header| header.name.eq_ignore_ascii_case("connection") && header.value.eq_ignore_ascii_case(b"close"))
}
