"""Snowplow about itself: runs as events of the schemas that EmrEtlRunner sent (reference 09 §1.11), to a collector.

Entities tell the application, the run as an ``emr_job_status``, and each step as a ``jobflow_step_status``, in EMR's
words for states, so that dashboards over the older events go on. Times are UTC (EmrEtlRunner sent local ones as such).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from snowetl.jvm import jsontext, timestamps
from snowetl.jvm.strings import to_utf8
from snowetl.orchestrator.notify.base import FAILED, FINISHED, STARTED, Notice, StepNotice
from snowetl.orchestrator.notify.clients import post
from snowetl.version import __version__

_VENDOR = "iglu:com.snowplowanalytics.monitoring.batch"
_SNOWPLOW = "iglu:com.snowplowanalytics.snowplow"
_EVENTS = {STARTED: "emr_job_started", FINISHED: "emr_job_succeeded", FAILED: "emr_job_failed"}
_STATES = {STARTED: "RUNNING", FINISHED: "COMPLETED", FAILED: "FAILED"}
_STEP_STATES = {"done": "COMPLETED", "failed": "FAILED", "waits": "PENDING"}
_NAMESPACE = uuid.UUID("6d1f6f0e-52b6-4f86-8a3c-6f0f5e0b7a11")


@dataclass(frozen=True, slots=True)
class Collector:
    """``snowplow://collector.example.com?app=etl``; ``snowplow+http://`` for one without TLS."""

    url: str
    app: str
    example: ClassVar[str] = "snowplow://collector.example.com?app=etl"

    @classmethod
    def of(cls, address: str) -> Collector:
        parts = urlsplit(address)
        if not parts.hostname:
            raise ValueError("it has no host")
        scheme = "http" if parts.scheme == "snowplow+http" else "https"
        path = parts.path.rstrip("/") or "/com.snowplowanalytics.snowplow/tp2"
        return cls(f"{scheme}://{parts.netloc}{path}", parse_qs(parts.query).get("app", ["snowetl"])[0])

    def send(self, notice: Notice) -> None:
        post(self.url, to_utf8(jsontext.dumps(self.payload(notice))))

    def payload(self, notice: Notice) -> dict[str, Any]:
        """One event in the tracker protocol. Its id is that of the notice: sent twice, it is one."""
        event = _self_describing(f"{_VENDOR}/{_EVENTS[notice.event]}", {})
        tracked = {
            "e": "ue",
            "p": "srv",
            "tv": f"snowetl-{__version__}",
            "aid": self.app,
            "eid": str(uuid.uuid5(_NAMESPACE, f"{notice.pipeline} {notice.run} {notice.event} {notice.at}")),
            "dtm": str(notice.at),
            "ue_pr": jsontext.dumps(_self_describing(f"{_SNOWPLOW}/unstruct_event", event)),
            "co": jsontext.dumps(_self_describing(f"{_SNOWPLOW}/contexts", _entities(notice), "1-0-1")),
        }
        return _self_describing(f"{_SNOWPLOW}/payload_data", [tracked], "1-0-4")


def _self_describing(name: str, data: Any, version: str = "1-0-0") -> dict[str, Any]:
    return {"schema": f"{name}/jsonschema/{version}", "data": data}


def _entities(notice: Notice) -> list[dict[str, Any]]:
    ended = _iso(notice.at) if notice.event != STARTED else None
    application = {"name": "snowetl", "version": __version__, "tags": [notice.pipeline], "logLevel": "info"}
    job = {
        "name": notice.pipeline,
        "jobflow_id": notice.run,
        "state": _STATES[notice.event],
        "created_at": _iso(notice.started),
        "ended_at": ended,
        "last_state_change_reason": notice.reason or None,
    }
    return [
        _self_describing(f"{_VENDOR}/application_context", application),
        _self_describing(f"{_VENDOR}/emr_job_status", job),
        *(_self_describing(f"{_VENDOR}/jobflow_step_status", _step(step, notice)) for step in notice.steps),
    ]


def _step(step: StepNotice, notice: Notice) -> dict[str, Any]:
    return {
        "name": step.name,
        "state": _STEP_STATES[step.state],
        "created_at": _iso(notice.started),
        "started_at": None if step.started is None else _iso(step.started),
        "ended_at": None if step.ended is None else _iso(step.ended),
    }


def _iso(millis: int) -> str:
    """``2026-03-05T10:00:00Z``: whole seconds, as EmrEtlRunner wrote them."""
    return f"{timestamps.to_iso(millis)[:19]}Z"
