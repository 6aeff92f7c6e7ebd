variable "role" {}

resource "aws_lambda_function" "app" {
  function_name = "app"
  role          = var.role
  runtime       = "provided.al2023"
  handler       = "app.app"
  filename      = "app.zip"
  layers        = ["arn:aws:lambda:eu-west-1:123456789012:layer:wsgi-lambda:1"]
  timeout       = 29
}

resource "aws_lambda_function" "worker" {
  function_name = "worker"
  role          = var.role
  runtime       = "python3.13"
  handler       = "worker.handler"
  filename      = "worker.zip"
}

resource "aws_lambda_permission" "front" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.app.function_name
  principal     = "apigateway.amazonaws.com"
}

resource "aws_sqs_queue" "jobs" {}

resource "aws_cloudwatch_event_rule" "timer" {
  schedule_expression = "rate(1 day)"
}

resource "aws_apigatewayv2_api" "sockets" {
  name          = "sockets"
  protocol_type = "WEBSOCKET"
}

resource "aws_lambda_event_source_mapping" "jobs" { # here: trigger-not-http
  event_source_arn = aws_sqs_queue.jobs.arn
  function_name    = aws_lambda_function.app.arn
}

resource "aws_cloudwatch_event_target" "timer" { # here: trigger-not-http
  rule = aws_cloudwatch_event_rule.timer.name
  arn  = aws_lambda_function.app.arn
}

resource "aws_scheduler_schedule" "hourly" { # here: trigger-not-http
  schedule_expression = "rate(1 hour)"
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = aws_lambda_function.app.arn
    role_arn = var.role
  }
}

resource "aws_s3_bucket_notification" "uploads" { # here: trigger-not-http
  bucket = "uploads"
  lambda_function {
    lambda_function_arn = aws_lambda_function.app.arn
    events              = ["s3:ObjectCreated:*"]
  }
}

resource "aws_sns_topic_subscription" "news" { # here: trigger-not-http
  topic_arn = "arn:aws:sns:eu-west-1:123456789012:news"
  protocol  = "lambda"
  endpoint  = aws_lambda_function.app.arn
}

resource "aws_cognito_user_pool" "users" { # here: trigger-not-http
  name = "users"
  lambda_config {
    pre_sign_up = aws_lambda_function.app.arn
  }
}

resource "aws_apigatewayv2_integration" "sockets" { # here: trigger-not-http
  api_id           = aws_apigatewayv2_api.sockets.id
  integration_type = "AWS_PROXY"
  integration_uri  = aws_lambda_function.app.invoke_arn
}

resource "aws_apigatewayv2_authorizer" "tokens" { # here: trigger-not-http
  api_id          = "a"
  authorizer_type = "REQUEST"
  name            = "tokens"
  authorizer_uri  = aws_lambda_function.app.invoke_arn
}

resource "aws_lambda_permission" "mail" { # here: trigger-not-http
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.app.function_name
  principal     = "ses.amazonaws.com"
}
