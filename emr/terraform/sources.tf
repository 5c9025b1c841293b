# Where runs hear of raw files, other than by listing them (docs/scheduling.md). Both are off unless they are asked for.

# --- a queue that S3 tells of each raw file ---------------------------------------------------------------------------

resource "aws_sqs_queue" "raw_logs" {
  count                     = var.input_queue ? 1 : 0
  name                      = "snowetl-raw-logs"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 1209600
  redrive_policy            = jsonencode({ deadLetterTargetArn = aws_sqs_queue.given_up[0].arn, maxReceiveCount = 20 })
}

resource "aws_sqs_queue" "given_up" {
  count                     = var.input_queue ? 1 : 0
  name                      = "snowetl-raw-logs-given-up"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue_policy" "raw_logs" {
  count     = var.input_queue ? 1 : 0
  queue_url = aws_sqs_queue.raw_logs[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "S3Tells"
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.raw_logs[0].arn
      Condition = {
        ArnLike      = { "aws:SourceArn" = aws_s3_bucket.lake.arn }
        StringEquals = { "aws:SourceAccount" = local.account }
      }
    }]
  })
}

resource "aws_s3_bucket_notification" "raw_logs" {
  count      = var.input_queue ? 1 : 0
  bucket     = aws_s3_bucket.lake.id
  depends_on = [aws_sqs_queue_policy.raw_logs] # S3 tries the queue before it takes the notification
  queue {
    queue_arn     = aws_sqs_queue.raw_logs[0].arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = "raw/"
  }
}

resource "aws_cloudwatch_metric_alarm" "files_given_up" {
  count               = var.input_queue ? 1 : 0
  alarm_name          = "snowetl-files-given-up"
  alarm_description   = "Messages of the input queue that no run took. A run without input-queue takes files that they tell of."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.given_up[0].name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# --- a list of the raw files, each day ----------------------------------------------------------------------------------

resource "aws_s3_bucket_inventory" "raw_logs" {
  count                    = var.inventory ? 1 : 0
  bucket                   = aws_s3_bucket.lake.id
  name                     = "raw-logs"
  included_object_versions = "Current"
  optional_fields          = ["Size", "LastModifiedDate", "ETag"]
  filter {
    prefix = "raw/"
  }
  schedule {
    frequency = "Daily"
  }
  destination {
    bucket {
      bucket_arn = aws_s3_bucket.lake.arn
      format     = "CSV"
      prefix     = "inventory"
    }
  }
}
