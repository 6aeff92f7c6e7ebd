//! What a client sends.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use wsgi_lambda::gateway::ClientRequest;

/// A request over HTTP/1.1 with `Host: 127.0.0.1:8000`.
pub(crate) fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> ClientRequest {
    let mut map = HeaderMap::new();
    map.insert("host", HeaderValue::from_static("127.0.0.1:8000"));
    for (name, value) in headers {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    ClientRequest {
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        target: target.to_owned(),
        version: Version::HTTP_11,
        headers: map,
        body: Bytes::copy_from_slice(body),
        peer: "203.0.113.42:50000".parse().unwrap(),
        received: SystemTime::UNIX_EPOCH + Duration::from_millis(1_784_108_836_668),
        request_id: "0305adca-f1e8-4262-abfd-f58b32c395a6".to_owned(),
        trace_id: "Root=1-6a575724-8f23807390ab7d3fb510bd54".to_owned(),
    }
}
