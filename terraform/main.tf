# The layer, the function, its role and its log. The front ends have a file each.

locals {
  managed  = var.flavour == "managed"
  stream   = var.response_mode == "stream"
  zip_name = "wsgi-lambda-${local.managed ? "bootstrap-" : ""}python${var.python_version}-${var.architecture}.zip"
  zip      = var.layer_zip != null ? var.layer_zip : "${path.module}/../layer/dist/${local.zip_name}"
  runtime  = local.managed ? "python${var.python_version}" : "provided.al2023"
  layer    = var.layer_arn != null ? var.layer_arn : aws_lambda_layer_version.runtime[0].arn
}

resource "aws_lambda_layer_version" "runtime" {
  count = var.layer_arn == null ? 1 : 0

  layer_name               = "${var.name}-wsgi-lambda"
  description              = local.zip_name
  filename                 = local.zip
  source_code_hash         = filebase64sha256(local.zip)
  compatible_runtimes      = [local.runtime]
  compatible_architectures = [var.architecture]
  license_info             = "Apache-2.0"

  lifecycle {
    create_before_destroy = true # the function is moved to the new version before the old one goes

    precondition {
      condition     = fileexists(local.zip)
      error_message = "${local.zip}: no such file. Make it first (make layer ARCHITECTURE=${var.architecture}), or name another with layer_zip or layer_arn."
    }
  }
}

resource "aws_lambda_function" "app" {
  function_name    = var.name
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  handler          = var.handler
  runtime          = local.runtime
  architectures    = [var.architecture]
  layers           = concat([local.layer], var.extra_layers)
  memory_size      = var.memory_size
  timeout          = var.timeout
  role             = aws_iam_role.app.arn
  tags             = var.tags

  environment {
    variables = merge(
      var.environment,
      { WSGI_LAMBDA_RESPONSE_MODE = var.response_mode },
      local.managed ? { AWS_LAMBDA_EXEC_WRAPPER = "/opt/bootstrap" } : {},
    )
  }

  logging_config {
    log_format            = var.log_format
    log_group             = aws_cloudwatch_log_group.app.name
    application_log_level = var.log_format == "JSON" ? var.log_level : null # Lambda refuses levels for text
    system_log_level      = var.log_format == "JSON" ? "INFO" : null
  }

  dynamic "vpc_config" {
    for_each = var.vpc == null ? [] : [var.vpc]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  # The role needs its rights when the function starts, and still when a VPC's network interfaces are removed.
  depends_on = [aws_iam_role_policy.logs, aws_iam_role_policy_attachment.vpc]
}

resource "aws_cloudwatch_log_group" "app" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_iam_role" "app" {
  name               = "${var.name}-lambda"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

resource "aws_iam_role_policy" "logs" {
  name   = "logs"
  role   = aws_iam_role.app.id
  policy = data.aws_iam_policy_document.logs.json
}

resource "aws_iam_role_policy_attachment" "vpc" {
  count = var.vpc == null ? 0 : 1

  role       = aws_iam_role.app.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
}

resource "aws_iam_role_policy_attachment" "more" {
  for_each = var.policy_arns

  role       = aws_iam_role.app.name
  policy_arn = each.value
}

data "aws_partition" "current" {}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "logs" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.app.arn}:*"]
  }
}
