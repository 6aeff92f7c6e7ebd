//! What a caller submits: an event, the function's timeout, and changes to the headers of `/next`.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use super::uuid;

/// An event on its way to the runtime, with its request id and timeout.
#[derive(Clone, Debug)]
pub struct Submission {
    pub(super) event: Bytes,
    pub(super) timeout: Duration,
    pub(super) request_id: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) omitted: Vec<HeaderName>,
}

impl Submission {
    /// Submits these event bytes with a random request id and a timeout of 30 seconds.
    pub fn new(event: impl Into<Bytes>) -> Self {
        Self {
            event: event.into(),
            timeout: Duration::from_secs(30),
            request_id: uuid::random(),
            headers: Vec::new(),
            omitted: Vec::new(),
        }
    }

    /// Sets the function's timeout. The deadline is this long after the runtime takes the event.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the request id. Two submissions may share one, as retries do on Lambda.
    #[must_use]
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = id.into();
        self
    }

    /// Derives the request id from a name, so that a stored response that contains the id stays the same.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        self.request_id(uuid::from_name(name))
    }

    /// Adds a header to `/next`. It replaces the default header of that name; add it twice to send it twice.
    /// The value may be any bytes that a header can carry, UTF-8 or not.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Leaves out a header that `/next` has by default, as an older platform does.
    #[must_use]
    pub fn without(mut self, name: HeaderName) -> Self {
        self.omitted.push(name);
        self
    }

    /// The request id.
    pub fn id(&self) -> &str {
        &self.request_id
    }
}
