"""Run shared vectors through the suites and say, case by case, what is equal, listed, failing or not supported yet."""

from __future__ import annotations

import fnmatch
import gzip
import importlib
import json
import pkgutil
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.conformance import suites

DEVIATIONS = Path(__file__).with_name("deviations.md")


class Mismatch(NamedTuple):
    """One difference: which field, what the vector expects, what we made."""

    field: str
    expected: Any
    got: Any


class Unsupported(NamedTuple):
    """A case whose feature is not built yet."""

    reason: str


Outcome = "list[Mismatch] | Unsupported"


class Deviation(NamedTuple):
    """A row of deviations.md: glob patterns for suite, case id and field, and why."""

    suite: str
    id: str
    field: str
    reason: str

    def covers(self, suite: str, case_id: str, mismatch: Mismatch) -> bool:
        return (
            fnmatch.fnmatchcase(suite, self.suite)
            and fnmatch.fnmatchcase(case_id, self.id)
            and fnmatch.fnmatchcase(mismatch.field, self.field)
        )


@dataclass
class Tally:
    suite: str
    cases: int = 0
    equal: int = 0
    deviating: int = 0
    failing: int = 0
    unsupported: int = 0
    failures: list[tuple[str, list[Mismatch]]] = field(default_factory=list)
    unsupported_why: dict[str, int] = field(default_factory=dict)


def load_deviations() -> list[Deviation]:
    """Table rows ``| suite | id | field | reason |`` whose first three cells are in back quotes."""
    row = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \| (.+?) \|$")
    lines = DEVIATIONS.read_text("utf-8").splitlines()
    return [Deviation(*match.groups()) for line in lines if (match := row.match(line))]


def suite_modules() -> dict[str, Any]:
    """Suite module by name. A module has ``FILES`` (glob below the vectors folder) and ``run(case, vectors)``."""
    names = [info.name for info in pkgutil.iter_modules(suites.__path__) if not info.name.startswith("_")]
    return {name: importlib.import_module(f"tests.conformance.suites.{name}") for name in names}


def read_cases(path: Path) -> Iterator[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            case = json.loads(line)
            case.setdefault("id", f"line-{number + 1}")
            yield case


def suite_files(vectors: Path, names: list[str]) -> Iterator[tuple[str, Any, Path]]:
    """(suite name, module, file) of every vector file there is a suite for; oracle files are ``oracle/<group>``."""
    for module in suite_modules().values():
        for path in sorted(vectors.glob(module.FILES)):
            relative = path.relative_to(vectors).as_posix()
            name = re.sub(r"\.jsonl(\.gz)?$", "", relative)
            if not names or any(name == wanted or name.split("/")[0] == wanted for wanted in names):
                yield name, module, path


def run_file(name: str, module: Any, path: Path, vectors: Path, deviations: list[Deviation]) -> Tally:
    tally = Tally(name)
    for case in read_cases(path):
        tally.cases += 1
        try:
            outcome = module.run(case, vectors)
        except Exception:  # a suite must not hide a crash of ours: it is a failing case
            outcome = [Mismatch("exception", None, traceback.format_exc(limit=-6))]
        if isinstance(outcome, Unsupported):
            tally.unsupported += 1
            tally.unsupported_why[outcome.reason] = tally.unsupported_why.get(outcome.reason, 0) + 1
        elif not outcome:
            tally.equal += 1
        else:
            left = [m for m in outcome if not any(d.covers(name, case["id"], m) for d in deviations)]
            if left:
                tally.failing += 1
                tally.failures.append((case["id"], left))
            else:
                tally.deviating += 1
    return tally
