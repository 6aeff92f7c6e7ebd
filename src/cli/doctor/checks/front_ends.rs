//! How front ends pass bytes and headers on.

use crate::cli::doctor::finding::{Check, Findings, Severity};
use crate::cli::doctor::model::{Deployment, Dialect, RestApi};
use crate::cli::doctor::project::Project;

pub(super) const REST_BINARY_TYPES: Check = Check {
    id: "rest-binary-types",
    severity: Severity::Error,
    title: "a REST API without `*/*` among its binary media types",
    why: "REST APIs decode base64 only for media types they know as binary, by the first type of the client's Accept \
          header. Without */* images, fonts, downloads and compressed responses reach the client as base64 text, and \
          uploads arrive damaged. Streamed responses are not affected.",
};

pub(super) const ALB_MULTI_VALUE: Check = Check {
    id: "alb-multi-value-headers",
    severity: Severity::Error,
    title: "a load balancer's target group without multi-value headers",
    why: "Without lambda.multi_value_headers.enabled the load balancer keeps only the last of repeated query \
          parameters and headers (?tag=a&tag=b loses a), and a response can carry several cookies only by a trick with \
          upper and lower case.",
};

pub(super) fn run(project: &Project, findings: &mut Findings) {
    let deployment = &project.deployment;
    for api in &deployment.rest_apis {
        let callees = api.methods.iter().map(|method| method.function.as_deref());
        if project.concerns(callees, api.more_methods) && lacks_binary_types(api) {
            let at = api.binary_types.place().unwrap_or(&api.at);
            let what = match api.binary_types.value().map(Vec::as_slice) {
                None | Some([]) => "has no binary media types".to_owned(),
                Some(types) => format!("has the binary media types {}, and not */*", types.join(", ")),
            };
            findings.add(
                &REST_BINARY_TYPES,
                &api.name,
                Some(at),
                format!("The REST API {what}."),
                fix(deployment, api),
            );
        }
    }
    for group in &deployment.target_groups {
        let callees = group.function.as_deref().map(Some).into_iter();
        if project.concerns(callees, true) && group.multi_value.or_default(false) == Some(false) {
            let fix = match deployment.dialect {
                Dialect::Terraform => "lambda_multi_value_headers_enabled = true",
                _ => "TargetGroupAttributes: [{Key: lambda.multi_value_headers.enabled, Value: \"true\"}]",
            };
            let at = group.multi_value.place().unwrap_or(&group.at);
            let what = "The target group does not enable multi-value headers.";
            findings.add(&ALB_MULTI_VALUE, &group.name, Some(at), what, fix);
        }
    }
}

/// SAM writes the slash as `~1`, which CloudFormation's documentation asks for too; both take it as it is.
fn lacks_binary_types(api: &RestApi) -> bool {
    let streams_all = !api.methods.is_empty() && api.methods.iter().all(|method| method.streams != Some(false));
    let types = api.binary_types.or_default(Vec::new());
    (api.more_methods || !streams_all)
        && types.is_some_and(|types| !types.iter().any(|one| one.replace("~1", "/") == "*/*"))
}

fn fix(deployment: &Deployment, api: &RestApi) -> &'static str {
    match deployment.dialect {
        Dialect::Terraform => "binary_media_types = [\"*/*\"]",
        Dialect::Sam if api.implicit => "Globals: {Api: {BinaryMediaTypes: [\"*~1*\"]}}",
        Dialect::Sam => "BinaryMediaTypes: [\"*~1*\"]",
        Dialect::CloudFormation => "BinaryMediaTypes: [\"*/*\"]",
    }
}
