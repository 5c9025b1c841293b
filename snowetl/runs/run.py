"""A run: its id, its folder under every output, the report that says it is done, and the wiping of one that is not.

``<output>/run=<id>/`` holds first ``_work.jsonl.gz`` and ``_plan.json``, then the parts of a run, ``_report.html``,
``_report.json``, and last ``_SUCCESS``. A run with a report (the JSON) is done; without one, whatever is there is the
debris of an attempt that died.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from snowetl.errors import StorageError, UsageError
from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.runs import input_list
from snowetl.storage import filesystem
from snowetl.storage.base import scheme_of

PLAN = "_plan.json"
WORK = "_work.jsonl.gz"
REPORT = "_report.json"
PAGE = "_report.html"
SUCCESS = "_SUCCESS"

_ID_FORMAT = "%Y-%m-%d-%H-%M-%S"
_ID = re.compile(r"\d{4}-\d{2}-\d{2}-\d{2}-\d{2}-\d{2}")
_FOLDER = re.compile(r"(?P<base>.*?)/?run=(?P<id>[^/]*)/?")


def run_id(millis: int) -> str:
    """The id of a run that starts at ``millis``: ``YYYY-MM-DD-HH-mm-ss``, UTC."""
    return datetime.fromtimestamp(millis // 1000, UTC).strftime(_ID_FORMAT)


def run_start(id_: str) -> int:
    """Epoch milliseconds of a run id. Raises :class:`UsageError` for any other text."""
    try:
        if _ID.fullmatch(id_):
            return int(datetime.strptime(id_, _ID_FORMAT).replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        pass
    raise UsageError(f"run id '{id_}' is not a time written YYYY-MM-DD-HH-mm-ss, such as 2026-01-31-23-59-00")


def absolute(url: str) -> str:
    """``url``, a local path made absolute: workers have other working folders."""
    return os.path.abspath(url) if scheme_of(url) == "file" and not url.lower().startswith("file:") else url  # noqa: PTH100


def split_run_folder(url: str) -> tuple[str, str | None]:
    """(folder, run id) of an output URL that may already end in ``run=<id>``."""
    match = _FOLDER.fullmatch(url)
    if match is None or "/" in match["id"]:
        return url.rstrip("/") or "/", None
    run_start(match["id"])
    return match["base"] or ".", match["id"]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a step that writes below ``outputs`` (folder URLs). The first of them holds the report."""

    id: str
    outputs: tuple[str, ...]

    @property
    def folders(self) -> list[str]:
        return [f"{output.rstrip('/')}/run={self.id}" for output in self.outputs]

    @property
    def report_url(self) -> str:
        return f"{self.folders[0]}/{REPORT}"

    @property
    def lock_url(self) -> str:
        """Beside the run folder, which is wiped; named so that Spark's partition discovery overlooks it."""
        return f"{self.outputs[0].rstrip('/')}/_lock-{self.id}.json"

    def report(self) -> dict[str, Any] | None:
        """The report of a run that is done. Raises :class:`StorageError` for one that cannot be read."""
        fs = filesystem(self.report_url)
        if not fs.exists(self.report_url):
            return None
        try:
            report: dict[str, Any] = jsontext.loads(fs.get(self.report_url).decode("utf-8"))
        except ValueError as error:
            raise StorageError(f"{self.report_url} is not a run report: {error}") from None
        return report

    def wipe(self) -> None:
        """Remove all there is of the run: published parts, staged ones, reports."""
        for folder in self.folders:
            filesystem(folder).delete_tree(folder)

    def sweep(self) -> None:
        """Throw away what attempts that died have staged; what is published stays."""
        for folder in self.folders:
            filesystem(folder).sweep(folder)

    @property
    def work_url(self) -> str:
        """The work of the run, split by split."""
        return f"{self.folders[0]}/{WORK}"

    def begin(self, plan: str, work: Iterable[object] = ()) -> None:
        """Note what is going to be done, then, in each folder that a later step reads, that it is begun.

        ``work`` are values of JSON. The second folder, of bad rows, is none that is read.
        """
        input_list.write_lines(self.work_url, work)
        for folder in (self.folders[0], *self.folders[2:]):
            url = f"{folder}/{PLAN}"
            filesystem(url).put(url, to_utf8(plan) + b"\n")

    def finish(self, report: str, beside: Mapping[str, bytes]) -> None:
        """Declare the run done: from here on it is never redone. ``beside`` are files that go with the report."""
        fs = filesystem(self.report_url)
        for name, content in beside.items():
            fs.put(f"{self.folders[0]}/{name}", content)
        fs.put(self.report_url, to_utf8(report) + b"\n")
        self.mark()

    def mark(self) -> None:
        """Leave ``_SUCCESS`` in the folders of a run that is done, where it is missing."""
        for url in self._missing_marks():
            filesystem(url).put(url, b"")

    def is_marked(self) -> bool:
        """Whether the first folder says that the run is done; all folders do, but only one holds the report."""
        url = f"{self.folders[0]}/{SUCCESS}"
        return filesystem(url).exists(url)

    def is_tidy(self) -> bool:
        """Whether a run that is done lacks nothing, and nobody's lock is on it."""
        return not self._missing_marks() and not filesystem(self.lock_url).exists(self.lock_url)

    def _missing_marks(self) -> list[str]:
        urls = [f"{folder}/{SUCCESS}" for folder in self.folders]
        return [url for url in urls if not filesystem(url).exists(url)]
