output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.app.function_name
}

output "function_arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.app.arn
}

output "role_name" {
  description = "Name of the function's role, to attach policies to."
  value       = aws_iam_role.app.name
}

output "layer_arn" {
  description = "ARN of the layer version with the runtime, for other functions."
  value       = local.layer
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = aws_cloudwatch_log_group.app.name
}

output "function_url" {
  description = "The Function URL, or null."
  value       = one(aws_lambda_function_url.app[*].function_url)
}

output "http_api_url" {
  description = "URL of the HTTP API, or null."
  value       = one(aws_apigatewayv2_api.http[*].api_endpoint)
}

output "rest_api_url" {
  description = "URL of the REST API's stage, or null."
  value       = one(aws_api_gateway_stage.rest[*].invoke_url)
}

output "target_group_arn" {
  description = "ARN of the load balancer's target group, or null."
  value       = one(aws_lb_target_group.alb[*].arn)
}
