//! A streamed answer: one POST whose body is sent in chunks, on a connection of its own, or where no descriptor is left
//! for one on that of the polls, which is idle meanwhile.
//!
//! Ours, because `lambda_runtime` 1.5.0 writes an error in mid-stream into the body and ends it as if all were well.

use std::io::{IoSlice, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::connection::{connect, read, request_head, write_all};
use super::reply::Reply;
use super::respond::{Receipt, error_body, error_type, receipt};
use super::{API_VERSION, SharedApi};
use crate::descriptor::Socket;
use crate::error::{Error, Result};
use crate::sync::lock;

/// A POST that is sent chunk by chunk. Dropping it before [`Streamed::finish`] or [`Streamed::fail`] cuts the
/// connection, so that what is not complete never looks complete.
#[derive(Debug)]
pub struct Streamed {
    api: SharedApi,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing was sent: the head of the request waits for the first chunk.
    New(String),
    Open(Socket),
    /// What was sent last did not arrive. There is no second attempt: the platform has seen the first.
    Broken,
}

impl Streamed {
    pub(super) fn new(api: &SharedApi, path: &str, echo: (&str, &str)) -> Self {
        let headers = [
            ("Content-Type", "application/vnd.awslambda.http-integration-response"),
            ("Lambda-Runtime-Function-Response-Mode", "streaming"),
            ("Transfer-Encoding", "chunked"),
            ("Trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"),
            ("Connection", "close"),
            echo,
        ];
        let head = request_head("POST", lock(api).connection.address(), &format!("{API_VERSION}{path}"), &[&headers]);
        Self { api: SharedApi::clone(api), state: State::New(head) }
    }

    /// Ends the answer as complete.
    ///
    /// # Errors
    /// `RuntimeApi` when the platform says that it fails (5xx).
    pub fn finish(self) -> Result<Receipt> {
        self.end(b"0\r\n\r\n")
    }

    /// Ends the answer as failed in mid-stream, with trailers that name the error (docs, as above).
    ///
    /// # Errors
    /// As [`Streamed::finish`].
    pub fn fail(self, error: &Error) -> Result<Receipt> {
        let trailers = format!(
            "0\r\nLambda-Runtime-Function-Error-Type: {}\r\nLambda-Runtime-Function-Error-Body: {}\r\n\r\n",
            error_type(error),
            BASE64.encode(error_body(error)),
        );
        self.end(trailers.as_bytes())
    }

    fn end(self, last: &[u8]) -> Result<Receipt> {
        let State::Open(connection) = self.state else { return Ok(Receipt::Lost) };
        let mut reply = Reply::status_only();
        let end = write_all(&connection, &mut [IoSlice::new(last)])
            .and_then(|()| read(&connection, &mut [0; 1024], &mut reply));
        match end {
            Ok(()) => receipt(reply.status()),
            Err(_) => Ok(Receipt::Lost),
        }
    }

    fn connect(&self) -> std::io::Result<Socket> {
        let mut api = lock(&self.api);
        api.connection.refuse_children().map_err(std::io::Error::other)?;
        connect(api.connection.address()).or_else(|error| api.connection.take_idle().ok_or(error))
    }

    fn send(&mut self, slices: &[IoSlice<'_>]) -> std::io::Result<usize> {
        let slices: Vec<_> = slices.iter().filter(|slice| !slice.is_empty()).collect(); // an empty chunk ends the body
        if slices.is_empty() {
            return Ok(0);
        }
        let sizes: Vec<_> = slices.iter().map(|slice| format!("{:x}\r\n", slice.len())).collect();
        let (head, connection) = match std::mem::replace(&mut self.state, State::Broken) {
            State::New(head) => (head, self.connect()?),
            State::Open(connection) => (String::new(), connection),
            State::Broken => return Err(std::io::ErrorKind::BrokenPipe.into()),
        };
        let mut all = vec![IoSlice::new(head.as_bytes())];
        for (size, slice) in sizes.iter().zip(&slices) {
            all.extend([IoSlice::new(size.as_bytes()), IoSlice::new(slice), IoSlice::new(b"\r\n")]);
        }
        write_all(&connection, &mut all)?;
        self.state = State::Open(connection);
        Ok(slices.iter().map(|slice| slice.len()).sum())
    }
}

/// Each slice is one chunk; those of one write leave together, whole, at once.
impl Write for Streamed {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.send(&[IoSlice::new(data)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> std::io::Result<usize> {
        self.send(slices)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
