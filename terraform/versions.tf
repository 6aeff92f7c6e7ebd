terraform {
  # 1.9: a variable's validation may name other variables.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 6.35: response_streaming_invoke_arn of functions, response_transfer_mode of REST integrations,
      # invoked_via_function_url of permissions.
      version = ">= 6.35, < 7.0"
    }
  }
}
