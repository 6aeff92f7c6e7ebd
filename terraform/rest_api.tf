resource "aws_api_gateway_rest_api" "rest" {
  count = var.rest_api == null ? 0 : 1

  name = "${var.name}-rest"
  tags = var.tags

  # Without it uploads arrive damaged, and responses that are not streamed reach the client as base64 text.
  binary_media_types = ["*/*"]

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_resource" "rest" {
  count = var.rest_api == null ? 0 : 1

  rest_api_id = aws_api_gateway_rest_api.rest[0].id
  parent_id   = aws_api_gateway_rest_api.rest[0].root_resource_id
  path_part   = "{proxy+}"
}

locals {
  # The greedy resource does not match the root, so there are two of everything.
  rest_resources = var.rest_api == null ? {} : {
    root = aws_api_gateway_rest_api.rest[0].root_resource_id
    rest = aws_api_gateway_resource.rest[0].id
  }
}

resource "aws_api_gateway_method" "rest" {
  for_each = local.rest_resources

  rest_api_id   = aws_api_gateway_rest_api.rest[0].id
  resource_id   = each.value
  http_method   = "ANY"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "rest" {
  for_each = local.rest_resources

  rest_api_id             = aws_api_gateway_rest_api.rest[0].id
  resource_id             = each.value
  http_method             = aws_api_gateway_method.rest[each.key].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST" # what API Gateway calls Lambda with
  response_transfer_mode  = local.stream ? "STREAM" : "BUFFERED"
  uri                     = local.stream ? aws_lambda_function.app.response_streaming_invoke_arn : aws_lambda_function.app.invoke_arn
  timeout_milliseconds    = local.stream ? max(29, var.timeout) * 1000 : 29000
}

resource "aws_api_gateway_deployment" "rest" {
  count = var.rest_api == null ? 0 : 1

  rest_api_id = aws_api_gateway_rest_api.rest[0].id

  # A deployment is a snapshot: a change to anything in it must make a new one.
  triggers = {
    redeployment = sha1(jsonencode([
      aws_api_gateway_rest_api.rest[0].binary_media_types,
      aws_api_gateway_resource.rest[0].id,
      values(aws_api_gateway_method.rest)[*].id,
      values(aws_api_gateway_integration.rest)[*].id,
      values(aws_api_gateway_integration.rest)[*].uri,
      values(aws_api_gateway_integration.rest)[*].response_transfer_mode,
      values(aws_api_gateway_integration.rest)[*].timeout_milliseconds,
    ]))
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "rest" {
  count = var.rest_api == null ? 0 : 1

  rest_api_id   = aws_api_gateway_rest_api.rest[0].id
  deployment_id = aws_api_gateway_deployment.rest[0].id
  stage_name    = var.rest_api.stage_name
  tags          = var.tags
}

resource "aws_lambda_permission" "rest" {
  count = var.rest_api == null ? 0 : 1

  statement_id  = "RestApi"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.app.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.rest[0].execution_arn}/*"
}
