"""A text file for the textfile collector of Prometheus' node_exporter, replaced at once: no reader sees half of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from snowetl.orchestrator.notify.base import FAILED, FINISHED, STARTED, Notice

_HELP = {
    "state": "Whether the last run waits for its end (1), is done (2), or failed (3).",
    "last_start_timestamp_seconds": "When a run last began.",
    "last_success_timestamp_seconds": "When a run was last done: an alarm fires where this stays behind.",
    "last_failure_timestamp_seconds": "When a run last failed.",
    "last_duration_seconds": "How long the last run took that was done.",
    "last_records": "Raw records of the last run that was done.",
    "last_events": "Its enriched events.",
    "last_bad_rows": "Its bad rows.",
    "last_rows": "Rows it loaded.",
    "last_files": "Its input files.",
    "last_input_bytes": "Their bytes.",
    "last_lateness_seconds": "From collector to warehouse, of its middle event.",
}
_STATES = {STARTED: 1.0, FINISHED: 2.0, FAILED: 3.0}
_COUNTS = {
    "records": "last_records",
    "events": "last_events",
    "badRows": "last_bad_rows",
    "rows": "last_rows",
    "files": "last_files",
    "bytes": "last_input_bytes",
    "latenessSeconds": "last_lateness_seconds",
}
_LINE = re.compile(r'snowetl_run_(\w+)\{pipeline="((?:[^"\\]|\\.)*)"\} (\S+)')
_READABLE = 0o644
"""node_exporter runs as another user; there are no secrets in it."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """Several pipelines may share a file: each keeps the lines of the others."""

    path: Path
    example: ClassVar[str] = "prometheus:/var/lib/node_exporter/snowetl.prom"

    @classmethod
    def of(cls, address: str) -> TextFile:
        path = Path(address.partition(":")[2].removeprefix("//"))
        if path.suffix != ".prom":
            raise ValueError("it is not a file called *.prom: node_exporter reads no others")
        return cls(path)

    def send(self, notice: Notice) -> None:
        known = self._known()
        known.setdefault(_escaped(notice.pipeline), {}).update(_values(notice))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        staged = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            staged.write_text(_text(known), "utf-8")
            staged.chmod(_READABLE)
            staged.replace(self.path)
        finally:
            staged.unlink(missing_ok=True)

    def _known(self) -> dict[str, dict[str, float]]:
        """Pipeline -> name -> value of the file that is there: of a failed run, what the last good one was stays."""
        found: dict[str, dict[str, float]] = {}
        with suppress(FileNotFoundError):
            for name, pipeline, value in _LINE.findall(self.path.read_text("utf-8")):
                found.setdefault(pipeline, {})[name] = float(value)
        return found


def _values(notice: Notice) -> dict[str, float]:
    at = notice.at / 1000
    found = {"state": _STATES[notice.event]}
    if notice.event == STARTED:
        return found | {"last_start_timestamp_seconds": at}
    if notice.event == FAILED:
        return found | {"last_failure_timestamp_seconds": at}
    found |= {"last_success_timestamp_seconds": at, "last_duration_seconds": notice.seconds}
    return found | {name: notice.counts[key] for key, name in _COUNTS.items() if key in notice.counts}


def _text(known: dict[str, dict[str, float]]) -> str:
    return "".join(line + "\n" for line in _lines(known))


def _lines(known: dict[str, dict[str, float]]) -> Iterator[str]:
    for name, words in _HELP.items():
        values = [(pipeline, known[pipeline][name]) for pipeline in sorted(known) if name in known[pipeline]]
        if values:
            yield f"# HELP snowetl_run_{name} {words}"
            yield f"# TYPE snowetl_run_{name} gauge"
            yield from (f'snowetl_run_{name}{{pipeline="{pipeline}"}} {value!r}' for pipeline, value in values)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
