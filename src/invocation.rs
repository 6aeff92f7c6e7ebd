//! Room: `invocation`, one event being dealt with, and what the platform says about it.
//! In: filled by `runtime`.
//! Out: [`Invocation`], read by `server` and `python`.
//! May use: bytes.
//! Must not: know where the event came from or where the response goes.

use bytes::Bytes;

/// One invocation: the event's bytes, unchanged, and the headers that came with them.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    /// The id under which the response is posted.
    pub request_id: String,
    /// `Lambda-Runtime-Invocation-Id`, which is sent back with the response if the platform sent one.
    pub invocation_id: Option<String>,
    /// The deadline, when the platform kills the sandbox: milliseconds since the Unix epoch; 0 if it is not known.
    pub deadline_ms: u64,
    /// The function's ARN, with the qualifier that the caller used.
    pub invoked_function_arn: String,
    /// The value of X-Ray's trace header.
    pub trace_id: Option<String>,
    /// The tenant of a function with tenant isolation.
    pub tenant_id: Option<String>,
    /// The client context of a direct invocation: JSON text, not checked.
    pub client_context: Option<String>,
    /// The Cognito identity of a direct invocation: JSON text, not checked.
    pub cognito_identity: Option<String>,
    /// The event: JSON, if the caller kept to the rules.
    pub event: Bytes,
}

impl Invocation {
    /// What is needed to post the response: the ids and the deadline, without the event.
    #[must_use]
    pub fn without_event(&self) -> Self {
        Self {
            request_id: self.request_id.clone(),
            invocation_id: self.invocation_id.clone(),
            deadline_ms: self.deadline_ms,
            ..Self::default()
        }
    }
}
