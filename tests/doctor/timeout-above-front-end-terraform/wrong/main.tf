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
  timeout       = var.timeout # here: timeout-above-front-end
}

variable "role" {}

resource "aws_apigatewayv2_integration" "app" {
  api_id           = aws_apigatewayv2_api.app.id
  integration_type = "AWS_PROXY"
  integration_uri  = aws_lambda_function.app.invoke_arn
}

resource "aws_apigatewayv2_api" "app" {
  name          = "app"
  protocol_type = "HTTP"
}

variable "timeout" {
  default = 60
}
