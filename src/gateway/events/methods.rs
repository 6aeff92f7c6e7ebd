//! Which methods pass.

use http::Method;

/// Whether API Gateway and Function URLs know a method: those of the routes `ANY` (API Gateway guide, "Set up an HTTP
/// method" and "Create routes for HTTP APIs") and of a function URL's `AllowMethods` (Lambda API, "Cors"), with OPTIONS.
pub(super) fn is_known(method: &Method) -> bool {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::POST, Method::PUT, Method::HEAD, Method::OPTIONS, Method::PATCH, Method::DELETE];
    KNOWN.contains(method)
}
