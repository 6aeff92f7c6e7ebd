//! Function URLs: payload 2.0 with the path as the client sent it, and cookies in both forms.

use bytes::Bytes;
use serde_json::Value;

use super::methods;
use super::payload2::{self, Own};
use crate::gateway::body;
use crate::gateway::fields::{Fields, cookies};
use crate::gateway::identity;
use crate::gateway::url::{Url, decode};
use crate::gateway::values::{ClientRequest, Fault};

pub(super) fn event(request: &ClientRequest, url: &Url<'_>) -> Result<Bytes, Fault> {
    if !methods::is_known(&request.method) {
        return Err(Fault::MethodNotAllowed);
    }
    let mut fields = Fields::of(request, url).forwarded(request, url).traced(request).measured(request, false);
    if url.scheme == "https" {
        fields.set("x-amzn-tls-cipher-suite", "TLS_AES_128_GCM_SHA256");
        fields.set("x-amzn-tls-version", "TLSv1.3");
    }
    let sent = fields.take("cookie");
    let cookies = cookies(&sent);
    if !sent.is_empty() {
        fields.set("cookie", sent.join("; "));
    }
    let own = Own {
        account_id: "anonymous",
        api_id: url.api_id(identity::FUNCTION_URL),
        request_id: &request.request_id,
        route_key: "$default",
        stage: "$default",
        raw_path: url.path.into(),
        path: &decode(url.path),
        path_parameters: Some(Value::Null),
        stage_variables: Some(Value::Null),
        cookies,
    };
    Ok(payload2::event(request, url, &fields, &body::body(request, body::is_text(request)), own))
}
