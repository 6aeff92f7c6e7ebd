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
      STRIP_STAGE_PATH = "yes" # here: peer-variable
      API_GATEWAY_BASE_PATH = "api/shop" # here: peer-variable
      TEXT_MIME_TYPES = "application/x" # here: peer-variable
      AWS_LWA_PORT = "8080" # here: peer-variable
      AWS_LWA_INVOKE_MODE = "response_stream" # here: peer-variable
      AWS_LWA_REMOVE_BASE_PATH = "/orders" # here: peer-variable
      AWS_LWA_PASS_THROUGH_PATH = "/events" # here: peer-variable
      PORT = "8000" # here: peer-variable
    }
  }
}
