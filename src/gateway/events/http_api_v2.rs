//! HTTP APIs, payload format 2.0: the path decoded and with the stage in it, the cookies in a list of their own.

use bytes::Bytes;

use super::methods;
use super::payload2::{self, Own};
use super::route::Route;
use crate::gateway::body;
use crate::gateway::fields::{Fields, cookies};
use crate::gateway::identity::{self, extended_request_id};
use crate::gateway::url::{Url, decode};
use crate::gateway::values::{ClientRequest, Fault, Settings};

pub(super) fn event(request: &ClientRequest, settings: &Settings, url: &Url<'_>) -> Result<Bytes, Fault> {
    if !methods::is_known(&request.method) {
        return Err(Fault::MethodNotAllowed);
    }
    let rest = decode(url.mounted(settings)?.rest);
    let has_stage = settings.has_named_stage();
    // With a custom domain too: there it replaces the key of the API mapping (API Gateway guide, "Create AWS Lambda proxy
    // integrations for HTTP APIs").
    let path = match &*rest {
        rest if has_stage => format!("/{}{rest}", settings.stage),
        "" => "/".to_owned(),
        rest => rest.to_owned(),
    };
    let route = Route::of(&rest);
    let fields = Fields::of(request, url).forwarded(request, url).traced(request);
    let mut fields = fields.measured(request, true);
    let own = Own {
        account_id: identity::ACCOUNT,
        api_id: url.api_id(identity::API),
        request_id: &extended_request_id(request),
        route_key: if has_stage { route.key() } else { "$default" },
        stage: if has_stage { &settings.stage } else { "$default" },
        raw_path: path.as_str().into(),
        path: &path,
        path_parameters: if has_stage { route.parameters() } else { None },
        stage_variables: None,
        cookies: cookies(&fields.take("cookie")),
    };
    Ok(payload2::event(request, url, &fields, &body::body(request, body::is_text(request)), own))
}
