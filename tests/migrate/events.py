"""Events that are not HTTP, as AWS sends them to the Zappa project."""

import uuid

ARN = "arn:aws:{}:eu-west-1:123456789012:{}"


def sqs(queue, *bodies):
    return {
        "Records": [
            {
                "messageId": str(uuid.uuid5(uuid.NAMESPACE_OID, body)),
                "receiptHandle": "handle",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": ARN.format("sqs", queue),
                "awsRegion": "eu-west-1",
            }
            for body in bodies
        ]
    }


def sns(topic, message):
    text = {"TopicArn": ARN.format("sns", topic), "Type": "Notification", "MessageId": "1", "Message": message}
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": text}]}


def s3(bucket, key):
    entity = {"configurationId": "uploads", "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"}}
    record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {**entity, "object": {"key": key}}}
    return {"Records": [record]}


def schedule(rule, **more):
    """What a rule of EventBridge sends. Zappa names its rules so that they end in the function, and adds `kwargs`."""
    return {
        "version": "0",
        "id": "d4f5da6a-c4b5-49c6-aac1-6b0b4a2c6d20",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-07-15T09:30:00Z",
        "region": "eu-west-1",
        "resources": [ARN.format("events", f"rule/{rule}")],
        "detail": {},
        **more,
    }


def websocket(kind, connection, domain, body=None):
    route = {"CONNECT": "$connect", "DISCONNECT": "$disconnect", "MESSAGE": "$default"}[kind]
    context = {"routeKey": route, "eventType": kind, "connectionId": connection, "messageDirection": "IN"}
    event = {"requestContext": {**context, "domainName": domain, "stage": "prod", "apiId": "api"}}
    if body is not None:
        event["body"] = body
    return {**event, "isBase64Encoded": False}


def token(value):
    arn = ARN.format("execute-api", "api/prod/GET/orders")
    return {"type": "TOKEN", "methodArn": arn, "authorizationToken": value}


def cognito(trigger, email):
    request = {"userAttributes": {"email": email}}
    response = {"autoConfirmUser": False, "autoVerifyEmail": False}
    pool = {"triggerSource": trigger, "userPoolId": "eu-west-1_shop", "userName": "ada", "version": "1"}
    return {**pool, "request": request, "response": response}
