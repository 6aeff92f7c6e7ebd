resource "aws_lambda_function" "app" {
  function_name = "app"
  role          = "r"
  runtime       = "custom"
  handler       = "app.app"
  filename      = "app.zip"
  layers        = ["arn:aws:lambda:eu-west-1:123456789012:layer:wsgi-lambda:1"]
  timeout       = 29
  runtime_config { # here: runtime-config
    runtime_arn = "arn:aws:lambda:eu-west-1:123456789012:runtime/python"
  }
}
