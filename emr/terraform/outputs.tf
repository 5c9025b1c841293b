output "application_id" {
  value       = aws_emrserverless_application.snowetl.id
  description = "--emr-application-id"
}

output "run_role_arn" {
  value       = aws_iam_role.job["run"].arn
  description = "--emr-job-role"
}

output "package" {
  value       = local.code
  description = "--emr-package, and where snowetl package writes to"
}

output "cluster_service_role" {
  value       = aws_iam_role.cluster.name
  description = "service-role of cluster.yml"
}

output "orchestrator_policy" {
  value       = aws_iam_policy.snowetl["orchestrator"].arn
  description = "for the role that snowetl run --executor works with"
}

output "cluster_nodes" {
  value       = aws_iam_instance_profile.nodes.name
  description = "instance-profile of cluster.yml"
}

output "input_queue" {
  value       = one(aws_sqs_queue.raw_logs[*].name)
  description = "input-queue of snowetl.yml"
}

output "inventory" {
  value       = var.inventory ? "s3://${var.bucket}/inventory/${var.bucket}/raw-logs" : null
  description = "inventory of snowetl.yml"
}

output "option_policies" {
  value       = { for name in local.options : name => aws_iam_policy.snowetl[name].arn }
  description = "for the role that snowetl run --executor works with"
}
