"""What the states of EMR's steps and clusters mean: pure rules, for whoever watches a cluster.

Success is what our own reports say. These rules tell when to stop watching, and how to word what EMR says.
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
LOAD_STEP = "[rdb_load]"
"""How the name of each step that loads begins."""

_BOOTSTRAP = re.compile(r"BOOTSTRAP_FAILURE|bootstrap action|Master instance startup failed", re.IGNORECASE)
_ATTEMPTS = 3


class ClusterBusy(SnowetlError):
    """The cluster that a run wants is at work for somebody else."""

    exit_code = 18


class ClusterNotUnique(SnowetlError):
    """Several clusters have the name by which one was to be found."""


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

    No step listed is no success (EMR lists late, and in pages), nor is an interrupted one.
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
    """The cluster to use among the running and waiting ones of a name; ``None``: there is none.

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


@dataclass(frozen=True)
class Resubmission:
    """The steps to send again (none: give up), and how often that was done for the first of them."""

    steps: tuple[str, ...] = ()
    attempts: int = 0


def resubmission(batch: Sequence[tuple[str, bool]], failed: str, attempts: int) -> Resubmission:
    """What to send again after a step failed on a cluster that stays. ``batch``: name of each step, and whether it may
    be repeated. A step is tried three times; one further on starts to count anew."""
    names = [name for name, _ in batch]
    if failed not in names or not dict(batch)[failed]:
        return Resubmission()
    rest = tuple(names[names.index(failed) :])
    attempts = attempts + 1 if len(rest) == len(batch) else 1
    return Resubmission((), attempts) if attempts >= _ATTEMPTS else Resubmission(rest, attempts)


def launch_failure(cluster: ClusterState) -> str | None:
    """Why a cluster that was started cannot be used, ``None`` where it can."""
    if cluster.state in ("WAITING", "RUNNING"):
        return None
    if cluster.reason == "BOOTSTRAP_FAILURE":
        return "could not start the cluster due to bootstrap failure"
    return f"EMR cluster failed to launch with state {cluster.state}"


LAUNCHES = 3
"""How often a cluster is started whose nodes fail before the first step."""


# --- words ------------------------------------------------------------------------------------------------------------


def failure_text(cluster: ClusterState, steps: Sequence[StepState]) -> str:
    """What failed: a headline, the cluster, then each step in the order of its start."""
    lines = [
        f"EMR cluster {cluster.id} failed; what was done is kept, and `snowetl resume` goes on from there.",
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
