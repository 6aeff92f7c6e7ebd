//! The function's response mode, and what its front ends expect: an event does not say which it is.

use super::words::{set, set_variable};
use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::{Dialect, Function, RestMethod};
use crate::cli::doctor::node::{Field, Place};
use crate::cli::doctor::project::Project;
use crate::config::RESPONSE_MODE;

pub(super) const FRONT_END_BUFFERS: Check = Check {
    id: "front-end-buffers",
    severity: Severity::Error,
    title: "WSGI_LAMBDA_RESPONSE_MODE=stream with a Function URL or REST API that does not stream",
    why: "A streamed response begins with a prelude that only a streaming front end can read. A Function URL without \
          InvokeMode RESPONSE_STREAM sends it to the client as it is, and a REST API without streaming loses the body. \
          HTTP APIs, load balancers and Lattice get a whole response, whatever the setting.",
};

pub(super) const FUNCTION_BUFFERS: Check = Check {
    id: "function-buffers",
    severity: Severity::Error,
    title: "a streaming Function URL or REST API in front of a function without WSGI_LAMBDA_RESPONSE_MODE=stream",
    why: "A whole response is a JSON document. A Function URL in RESPONSE_STREAM mode sends that document to the client \
          as the page, and a REST API that streams answers 500.",
};

pub(super) const REST_STREAM_URI: Check = Check {
    id: "rest-stream-uri",
    severity: Severity::Error,
    title: "a REST integration that streams but calls the URI of whole responses, or the other way round",
    why: "Streaming takes both: the transfer mode STREAM, and the URI of InvokeWithResponseStream \
          (…/2021-11-15/functions/…/response-streaming-invocations). API Gateway refuses one without the other.",
};

pub(super) const IN_VPC: Check = Check {
    id: "stream-in-vpc",
    severity: Severity::Warning,
    title: "a streaming Function URL of a function in a VPC",
    why: "Function URLs do not support response streaming within a VPC environment (\"Configure Lambda response \
          streaming\"). REST APIs stream from there.",
};

pub(super) fn run(project: &Project, findings: &mut Findings) {
    for function in project.functions() {
        for (api, method) in project.deployment.rest_methods(&function.name) {
            uri(project, &api.name, method, findings);
        }
        // A wrong value is another finding.
        let mode =
            function.variables.value_or(RESPONSE_MODE.name, RESPONSE_MODE.default).map(|mode| mode.to_lowercase());
        match mode.as_deref() {
            Some("stream" | "response_stream") => streams(project, function, findings),
            Some("buffered" | "") => buffers(project, function, findings),
            _ => {}
        }
    }
}

/// The InvokeMode of a Function URL that streams.
const STREAMING: &str = "RESPONSE_STREAM";

fn at_mode(function: &Function) -> &Place {
    function.variables.get(RESPONSE_MODE.name).map_or(&function.at, |variable| &variable.at)
}

fn streams(project: &Project, function: &Function, findings: &mut Findings) {
    let deployment = &project.deployment;
    let setting = at_mode(function);
    let streaming =
        deployment.urls(&function.name).find(|url| url.invoke_mode.value().is_some_and(|mode| mode == STREAMING));
    if let Some(url) = streaming.filter(|_| function.in_vpc) {
        let what = format!("{} is in a VPC, its Function URL streams.", function.name);
        let fix = "A REST API that streams in place of the Function URL, or no VPC";
        findings.add(&IN_VPC, &url.name, url.invoke_mode.place(), what, fix);
    }
    for url in deployment.urls(&function.name) {
        if url.invoke_mode.or_default("BUFFERED".to_owned()).is_some_and(|mode| mode != STREAMING) {
            let what =
                format!("{} streams ({}, {setting}), its Function URL does not.", function.name, RESPONSE_MODE.name);
            let value =
                if deployment.dialect == Dialect::Terraform { "\"RESPONSE_STREAM\"" } else { "RESPONSE_STREAM" };
            let fix = set(deployment, "InvokeMode", "invoke_mode", value);
            findings.add(&FRONT_END_BUFFERS, &url.name, Some(url.invoke_mode.place().unwrap_or(&url.at)), what, fix);
        }
    }
    for (api, method) in deployment.rest_methods(&function.name).filter(|(_, method)| method.streams == Some(false)) {
        let what = format!("{} streams ({}, {setting}), this method does not.", function.name, RESPONSE_MODE.name);
        findings.add(&FRONT_END_BUFFERS, &api.name, Some(at_method(method)), what, stream_fix(deployment.dialect));
    }
}

fn buffers(project: &Project, function: &Function, findings: &mut Findings) {
    let deployment = &project.deployment;
    let fix = set_variable(deployment, RESPONSE_MODE.name, "stream");
    for url in deployment.urls(&function.name) {
        if let Field::Known(mode, at) = &url.invoke_mode
            && mode == STREAMING
        {
            let what = format!("The Function URL streams, {} does not.", function.name);
            findings.add(&FUNCTION_BUFFERS, &url.name, Some(at), what, fix.as_str());
        }
    }
    for (api, method) in deployment.rest_methods(&function.name).filter(|(_, method)| method.streams == Some(true)) {
        let what = format!("The method streams, {} does not.", function.name);
        findings.add(&FUNCTION_BUFFERS, &api.name, Some(at_method(method)), what, fix.as_str());
    }
}

fn uri(project: &Project, api: &str, method: &RestMethod, findings: &mut Findings) {
    let (Some(streams), Some(streaming_uri)) = (method.streams, method.streaming_uri) else { return };
    if streams == streaming_uri {
        return;
    }
    let (what, fix) = if streams {
        ("The transfer mode is STREAM, the URI is that of whole responses.", stream_fix(project.deployment.dialect))
    } else {
        (
            "The URI is that of streamed responses, the transfer mode is not STREAM.",
            stream_fix(project.deployment.dialect),
        )
    };
    findings.add(&REST_STREAM_URI, api, Some(at_method(method)), what, fix);
}

fn at_method(method: &RestMethod) -> &Place {
    method.transfer_mode.place().unwrap_or(&method.at)
}

fn stream_fix(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sam => {
            "ResponseTransferMode: RESPONSE_STREAM (SAM's word, in the event of type Api; in an OpenAPI document \
             responseTransferMode: STREAM with the URI …/2021-11-15/functions/${Function.Arn}/response-streaming-invocations)"
        }
        Dialect::CloudFormation => {
            "ResponseTransferMode: STREAM, and Uri: !Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/\
             2021-11-15/functions/${Function.Arn}/response-streaming-invocations"
        }
        Dialect::Terraform => {
            "response_transfer_mode = \"STREAM\" and uri = aws_lambda_function.NAME.response_streaming_invoke_arn"
        }
    }
}
