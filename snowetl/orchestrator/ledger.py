"""The record of runs: a folder for each, with the plan it was begun by and, when all is done, the report.

So a run that was killed is found again by what it was to do, and the same work is not begun a second time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from snowetl.errors import OutputExists, StorageError
from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.reporting import html
from snowetl.storage import FileInfo, filesystem

PLAN, REPORT, PAGE = "plan.json", "report.json", "report.html"
_LOOKED_AT = 30
"""How many of the latest runs are looked at."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The folder of one run."""

    id: str
    runs_folder: str

    @property
    def folder(self) -> str:
        return f"{self.runs_folder}/run={self.id}"

    @property
    def page_url(self) -> str:
        return f"{self.folder}/{PAGE}"

    @property
    def lock_url(self) -> str:
        return f"{self.runs_folder}/_lock-{self.id}.json"

    def plan(self) -> dict[str, Any] | None:
        return self._read(PLAN)

    def is_done(self) -> bool:
        return filesystem(self.folder).exists(f"{self.folder}/{REPORT}")

    def report(self, about: Mapping[str, Any]) -> dict[str, Any] | None:
        """The report of a run that is done. Raises :class:`OutputExists` where it was made from something else."""
        report = self._read(REPORT)
        if report is not None and report.get("settings") != about:
            before = report.get("settings") or {}
            changed = sorted(key for key in about if before.get(key) != about[key])
            raise OutputExists(
                f"run={self.id} is done already, with other settings (differs in: {', '.join(changed)}). "
                f"Give another --run-id, or another --output-folder"
            )
        return report

    def begin(self, about: Mapping[str, Any], inputs: str | None) -> None:
        """Note what the run is made from. ``inputs`` stands for its files, see :func:`fingerprint`."""
        self._write(PLAN, jsontext.dumps({"run": self.id, "settings": dict(about), "inputs": inputs}))

    def finish(self, report: Mapping[str, Any]) -> None:
        """Declare the run done: from here on nothing of it is done again."""
        self._write(PAGE, html.render(f"run={self.id}", report["steps"]))
        self._write(REPORT, jsontext.dumps(dict(report)))

    def _read(self, name: str) -> dict[str, Any] | None:
        url = f"{self.folder}/{name}"
        fs = filesystem(url)
        if not fs.exists(url):
            return None
        try:
            document = jsontext.loads(fs.get(url).decode("utf-8"))
        except ValueError as error:
            raise StorageError(f"{url} cannot be read: {error}. Delete it, and run again") from None
        return document if isinstance(document, dict) else None

    def _write(self, name: str, text: str) -> None:
        url = f"{self.folder}/{name}"
        filesystem(url).put(url, to_utf8(text) + b"\n")


def entries(runs_folder: str) -> Iterator[Entry]:
    """The latest runs, the last first."""
    fs = filesystem(runs_folder)
    if fs.exists(runs_folder):
        found = sorted(info.url.rsplit("/", 2)[1] for info in fs.list(f"{runs_folder}/run=*/{PLAN}"))
        for name in reversed(found[-_LOOKED_AT:]):
            yield Entry(name.removeprefix("run="), runs_folder)


def waiting(runs_folder: str, about: Mapping[str, Any]) -> Entry | None:
    """The latest run that was begun with the same settings and is not finished."""
    for entry in entries(runs_folder):
        plan = entry.plan()
        if plan is not None and plan.get("settings") == about and not entry.is_done():
            return entry
    return None


def same_files(runs_folder: str, about: Mapping[str, Any], inputs: str) -> Entry | None:
    """The run of the same settings that has done the very same files. ``inputs`` is their :func:`fingerprint`."""
    for entry in entries(runs_folder):
        plan = entry.plan()
        if plan is not None and plan.get("settings") == about and plan.get("inputs") == inputs and entry.is_done():
            return entry
    return None


def fingerprint(files: Iterable[FileInfo]) -> str:
    """Stands for a set of files and their contents."""
    lines = sorted(f"{file.url}\t{file.size}\t{file.etag}\n" for file in files)
    return hashlib.sha256(to_utf8("".join(lines))).hexdigest()
