//! Room: `invocation`, one call of the function as the platform describes it.
//! In: filled by `runtime`.
//! Out: [`Invocation`], read by `handler` and `python`.
//! May use: bytes.
//! Must not: know where it came from or who answers.

use bytes::Bytes;

/// One invocation: the event's untouched bytes and the headers that came with them.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    /// The id under which the answer is posted.
    pub request_id: String,
    /// `Lambda-Runtime-Invocation-Id`, echoed with the answer when the platform sends one.
    pub invocation_id: Option<String>,
    /// When the platform kills the sandbox, in milliseconds since the Unix epoch.
    pub deadline_ms: u64,
    /// With the qualifier that the caller used.
    pub invoked_function_arn: String,
    /// X-Ray's trace header.
    pub trace_id: Option<String>,
    /// The tenant of a function with tenant isolation.
    pub tenant_id: Option<String>,
    /// JSON text, as a direct caller wrote it.
    pub client_context: Option<String>,
    /// JSON text.
    pub cognito_identity: Option<String>,
    /// The event.
    pub event: Bytes,
}

impl Invocation {
    /// What is needed to answer it, without the event.
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
