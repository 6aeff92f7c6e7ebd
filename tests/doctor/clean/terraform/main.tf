# What count and dynamic blocks leave out is not judged, and neither is what only the deployment knows.

variable "public" {
  default = false
}

variable "settings" {
  type = map(string)
}

resource "aws_lambda_function" "app" {
  function_name = "app"
  role          = "r"
  runtime       = "provided.al2023"
  handler       = "app.app"
  timeout       = 29
  layers        = ["arn:aws:lambda:eu-west-1:123456789012:layer:wsgi-lambda:1"]
  filename      = "${path.module}/app.zip"

  environment {
    variables = merge({ WSGI_LAMBDA_RESPONSE_MODE = "stream" }, var.settings)
  }
}

resource "aws_lambda_function" "streams" {
  function_name = "streams"
  role          = "r"
  runtime       = "provided.al2023"
  handler       = "app.app"
  timeout       = 29
  layers        = ["arn:aws:lambda:eu-west-1:123456789012:layer:wsgi-lambda:1"]
  filename      = "${path.module}/app.zip"

  dynamic "environment" {
    for_each = var.public ? [] : [{ WSGI_LAMBDA_RESPONSE_MODE = "stream" }]
    content {
      variables = environment.value
    }
  }
}

# It would have to stream.
resource "aws_lambda_function_url" "streams" {
  count              = var.public ? 1 : 0
  function_name      = aws_lambda_function.streams.function_name
  authorization_type = "NONE"
}

resource "aws_lambda_function_url" "app" {
  function_name      = aws_lambda_function.app.function_name
  authorization_type = "NONE"
}
