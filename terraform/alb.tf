# Load balancers cannot stream: the runtime sends them whole responses, whatever response_mode says.

resource "aws_lb_target_group" "alb" {
  count = var.alb == null ? 0 : 1

  name_prefix = "wsgi-"
  target_type = "lambda"
  tags        = var.tags

  # Without it repeated headers and query parameters are lost, and several cookies leave under differently cased names.
  lambda_multi_value_headers_enabled = true

  lifecycle {
    create_before_destroy = true # a target group that a rule uses cannot be deleted
  }
}

resource "aws_lambda_permission" "alb" {
  count = var.alb == null ? 0 : 1

  statement_id  = "LoadBalancer"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.app.function_name
  principal     = "elasticloadbalancing.amazonaws.com"
  source_arn    = aws_lb_target_group.alb[0].arn
}

resource "aws_lb_target_group_attachment" "alb" {
  count = var.alb == null ? 0 : 1

  target_group_arn = aws_lb_target_group.alb[0].arn
  target_id        = aws_lambda_function.app.arn

  depends_on = [aws_lambda_permission.alb] # the load balancer calls the function when it is registered
}

resource "aws_lb_listener_rule" "alb" {
  count = var.alb == null ? 0 : 1

  listener_arn = var.alb.listener_arn
  priority     = var.alb.priority
  tags         = var.tags

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.alb[0].arn
  }

  condition {
    path_pattern {
      values = var.alb.path_patterns
    }
  }

  dynamic "condition" {
    for_each = length(var.alb.host_headers) > 0 ? [var.alb.host_headers] : []

    content {
      host_header {
        values = condition.value
      }
    }
  }
}
