variable "bucket" {
  type        = string
  description = "Name of the bucket that is made for raw logs (raw/), the package (snowetl/), the lake (lake/) and job logs (logs/)."
}

variable "email" {
  type        = string
  description = "Who is told when a run fails, or none was finished for some hours."
}

variable "release_label" {
  type        = string
  default     = "emr-spark-8.1.0"
  description = "Release of EMR Serverless. Before emr-spark-8 its Python is too old, so image_uri is needed."
}

variable "image_uri" {
  type        = string
  default     = null
  description = "An image made by emr/serverless.Dockerfile. Without one, jobs bring environment.tar.gz along."
}

variable "architecture" {
  type        = string
  default     = "X86_64"
  description = "X86_64 or ARM64; of the package, too (snowetl package --platform)."
  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "Give X86_64 or ARM64."
  }
}

variable "schedule" {
  type        = string
  default     = "rate(1 hour)"
  description = "When a run begins: rate(1 hour), or cron(5 * * * ? *) in UTC."
}

variable "schedule_enabled" {
  type        = bool
  default     = false
  description = "Enable it when the first run by hand went well."
}

variable "silent_hours" {
  type        = number
  default     = 3
  description = "Alarm when no run was finished for so many hours."
}

variable "maximum_vcpu" {
  type        = number
  default     = 100
  description = "The application uses no more than this, and four times as many GB."
}

variable "subnet_ids" {
  type        = list(string)
  default     = []
  description = "Private subnets with a way to the warehouse and to S3. Empty: no network but AWS's own services and the internet."
}

variable "security_group_ids" {
  type        = list(string)
  default     = []
  description = "Security groups of the workers, where subnets are given."
}

variable "input_queue" {
  type        = bool
  default     = false
  description = "Make a queue that S3 tells of each raw file (input-queue snowetl-raw-logs in snowetl.yml)."
}

variable "inventory" {
  type        = bool
  default     = false
  description = "Let S3 list the raw files each day (inventory s3://BUCKET/inventory/BUCKET/raw-logs in snowetl.yml)."
}

variable "archive_bucket" {
  type        = string
  default     = null
  description = "A bucket of yours that runs may copy raw files to (archive s3://BUCKET/raw in snowetl.yml)."
}
