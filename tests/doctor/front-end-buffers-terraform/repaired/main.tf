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

  environment {
    variables = merge(local.settings, { STAGE = var.role })
  }
}

variable "role" {}

resource "aws_lambda_function_url" "app" {
  function_name      = aws_lambda_function.app.function_name
  authorization_type = "NONE"
  invoke_mode        = "RESPONSE_STREAM"
}

locals {
  settings = { WSGI_LAMBDA_RESPONSE_MODE = "stream" }
}
