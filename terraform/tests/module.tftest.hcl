# terraform init -backend=false && terraform test: plans with a mocked provider; needs no account and makes nothing.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_lambda_layer_version" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:111122223333:layer:app-wsgi-lambda:1" }
  }
}

variables {
  name      = "app"
  package   = "tests/empty.zip"
  handler   = "app.app"
  layer_zip = "tests/empty.zip"
}

run "buffered_and_self_contained_by_default" {
  command = plan

  assert {
    condition     = aws_lambda_function.app.runtime == "provided.al2023"
    error_message = "runtime"
  }
  assert {
    condition     = aws_lambda_function.app.environment[0].variables == tomap({ WSGI_LAMBDA_RESPONSE_MODE = "buffered" })
    error_message = "environment"
  }
  assert {
    condition     = length(aws_lambda_function_url.app) + length(aws_apigatewayv2_api.http) + length(aws_api_gateway_rest_api.rest) + length(aws_lb_target_group.alb) == 0
    error_message = "front ends that nobody asked for"
  }
}

run "managed_takes_aws_python_over" {
  command = plan

  variables {
    flavour        = "managed"
    python_version = "3.14"
    environment    = { GREETING = "hello" }
  }

  assert {
    condition     = aws_lambda_function.app.runtime == "python3.14"
    error_message = "runtime"
  }
  assert {
    condition     = aws_lambda_function.app.environment[0].variables["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/bootstrap"
    error_message = "wrapper"
  }
  assert {
    condition     = aws_lambda_function.app.environment[0].variables["GREETING"] == "hello"
    error_message = "the application's own variable"
  }
  assert {
    condition     = aws_lambda_layer_version.runtime[0].description == "wsgi-lambda-bootstrap-python3.14-x86_64.zip"
    error_message = "layer"
  }
}

run "front_ends_match_stream" {
  command = plan

  variables {
    response_mode = "stream"
    timeout       = 300
    function_url  = { authorization_type = "NONE" }
    rest_api      = {}
  }

  assert {
    condition     = aws_lambda_function_url.app[0].invoke_mode == "RESPONSE_STREAM"
    error_message = "Function URL"
  }
  assert {
    condition     = aws_lambda_permission.public_url_invoke[0].invoked_via_function_url && length(aws_lambda_permission.public_url) == 1
    error_message = "a public Function URL needs two permissions"
  }
  assert {
    condition     = alltrue([for each in aws_api_gateway_integration.rest : each.response_transfer_mode == "STREAM"])
    error_message = "REST API"
  }
  assert {
    condition     = alltrue([for each in aws_api_gateway_integration.rest : each.timeout_milliseconds == 300000])
    error_message = "REST API's timeout"
  }
}

run "front_ends_match_buffered" {
  command = plan

  variables {
    function_url = { authorization_type = "AWS_IAM" }
    http_api     = true
    rest_api     = { stage_name = "v1" }
    alb          = { listener_arn = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:listener/app/web/0123456789abcdef/0123456789abcdef", priority = 10 }
  }

  assert {
    condition     = aws_lambda_function_url.app[0].invoke_mode == "BUFFERED" && length(aws_lambda_permission.public_url) == 0
    error_message = "Function URL"
  }
  assert {
    condition     = aws_apigatewayv2_integration.http[0].payload_format_version == "2.0"
    error_message = "HTTP API"
  }
  assert {
    condition     = one(aws_api_gateway_rest_api.rest[0].binary_media_types) == "*/*"
    error_message = "binary types"
  }
  assert {
    condition     = length(aws_api_gateway_integration.rest) == 2 && alltrue([for each in aws_api_gateway_integration.rest : each.response_transfer_mode == "BUFFERED"])
    error_message = "REST API"
  }
  assert {
    condition     = aws_lb_target_group.alb[0].lambda_multi_value_headers_enabled
    error_message = "multi-value headers"
  }
}

run "published_layer" {
  command = plan

  variables {
    layer_zip = null
    layer_arn = "arn:aws:lambda:eu-central-1:111122223333:layer:wsgi-lambda:3"
  }

  assert {
    condition     = output.layer_arn == var.layer_arn && length(aws_lambda_layer_version.runtime) == 0
    error_message = "layer"
  }
}

run "missing_layer" {
  command = plan

  variables {
    layer_zip = "tests/none.zip"
  }

  expect_failures = [aws_lambda_layer_version.runtime]
}

run "wrong_values" {
  command = plan

  variables {
    name               = "two words"
    package            = "tests/none.zip"
    handler            = "app"
    python_version     = "3.9"
    architecture       = "amd64"
    flavour            = "zip"
    layer_zip          = "layer"
    extra_layers       = ["a", "b", "c", "d", "e"]
    response_mode      = "streaming"
    environment        = { WSGI_LAMBDA_RESPONSE_MODE = "stream" }
    memory_size        = 64
    function_url       = { authorization_type = "none" }
    rest_api           = { stage_name = "v-1" }
    alb                = { listener_arn = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/web/0123456789abcdef", priority = 0 }
    vpc                = { subnet_ids = [], security_group_ids = [] }
    policy_arns        = ["AmazonS3ReadOnlyAccess"]
    log_format         = "text"
    log_level          = "WARNING"
    log_retention_days = 2
  }

  expect_failures = [
    var.name, var.package, var.handler, var.python_version, var.architecture, var.flavour, var.layer_zip,
    var.extra_layers, var.response_mode, var.environment, var.memory_size, var.function_url, var.rest_api, var.alb,
    var.vpc, var.policy_arns, var.log_format, var.log_level, var.log_retention_days,
  ]
}

# Terraform skips a validation that names another variable while that one is wrong.
run "two_layers" {
  command = plan

  variables {
    layer_arn = "arn:aws:lambda:eu-central-1:111122223333:layer:wsgi-lambda:3"
  }

  expect_failures = [var.layer_arn]
}

run "layer_without_its_version" {
  command = plan

  variables {
    layer_zip = null
    layer_arn = "arn:aws:lambda:eu-central-1:111122223333:layer:wsgi-lambda"
  }

  expect_failures = [var.layer_arn]
}

run "timeout_above_lambdas" {
  command = plan

  variables {
    timeout = 901
  }

  expect_failures = [var.timeout]
}

run "timeout_above_the_http_apis" {
  command = plan

  variables {
    timeout  = 31
    http_api = true
  }

  expect_failures = [var.timeout]
}

run "timeout_above_the_rest_apis" {
  command = plan

  variables {
    timeout  = 30
    rest_api = {}
  }

  expect_failures = [var.timeout]
}
