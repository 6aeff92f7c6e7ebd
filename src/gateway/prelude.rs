//! How a streamed response says that it has a prelude, and where that ends (docs, "Building a custom runtime for AWS
//! Lambda", Response streaming).

/// What stands between the prelude and the body.
pub(super) const DELIMITER: [u8; 8] = [0; 8];
/// The content type of a POST with a prelude.
pub(super) const WITH_PRELUDE: &[u8] = b"application/vnd.awslambda.http-integration-response";
