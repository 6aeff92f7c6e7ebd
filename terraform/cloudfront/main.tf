# An application behind CloudFront, which alone may call it. static.tf has its static files. docs/cloudfront.md explains it.

module "app" {
  source = "../"

  name    = var.name
  package = var.package
  handler = var.handler
  flavour = "managed"

  function_url = { authorization_type = "AWS_IAM" }
  environment = merge(var.environment, {
    WSGI_LAMBDA_TRUSTED_HOST_HEADER = "X-Forwarded-Host"
    WSGI_LAMBDA_TRUSTED_HOPS        = "1"
  })
}

# Both are needed. The distribution is named, so that no other one can call the function.
resource "aws_lambda_permission" "url" {
  statement_id  = "CloudFrontUrl"
  action        = "lambda:InvokeFunctionUrl"
  function_name = module.app.function_name
  principal     = "cloudfront.amazonaws.com"
  source_arn    = aws_cloudfront_distribution.app.arn
}

resource "aws_lambda_permission" "invoke" {
  statement_id             = "CloudFrontInvoke"
  action                   = "lambda:InvokeFunction"
  function_name            = module.app.function_name
  principal                = "cloudfront.amazonaws.com"
  source_arn               = aws_cloudfront_distribution.app.arn
  invoked_via_function_url = true
}

resource "aws_cloudfront_origin_access_control" "app" {
  name                              = "${var.name}-app"
  origin_access_control_origin_type = "lambda"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_function" "host" {
  name    = "${var.name}-host"
  comment = "passes on the host that the client asked for"
  runtime = "cloudfront-js-2.0"
  publish = true
  code    = <<-JS
    function handler(event) {
      event.request.headers["x-forwarded-host"] = { value: event.request.headers.host.value };
      return event.request;
    }
  JS
}

# As UseOriginCacheControlHeaders-QueryStrings, but with the client's host in place of Host, which the Function URL refuses.
resource "aws_cloudfront_cache_policy" "app" {
  name        = "${var.name}-app"
  min_ttl     = 0
  default_ttl = 0
  max_ttl     = 31536000

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = true
    enable_accept_encoding_gzip   = true

    cookies_config {
      cookie_behavior = "all"
    }
    headers_config {
      header_behavior = "whitelist"
      headers {
        items = ["X-Forwarded-Host", "Origin"]
      }
    }
    query_strings_config {
      query_string_behavior = "all"
    }
  }
}

resource "aws_cloudfront_distribution" "app" {
  enabled         = true
  is_ipv6_enabled = true
  http_version    = "http2and3"

  origin {
    origin_id                = "app"
    domain_name              = split("/", module.app.function_url)[2]
    origin_access_control_id = aws_cloudfront_origin_access_control.app.id

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
      origin_read_timeout    = 30
    }
  }

  origin {
    origin_id                = "static"
    domain_name              = aws_s3_bucket.static.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.static.id
  }

  default_cache_behavior {
    target_origin_id         = "app"
    viewer_protocol_policy   = "redirect-to-https"
    allowed_methods          = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    cached_methods           = ["GET", "HEAD"]
    compress                 = true
    cache_policy_id          = aws_cloudfront_cache_policy.app.id
    origin_request_policy_id = "b689b0a8-53d0-40ab-baf2-68738e2966ac" # AllViewerExceptHostHeader

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.host.arn
    }
  }

  ordered_cache_behavior {
    path_pattern           = "/static/*"
    target_origin_id       = "static"
    viewer_protocol_policy = "redirect-to-https"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    compress               = true
    cache_policy_id        = "658327ea-f89d-4fab-a63d-7e88639e58f6" # CachingOptimized
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = true
  }
}
