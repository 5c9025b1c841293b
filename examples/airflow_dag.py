"""Apache Airflow: each hour, enrich and transform on EMR Serverless, then load. Stock operators only.

Packages: apache-airflow-providers-amazon, apache-airflow-providers-standard. Connections: ``aws_default``, and for the
load the environment of the worker (``snowetl[postgres]`` installed; database and password in ``snowetl.yml``).

A run is named after its hour, so that a task that is retried continues or repeats the same run: a step that is done
ends at once, and nothing is loaded twice.
"""

from datetime import datetime, timedelta

from airflow import DAG
from airflow.providers.amazon.aws.operators.emr import EmrServerlessStartJobOperator

try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:  # Airflow 2.9 without the provider "standard"
    from airflow.operators.bash import BashOperator

BUCKET = "s3://my-bucket"
RUN_ID = "{{ data_interval_start.strftime('%Y-%m-%d-%H-%M-%S') }}"
HOUR = "{{ data_interval_start.strftime('%Y/%m/%d/%H') }}"
RESOLVER = ["--iglu-config", "config/resolver.json"]
ENRICH = [
    *("--input-folder", f"{BUCKET}/raw/{HOUR}/", "--input-format", "thrift"),
    *("--output-folder", f"{BUCKET}/enriched/", "--bad-folder", f"{BUCKET}/bad/"),
    *("--enrichments", "config/enrichments", *RESOLVER, "--run-id", RUN_ID),
]
TRANSFORM = [
    *("--input-folder", f"{BUCKET}/enriched/run={RUN_ID}/", "--output-folder", f"{BUCKET}/transformed/"),
    *RESOLVER,
]
LOAD = f"snowetl load --config /etc/snowetl.yml --input-folder {BUCKET}/transformed/run={RUN_ID}/"


def on_emr(step: str, arguments: list[str]) -> EmrServerlessStartJobOperator:
    """A step as a job of EMR Serverless. No client token: one for all runs would start one job."""
    return EmrServerlessStartJobOperator(
        task_id=step,
        application_id="{{ var.value.snowetl_application }}",
        execution_role_arn="{{ var.value.snowetl_job_role }}",
        job_driver={
            "sparkSubmit": {
                "entryPoint": f"{BUCKET}/snowetl/{step}.py",
                "entryPointArguments": arguments,
                "sparkSubmitParameters": f"--conf spark.archives={BUCKET}/snowetl/config.zip#config",
            }
        },
        deferrable=True,
    )


with DAG(
    dag_id="snowetl",
    schedule="@hourly",
    start_date=datetime(2026, 3, 1),
    catchup=True,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    doc_md=__doc__,
):
    load = BashOperator(task_id="load", bash_command=LOAD)
    on_emr("enrich", ENRICH) >> on_emr("transform", TRANSFORM) >> load
