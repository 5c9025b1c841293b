"""The settings of ``snowetl explain``."""

from __future__ import annotations

from dataclasses import dataclass

from snowetl.settings import argument, flag
from snowetl.steps.settings.common import Speaking
from snowetl.steps.settings.enriching import Enriching
from snowetl.steps.settings.groups import EVENTS, IO


@dataclass(frozen=True, kw_only=True)
class ExplainSettings(Enriching, Speaking):
    """The way of one record, step by step: every setting that shapes a result counts here as in ``enrich``."""

    record: str = argument(
        "RECORD|FILE[:N[-M]]|-",
        help="A line of a log, a Thrift record in base64, a bad row, the N-th record of a file (the first without N; N "
        "to M; N- to the last), or - for the lines of standard input.",
    )
    json: bool = flag("--json", help="One JSON document for each record: place, note, stages, verdicts.", group=IO)

    failed_events: bool = flag(
        "--failed-events",
        help="Also show the valid part of an event that failed, as `enrich --failed-folder` writes it.",
        group=EVENTS,
    )

    @property
    def wants_failed_events(self) -> bool:
        return self.failed_events
