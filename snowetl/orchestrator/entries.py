"""The record of runs: a folder for each, with the plan it was begun by and, when all is done, the report.

So a run that was killed is found again by what it was to do, and the same work is not begun a second time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snowetl.errors import OutputExists, SnowetlError, StorageError
from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.orchestrator import run_folders, runs_page
from snowetl.orchestrator.places import place
from snowetl.orchestrator.run_folders import PREFIX
from snowetl.reporting import html
from snowetl.runs import input_list, scratch
from snowetl.runs.input_list import Amount
from snowetl.runs.lease import Lease
from snowetl.runs.run import PLAN as STEP_PLAN
from snowetl.settings import Fingerprint
from snowetl.storage import FileInfo, filesystem

if TYPE_CHECKING:
    from snowetl.orchestrator.settings import RunSettings

FORMAT = "snowetl-run-plan/3"
PLAN, REPORT, PAGE, INPUTS = "plan.json", "report.json", "report.html", "inputs.jsonl.gz"
CANCELLED = "cancelled.json"
_LOCK = "_lock-"
_LOOKED_AT = 30
"""How many of the latest runs are looked at."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The folder of one run."""

    id: str
    runs_folder: str

    @property
    def folder(self) -> str:
        return f"{self.runs_folder}/{PREFIX}{self.id}"

    @property
    def page_url(self) -> str:
        return f"{self.folder}/{PAGE}"

    @property
    def lock_url(self) -> str:
        return f"{self.runs_folder}/{_LOCK}{self.id}.json"

    def plan(self) -> dict[str, Any] | None:
        return self._read(PLAN)

    def is_done(self) -> bool:
        return filesystem(self.folder).exists(f"{self.folder}/{REPORT}")

    def report(self) -> dict[str, Any] | None:
        """The report of a run that is done."""
        return self._read(REPORT)

    @property
    def inputs_url(self) -> str:
        """The list of the run's input files."""
        return f"{self.folder}/{INPUTS}"

    def begin(self, settings: RunSettings, inputs: Iterable[FileInfo]) -> None:
        """Take ``inputs``, which come in the order of their addresses, and note what the run is made from.

        The list comes first: with the plan, its files are taken. No secrets are kept.
        """
        digest = hashlib.sha256()

        def heard() -> Iterator[FileInfo]:
            for file in inputs:
                digest.update(_line_of(file))
                yield file

        amount = input_list.write(self.inputs_url, heard())
        plan = {
            "format": FORMAT,
            "run": self.id,
            "about": settings.about(),
            "settings": settings.to_json(),
            "fingerprint": settings.fingerprint().to_json(),
            "inputs": digest.hexdigest(),
            "files": amount.files,
            "bytes": amount.bytes,
        }
        self._write(PLAN, jsontext.dumps(plan))

    def has_inputs(self) -> bool:
        """Whether it is known which files the run has taken."""
        return filesystem(self.folder).exists(self.inputs_url)

    def inputs(self) -> Iterator[FileInfo]:
        """The files that the run has taken, by address. Raises ``StorageError``."""
        return input_list.read(self.inputs_url) if self.has_inputs() else iter(self._inputs_of_earlier_release())

    def _inputs_of_earlier_release(self) -> list[FileInfo]:
        """From the run's plan or, for a run that was redone, from the plan of its enrich step."""
        plan = self.plan() or {}
        files = plan.get("files")
        if not isinstance(files, list):
            enriched = (plan.get("about") or {}).get("enrichedFolder")
            files = enriched and (read_document(f"{enriched}/run={self.id}/{STEP_PLAN}") or {}).get("inputs")
        return sorted(FileInfo(place(file[0]), *file[1:3]) for file in files or ())

    def check(self, settings: RunSettings) -> None:
        """Raises :class:`OutputExists`, naming what differs, where the run was begun or done with other settings."""
        plan = self.plan()
        if plan is None or not plan.get("fingerprint"):
            return
        changed = settings.fingerprint().differences(Fingerprint.from_json(plan["fingerprint"]))
        if changed:
            again = f"to do it again with these, add --run-id {self.id} --redo-from enrich"
            done = "its rows are loaded: to load others, give another --output-folder and another --schema"
            state = "is done already" if self.is_done() else "was begun, and waits to be finished,"
            remedy = done if self.is_done() and "load" in settings.steps else again
            raise OutputExists(
                f"run={self.id} {state} with other settings: {', '.join(changed)}. Go on with the settings it has "
                f"({self.folder}/{PLAN}); {remedy}"
            )

    def finish(self, report: Mapping[str, Any]) -> None:
        """Declare the run done: from here on nothing of it is done again. Its line goes to the page of all runs."""
        links = runs_page.links(self.runs_folder, report, runs_page.previous(self.runs_folder, self.id))
        self._write(PAGE, html.render(f"run={self.id}", report["steps"], report, links))
        self._write(runs_page.SUMMARY, runs_page.summary_of(report))
        self._write(REPORT, jsontext.dumps(dict(report)))
        with suppress(SnowetlError):  # the run is done; leftovers are invisible
            filesystem(self.folder).sweep(self.folder)
        with suppress(SnowetlError):  # the run is done; the page is written again by the next
            runs_page.update(self.runs_folder)

    def forget(self) -> None:
        """Remove the output of the run from its folder. Plan and list of input stay, so its files stay taken."""
        fs = filesystem(self.folder)
        for file in fs.list(self.folder) if fs.exists(self.folder) else []:
            if file.url.rpartition("/")[2] not in (INPUTS, PLAN):
                fs.delete_tree(file.url)

    def give_back(self) -> None:
        """Let the next run take the files of this one: it is over, and only the note of that stays."""
        fs = filesystem(self.folder)
        fs.delete_tree(f"{self.folder}/{PLAN}")  # with it, they were taken
        for file in fs.list(self.folder):
            if file.url.rpartition("/")[2] != CANCELLED:
                fs.delete_tree(file.url)

    def tidy(self) -> None:
        """Remove what a process left that was killed between the report and its end."""
        scratch.sweep()
        if filesystem(self.lock_url).exists(self.lock_url):
            with suppress(OutputExists), Lease(self.lock_url):
                filesystem(self.folder).sweep(self.folder)
                with suppress(SnowetlError):
                    runs_page.update(self.runs_folder)

    def _read(self, name: str) -> dict[str, Any] | None:
        return read_document(f"{self.folder}/{name}")

    def _write(self, name: str, text: str) -> None:
        url = f"{self.folder}/{name}"
        filesystem(url).put(url, to_utf8(text) + b"\n")


def tidy(runs_folder: str) -> None:
    """Remove what processes left that were killed just after they had done their run: the next run is another one."""
    for id_ in locks(runs_folder):
        entry = Entry(id_, runs_folder)
        if entry.is_done():
            entry.tidy()


def read_document(url: str) -> dict[str, Any] | None:
    """The JSON object in a file; ``None`` where there is no such file. Raises ``StorageError``."""
    fs = filesystem(url)
    if not fs.exists(url):
        return None
    try:
        document = jsontext.loads(fs.get(url).decode("utf-8"))
    except ValueError as error:
        raise StorageError(f"{url} cannot be read: {error}. Delete it, and run again") from None
    return document if isinstance(document, dict) else None


def entries(runs_folder: str) -> Iterator[Entry]:
    """The latest runs that were begun, the last first."""
    return (Entry(id_, runs_folder) for id_ in run_folders.latest(runs_folder, _LOOKED_AT, PLAN))


def locks(runs_folder: str) -> dict[str, str]:
    """The leases on runs, whoever holds them: id of the run → address."""
    fs = filesystem(runs_folder)
    found = fs.list(f"{runs_folder}/{_LOCK}*.json") if fs.exists(runs_folder) else ()
    return {lock.url.rpartition(_LOCK)[2].removesuffix(".json"): lock.url for lock in found}


def amount_of(plan: Mapping[str, Any]) -> Amount:
    """How much input a run has, from its plan. Plans of earlier releases hold the files themselves."""
    files = plan.get("files")
    if isinstance(files, list):
        return Amount(len(files), sum(file[1] for file in files))
    return Amount(files or 0, plan.get("bytes") or 0)


def _line_of(file: FileInfo) -> bytes:
    return to_utf8(f"{file.url}\t{file.size}\t{file.etag}\n")
