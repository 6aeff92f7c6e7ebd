//! A streamed response: one POST whose body is sent in chunks. It has a connection of its own. If no descriptor is left for
//! one, it uses the connection that asks for events, which is idle meanwhile.
//!
//! This is code of our own because `lambda_runtime` 1.5.0 writes an error in the middle of a stream into the body, and
//! then ends the body as complete.

use std::io::{IoSlice, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::api::{API_VERSION, SharedApi};
use super::connection::{connect, read, request_head, write_all};
use super::failure::{error_body, error_type};
use super::receipt::Receipt;
use super::reply::Reply;
use crate::descriptor::Socket;
use crate::error::{Error, Result};
use crate::sync::lock;

/// A POST that is sent chunk by chunk. If it is dropped before [`Streamed::finish`] or [`Streamed::fail`], the
/// connection is cut, so that an incomplete response never looks complete.
#[derive(Debug)]
pub struct Streamed {
    api: SharedApi,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing was sent. The head of the request waits for the first chunk.
    New(String),
    Open(Socket),
    /// The last write failed. There is no second attempt: the platform has seen a part of the first.
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

    /// Ends the response as complete.
    ///
    /// # Errors
    /// `RuntimeApi` if the platform replies 5xx.
    pub fn finish(self) -> Result<Receipt> {
        self.end(b"0\r\n\r\n")
    }

    /// Ends the response as failed, with trailers that name the error (docs, "Building a custom runtime for AWS
    /// Lambda").
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
            Ok(()) => Receipt::of(reply.status()),
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

/// Each slice becomes one chunk. All slices of one write are sent together, at once and completely.
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
