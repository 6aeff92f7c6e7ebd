//! Posts of responses and errors.

use super::api::{API_VERSION, Api, SharedApi};
use super::connection::{Headers, request_head};
use super::failure::{error_body, error_type};
use super::payload::Payload;
use super::receipt::Receipt;
use super::stream::Streamed;
use crate::error::{Error, Result};
use crate::invocation::Invocation;

impl Api {
    /// Posts the response to an invocation: one JSON document.
    ///
    /// # Errors
    /// `RuntimeApi` if the connection is lost or the platform replies 5xx: the process has to end.
    pub fn respond(&mut self, invocation: &Invocation, json: &dyn Payload) -> Result<Receipt> {
        self.post(&response_path(invocation), &[("Content-Type", "application/json"), echo(invocation)], json)
    }

    /// Posts the error of an invocation.
    ///
    /// # Errors
    /// As [`Api::respond`].
    pub fn fail(&mut self, invocation: &Invocation, error: &Error) -> Result<Receipt> {
        let path = format!("/runtime/invocation/{}/error", invocation.request_id);
        self.post_error(&path, error, echo(invocation))
    }

    /// Posts the error of the init: the platform logs it and answers the first invocation with it.
    ///
    /// # Errors
    /// As [`Api::respond`].
    pub fn init_error(&mut self, error: &Error) -> Result<Receipt> {
        self.post_error("/runtime/init/error", error, ("", ""))
    }

    /// Posts the error of a restore from a snapshot.
    ///
    /// # Errors
    /// As [`Api::respond`].
    pub fn restore_error(&mut self, error: &Error) -> Result<Receipt> {
        self.post_error("/runtime/restore/error", error, ("", ""))
    }

    /// Begins a streamed response. Nothing is sent before its first byte.
    pub fn stream(api: &SharedApi, invocation: &Invocation) -> Streamed {
        Streamed::new(api, &response_path(invocation), echo(invocation))
    }

    fn post_error(&mut self, path: &str, error: &Error, echo: (&str, &str)) -> Result<Receipt> {
        let body = error_body(error);
        let error_type = error_type(error);
        let headers = [
            ("Content-Type", "application/vnd.aws.lambda.error+json"),
            ("Lambda-Runtime-Function-Error-Type", error_type.as_str()),
            echo,
        ];
        self.post(path, &headers, &body.into_bytes())
    }

    fn post(&mut self, path: &str, headers: Headers<'_>, body: &dyn Payload) -> Result<Receipt> {
        let length = body.size().to_string();
        let headers = &[headers, &[("Content-Length", &length)]];
        let head = request_head("POST", self.connection.address(), &format!("{API_VERSION}{path}"), headers);
        let reply = self.connection.post(&head, body)?;
        Receipt::of(reply.status())
    }
}

fn response_path(invocation: &Invocation) -> String {
    format!("/runtime/invocation/{}/response", invocation.request_id)
}

/// The header that tells this response from a late one to an invocation that timed out under the same request id. Its
/// name is empty if the platform sent none: it is left out then.
fn echo(invocation: &Invocation) -> (&str, &str) {
    match &invocation.invocation_id {
        Some(id) => ("Lambda-Runtime-Invocation-Id", id),
        None => ("", ""),
    }
}
