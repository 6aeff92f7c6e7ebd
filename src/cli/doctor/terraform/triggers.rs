//! What calls Terraform's functions with events that are not HTTP.

use super::resource::Resource;
use super::stack::Stack;
use crate::cli::doctor::model::Function;
use crate::cli::doctor::node::Node;
use crate::cli::doctor::triggers::{self, Called, called};

/// Kinds of resources, where they name functions, and what they are.
const CALLERS: &[(&str, &[&str], &str)] = &[
    ("aws_cloudwatch_event_target", &["arn"], triggers::RULE),
    ("aws_scheduler_schedule", &["target", "arn"], triggers::SCHEDULE),
    ("aws_pipes_pipe", &["target"], triggers::PIPE),
    ("aws_s3_bucket_notification", &["lambda_function", "lambda_function_arn"], triggers::BUCKET),
    ("aws_sns_topic_subscription", &["endpoint"], triggers::TOPIC),
    ("aws_cognito_user_pool", &["lambda_config"], triggers::USER_POOL),
    ("aws_cloudwatch_log_subscription_filter", &["destination_arn"], triggers::LOG_GROUP),
    ("aws_iot_topic_rule", &["lambda", "function_arn"], triggers::IOT_RULE),
    ("aws_api_gateway_authorizer", &["authorizer_uri"], triggers::AUTHORIZER),
    ("aws_apigatewayv2_authorizer", &["authorizer_uri"], triggers::AUTHORIZER),
    ("aws_appsync_datasource", &["lambda_config", "function_arn"], triggers::APP_SYNC),
    ("aws_sfn_state_machine", &["definition"], triggers::STATE_MACHINE),
    ("aws_config_config_rule", &["source", "source_identifier"], triggers::CONFIG_RULE),
    ("aws_secretsmanager_secret_rotation", &["rotation_lambda_arn"], triggers::ROTATION),
    ("aws_lambda_invocation", &["function_name"], triggers::DEPLOYMENT),
];

/// Tells each function what calls it.
pub(super) fn assign(stack: &Stack, functions: &mut [Function]) {
    let mut resources = of_resources(stack);
    resources.extend(of_mappings(stack));
    let sockets = stack.of_kind(&["aws_apigatewayv2_integration"]).filter(|one| is_web_socket(stack, one));
    resources.extend(sockets.flat_map(|one| at(stack, one, &["integration_uri"], triggers::WEB_SOCKET)));
    let permissions = of_permissions(stack);
    for function in functions {
        function.triggers = triggers::of_function(&function.name, &resources, &permissions);
    }
}

fn of_resources(stack: &Stack) -> Vec<Called> {
    let mut found = Vec::new();
    for resource in &stack.resources {
        for (_, path, source) in CALLERS.iter().filter(|(kind, ..)| *kind == resource.kind) {
            let rule = stack.target(resource.body.get("rule"), "aws_cloudwatch_event_rule");
            let is_timer = rule.is_some_and(|rule| rule.body.get("schedule_expression").is_some());
            let is_off = is_disabled(rule.unwrap_or(resource));
            let all = at(stack, resource, path, if is_timer { triggers::SCHEDULE } else { source });
            found.extend(all.into_iter().map(|one| triggers::disabled(one, is_off)));
        }
    }
    found
}

/// Whether a rule or a schedule is switched off.
fn is_disabled(resource: &Resource) -> bool {
    let is_off = resource.body.get("is_enabled").and_then(Node::flag) == Some(false);
    is_off || resource.body.get("state").and_then(Node::text).as_deref() == Some("DISABLED")
}

fn at(stack: &Stack, resource: &Resource, path: &[&str], source: &str) -> Vec<Called> {
    let nodes = resource.body.all(path);
    let functions = nodes.into_iter().flat_map(|node| stack.functions(node));
    functions.map(|function| called(&function, &resource.at, source)).collect()
}

fn of_mappings(stack: &Stack) -> Vec<Called> {
    let mappings = stack.of_kind(&["aws_lambda_event_source_mapping"]);
    mappings
        .flat_map(|mapping| {
            let source = mapping.body.get("event_source_arn");
            let source = source.map(|node| [node.resources(), vec![node.partial_text()]].concat().join(" "));
            // Without an ARN it is Kafka that somebody else runs.
            let source = source.map_or(triggers::KAFKA, |source| triggers::of_mapping(&source));
            at(stack, mapping, &["function_name"], source)
        })
        .collect()
}

/// Whether an integration is one of a WebSocket API.
pub(super) fn is_web_socket(stack: &Stack, integration: &Resource) -> bool {
    let api = stack.target(integration.body.get("api_id"), "aws_apigatewayv2_api");
    api.and_then(|api| api.body.get("protocol_type")?.text()).as_deref() == Some("WEBSOCKET")
}

fn of_permissions(stack: &Stack) -> Vec<Called> {
    let permissions = stack.of_kind(&["aws_lambda_permission"]);
    let source =
        |one: &Resource| triggers::of_principal(&one.body.get("principal").map(Node::partial_text).unwrap_or_default());
    permissions
        .filter_map(|permission| Some((permission, source(permission)?)))
        .flat_map(|(permission, source)| at(stack, permission, &["function_name"], source))
        .collect()
}
