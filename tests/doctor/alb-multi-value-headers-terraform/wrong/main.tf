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

resource "aws_lb_target_group" "app" { # here: alb-multi-value-headers
  target_type = "lambda"
}

resource "aws_lb_target_group_attachment" "app" {
  target_group_arn = aws_lb_target_group.app.arn
  target_id        = aws_lambda_function.app.arn
}
