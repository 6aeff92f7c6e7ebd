//! A request as it came to the front end, and what its client gets for it.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, StatusCode};

use crate::emulator::{FunctionResponse, HttpResponse, Outcome, PlatformError};
use crate::gateway::{self, ClientRequest, ClientResponse, Fault, Settings, StreamedHead};

/// A request, and the front end that it came to.
#[derive(Clone, Debug)]
pub(in crate::cli::replay) struct Sent {
    pub(super) request: ClientRequest,
    pub(super) settings: Settings,
}

impl Sent {
    /// Method and target.
    pub(in crate::cli::replay) fn line(&self) -> String {
        format!("{} {}", self.request.method, self.request.target)
    }

    /// The event, if the front end passes the request on.
    pub(super) fn event(&self) -> Result<Bytes, Fault> {
        gateway::event(&self.request, &self.settings)
    }

    /// What the client gets for what the function posted.
    pub(super) fn received(&self, outcome: &Outcome) -> Result<ClientResponse, Fault> {
        match outcome {
            Outcome::Response(response) if response.stream.is_some() && self.settings.streams => {
                self.streamed(response)
            }
            Outcome::Response(response) => gateway::response(&response.body, &self.request, &self.settings),
            Outcome::Error(_) | Outcome::InitError(_) | Outcome::Platform(_) => Err(Fault::FunctionFailed),
        }
    }

    fn streamed(&self, response: &FunctionResponse) -> Result<ClientResponse, Fault> {
        let content_type = response.headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
        let mut head = StreamedHead::new(content_type);
        let (head, body) = match head.push(&response.body, &self.request, &self.settings)? {
            Some(found) => found,
            None => head.end(&self.request, &self.settings)?,
        };
        Ok(ClientResponse { head, body })
    }

    /// The front end's own response, as the outcome of an invocation that was not made.
    pub(super) fn refused(&self, fault: &Fault) -> Outcome {
        let status = gateway::fault(fault, &self.request, &self.settings).head.status;
        let front_end = self.settings.front_end;
        Outcome::Platform(PlatformError {
            error_type: "FrontEnd.Refused",
            message: format!("{front_end} answers with {status} and does not invoke the function: {}", why(fault)),
        })
    }

    /// What the client gets otherwise than the function posted it.
    pub(in crate::cli::replay) fn hints(&self, outcome: &Outcome) -> Vec<String> {
        let front_end = self.settings.front_end;
        match self.received(outcome) {
            Ok(response) => {
                HttpResponse::of(outcome).into_iter().flat_map(|posted| self.changed(&posted, &response)).collect()
            }
            Err(Fault::FunctionFailed) => Vec::new(),
            Err(fault) => {
                let status = gateway::fault(&fault, &self.request, &self.settings).head.status;
                vec![format!("the client gets {status} from {front_end} instead: {}", why(&fault))]
            }
        }
    }

    fn changed(&self, posted: &HttpResponse, got: &ClientResponse) -> Vec<String> {
        let front_end = self.settings.front_end;
        let mut hints = Vec::new();
        if StatusCode::from_u16(posted.status).ok() != Some(got.head.status) {
            hints.push(format!("the client gets {} from {front_end}", got.head.status));
        }
        let mut names: Vec<HeaderName> = posted.headers.iter().filter_map(|(name, _)| name.parse().ok()).collect();
        names.dedup();
        for name in names.into_iter().filter(|name| !got.head.headers.contains_key(name)) {
            let renamed = format!("x-amzn-remapped-{name}");
            hints.push(if got.head.headers.contains_key(&renamed) {
                format!("{front_end} renames the response's {name} to {renamed}")
            } else {
                format!("{front_end} leaves out the response's {name}")
            });
        }
        if got.body != posted.body && !got.body.is_empty() {
            hints.push(format!("the client gets another body from {front_end}: {} bytes", got.body.len()));
        }
        hints
    }
}

/// A fault in words.
fn why(fault: &Fault) -> String {
    match fault {
        Fault::RequestTooLarge => "the request's body is larger than it takes".to_owned(),
        Fault::HeadersTooLarge => "the request's headers are larger than it takes".to_owned(),
        Fault::MethodNotAllowed => "it does not know the method".to_owned(),
        Fault::BadRequest(text) => (*text).to_owned(),
        Fault::NotFound(text) | Fault::Malformed(text) => text.clone(),
        Fault::ResponseTooLarge => "the response is larger than it takes".to_owned(),
        Fault::FunctionFailed => "the function failed".to_owned(),
        Fault::TimedOut => "the function took longer than it waits".to_owned(),
        Fault::Throttled => "all sandboxes were busy".to_owned(),
    }
}
