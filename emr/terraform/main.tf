# snowetl on EMR Serverless: bucket, roles, application, hourly schedule, alarms; roles for clusters of EMR on EC2.
# The same as emr/cloudformation.yaml.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60"
    }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  # who may take a role: a service, for this account
  trust = { for service in ["emr-serverless", "scheduler", "elasticmapreduce"] : service => {
    Effect    = "Allow"
    Principal = { Service = "${service}.amazonaws.com" }
    Action    = "sts:AssumeRole"
    Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
  } }
  # what the policies in emr/policies name
  named = {
    BUCKET           = var.bucket
    REGION           = data.aws_region.current.name
    ACCOUNT          = local.account
    APPLICATION_ID   = aws_emrserverless_application.snowetl.id
    RUN_ROLE_ARN     = aws_iam_role.job["run"].arn
    CLUSTER_ROLE_ARN = aws_iam_role.cluster.arn
    QUEUE_ARN        = one(aws_sqs_queue.raw_logs[*].arn)
    ARCHIVE_BUCKET   = var.archive_bucket
  }
}

# --- the bucket -------------------------------------------------------------------------------------------------------

resource "aws_s3_bucket" "lake" {
  bucket = var.bucket
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_public_access_block" "lake" {
  bucket                  = aws_s3_bucket.lake.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "lake" {
  bucket = aws_s3_bucket.lake.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id
  rule {
    id     = "unfinished-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
  rule {
    id     = "job-logs"
    status = "Enabled"
    filter {
      prefix = "logs/"
    }
    expiration {
      days = 90
    }
  }
  rule {
    id     = "old-inventories"
    status = "Enabled"
    filter {
      prefix = "inventory/"
    }
    expiration {
      days = 30
    }
  }
}

resource "aws_s3_bucket_policy" "lake" {
  bucket = aws_s3_bucket.lake.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "OnlyOverTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.lake.arn, "${aws_s3_bucket.lake.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      [for bucket in var.inventory ? [aws_s3_bucket.lake.arn] : [] : {
        Sid       = "S3WritesInventories"
        Effect    = "Allow"
        Principal = { Service = "s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${bucket}/inventory/*"
        Condition = {
          ArnLike      = { "aws:SourceArn" = bucket }
          StringEquals = { "aws:SourceAccount" = local.account, "s3:x-amz-acl" = "bucket-owner-full-control" }
        }
      }],
    )
  })
}

# --- roles of the jobs: one a verb, with the right to what that verb reads and writes ---------------------------------

resource "aws_iam_role" "job" {
  for_each = local.verbs
  name     = "snowetl-${each.key}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [local.trust["emr-serverless"]],
      [for service in each.key == "run" ? ["ec2.amazonaws.com"] : [] : {
        Effect    = "Allow"
        Principal = { Service = service }
        Action    = "sts:AssumeRole"
        Condition = {}
      }],
    )
  })
}

resource "aws_iam_role_policy" "job" {
  for_each = local.verbs
  name     = "snowetl-${each.key}"
  role     = aws_iam_role.job[each.key].id
  policy   = templatefile("${path.module}/../policies/${each.key}-role.json", local.named)
}

# --- the application and its schedule ---------------------------------------------------------------------------------

resource "aws_emrserverless_application" "snowetl" {
  name          = "snowetl"
  type          = "spark"
  release_label = var.release_label
  architecture  = var.architecture

  dynamic "image_configuration" {
    for_each = var.image_uri == null ? [] : [var.image_uri]
    content {
      image_uri = image_configuration.value
    }
  }
  dynamic "network_configuration" {
    for_each = length(var.subnet_ids) == 0 ? [] : [var.subnet_ids]
    content {
      subnet_ids         = network_configuration.value
      security_group_ids = var.security_group_ids
    }
  }
  auto_start_configuration {
    enabled = true
  }
  auto_stop_configuration {
    enabled              = true
    idle_timeout_minutes = 15
  }
  maximum_capacity {
    cpu    = "${var.maximum_vcpu} vCPU"
    memory = "${4 * var.maximum_vcpu} GB"
  }
}

resource "aws_sqs_queue" "not_started" {
  name                      = "snowetl-not-started"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 1209600
}

resource "aws_iam_role" "scheduler" {
  name = "snowetl-scheduler"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.trust["scheduler"]]
  })
}

resource "aws_iam_role_policy" "scheduler" {
  name = "start-runs"
  role = aws_iam_role.scheduler.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "emr-serverless:StartJobRun", Resource = aws_emrserverless_application.snowetl.arn },
      {
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = aws_iam_role.job["run"].arn
        Condition = { StringEquals = { "iam:PassedToService" = "emr-serverless.amazonaws.com" } }
      },
      { Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.not_started.arn },
    ]
  })
}

resource "aws_scheduler_schedule" "run" {
  name                = "snowetl-run"
  description         = "Takes what is new below raw/ and loads it. A run that is still going on makes the next one end at once (exit code 17)."
  state               = var.schedule_enabled ? "ENABLED" : "DISABLED"
  schedule_expression = var.schedule

  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = "arn:aws:scheduler:::aws-sdk:emrserverless:startJobRun"
    role_arn = aws_iam_role.scheduler.arn
    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 5
    }
    dead_letter_config {
      arn = aws_sqs_queue.not_started.arn
    }
    # jsonencode would escape the angle brackets, and EventBridge would not know its own variable.
    input = replace(replace(jsonencode({
      ApplicationId           = aws_emrserverless_application.snowetl.id
      ClientToken             = "<aws.scheduler.execution-id>"
      ExecutionRoleArn        = aws_iam_role.job["run"].arn
      Name                    = "snowetl-run"
      ExecutionTimeoutMinutes = 720
      JobDriver = {
        SparkSubmit = {
          EntryPoint            = "${local.code}/run.py"
          EntryPointArguments   = ["--config", "config/snowetl.yml"]
          SparkSubmitParameters = join(" ", [for key, value in local.spark : "--conf ${key}=${value}"])
        }
      }
      ConfigurationOverrides = {
        MonitoringConfiguration = { S3MonitoringConfiguration = { LogUri = "s3://${var.bucket}/logs/" } }
      }
    }), "\\u003c", "<"), "\\u003e", ">")
  }
}

# --- alarms -----------------------------------------------------------------------------------------------------------

resource "aws_sns_topic" "alarms" {
  name = "snowetl-alarms"
}

resource "aws_sns_topic_subscription" "email" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.email
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["events.amazonaws.com", "cloudwatch.amazonaws.com"] }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms.arn
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "job_failed" {
  name        = "snowetl-job-failed"
  description = "A job of the application failed, whatever it got to tell by itself."
  event_pattern = jsonencode({
    source      = ["aws.emr-serverless"]
    detail-type = ["EMR Serverless Job Run State Change"]
    detail      = { applicationId = [aws_emrserverless_application.snowetl.id], state = ["FAILED"] }
  })
}

resource "aws_cloudwatch_event_target" "job_failed" {
  rule = aws_cloudwatch_event_rule.job_failed.name
  arn  = aws_sns_topic.alarms.arn
}

resource "aws_cloudwatch_metric_alarm" "no_run_finished" {
  alarm_name          = "snowetl-no-run-finished"
  alarm_description   = "No run of snowetl was finished for some hours (notify cloudwatch:Snowetl in snowetl.yml)."
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  evaluation_periods  = var.silent_hours
  datapoints_to_alarm = var.silent_hours
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  metric_query {
    id          = "finished"
    expression  = "SUM(SEARCH('{Snowetl,Pipeline} MetricName=\"RunsFinished\"', 'Sum', 3600))"
    period      = 3600
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "run_not_started" {
  alarm_name          = "snowetl-run-not-started"
  alarm_description   = "The schedule could not start a run; the queue has the reason."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.not_started.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# --- clusters of EMR on EC2: AmazonEMRServicePolicy_v2 acts only on what has this tag ---------------------------------

resource "aws_iam_role" "cluster" {
  name = "snowetl-cluster-service"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.trust["elasticmapreduce"]]
  })
  tags = { "for-use-with-amazon-emr-managed-policies" = "true" }
}

resource "aws_iam_role_policy_attachment" "cluster" {
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonEMRServicePolicy_v2"
}

resource "aws_iam_role_policy" "cluster" {
  name = "pass-the-nodes-role"
  role = aws_iam_role.cluster.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "iam:PassRole"
      Resource  = aws_iam_role.job["run"].arn
      Condition = { StringLike = { "iam:PassedToService" = "ec2.amazonaws.com*" } }
    }]
  })
}

resource "aws_iam_instance_profile" "nodes" {
  name = "snowetl-nodes"
  role = aws_iam_role.job["run"].name
}

# --- policies of their own ------------------------------------------------------------------------------------------

# orchestrator: for whoever runs `snowetl run --executor emr|emr-serverless`, a small machine, a container, an Airflow
# worker. The others, as far as they are wanted: for that role and for the role of runs.
resource "aws_iam_policy" "snowetl" {
  for_each = setunion(["orchestrator"], local.options)
  name     = "snowetl-${each.key}"
  policy   = templatefile("${path.module}/../policies/${each.key}.json", local.named)
}

resource "aws_iam_role_policy_attachment" "run" {
  for_each   = local.options
  role       = aws_iam_role.job["run"].name
  policy_arn = aws_iam_policy.snowetl[each.key].arn
}
