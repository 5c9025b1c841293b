"""A notice as numbers, for systems that keep those. One name for each number, whoever is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from snowetl.orchestrator.notify.base import FAILED, FINISHED, STARTED, Notice

_COUNTS = {
    "records": ("Records", "Count"),
    "events": ("Events", "Count"),
    "badRows": ("BadRows", "Count"),
    "rows": ("Rows", "Count"),
    "files": ("Files", "Count"),
    "bytes": ("InputBytes", "Bytes"),
    "latenessSeconds": ("Lateness", "Seconds"),
}

_NAMESPACE = re.compile(r"(?!AWS/)[\w.\-/#:]{1,255}")


class Metric(NamedTuple):
    """``unit`` is ``Count``, ``Bytes`` or ``Seconds``; ``step`` is set for the number of a step."""

    name: str
    value: float
    unit: str
    step: str = ""


def metrics(notice: Notice) -> Iterator[Metric]:
    """All numbers of a notice. An alarm is set on ``RunsFailed``, or on ``RunsFinished`` that stays away."""
    if notice.event == STARTED:
        yield Metric("RunsStarted", 1.0, "Count")
        return
    for event, name in ((FINISHED, "RunsFinished"), (FAILED, "RunsFailed")):
        yield Metric(name, float(event == notice.event), "Count")
    yield Metric("RunSeconds", notice.seconds, "Seconds")
    for key, (name, unit) in _COUNTS.items():
        if key in notice.counts:
            yield Metric(name, notice.counts[key], unit)
    for step in notice.steps:
        if step.state == "done":
            yield Metric("StepSeconds", step.seconds, "Seconds", step.name)


def namespace_of(address: str) -> str:
    """What stands behind the colon. Raises ``ValueError``."""
    name = address.partition(":")[2].removeprefix("//")
    if not _NAMESPACE.fullmatch(name):
        raise ValueError("it is not a namespace of CloudWatch metrics")
    return name
