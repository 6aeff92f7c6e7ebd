variable "name" {
  description = "Name of the function, and the beginning of the other names."
  type        = string
  default     = "shop"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,56}$", var.name))
    error_message = "name: 1 to 56 letters, digits, '-' and '_'."
  }
}

variable "package" {
  description = "The zip that `wsgi-lambda package` made."
  type        = string
  default     = "shop.zip"

  validation {
    condition     = fileexists(var.package)
    error_message = "package: no such file. Make it: wsgi-lambda package app --output shop.zip --python 3.13 --architecture x86_64."
  }
}

variable "handler" {
  description = "The application, such as mysite.wsgi.application."
  type        = string
  default     = "mysite.wsgi.application"

  validation {
    condition     = can(regex("[.:]", var.handler))
    error_message = "handler: module.attribute, or module:attribute."
  }
}

variable "environment" {
  description = "Environment variables of the application, such as ALLOWED_HOSTS."
  type        = map(string)
  default     = {}
}
