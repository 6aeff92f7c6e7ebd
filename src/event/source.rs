//! Events that are not HTTP requests: which service sent one, and what the runtime itself understands.

use crate::event::fields::Fields;
use crate::json::{Document, Value, ValueKind};
use crate::source::Source;

/// The source of an event that is not an HTTP request.
pub fn source(event: &Document<'_>) -> Source {
    let root = event.root();
    if root.kind() == ValueKind::Array {
        // EventBridge Pipes hand records on without an envelope.
        return root.items().next().map(Fields::of).and_then(|record| of_record(&record)).unwrap_or(Source::Direct);
    }
    let event = Fields::of(root);
    let context = event.object("requestContext");
    if is_authorizer(&event) {
        return Source::Authorizer;
    }
    if is_websocket(&context) {
        return Source::WebSocket;
    }
    if let Some(records) = event.get("Records") {
        return records.items().next().map(Fields::of).and_then(|record| of_record(&record)).unwrap_or(Source::Direct);
    }
    // Brokers have no `Records`: their records are in objects, by topic or queue.
    if let Some(source) = of_record(&event) {
        return source;
    }
    let marked = MARKS.iter().find(|(marks, _)| marks.iter().all(|mark| event.has(mark)));
    match marked {
        Some((_, Source::EventBridge)) if event.text("source").as_deref() == Some(b"aws.events") => {
            let is_schedule = event.text("detail-type").as_deref() == Some(b"Scheduled Event");
            if is_schedule { Source::Schedule } else { Source::EventBridge }
        }
        Some((_, source)) => *source,
        None => Source::Direct,
    }
}

/// The members that an event of each source has, as its documentation shows them. Most specific first.
const MARKS: [(&[&str], Source); 14] = [
    (&["detail-type", "source"], Source::EventBridge),
    (&["triggerSource", "userPoolId"], Source::Cognito),
    (&["awslogs"], Source::Logs),
    (&["invokingEvent"], Source::Config),
    (&["RequestType", "ResponseURL", "StackId"], Source::CloudFormation),
    (&["SecretId", "ClientRequestToken", "Step"], Source::SecretsManager),
    (&["deliveryStreamArn", "records"], Source::Firehose),
    (&["messageVersion", "actionGroup"], Source::Bedrock),
    (&["bot", "sessionState"], Source::Lex),
    (&["bot", "currentIntent"], Source::Lex),
    (&["Details", "Name"], Source::Connect),
    (&["arguments", "info"], Source::AppSync),
    (&["arguments", "identity"], Source::AppSync),
    (&["arguments", "typeName"], Source::AppSync),
];

/// What a record says of its source. SNS writes the name of the member with a capital.
fn of_record(record: &Fields<'_>) -> Option<Source> {
    let name = record.text("eventSource").or_else(|| record.text("EventSource"))?;
    Some(match &*name {
        b"aws:sqs" => Source::Sqs,
        b"aws:sns" => Source::Sns,
        b"aws:s3" => Source::S3,
        b"aws:dynamodb" => Source::DynamoDb,
        b"aws:kinesis" => Source::Kinesis,
        b"aws:kafka" | b"SelfManagedKafka" => Source::Kafka,
        b"aws:mq" | b"aws:rmq" => Source::Mq,
        b"aws:docdb" => Source::DocumentDb,
        b"aws:ses" => Source::Ses,
        _ => return None,
    })
}

/// Whether it is the request of an API Gateway authorizer.
pub(super) fn is_authorizer(event: &Fields<'_>) -> bool {
    matches!(event.text("type").as_deref(), Some(b"TOKEN" | b"REQUEST"))
        && (event.get("methodArn").is_some() || event.get("routeArn").is_some())
}

/// Whether this `requestContext` is that of an API Gateway WebSocket API.
pub(super) fn is_websocket(context: &Fields<'_>) -> bool {
    let message = context.get("eventType").is_some() || context.get("messageDirection").is_some();
    context.get("connectionId").is_some() && message
}

/// Whether an event only keeps the function warm: the pings of serverless-plugin-warmup (`source`), of those who send
/// `{"warmer": true}`, and Zappa's schedule, whose rule is named for the function that it would call.
pub fn is_ping(event: &Document<'_>) -> bool {
    let event = Fields::of(event.root());
    event.text("source").as_deref() == Some(b"serverless-plugin-warmup")
        || event.is_true("warmer")
        || event.text("detail-type").as_deref() == Some(b"Scheduled Event")
            && event.get("resources").and_then(|rules| rules.items().next()).is_some_and(is_keep_warm)
}

fn is_keep_warm(rule: Value<'_>) -> bool {
    rule.literal().is_some_and(|arn| arn.ends_with("keep_warm_callback"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_is_told_by_what_its_events_have() {
        let cases = [
            (r#"{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}"#, Source::Sqs),
            (r#"[{"eventSource":"aws:sqs","body":"{}"}]"#, Source::Sqs),
            (r#"{"Records":[{"EventSource":"aws:sns","Sns":{}}]}"#, Source::Sns),
            (r#"{"Records":[{"eventSource":"aws:codecommit"}]}"#, Source::Direct),
            (r#"{"Records":[]}"#, Source::Direct),
            (r#"{"eventSource":"SelfManagedKafka","records":{}}"#, Source::Kafka),
            (r#"{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#, Source::Schedule),
            (r#"{"source":"shop","detail-type":"Scheduled Event","detail":{}}"#, Source::EventBridge),
            (r#"{"type":"REQUEST","routeArn":"arn:x"}"#, Source::Authorizer),
            (r#"{"type":"REQUEST"}"#, Source::Direct),
            (r#"{"requestContext":{"connectionId":"a=","eventType":"MESSAGE"}}"#, Source::WebSocket),
            (r#"{"triggerSource":"PreSignUp_SignUp","userPoolId":"p"}"#, Source::Cognito),
            (r#"{"awslogs":{"data":""}}"#, Source::Logs),
            (r#"{"arguments":{},"info":{}}"#, Source::AppSync),
            (r#"{"arguments":[1]}"#, Source::Direct),
            (r#""text""#, Source::Direct),
            ("null", Source::Direct),
            ("[]", Source::Direct),
            ("[[]]", Source::Direct),
        ];
        for (event, expected) in cases {
            assert_eq!(source(&Document::parse(event.as_bytes()).unwrap()), expected, "{event}");
        }
    }

    #[test]
    fn pings_are_told_from_other_events() {
        let rule = "arn:aws:events:eu-west-1:123456789012:rule/shop-prod-zappa-keep-warm-handler.keep_warm_callback";
        let cases = [
            (r#"{"source":"serverless-plugin-warmup"}"#.to_owned(), true),
            (r#"{"warmer":true,"concurrency":3}"#.to_owned(), true),
            (format!(r#"{{"detail-type":"Scheduled Event","resources":["{rule}"]}}"#), true),
            (r#"{"detail-type":"Scheduled Event","resources":["rule/nightly"]}"#.to_owned(), false),
            (r#"{"detail-type":"Scheduled Event"}"#.to_owned(), false),
            (r#"{"warmer":false}"#.to_owned(), false),
            (r#"{"detail":{"warmer":true}}"#.to_owned(), false),
        ];
        for (event, expected) in cases {
            assert_eq!(is_ping(&Document::parse(event.as_bytes()).unwrap()), expected, "{event}");
        }
    }
}
