variable "name" {
  description = "Name of the function, and the beginning of the other names."
  type        = string
  default     = "wsgi-lambda-flask"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,56}$", var.name))
    error_message = "name: 1 to 56 letters, digits, '-' and '_'."
  }
}

variable "package" {
  description = "The zip that `wsgi-lambda package` made."
  type        = string
  default     = "app.zip"

  validation {
    condition     = fileexists(var.package)
    error_message = "package: no such file. In this folder: wsgi-lambda package ../../examples/flask --output app.zip --python 3.13 --architecture x86_64."
  }
}

variable "python_version" {
  description = "Python of the layer and of the package."
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

variable "region" {
  description = "Region to deploy to, such as eu-central-1; default: the one of your AWS configuration."
  type        = string
  default     = null

  validation {
    condition     = var.region == null ? true : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: such as eu-central-1."
  }
}
