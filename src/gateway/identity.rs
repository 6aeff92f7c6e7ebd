//! What the account's owner would know: ids, ARNs and domains of the imitated services. They are examples, and always
//! the same.

use super::values::ClientRequest;

/// The account that owns everything.
pub(super) const ACCOUNT: &str = "123456789012";
/// The id of a REST or HTTP API.
pub(super) const API: &str = "a1b2c3d4e5";
/// The id of the deployment of a REST API's stage.
pub(super) const DEPLOYMENT: &str = "dq7x2m";
/// The id of a REST API's resource.
pub(super) const RESOURCE: &str = "al6gqb";
/// The id of a function URL.
pub(super) const FUNCTION_URL: &str = "2cxn7odiwguak4feg4jtt7cwm0ziblrq";
/// The domain of an API without a custom one.
pub(super) const API_DOMAIN: &str = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com";
/// The domain of a function URL.
pub(super) const FUNCTION_URL_DOMAIN: &str = "2cxn7odiwguak4feg4jtt7cwm0ziblrq.lambda-url.us-east-1.on.aws";

/// API Gateway's other id of a request: eleven bytes in base64. They are taken from the UUID.
pub(super) fn extended_request_id(request: &ClientRequest) -> String {
    let mut bytes = [0; 11];
    let digits = request.request_id.bytes().filter_map(|byte| char::from(byte).to_digit(16));
    for (at, digit) in digits.take(22).enumerate() {
        bytes[at / 2] |= u8::try_from(digit).unwrap_or(0) << (4 * (1 - at % 2));
    }
    base64_simd::STANDARD.encode_to_string(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::values::ClientRequest;
    use super::*;

    #[test]
    fn the_extended_id_has_api_gateways_form() {
        let request = ClientRequest {
            method: http::Method::GET,
            target: "/".to_owned(),
            version: http::Version::HTTP_11,
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
            peer: std::net::SocketAddr::from(([127, 0, 0, 1], 1)),
            received: std::time::SystemTime::UNIX_EPOCH,
            request_id: "00112233-4455-6677-8899-aabbccddeeff".to_owned(),
            trace_id: "Root=1-0-0".to_owned(),
        };
        assert_eq!(extended_request_id(&request), "ABEiM0RVZneImao=");
        let odd = ClientRequest { request_id: "no id".to_owned(), ..request };
        assert_eq!(extended_request_id(&odd).len(), 16);
    }
}
