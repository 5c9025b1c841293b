"""``requests.json``: what to send with boto3, in order, to run one run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from snowetl.orchestrator.executors import emr_requests as requests
from snowetl.orchestrator.executors.emr_requests import Serverless, SparkJob
from snowetl.orchestrator.exports.step import ExistingCluster, Place, TransientCluster, of_run, token

_USE = "boto3.client(service, region_name=region).<operation>(**parameters)"


def calls(steps: Sequence[SparkJob], place: Place, run_id: str) -> list[dict[str, Any]]:
    """Each call with ``service``, ``region``, ``operation`` and ``parameters``."""
    steps = [of_run(step, run_id) for step in steps]
    match place:
        case TransientCluster(cluster, environment):
            planned = requests.steps(steps, environment, "TERMINATE_CLUSTER")
            return [_call("emr", cluster.region, "run_job_flow", requests.run_job_flow(cluster, planned, run_id))]
        case ExistingCluster(cluster_id, region, environment):
            planned = requests.steps(steps, environment, "CANCEL_AND_WAIT")
            return [_call("emr", region, "add_job_flow_steps", {"JobFlowId": cluster_id, "Steps": planned})]
        case Serverless():
            return [
                _call(
                    "emr-serverless",
                    place.region,
                    "start_job_run",
                    requests.start_job_run(step, place, token(run_id, str(number), "1")),
                )
                for number, step in enumerate(steps, 1)
            ]


def files(steps: Sequence[SparkJob], place: Place, run_id: str) -> dict[str, str]:
    """The files of the export, by name. Of several calls, each is sent when the one before is done."""
    document = {"use": _USE, "run": run_id, "calls": calls(steps, place, run_id)}
    return {"requests.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n"}


def _call(service: str, region: str | None, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"service": service, "region": region, "operation": operation, "parameters": parameters}
