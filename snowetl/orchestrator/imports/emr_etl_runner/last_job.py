"""Asks EMR how a job flow of the old runner ended, and says what to do before the new program takes over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from snowetl.errors import SnowetlError, UsageError
from snowetl.orchestrator.imports.emr_etl_runner.job_flow import (
    FAILED,
    ClusterState,
    StepState,
    discover,
    failed_text,
    failure_text,
    log_folder,
    outcome,
    step_log_prefix,
    step_text,
)

_ALIVE = ["RUNNING", "WAITING"]
_RECOVERY = {
    "[staging]": "run the old command again with --skip staging, or again as it is if raw.processing is empty",
    "[staging_stream_enrich]": "delete enriched.good/run=…, and run the old command again",
    "[enrich]": "delete enriched.good/run=… if it is there, and run the old command with --skip staging",
    "[cleanup]": "run the old command with --resume-from shred",
    "[shred]": "delete shredded.good/run=… if it is there, and run the old command with --resume-from shred",
    "Errors in": "run the old command with --resume-from elasticsearch",
    "[archive_raw]": "run the old command with --resume-from archive_raw",
    "[rdb_load]": "mend the cause, and run the old command with --resume-from rdb_load",
    "[archive_enriched]": "run the old command with --resume-from archive_enriched",
    "[archive_shredded]": "run the old command with --resume-from archive_shredded",
}
"""What operators had to do after a failure, by how the name of the failed step begins."""


def found(id_: str, region: str) -> tuple[ClusterState, list[StepState], str]:
    """A job flow, its steps in their order, and where its logs are. Raises ``UsageError``, ``SnowetlError``."""
    client = _client(region)
    try:
        cluster = client.describe_cluster(ClusterId=id_)["Cluster"]
        pages = client.get_paginator("list_steps").paginate(ClusterId=id_)
        steps = [_step(each) for page in pages for each in page.get("Steps", ())]
    except client.exceptions.InvalidRequestException as error:
        raise UsageError(f"--job-flow {id_}: {error.response['Error']['Message']}") from None
    except _errors() as error:
        raise SnowetlError(f"EMR does not tell of {id_}: {error}") from None
    status = cluster["Status"]
    reason, times = status.get("StateChangeReason", {}), status.get("Timeline", {})
    state = ClusterState(
        id_,
        status["State"],
        reason.get("Code", ""),
        reason.get("Message", ""),
        times.get("CreationDateTime"),
        times.get("ReadyDateTime"),
        times.get("EndDateTime"),
    )
    return state, steps[::-1], cluster.get("LogUri", "")


def persistent(name: str, region: str) -> str | None:
    """The persistent cluster that still has the name of the configuration. Raises as :func:`discover`."""
    client = _client(region)
    try:
        pages = client.get_paginator("list_clusters").paginate(ClusterStates=_ALIVE)
        listed = [each for page in pages for each in page.get("Clusters", ()) if each["Name"] == name]
    except _errors() as error:
        raise SnowetlError(f"EMR does not list its clusters: {error}") from None
    return discover(name, [ClusterState(each["Id"], each["Status"]["State"]) for each in listed])


def lines(cluster: ClusterState, steps: list[StepState], log_uri: str) -> Iterator[str]:
    """How the job flow ended, where its logs are, and what to do."""
    result = outcome(steps, f"{cluster.reason} {cluster.message}")
    if not result.done:
        yield f"{cluster.id} is {cluster.state}: wait until it has ended"
        return
    if result.success:
        yield f"{cluster.id}: all {len(steps)} steps are done; nothing of it is left to do"
        return
    yield failure_text(cluster, steps)
    yield failed_text(steps) or ""
    if result.bootstrap_failure:
        yield "The cluster did not start, so nothing was done: run the old command again"
        return
    for step in steps:
        if step.state in FAILED and (step.state != "CANCELLED" or step.started is not None):
            yield step_text(step) or ""
            if log_uri:
                bucket, _ = log_folder(log_uri)
                yield f"Its logs: s3://{bucket}/{step_log_prefix(log_uri, cluster.id, step.id)}"
            for start, advice in _RECOVERY.items():
                if step.name.startswith(start):
                    yield f"To finish it: {advice}"


def _step(step: dict[str, Any]) -> StepState:
    status = step["Status"]
    times = status.get("Timeline", {})
    return StepState(
        step["Name"],
        status["State"],
        times.get("StartDateTime"),
        times.get("EndDateTime"),
        times.get("CreationDateTime"),
        step["Id"],
    )


def _client(region: str) -> Any:
    import boto3

    return boto3.client("emr", region_name=region)


def _errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError

    return BotoCoreError, ClientError
