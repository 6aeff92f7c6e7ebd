resource "aws_lambda_function" "app" {
  function_name = "app"
  role          = "r"
  runtime       = "provided.al2023"
  handler       = "app.app"
  filename      = "app.zip"
  layers        = ["arn:aws:lambda:eu-west-1:123456789012:layer:wsgi-lambda:1"]
  timeout       = 29
  environment {
    variables = {
      WSGI_LAMBDA_BASE_PATH = "/api/shop"
    }
  }
}
