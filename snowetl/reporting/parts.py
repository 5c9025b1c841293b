"""What reports of all steps have in common: their head, bad rows by type, output, what workers needed."""

from __future__ import annotations

import resource
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from snowetl.errors import StorageError
from snowetl.jvm import timestamps
from snowetl.reporting.json_form import from_json, to_json
from snowetl.runs.parts import Part
from snowetl.version import __version__

_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


def peak_memory() -> int:
    """Largest resident size of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Files and stored bytes that were read, and the splits they were cut into."""

    files: int
    bytes: int
    splits: int
    ignored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Parts of one kind of output, with their lines and stored bytes."""

    parts: int = 0
    lines: int = 0
    bytes: int = 0

    def __add__(self, part: Part | None) -> Written:
        if part is None:
            return self
        return Written(parts=self.parts + 1, lines=self.lines + part.lines, bytes=self.bytes + part.bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Seconds of all splits together; the largest resident size of a worker process, in bytes."""

    seconds: float = 0.0
    peak_memory: int = 0


@dataclass(slots=True, kw_only=True)
class StepReport:
    """What a step leaves of a run. JSON keys are the fields' names in camel case; times are ISO 8601, UTC."""

    step: ClassVar[str]
    version: ClassVar[int] = 1

    run: str
    snowetl: str = __version__
    started: str
    finished: str
    seconds: float
    settings: dict[str, Any]
    """What the run was made from, for people. No secrets."""
    fingerprint: dict[str, Any] = field(default_factory=dict)
    """What the run was made from, for comparison: see ``settings/fingerprint.py``."""

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = to_json(self)
        return {"format": f"snowetl-{self.step}-report/{self.version}", "step": self.step} | document

    @classmethod
    def from_json(cls, document: dict[str, Any], url: str = "the report") -> Self:
        """What :meth:`to_json` wrote, now or in an earlier release. Raises :class:`StorageError` naming ``url``."""
        name, _, version = str(document.get("format", "")).partition("/")
        if name != f"snowetl-{cls.step}-report" or not version.isdecimal():
            raise StorageError(f"{url} is not the report of a run of {cls.step}")
        if int(version) > cls.version:
            raise StorageError(f"{url} was written by a later release of snowetl (format {version}): upgrade this one")
        try:
            return from_json(cls, cls.upgraded(document, int(version)))
        except ValueError as error:
            raise StorageError(f"{url} cannot be read: {error}") from None

    @classmethod
    def upgraded(cls, document: dict[str, Any], version: int) -> dict[str, Any]:
        """A report of an earlier ``version`` in the form of this one."""
        return document


def times(started: int, finished: int) -> dict[str, Any]:
    """The fields of a report that tell when it was made, from epoch milliseconds."""
    return {
        "started": timestamps.to_iso(started),
        "finished": timestamps.to_iso(finished),
        "seconds": (finished - started) / 1000,
    }


def bad_rows_by_type(by_schema: Counter[str]) -> dict[str, int]:
    """Bad rows by the name of their schema, in order."""
    by_type: Counter[str] = Counter()
    for schema, count in by_schema.items():
        by_type[schema.split("/", 2)[1]] += count
    return in_order(by_type)


def in_order(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
