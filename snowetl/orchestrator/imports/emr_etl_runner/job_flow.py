"""How a job flow of EmrEtlRunner or Dataflow Runner stands, from what EMR says of its steps, and its words. Pure.

Our own runs are judged by their reports (``executors/``). This is for the last runs of the old program, which must be
finished before the new one takes over.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from snowetl.errors import ConfigError, SnowetlError

RUNNING = frozenset({"PENDING", "CANCEL_PENDING", "RUNNING"})
COMPLETED = "COMPLETED"
FAILED = frozenset({"FAILED", "CANCELLED", "INTERRUPTED"})
_HELP = "https://github.com/snowplow/snowplow/wiki/Troubleshooting-jobs-on-Elastic-MapReduce"
LOAD_STEP = "[rdb_load]"
"""How the name of each step that loads begins."""

_BOOTSTRAP = re.compile(r"BOOTSTRAP_FAILURE|bootstrap action|Master instance startup failed", re.IGNORECASE)


class ClusterBusy(SnowetlError):
    """The persistent cluster is at work."""

    exit_code = 18


class ClusterNotUnique(SnowetlError):
    """Several clusters have the name by which the persistent one is found."""


@dataclass(frozen=True)
class StepState:
    """One step as EMR describes it. Times are ``None`` where EMR tells none."""

    name: str
    state: str
    started: datetime | None = None
    ended: datetime | None = None
    created: datetime | None = None
    id: str = ""


@dataclass(frozen=True)
class ClusterState:
    """A cluster as EMR describes it; ``reason`` is the code of its last change, ``message`` what EMR adds to it."""

    id: str
    state: str
    reason: str = ""
    message: str = ""
    created: datetime | None = None
    ready: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True)
class Outcome:
    """How the steps of a cluster stand. ``bootstrap_failure``: no step can have begun, so a new cluster is safe."""

    done: bool
    success: bool = False
    bootstrap_failure: bool = False
    load_failed: bool = False
    load_cancelled: bool = False


def outcome(steps: Sequence[StepState], reason: str) -> Outcome:
    """What the steps of a cluster, and the reason of its last change, amount to.

    A list without steps does not mean success (EMR lists late, and in pages); nor does an interrupted step.
    """
    bootstrap_failure = _BOOTSTRAP.search(reason) is not None and all(step.state == "CANCELLED" for step in steps)
    if (not steps and not bootstrap_failure) or any(step.state in RUNNING for step in steps):
        return Outcome(done=False)
    loads = [step.state for step in steps if step.name.startswith(LOAD_STEP)]
    return Outcome(
        done=True,
        success=bool(steps) and all(step.state == COMPLETED for step in steps),
        bootstrap_failure=bootstrap_failure,
        load_failed="FAILED" in loads,
        load_cancelled="CANCELLED" in loads,
    )


def discover(name: str, clusters: Sequence[ClusterState]) -> str | None:
    """The persistent cluster among the running and waiting ones of a name; ``None``: there is none.

    Raises :class:`ClusterBusy` (exit code 18) and :class:`ClusterNotUnique`.
    """
    if len(clusters) > 1:
        raise ClusterNotUnique(
            f"EMR Cluster name must be unique for safe discovery - found {len(clusters)} with name {name}"
        )
    for cluster in clusters:
        if cluster.state != "WAITING":
            raise ClusterBusy(
                f"EMR Cluster must be in WAITING state before new job steps can be submitted - found {cluster.state}"
            )
        return cluster.id
    return None


# --- words ------------------------------------------------------------------------------------------------------------


def failure_text(cluster: ClusterState, steps: Sequence[StepState]) -> str:
    """What failed: a headline, the cluster, then each step in the order of its start."""
    lines = [
        f"EMR jobflow {cluster.id} failed, check Amazon EMR console and Hadoop logs for details (help: {_HELP}). "
        "Data files not archived.",
        f"{cluster.id}: {cluster.state} [{cluster.reason}] ~ {_elapsed(cluster.ready, cluster.ended)} "
        f"[{iso(cluster.ready)} - {iso(cluster.ended)}]",
    ]
    ordered = sorted(steps, key=lambda step: (step.started is None, step.started))
    for number, step in enumerate(ordered, 1):
        lines.append(
            f" - {number}. {step.name}: {step.state} ~ {_elapsed(step.started, step.ended)} "
            f"[{iso(step.started)} - {iso(step.ended)}]"
        )
    return "\n".join(lines)


def step_text(step: StepState) -> str | None:
    """A line about a step that ended, ``None`` while it runs."""
    who = f"Step '{step.name}' with id '{step.id}'"
    times = f"StartTime: {iso(step.started)} - EndTime: {iso(step.ended)}"
    if step.state == COMPLETED:
        return f"{who} completed successfully - {times}"
    if step.state == "CANCELLED":
        return f"{who} was CANCELLED"
    return f"{who} was {step.state} - {times}" if step.state in FAILED else None


def failed_text(steps: Sequence[StepState]) -> str | None:
    """How many steps did not complete, ``None`` if all did."""
    failed = sum(step.state in FAILED for step in steps)
    return f"{failed}/{len(steps)} steps failed to complete successfully" if failed else None


def iso(time: datetime | None) -> str:
    """A time of UTC as ``YYYY-MM-DDTHH:MM:SSZ``."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time else ""


def _elapsed(start: datetime | None, end: datetime | None) -> str:
    if start is None or end is None:
        return "elapsed time n/a"
    seconds = int((end - start).total_seconds())
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


# --- logs -------------------------------------------------------------------------------------------------------------


def log_folder(log_uri: str) -> tuple[str, str]:
    """Bucket and prefix of the logs of clusters. Raises :class:`ConfigError`."""
    if not log_uri:
        raise ConfigError("LogUri cannot be empty for the logs to be retrieved")
    parts = urlsplit(log_uri)
    if not parts.scheme:
        raise ConfigError(f'Couldn\'t parse LogUri: parse "{log_uri}": missing protocol scheme')
    return parts.netloc, parts.path.strip("/")


def step_log_prefix(log_uri: str, cluster_id: str, step_id: str) -> str:
    """The prefix below which EMR puts the logs of a step, within the bucket of ``log_uri``."""
    _, prefix = log_folder(log_uri)
    return "/".join([*([prefix] if prefix else []), cluster_id, "steps", step_id, ""])
