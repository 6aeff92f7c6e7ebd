//! What calls functions with events that are not HTTP, as far as names tell. Both languages use these words.

use super::model::Trigger;
use super::node::Place;

pub(super) const RULE: &str = "an EventBridge rule";
pub(super) const SCHEDULE: &str = "a schedule";
pub(super) const WEB_SOCKET: &str = "a WebSocket API";
pub(super) const QUEUE: &str = "an SQS queue";
pub(super) const TOPIC: &str = "an SNS topic";
pub(super) const BUCKET: &str = "an S3 bucket";
pub(super) const TABLE: &str = "a DynamoDB stream";
pub(super) const STREAM: &str = "a Kinesis stream";
pub(super) const KAFKA: &str = "a Kafka topic";
pub(super) const BROKER: &str = "an Amazon MQ broker";
pub(super) const DOCUMENTS: &str = "a DocumentDB change stream";
pub(super) const USER_POOL: &str = "a Cognito user pool";
pub(super) const LOG_GROUP: &str = "a CloudWatch log group";
pub(super) const IOT_RULE: &str = "an IoT rule";
pub(super) const ALEXA: &str = "an Alexa skill";
pub(super) const AUTHORIZER: &str = "an API Gateway authorizer";
pub(super) const PIPE: &str = "an EventBridge pipe";
pub(super) const APP_SYNC: &str = "an AppSync data source";
pub(super) const STATE_MACHINE: &str = "a Step Functions state machine";
pub(super) const CONFIG_RULE: &str = "an AWS Config rule";
pub(super) const ROTATION: &str = "the rotation of a secret";
pub(super) const STACK_RESOURCE: &str = "a custom resource of the stack";
pub(super) const DEPLOYMENT: &str = "the deployment itself";

/// Parts of the name of an event source, and what it is. ARNs have `:sqs:`, references the resource's kind.
const SOURCES: &[(&str, &str)] = &[
    ("sqs", QUEUE),
    ("kinesis", STREAM),
    ("dynamodb", TABLE),
    ("kafka", KAFKA),
    ("msk", KAFKA),
    ("amazonmq", BROKER),
    ("::mq", BROKER),
    (":mq:", BROKER),
    ("_mq_", BROKER),
    ("docdb", DOCUMENTS),
    (":rds:", DOCUMENTS),
];

/// Who may call a function (the `Principal` of a permission), if its events are not HTTP.
const PRINCIPALS: &[(&str, &str)] = &[
    ("events.amazonaws.com", RULE),
    ("scheduler.amazonaws.com", SCHEDULE),
    ("s3.amazonaws.com", BUCKET),
    ("sns.amazonaws.com", TOPIC),
    ("cognito-idp.amazonaws.com", USER_POOL),
    ("iot.amazonaws.com", IOT_RULE),
    ("alexa-appkit.amazon.com", ALEXA),
    ("config.amazonaws.com", CONFIG_RULE),
    ("secretsmanager.amazonaws.com", ROTATION),
    ("lex.amazonaws.com", "a Lex bot"),
    ("lexv2.amazonaws.com", "a Lex bot"),
    ("bedrock.amazonaws.com", "a Bedrock agent"),
    ("ses.amazonaws.com", "an SES receipt rule"),
    ("codecommit.amazonaws.com", "a CodeCommit repository"),
];

/// What an event source mapping reads, by what is known of its source.
pub(super) fn of_mapping(source: &str) -> &'static str {
    let source = source.to_lowercase();
    SOURCES.iter().find(|(part, _)| source.contains(part)).map_or("an event source mapping", |(_, name)| name)
}

/// What a permission lets call a function. `None` for front ends, and for what can be both.
pub(super) fn of_principal(principal: &str) -> Option<&'static str> {
    // `logs.eu-west-1.amazonaws.com` has the region in it.
    if principal.starts_with("logs.") {
        return Some(LOG_GROUP);
    }
    PRINCIPALS.iter().find(|(name, _)| *name == principal).map(|(_, source)| *source)
}

/// A trigger of one function, by the function's name.
pub(super) type Called = (String, Trigger);

/// A trigger of a function.
pub(super) fn called(function: &str, at: &Place, source: impl Into<String>) -> Called {
    (function.to_owned(), Trigger { at: at.clone(), source: source.into(), is_disabled: false })
}

/// The same, if it is switched off.
pub(super) fn disabled((function, trigger): Called, is_disabled: bool) -> Called {
    (function, Trigger { is_disabled, ..trigger })
}

/// Each function's own. Permissions repeat what the resource that calls says better.
pub(super) fn of_function(name: &str, resources: &[Called], permissions: &[Called]) -> Vec<Trigger> {
    let own = |all: &[Called]| -> Vec<Trigger> {
        all.iter().filter(|(function, _)| function == name).map(|(_, trigger)| trigger.clone()).collect()
    };
    let mut triggers = own(resources);
    let is_scheduled = triggers.iter().any(|trigger| trigger.source == SCHEDULE);
    for permitted in own(permissions) {
        let is_said = triggers.iter().any(|trigger| trigger.source == permitted.source);
        let is_said = is_said || is_scheduled && permitted.source == RULE;
        if !is_said {
            triggers.push(permitted);
        }
    }
    // Only now: the permission of one that is switched off says nothing else.
    triggers.retain(|trigger| !trigger.is_disabled);
    triggers.dedup();
    triggers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_known_by_their_names() {
        for (source, expected) in [
            ("arn:aws:sqs:eu-west-1:1:jobs", QUEUE),
            ("AWS::SQS::Queue", QUEUE),
            ("aws_mq_broker.b", BROKER),
            ("AWS::AmazonMQ::Broker", BROKER),
            ("arn:aws:rds:eu-west-1:1:cluster:documents", DOCUMENTS),
            ("${Parameter}", "an event source mapping"),
        ] {
            assert_eq!(of_mapping(source), expected, "{source}");
        }
        assert_eq!(of_principal("logs.eu-west-1.amazonaws.com"), Some(LOG_GROUP));
        for front_end in ["apigateway.amazonaws.com", "elasticloadbalancing.amazonaws.com", "*", "111122223333"] {
            assert_eq!(of_principal(front_end), None, "{front_end}");
        }
    }
}
