//! What calls a template's functions with events that are not HTTP.

use super::template::{Resource, Template, events};
use crate::cli::doctor::model::Function;
use crate::cli::doctor::node::Node;
use crate::cli::doctor::triggers::{self, Called, called};

/// Kinds of resources, where they name functions, and what they are.
const CALLERS: &[(&str, &[&str], &str)] = &[
    ("AWS::Events::Rule", &["Targets", "Arn"], triggers::RULE),
    ("AWS::Scheduler::Schedule", &["Target", "Arn"], triggers::SCHEDULE),
    ("AWS::Pipes::Pipe", &["Target"], triggers::PIPE),
    ("AWS::S3::Bucket", &["NotificationConfiguration", "LambdaConfigurations", "Function"], triggers::BUCKET),
    // CDK's.
    (
        "Custom::S3BucketNotifications",
        &["NotificationConfiguration", "LambdaFunctionConfigurations", "LambdaFunctionArn"],
        triggers::BUCKET,
    ),
    ("AWS::SNS::Subscription", &["Endpoint"], triggers::TOPIC),
    ("AWS::SNS::Topic", &["Subscription", "Endpoint"], triggers::TOPIC),
    ("AWS::Cognito::UserPool", &["LambdaConfig"], triggers::USER_POOL),
    ("AWS::Logs::SubscriptionFilter", &["DestinationArn"], triggers::LOG_GROUP),
    ("AWS::IoT::TopicRule", &["TopicRulePayload", "Actions", "Lambda", "FunctionArn"], triggers::IOT_RULE),
    ("AWS::ApiGateway::Authorizer", &["AuthorizerUri"], triggers::AUTHORIZER),
    ("AWS::ApiGatewayV2::Authorizer", &["AuthorizerUri"], triggers::AUTHORIZER),
    ("AWS::Serverless::Api", &["Auth", "Authorizers"], triggers::AUTHORIZER),
    ("AWS::Serverless::HttpApi", &["Auth", "Authorizers"], triggers::AUTHORIZER),
    ("AWS::AppSync::DataSource", &["LambdaConfig", "LambdaFunctionArn"], triggers::APP_SYNC),
    ("AWS::StepFunctions::StateMachine", &["DefinitionString"], triggers::STATE_MACHINE),
    ("AWS::StepFunctions::StateMachine", &["DefinitionSubstitutions"], triggers::STATE_MACHINE),
    ("AWS::Serverless::StateMachine", &["DefinitionSubstitutions"], triggers::STATE_MACHINE),
    ("AWS::Config::ConfigRule", &["Source", "SourceIdentifier"], triggers::CONFIG_RULE),
    ("AWS::SecretsManager::RotationSchedule", &["RotationLambdaARN"], triggers::ROTATION),
    ("AWS::CloudFormation::CustomResource", &["ServiceToken"], triggers::STACK_RESOURCE),
    ("AWS::Serverless::WebSocketApi", &[], triggers::WEB_SOCKET),
];

/// The events that SAM knows ("EventSource" in its specification), but for those of its APIs.
const EVENTS: &[(&str, &str)] = &[
    ("SQS", triggers::QUEUE),
    ("SNS", triggers::TOPIC),
    ("S3", triggers::BUCKET),
    ("DynamoDB", triggers::TABLE),
    ("Kinesis", triggers::STREAM),
    ("MSK", triggers::KAFKA),
    ("SelfManagedKafka", triggers::KAFKA),
    ("MQ", triggers::BROKER),
    ("DocumentDB", triggers::DOCUMENTS),
    ("Schedule", triggers::SCHEDULE),
    ("ScheduleV2", triggers::SCHEDULE),
    ("CloudWatchEvent", triggers::RULE),
    ("EventBridgeRule", triggers::RULE),
    ("CloudWatchLogs", triggers::LOG_GROUP),
    ("IoTRule", triggers::IOT_RULE),
    ("AlexaSkill", triggers::ALEXA),
    ("Cognito", triggers::USER_POOL),
];

/// Tells each function what calls it.
pub(super) fn assign(template: &Template<'_>, functions: &mut [Function]) {
    let mut resources = of_sam(template);
    resources.extend(of_resources(template));
    resources.extend(of_mappings(template));
    resources.extend(of_web_sockets(template));
    let permissions = of_permissions(template);
    for function in functions {
        function.triggers = triggers::of_function(&function.name, &resources, &permissions);
    }
}

fn of_sam(template: &Template<'_>) -> Vec<Called> {
    let functions = template.of_kind(&["AWS::Serverless::Function"]);
    let all = functions.flat_map(|function| events(function).map(move |event| (function, event)));
    let others = all.filter(|(_, (kind, _))| !matches!(kind.as_str(), "Api" | "HttpApi"));
    let trigger = |(function, (kind, event)): (&Resource, (String, &Node))| {
        let known = EVENTS.iter().find(|(name, _)| *name == kind).map(|(_, source)| (*source).to_owned());
        let source = known.unwrap_or_else(|| format!("a source of type {kind}"));
        let is_off = event.get("Properties").is_some_and(is_disabled);
        triggers::disabled(called(&function.name, &event.at, source), is_off)
    };
    others.map(trigger).collect()
}

/// Whether an event source is switched off: SAM's events have one of the two properties, rules and schedules `State`.
fn is_disabled(properties: &Node) -> bool {
    let is_off = properties.get("Enabled").and_then(Node::flag) == Some(false);
    is_off || properties.get("State").and_then(Node::text).as_deref() == Some("DISABLED")
}

fn of_resources(template: &Template<'_>) -> Vec<Called> {
    let mut found = Vec::new();
    for resource in &template.resources {
        for (_, path, source) in CALLERS.iter().filter(|(kind, ..)| *kind == resource.kind) {
            // A rule that has a schedule is a schedule.
            let is_timer = resource.properties.get("ScheduleExpression").is_some();
            let is_off = is_timer && is_disabled(&resource.properties);
            let all = at(template, resource, path, if is_timer { triggers::SCHEDULE } else { source });
            found.extend(all.into_iter().map(|one| triggers::disabled(one, is_off)));
        }
        // CDK's own, such as the one above, have a function of CDK's behind their token.
        if resource.kind.starts_with("Custom::") {
            found.extend(at(template, resource, &["ServiceToken"], triggers::STACK_RESOURCE));
        }
    }
    found
}

fn at(template: &Template<'_>, resource: &Resource, path: &[&str], source: &str) -> Vec<Called> {
    let nodes = resource.properties.all(path);
    let functions = nodes.into_iter().flat_map(|node| template.functions(node));
    functions.map(|function| called(&function, &resource.node.at, source)).collect()
}

fn of_mappings(template: &Template<'_>) -> Vec<Called> {
    let mappings = template.of_kind(&["AWS::Lambda::EventSourceMapping"]);
    mappings
        .flat_map(|mapping| {
            let source = mapping.properties.get("EventSourceArn").map(|node| {
                let named = node.resources();
                let kinds = template.resources.iter().filter(|one| named.contains(&one.name)).map(|one| &*one.kind);
                kinds.chain([node.partial_text().as_str()]).collect::<Vec<_>>().join(" ")
            });
            // Without an ARN it is Kafka that somebody else runs.
            let source = source.map_or(triggers::KAFKA, |source| triggers::of_mapping(&source));
            at(template, mapping, &["FunctionName"], source)
        })
        .collect()
}

fn of_web_sockets(template: &Template<'_>) -> Vec<Called> {
    let integrations = template.of_kind(&["AWS::ApiGatewayV2::Integration"]);
    let own = integrations.filter(|integration| is_web_socket(template, integration));
    own.flat_map(|integration| at(template, integration, &["IntegrationUri"], triggers::WEB_SOCKET)).collect()
}

/// Whether an integration is one of a WebSocket API.
pub(super) fn is_web_socket(template: &Template<'_>, integration: &Resource) -> bool {
    let api = template.target(integration.properties.get("ApiId"), &["AWS::ApiGatewayV2::Api"]);
    let api = api.and_then(|name| template.resources.iter().find(|one| one.name == name));
    api.and_then(|api| api.properties.get("ProtocolType")?.text()).as_deref() == Some("WEBSOCKET")
}

fn of_permissions(template: &Template<'_>) -> Vec<Called> {
    let permissions = template.of_kind(&["AWS::Lambda::Permission"]);
    let source = |permission: &Resource| {
        let principal = permission.properties.get("Principal")?;
        triggers::of_principal(&principal.text().unwrap_or_else(|| principal.partial_text()))
    };
    permissions
        .filter_map(|permission| Some((permission, source(permission)?)))
        .flat_map(|(permission, source)| at(template, permission, &["FunctionName"], source))
        .collect()
}
