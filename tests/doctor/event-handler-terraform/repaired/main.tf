data "archive_file" "app" {
  type        = "zip"
  source_dir  = "${path.module}/../../event-handler/src"
  output_path = "app.zip"
}

resource "aws_lambda_function" "app" {
  function_name = "app"
  role          = "r"
  runtime       = "provided.al2023"
  handler       = "app.app"
  filename      = data.archive_file.app.output_path
  layers        = ["arn:aws:lambda:eu-west-1:123456789012:layer:wsgi-lambda:1"]
  timeout       = 29
}
