resource "aws_lambda_layer_version" "runtime" {
  layer_name = "wsgi-lambda"
  filename   = "wsgi-lambda-python3.13-x86_64.zip"
}

data "archive_file" "app" {
  type        = "zip"
  source_dir  = "${path.module}/../../app"
  output_path = "app.zip"
}

resource "aws_lambda_function" "app" {
  function_name = "app"
  role          = var.role
  runtime       = "provided.al2023"
  handler       = "app.app"
  filename      = data.archive_file.app.output_path
  layers        = [aws_lambda_layer_version.runtime.arn]
  timeout       = 29
}

variable "role" {}

resource "aws_api_gateway_rest_api" "api" { # here: rest-binary-types
  name = "api"
}

resource "aws_api_gateway_integration" "all" {
  rest_api_id             = aws_api_gateway_rest_api.api.id
  resource_id             = aws_api_gateway_rest_api.api.root_resource_id
  http_method             = "ANY"
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.app.invoke_arn
}
