resource "aws_lambda_function_url" "app" {
  count = var.function_url == null ? 0 : 1

  function_name      = aws_lambda_function.app.function_name
  authorization_type = var.function_url.authorization_type
  invoke_mode        = local.stream ? "RESPONSE_STREAM" : "BUFFERED"
}

locals {
  public_url = try(var.function_url.authorization_type, null) == "NONE"
}

# Function URLs made since October 2025 answer with 403 without both (https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html).
# The provider adds them by itself, but only when it makes a URL, not when an existing one becomes public.
resource "aws_lambda_permission" "public_url" {
  count = local.public_url ? 1 : 0

  statement_id           = "PublicFunctionUrl"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.app.function_name
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_lambda_permission" "public_url_invoke" {
  count = local.public_url ? 1 : 0

  statement_id             = "PublicFunctionUrlInvoke"
  action                   = "lambda:InvokeFunction"
  function_name            = aws_lambda_function.app.function_name
  principal                = "*"
  invoked_via_function_url = true
}
