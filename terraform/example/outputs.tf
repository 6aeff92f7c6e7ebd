output "function_url" {
  description = "Streams."
  value       = module.app.function_url
}

output "http_api_url" {
  description = "Does not stream."
  value       = module.app.http_api_url
}

output "rest_api_url" {
  description = "Streams."
  value       = module.app.rest_api_url
}

output "log_group_name" {
  description = "For `aws logs tail`."
  value       = module.app.log_group_name
}
