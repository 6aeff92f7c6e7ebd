output "url" {
  description = "The distribution's address."
  value       = "https://${aws_cloudfront_distribution.app.domain_name}/"
}

output "bucket" {
  description = "The bucket, whose static/ is served."
  value       = aws_s3_bucket.static.bucket
}

output "distribution" {
  description = "The distribution, to invalidate paths of it."
  value       = aws_cloudfront_distribution.app.id
}
