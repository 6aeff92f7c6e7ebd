//! Room: `source`, what sends events that are not HTTP requests.
//! In: a name, as settings write it.
//! Out: [`Source`].
//! May use: nothing.
//! Must not: know what an event looks like; `event` does.

/// A service that sends events, or whoever invokes the function directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// An API Gateway authorizer, REST or HTTP API.
    Authorizer,
    /// AWS AppSync, a direct resolver.
    AppSync,
    /// Amazon Bedrock, an agent's action group.
    Bedrock,
    /// AWS CloudFormation, a custom resource.
    CloudFormation,
    /// Amazon Cognito, a trigger of a user pool.
    Cognito,
    /// AWS Config, a rule.
    Config,
    /// Amazon Connect, a contact flow.
    Connect,
    /// Amazon DocumentDB, an event source mapping.
    DocumentDb,
    /// Amazon DynamoDB Streams.
    DynamoDb,
    /// Amazon EventBridge, except its schedules.
    EventBridge,
    /// Amazon Data Firehose, a transformation.
    Firehose,
    /// Apache Kafka, Amazon's or one's own.
    Kafka,
    /// Amazon Kinesis Data Streams.
    Kinesis,
    /// Amazon Lex, V1 or V2.
    Lex,
    /// Amazon CloudWatch Logs, a subscription.
    Logs,
    /// Amazon MQ: ActiveMQ and `RabbitMQ`.
    Mq,
    /// Amazon S3, a notification.
    S3,
    /// A schedule of an Amazon EventBridge rule.
    Schedule,
    /// AWS Secrets Manager, a rotation.
    SecretsManager,
    /// Amazon SES, a receipt rule.
    Ses,
    /// Amazon SNS.
    Sns,
    /// Amazon SQS.
    Sqs,
    /// An API Gateway WebSocket API.
    WebSocket,
    /// Whoever calls Invoke (a person, Step Functions, EventBridge Scheduler), and every event that no other source fits.
    Direct,
}

impl Source {
    /// Each of them, by name.
    pub const ALL: [Self; 24] = [
        Self::AppSync,
        Self::Authorizer,
        Self::Bedrock,
        Self::CloudFormation,
        Self::Cognito,
        Self::Config,
        Self::Connect,
        Self::Direct,
        Self::DocumentDb,
        Self::DynamoDb,
        Self::EventBridge,
        Self::Firehose,
        Self::Kafka,
        Self::Kinesis,
        Self::Lex,
        Self::Logs,
        Self::Mq,
        Self::S3,
        Self::Schedule,
        Self::SecretsManager,
        Self::Ses,
        Self::Sns,
        Self::Sqs,
        Self::WebSocket,
    ];

    /// The name in settings and in environ: small letters and digits.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorizer => "authorizer",
            Self::AppSync => "appsync",
            Self::Bedrock => "bedrock",
            Self::CloudFormation => "cloudformation",
            Self::Cognito => "cognito",
            Self::Config => "config",
            Self::Connect => "connect",
            Self::DocumentDb => "documentdb",
            Self::DynamoDb => "dynamodb",
            Self::EventBridge => "eventbridge",
            Self::Firehose => "firehose",
            Self::Kafka => "kafka",
            Self::Kinesis => "kinesis",
            Self::Lex => "lex",
            Self::Logs => "logs",
            Self::Mq => "mq",
            Self::S3 => "s3",
            Self::Schedule => "schedule",
            Self::SecretsManager => "secretsmanager",
            Self::Ses => "ses",
            Self::Sns => "sns",
            Self::Sqs => "sqs",
            Self::WebSocket => "websocket",
            Self::Direct => "direct",
        }
    }

    /// The source with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_lead_to_their_sources() {
        let names = Source::ALL.map(Source::name);
        assert!(names.is_sorted(), "the message about a wrong name lists them");
        assert_eq!(names.map(|name| Source::named(name).unwrap()), Source::ALL);
        assert_eq!(Source::named("SQS"), None);
    }
}
