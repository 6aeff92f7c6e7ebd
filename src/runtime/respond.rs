//! Answers and errors, posted.

use serde_json::json;

use super::connection::{Headers, request_head};
use super::{API_VERSION, Api, SharedApi, Streamed};
use crate::error::{Error, Result};
use crate::invocation::Invocation;
use crate::log::bounded;

/// What the platform said to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It was taken.
    Accepted,
    /// It was refused with this status, and the platform has dealt with the caller itself: too large (413), too late
    /// (410), not the current invocation (400, 403). The next event is asked for as if nothing had happened.
    Refused(u16),
    /// The connection was lost before the platform said anything. Whether it has an answer is for [`Api::fail`] to find
    /// out.
    Lost,
}

impl Api {
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
    /// As [`Api::respond`].
    pub fn fail(&mut self, invocation: &Invocation, error: &Error) -> Result<Receipt> {
        let path = format!("/runtime/invocation/{}/error", invocation.request_id);
        self.post_error(&path, error, echo(invocation))
    }

    /// Posts the failure of the start: the platform logs it and answers the first invocation with it.
    ///
    /// # Errors
    /// As [`Api::respond`].
    pub fn init_error(&mut self, error: &Error) -> Result<Receipt> {
        self.post_error("/runtime/init/error", error, ("", ""))
    }

    /// Posts the failure of a restore from a snapshot.
    ///
    /// # Errors
    /// As [`Api::respond`].
    pub fn restore_error(&mut self, error: &Error) -> Result<Receipt> {
        self.post_error("/runtime/restore/error", error, ("", ""))
    }

    /// Begins a streamed answer. Nothing is sent before its first byte.
    pub fn stream(api: &SharedApi, invocation: &Invocation) -> Streamed {
        let path = format!("/runtime/invocation/{}/response", invocation.request_id);
        Streamed::new(api, &path, echo(invocation))
    }

    fn post_error(&mut self, path: &str, error: &Error, echo: (&str, &str)) -> Result<Receipt> {
        let body = error_body(error);
        let error_type = error_type(error);
        let headers = [
            ("Content-Type", "application/vnd.aws.lambda.error+json"),
            ("Lambda-Runtime-Function-Error-Type", error_type.as_str()),
            echo,
        ];
        self.post(path, &headers, body.as_bytes())
    }

    fn post(&mut self, path: &str, headers: Headers<'_>, body: &[u8]) -> Result<Receipt> {
        let length = body.len().to_string();
        let headers = &[headers, &[("Content-Length", &length)]];
        let head = request_head("POST", self.connection.address(), &format!("{API_VERSION}{path}"), headers);
        let reply = self.connection.post(&head, body)?;
        receipt(reply.status())
    }
}

pub(super) fn receipt(status: u16) -> Result<Receipt> {
    match status {
        200..=299 => Ok(Receipt::Accepted),
        // "Container error. Non-recoverable state. Runtime should exit promptly." (docs)
        500..=599 => Err(Error::runtime_api(format!("the Runtime API answered {status} to an answer"))),
        _ => Ok(Receipt::Refused(status)),
    }
}

/// The document that callers and the console show (docs, "Invocation error").
pub(super) fn error_body(error: &Error) -> String {
    let (message, error_type) = (bounded(error.message()), error.error_type());
    json!({"errorMessage": message, "errorType": error_type, "stackTrace": error.stack_trace()}).to_string()
}

/// The error type as a header's value.
pub(super) fn error_type(error: &Error) -> String {
    error.error_type().chars().filter(char::is_ascii_graphic).collect()
}

/// The header that tells this answer from a late one of an invocation that timed out under the same request id.
fn echo(invocation: &Invocation) -> (&str, &str) {
    match &invocation.invocation_id {
        Some(id) => ("Lambda-Runtime-Invocation-Id", id),
        None => ("", ""),
    }
}
