variable "name" {
  description = "Name of the function, and the beginning of the names of its layer, role, log group and APIs."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,56}$", var.name))
    error_message = "name: 1 to 56 letters, digits, '-' and '_' (role names end at 64)."
  }
}

variable "package" {
  description = "The function's zip, made by `wsgi-lambda package APP --output FILE.zip`."
  type        = string

  validation {
    condition     = endswith(var.package, ".zip") && fileexists(var.package)
    error_message = "package: no such zip file. Make it first: wsgi-lambda package APP --output FILE.zip."
  }
}

variable "handler" {
  description = "The WSGI application: module.attribute (app.app), module:attribute, or a factory such as app:create_app()."
  type        = string

  validation {
    condition     = can(regex("^[^\\s.:]+([./][^\\s.:]+)*[.:][^\\s]+$", var.handler))
    error_message = "handler: a module and an attribute of it, such as app.app or mysite.wsgi:application."
  }
}

variable "python_version" {
  description = "Python of the layer and of the package, such as 3.13."
  type        = string
  default     = "3.13"

  validation {
    condition     = contains(["3.11", "3.12", "3.13", "3.14", "3.15"], var.python_version)
    error_message = "python_version: 3.11, 3.12, 3.13, 3.14 or 3.15."
  }
}

variable "architecture" {
  description = "Processor of the function, of the layer and of the package: x86_64 or arm64."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture: x86_64 or arm64."
  }
}

variable "flavour" {
  description = "self-contained: our Python, on provided.al2023. managed: AWS's Python, which the runtime takes over."
  type        = string
  default     = "self-contained"

  validation {
    condition     = contains(["self-contained", "managed"], var.flavour)
    error_message = "flavour: self-contained or managed."
  }
}

variable "layer_zip" {
  description = "The layer's zip, made by `make layer`. Default: the one in this repository's layer/dist that fits."
  type        = string
  default     = null

  validation {
    condition     = var.layer_zip == null ? true : endswith(var.layer_zip, ".zip")
    error_message = "layer_zip: the path of a zip."
  }
}

variable "layer_arn" {
  description = "ARN of a published version of the layer, to use instead of a zip."
  type        = string
  default     = null

  validation {
    condition     = var.layer_arn == null ? true : can(regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:layer:[^:]+:[0-9]+$", var.layer_arn))
    error_message = "layer_arn: the ARN of a layer version ends in its number, …:layer:wsgi-lambda:3."
  }

  validation {
    condition     = var.layer_arn == null || var.layer_zip == null
    error_message = "layer_arn and layer_zip: name one of them."
  }
}

variable "extra_layers" {
  description = "ARNs of up to four more layers, unpacked after the runtime's."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.extra_layers) <= 4
    error_message = "extra_layers: a function has at most five layers, and one is the runtime."
  }
}

variable "response_mode" {
  description = "buffered or stream. Function URL and REST API are set up to match; HTTP APIs and load balancers always get whole responses."
  type        = string
  default     = "buffered"

  validation {
    condition     = contains(["buffered", "stream"], var.response_mode)
    error_message = "response_mode: buffered or stream."
  }
}

variable "environment" {
  description = "Environment variables of the function: the application's own, and further settings of the runtime."
  type        = map(string)
  default     = {}

  validation {
    condition     = !contains(keys(var.environment), "WSGI_LAMBDA_RESPONSE_MODE")
    error_message = "environment: set response_mode instead of WSGI_LAMBDA_RESPONSE_MODE, so that the front ends match."
  }

  validation {
    condition     = !contains(keys(var.environment), "AWS_LAMBDA_EXEC_WRAPPER")
    error_message = "environment: AWS_LAMBDA_EXEC_WRAPPER is set by flavour = \"managed\"."
  }
}

variable "memory_size" {
  description = "Megabytes. The share of a processor grows with it, one whole at 1769."
  type        = number
  default     = 512

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240
    error_message = "memory_size: 128 to 10240."
  }
}

variable "timeout" {
  description = "Seconds until Lambda ends a request; the runtime answers 504 half a second earlier. 29 fits every front end."
  type        = number
  default     = 29

  validation {
    condition     = var.timeout >= 1 && var.timeout <= 900
    error_message = "timeout: 1 to 900."
  }

  validation {
    condition     = var.timeout <= 30 || !var.http_api
    error_message = "timeout: an HTTP API gives up after 30 seconds."
  }

  validation {
    condition     = var.timeout <= 29 || var.rest_api == null || var.response_mode == "stream"
    error_message = "timeout: a REST API that does not stream gives up after 29 seconds."
  }
}

variable "function_url" {
  description = "A Function URL: { authorization_type = \"NONE\" } (public) or \"AWS_IAM\". None when null."
  type = object({
    authorization_type = string
  })
  default = null

  validation {
    condition     = var.function_url == null ? true : contains(["NONE", "AWS_IAM"], var.function_url.authorization_type)
    error_message = "function_url.authorization_type: NONE or AWS_IAM."
  }
}

variable "http_api" {
  description = "Whether to make an HTTP API (payload 2.0) that sends everything to the function."
  type        = bool
  default     = false
}

variable "rest_api" {
  description = "A REST API that sends everything to the function: {} or { stage_name = \"v1\" }. None when null."
  type = object({
    stage_name = optional(string, "prod")
  })
  default = null

  validation {
    condition     = var.rest_api == null ? true : can(regex("^[A-Za-z0-9_]{1,128}$", var.rest_api.stage_name))
    error_message = "rest_api.stage_name: letters, digits and '_'."
  }
}

variable "alb" {
  description = "A target group for the function, and a rule of a load balancer's listener that sends requests to it. None when null."
  type = object({
    listener_arn  = string
    priority      = number
    path_patterns = optional(list(string), ["/*"])
    host_headers  = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.alb == null ? true : can(regex("^arn:[^:]+:elasticloadbalancing:[^:]+:[0-9]{12}:listener/app/", var.alb.listener_arn))
    error_message = "alb.listener_arn: the ARN of an Application Load Balancer's listener."
  }

  validation {
    condition     = var.alb == null ? true : var.alb.priority >= 1 && var.alb.priority <= 50000
    error_message = "alb.priority: 1 to 50000, used by no other rule of the listener."
  }

  validation {
    condition     = var.alb == null ? true : length(var.alb.path_patterns) + length(var.alb.host_headers) <= 5
    error_message = "alb: a rule has at most five patterns."
  }
}

variable "vpc" {
  description = "Subnets and security groups, for a function that must reach a database in a VPC. None when null."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null

  validation {
    condition     = var.vpc == null ? true : length(var.vpc.subnet_ids) > 0 && length(var.vpc.security_group_ids) > 0
    error_message = "vpc: at least one subnet and one security group."
  }
}

variable "policy_arns" {
  description = "IAM policies for the function's role, besides the right to write its log."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.policy_arns : can(regex("^arn:[^:]+:iam::", arn))])
    error_message = "policy_arns: each is the ARN of an IAM policy."
  }
}

variable "log_format" {
  description = "JSON or Text."
  type        = string
  default     = "JSON"

  validation {
    condition     = contains(["JSON", "Text"], var.log_format)
    error_message = "log_format: JSON or Text."
  }
}

variable "log_level" {
  description = "The lowest level of records that is kept, and the level of Python's root logger. Only with log_format JSON."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"], var.log_level)
    error_message = "log_level: TRACE, DEBUG, INFO, WARN, ERROR or FATAL."
  }
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps the log; 0 for ever."
  type        = number
  default     = 14

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days: 0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 or one of CloudWatch's longer times."
  }
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
