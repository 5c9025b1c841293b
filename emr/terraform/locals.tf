# What follows from the variables alone.

locals {
  verbs = toset(["enrich", "transform", "load", "run"])
  # what needs a policy of its own, and is wanted
  options = toset([for name, wanted in {
    "input-queue" = var.input_queue
    "inventory"   = var.inventory
    "archive"     = var.archive_bucket != null
  } : name if wanted])
  code   = "s3://${var.bucket}/snowetl"
  python = "./environment/bin/python"
  # An image has Python and the packages; without one each job brings them along.
  archives = join(",", concat(
    var.image_uri == null ? ["${local.code}/environment.tar.gz#environment"] : [],
    ["${local.code}/config.zip#config"],
  ))
  spark = merge(
    {
      "spark.archives"                = local.archives
      "spark.driver.cores"            = "2"
      "spark.driver.memory"           = "4g"
      "spark.executor.cores"          = "4"
      "spark.executor.memory"         = "4g"
      "spark.executor.memoryOverhead" = "4g"
    },
    var.image_uri == null ? {
      "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON" = local.python
      "spark.emr-serverless.driverEnv.PYSPARK_PYTHON"        = local.python
      "spark.executorEnv.PYSPARK_PYTHON"                     = local.python
    } : {},
  )
}
