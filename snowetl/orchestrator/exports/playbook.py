"""``cluster.json`` and ``playbook.json`` for Dataflow Runner.

``dataflow-runner run-transient --emr-config cluster.json --emr-playbook playbook.json --vars runId,$(date -u +…)``
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from snowetl.errors import UsageError
from snowetl.orchestrator.executors import emr_requests as requests
from snowetl.orchestrator.executors.emr_requests import SparkJob
from snowetl.orchestrator.exports.step import RUN_ID, ExistingCluster, Place, TransientCluster
from snowetl.orchestrator.imports.dataflow_runner import write

_RUN_ID = "{{.runId}}"
"""A variable (``--vars runId,…``): a time taken in the file would be another in each place, and not UTC."""


def files(steps: Sequence[SparkJob], place: Place) -> dict[str, str]:
    """The playbook, and the cluster that it runs on if it starts one. Raises :class:`UsageError`."""
    if not isinstance(place, TransientCluster | ExistingCluster):
        raise UsageError("Dataflow Runner knows no EMR Serverless: give --cluster or --cluster-id")
    found: dict[str, str] = {}
    if isinstance(place, TransientCluster):
        found["cluster.json"] = _json(write.cluster_file(place.cluster))
        region = place.cluster.region
    else:
        region = place.region
    planned = [requests.step(step, place.environment, "CANCEL_AND_WAIT") for step in steps]
    entries = [
        write.step(each["Name"], each["HadoopJarStep"]["Jar"], each["HadoopJarStep"]["Args"], each["ActionOnFailure"])
        for each in planned
    ]
    text = _json(write.playbook_file(region or "us-east-1", entries))
    found["playbook.json"] = text.replace(RUN_ID, _RUN_ID)
    return found


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False).replace("{{", '{{"{{"}}') + "\n"
