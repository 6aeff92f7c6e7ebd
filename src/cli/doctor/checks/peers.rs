//! What is left of other adapters, and what replaces it. `docs/migrate.md` has the whole list.

use super::handler::handler_fix;
use super::words::{place, set_variable};
use crate::cli::doctor::adapters::{self, EventHandler};
use crate::cli::doctor::contents::{Contents, shown};
use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::{Function, LayerUse};
use crate::cli::doctor::project::{Project, is_web_adapter};
use crate::cli::doctor::wsgi;
use crate::config::{APP, BASE_PATH, RESPONSE_MODE};

pub(super) const EVENT_HANDLER: Check = Check {
    id: "event-handler",
    severity: Severity::Error,
    title: "a handler that takes an event and a context, such as mangum, apig-wsgi and serverless-wsgi make",
    why: "wsgi-lambda calls the handler as a WSGI application, with environ and start_response. A function of an event and a \
          context cannot be called so: every request would be a 500.",
};

pub(super) const VARIABLE: Check = Check {
    id: "peer-variable",
    severity: Severity::Warning,
    title: "a variable that only another adapter reads (serverless-wsgi, Lambda Web Adapter)",
    why: "Nothing reads it any more: what it did is done in another way, or not at all (docs/migrate.md).",
};

pub(super) const LAYER: Check = Check {
    id: "peer-layer",
    severity: Severity::Error,
    title: "the layer of the Lambda Web Adapter next to that of wsgi-lambda",
    why: "Both layers have an /opt/bootstrap and the later one wins. The adapter also starts as an extension, and waits for \
          a server on its port, which there is not.",
};

/// Variables, and what replaces them.
const VARIABLES: &[(&str, &str)] = &[
    (
        "STRIP_STAGE_PATH",
        "Remove it. The stage is in SCRIPT_NAME, never in PATH_INFO. For URLs without it: a custom domain, or a middleware \
         that sets environ[\"SCRIPT_NAME\"] = \"\".",
    ),
    ("TEXT_MIME_TYPES", "Remove it. A response's type, encoding and content decide whether it is sent as base64."),
    ("AWS_LWA_ENABLE_COMPRESSION", "CloudFront, or a middleware such as Django's GZipMiddleware"),
    ("AWS_LWA_PASS_THROUGH_PATH", "A function of its own for events that are not HTTP"),
    ("AWS_LWA_ERROR_STATUS_CODES", "A function of its own for events that are not HTTP"),
    (
        "AWS_LWA_AUTHORIZATION_SOURCE",
        "A middleware: environ[\"HTTP_AUTHORIZATION\"] = environ[\"HTTP_…\"], the header that it names",
    ),
    ("PORT", "Remove it if no code of yours reads it. There is no port: the runtime calls the application itself."),
];

pub(super) fn run(project: &Project, findings: &mut Findings) {
    for function in project.functions() {
        for variable in &function.variables.entries {
            if let Some((severity, fix)) = replacement(&variable.name, variable.value.as_deref(), &|name, value| {
                set_variable(&project.deployment, name, value)
            }) {
                let what = format!("{} is set: wsgi-lambda does not read it.", variable.name);
                findings.add_as(severity, &VARIABLE, &function.name, Some(&variable.at), what, fix);
            }
        }
        for layer in &function.layers {
            if let LayerUse::Elsewhere(arn) = layer
                && is_web_adapter(layer)
            {
                let what = format!("The Lambda Web Adapter is among the layers: {arn}.");
                findings.add(&LAYER, &function.name, Some(&function.at), what, "Remove the adapter's layer.");
            }
        }
        handler(project, function, findings);
    }
}

/// What replaces a variable of a peer's.
pub(super) fn replacement(
    name: &str,
    value: Option<&str>,
    set: &dyn Fn(&str, &str) -> String,
) -> Option<(Severity, String)> {
    let value = value.unwrap_or("…");
    let base_path = || {
        let path = format!("/{}", value.trim_matches('/'));
        format!("Remove it for a REST API: its base path is derived. Elsewhere {}", set(BASE_PATH.name, &path))
    };
    let fix = match name {
        "API_GATEWAY_BASE_PATH" | "AWS_LWA_REMOVE_BASE_PATH" | "REMOVE_BASE_PATH" => base_path(),
        "AWS_LWA_INVOKE_MODE" if value.eq_ignore_ascii_case("response_stream") => set(RESPONSE_MODE.name, "stream"),
        _ => match VARIABLES.iter().find(|(known, _)| *known == name) {
            Some((_, fix)) => (*fix).to_owned(),
            None if name.starts_with("AWS_LWA_") => {
                "Remove it. There is no port and no server: the import of the application is the start.".to_owned()
            }
            None => return None,
        },
    };
    // Applications read this one for purposes of their own.
    let severity = if name == "PORT" { Severity::Note } else { VARIABLE.severity };
    Some((severity, fix))
}

fn handler(project: &Project, function: &Function, findings: &mut Findings) {
    let Some((code, found)) = event_handler(project, function) else { return };
    let handler = function.handler.value().map_or("", String::as_str);
    let made = found.adapter.map(|adapter| format!(" ({adapter})")).unwrap_or_default();
    let at = match code.zip(found.file.as_ref()) {
        Some((code, file)) => format!(", {}:{}", shown(&code.path.join(file)), found.line),
        None => String::new(),
    };
    let what = format!("{handler} takes an event and a context{made}{at}: it is no WSGI application.");
    let fix = fix(project, handler, code, &found);
    findings.add(&EVENT_HANDLER, &function.name, Some(place(&function.handler, function)), what, fix);
}

fn fix(project: &Project, handler: &str, code: Option<&Contents>, found: &EventHandler) -> String {
    let own = found.application.as_ref().and_then(|application| {
        let module = wsgi::name(handler)?.module;
        let named = format!("{module}:{application}");
        // Mangum's is ASGI, unless the file makes a WSGI application of that name.
        let is_wsgi = || code.is_some_and(|code| wsgi::is_application(code, &named));
        (found.adapter != Some("mangum") || is_wsgi()).then_some(named)
    });
    match own.or_else(|| code.and_then(wsgi::guess)) {
        Some(application) => format!("{}, and docs/migrate.md", handler_fix(project, &application)),
        None if found.adapter == Some("mangum") => {
            "application = ASGIMiddleware(app) of a2wsgi, and that as the handler (examples/fastapi, docs/migrate.md)"
                .to_owned()
        }
        None => "The WSGI application itself as the handler: module.attribute (docs/migrate.md)".to_owned(),
    }
}

/// The handler, if it is no WSGI application. A name in `WSGI_LAMBDA_APP` takes the handler's place; without a template
/// the handler is what `--app` names.
pub(in crate::cli::doctor) fn event_handler<'a>(
    project: &'a Project,
    function: &Function,
) -> Option<(Option<&'a Contents>, EventHandler)> {
    if !function.is_alone() && function.variables.value_or(APP.name, "").as_deref() != Some("") {
        return None;
    }
    let code = project.code(function);
    Some((code, adapters::event_handler(code, function.handler.value()?)?))
}
