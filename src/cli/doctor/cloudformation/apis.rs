//! The front ends of a template's functions.

use super::template::{Resource, Template, events};
use super::triggers::is_web_socket;
use crate::cli::doctor::model::{FunctionUrl, HttpApi, RestApi, RestMethod, TargetGroup};
use crate::cli::doctor::node::{Field, Node, Place};
use crate::cli::doctor::openapi;

/// The REST API that SAM makes for events of type Api which name none.
const IMPLICIT_API: &str = "ServerlessRestApi";

const REST_APIS: &[&str] = &["AWS::Serverless::Api", "AWS::ApiGateway::RestApi"];
const HTTP_APIS: &[&str] = &["AWS::Serverless::HttpApi", "AWS::ApiGatewayV2::Api"];

pub(super) fn function_urls(template: &Template<'_>) -> Vec<FunctionUrl> {
    let of_functions = template.of_kind(&["AWS::Serverless::Function"]).filter_map(|function| {
        let config = function.properties.get("FunctionUrlConfig")?;
        Some(FunctionUrl {
            name: format!("{}Url", function.name),
            at: config.at.clone(),
            function: Some(function.name.clone()),
            invoke_mode: invoke_mode(config),
        })
    });
    let own = template.of_kind(&["AWS::Lambda::Url"]).map(|url| FunctionUrl {
        name: url.name.clone(),
        at: url.node.at.clone(),
        function: template.function(url.properties.get("TargetFunctionArn")),
        invoke_mode: invoke_mode(&url.properties),
    });
    of_functions.chain(own).collect()
}

pub(super) fn rest_apis(template: &Template<'_>) -> Vec<RestApi> {
    let mut apis: Vec<_> = template.of_kind(REST_APIS).map(|resource| rest_api(template, resource)).collect();
    for function in template.of_kind(&["AWS::Serverless::Function"]) {
        for (_, event) in events(function).filter(|(kind, _)| kind == "Api") {
            let named = event.path(&["Properties", "RestApiId"]);
            let name = match named {
                None => Some(IMPLICIT_API.to_owned()),
                Some(node) => template.target(Some(node), REST_APIS),
            };
            // An API that is imported or a parameter has its settings elsewhere.
            let Some(name) = name else { continue };
            if !apis.iter().any(|api| api.name == name) {
                apis.push(implicit_api(template, &event.at));
            }
            let Some(api) = apis.iter_mut().find(|api| api.name == name) else { continue };
            api.methods.push(sam_method(function, event));
        }
    }
    apis
}

fn rest_api(template: &Template<'_>, resource: &Resource) -> RestApi {
    let properties = &resource.properties;
    let body = properties.get("DefinitionBody").or_else(|| properties.get("Body"));
    let elsewhere = properties.get("DefinitionUri").or_else(|| properties.get("BodyS3Location"));
    let binary_types = match (properties.get("BinaryMediaTypes"), body, elsewhere) {
        (Some(types), ..) => Field::read(Some(types), Node::texts),
        (None, Some(body), _) => openapi::binary_types(body),
        (None, None, Some(document)) => Field::Unknown(document.at.clone()),
        (None, None, None) => Field::Absent,
    };
    let function = |uri: &Node| template.function(Some(uri));
    let mut methods = body.map(|body| openapi::methods(body, function)).unwrap_or_default();
    let of_this = |method: &&Resource| {
        template.target(method.properties.get("RestApiId"), REST_APIS).as_deref() == Some(&*resource.name)
    };
    let own = template.of_kind(&["AWS::ApiGateway::Method"]).filter(of_this);
    let keys = ["Uri", "ResponseTransferMode", "TimeoutInMillis"];
    methods.extend(
        own.filter_map(|method| {
            openapi::method(method.properties.get("Integration")?, &method.node.at, keys, function)
        }),
    );
    RestApi {
        name: resource.name.clone(),
        at: resource.node.at.clone(),
        binary_types,
        methods,
        more_methods: elsewhere.is_some() || body.is_some_and(|body| body.map().is_none()),
        implicit: false,
    }
}

fn implicit_api(template: &Template<'_>, event: &Place) -> RestApi {
    let types = template.root.path(&["Globals", "Api", "BinaryMediaTypes"]).map(|node| template.resolver.resolve(node));
    RestApi {
        name: IMPLICIT_API.to_owned(),
        at: event.clone(),
        binary_types: Field::read(types.as_ref(), Node::texts),
        methods: Vec::new(),
        more_methods: false,
        implicit: true,
    }
}

pub(super) fn http_apis(template: &Template<'_>) -> Vec<HttpApi> {
    let mut apis = Vec::new();
    for function in template.of_kind(&["AWS::Serverless::Function"]) {
        if events(function).any(|(kind, _)| kind == "HttpApi") {
            apis.push(HttpApi { functions: vec![function.name.clone()] });
        }
    }
    for api in template.of_kind(HTTP_APIS) {
        let body = api.properties.get("DefinitionBody").or_else(|| api.properties.get("Body"));
        let methods = body.map(|body| openapi::methods(body, |uri| template.function(Some(uri))));
        let functions = methods.unwrap_or_default();
        let functions = functions.into_iter().filter_map(|method| method.function);
        // "Quick create": the API's own target.
        let target = template.function(api.properties.get("Target"));
        apis.push(HttpApi { functions: functions.chain(target).collect() });
    }
    let integrations = template.of_kind(&["AWS::ApiGatewayV2::Integration"]);
    let integrations = integrations.filter(|integration| !is_web_socket(template, integration));
    apis.extend(integrations.filter_map(|integration| {
        let function = template.function(integration.properties.get("IntegrationUri"))?;
        Some(HttpApi { functions: vec![function] })
    }));
    apis
}

pub(super) fn target_groups(template: &Template<'_>) -> Vec<TargetGroup> {
    let groups = template.of_kind(&["AWS::ElasticLoadBalancingV2::TargetGroup"]);
    let of_lambda =
        groups.filter(|group| group.properties.get("TargetType").and_then(Node::text).as_deref() == Some("lambda"));
    of_lambda.map(|group| target_group(template, group)).collect()
}

fn target_group(template: &Template<'_>, group: &Resource) -> TargetGroup {
    let attributes = group.properties.get("TargetGroupAttributes");
    let multi_value = match attributes.map(|node| (node, node.list())) {
        None => Field::Absent,
        Some((node, None)) => Field::Unknown(node.at.clone()),
        Some((_, Some(items))) => {
            let named = |item: &&Node| {
                item.get("Key").and_then(Node::text).as_deref() == Some("lambda.multi_value_headers.enabled")
            };
            Field::read(items.iter().find(named).and_then(|item| item.get("Value")), Node::flag)
        }
    };
    let targets = group.properties.get("Targets").and_then(Node::list).unwrap_or_default();
    TargetGroup {
        name: group.name.clone(),
        at: group.node.at.clone(),
        function: targets.iter().find_map(|target| template.function(target.get("Id"))),
        multi_value,
    }
}

pub(super) fn domains(template: &Template<'_>) -> Vec<Option<String>> {
    let apis = template.of_kind(&["AWS::Serverless::Api", "AWS::Serverless::HttpApi"]);
    let of_apis = apis.filter_map(|api| api.properties.path(&["Domain", "DomainName"]));
    let own = template.of_kind(&["AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName"]);
    let mut domains: Vec<_> =
        of_apis.chain(own.filter_map(|domain| domain.properties.get("DomainName"))).map(Node::text).collect();
    for distribution in template.of_kind(&["AWS::CloudFront::Distribution"]) {
        let aliases = distribution.properties.path(&["DistributionConfig", "Aliases"]);
        let aliases = aliases.and_then(Node::list).unwrap_or_default();
        domains.extend(aliases.iter().map(Node::text));
        domains.extend(aliases.is_empty().then_some(None));
    }
    domains
}

fn invoke_mode(node: &Node) -> Field<String> {
    Field::read(node.get("InvokeMode"), Node::text)
}

/// An event of type Api. SAM writes the integration and its URI itself.
fn sam_method(function: &Resource, event: &Node) -> RestMethod {
    let mode = event.path(&["Properties", "ResponseTransferMode"]);
    let transfer_mode = Field::read(mode, Node::text);
    let streams = transfer_mode.or_default("BUFFERED".to_owned()).map(|mode| mode == "RESPONSE_STREAM");
    RestMethod {
        at: mode.map_or_else(|| event.at.clone(), |node| node.at.clone()),
        function: Some(function.name.clone()),
        streams,
        transfer_mode,
        streaming_uri: streams,
        timeout: Field::read(event.path(&["Properties", "TimeoutInMillis"]), Node::number),
    }
}
