//! The internal extension, because of which the platform announces the end of a sandbox.

use std::io::IoSlice;

use super::api::Api;
use super::connection::{connect, request_head, write_all};
use crate::error::{Error, Result};

const EXTENSION_API: &str = "/2020-01-01/extension";
const EXTENSION_ID: &str = "lambda-extension-identifier";

impl Api {
    /// Registers an internal extension that subscribes to no events. The platform then sends SIGTERM before it ends the sandbox
    /// (docs, "Lambda Extensions API"; `lambda_runtime`'s graceful shutdown does the same).
    ///
    /// # Errors
    /// `RuntimeApi` if the platform refuses the extension.
    pub fn register_extension(&mut self) -> Result<()> {
        let body = br#"{"events":[]}"#.to_vec();
        let headers = [("lambda-extension-name", "wsgi-lambda-shutdown"), ("Content-Length", &body.len().to_string())];
        let address = self.connection.address();
        let head = request_head("POST", address, &format!("{EXTENSION_API}/register"), &[&headers]);
        let reply = self.connection.post(&head, &body)?;
        let identifier = reply.headers().find(|(name, _)| name.eq_ignore_ascii_case(EXTENSION_ID));
        let (_, identifier) = identifier.ok_or_else(|| {
            Error::runtime_api(format!("the platform refused the internal extension: {}", reply.status()))
        })?;
        let next = self.get(&format!("{EXTENSION_API}/event/next"), &[(EXTENSION_ID, &identifier)]);
        let waiting = connect(self.connection.address())
            .and_then(|stream| write_all(&stream, &mut [IoSlice::new(next.as_bytes())]).map(|()| stream));
        let waiting = waiting.map_err(|error| {
            Error::runtime_api(format!("the internal extension has no connection: {error}")).with_source(error)
        })?;
        self.extension = Some(waiting);
        Ok(())
    }
}
