# examples/flask behind a Function URL and a REST API that stream, and an HTTP API. docs/deploy.md says how to apply it.

module "app" {
  source = "../"

  name           = var.name
  package        = var.package
  handler        = "app.app"
  python_version = var.python_version
  architecture   = var.architecture
  response_mode  = "stream"

  function_url = { authorization_type = "NONE" }
  http_api     = true
  rest_api     = {}
}
