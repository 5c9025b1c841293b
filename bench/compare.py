"""``python -m bench compare REV``: this tree beside another revision, in alternating passes, as ratios.

Both trees enrich the same records (``--step transform``: transform the same events) in processes of their own, one pass
here, one pass there; the figure is the median of the ratios of processor time of such pairs, so that whatever else the
machine does hits both. First the other revision runs beside itself (the control): what that differs from 1 is noise.
``warm`` repeats the same records, ``unseen`` takes records whose visitors, user agents, addresses and pages no pass has
had before.

This tree is measured as the compiled build, unless pure Python is asked for. So is the other one, if it has such a
build; the figure for one that has none is what a user gains who upgrades.
"""

from __future__ import annotations

import base64
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from bench.compiled import compile_in_place, compiled_copy
from bench.traffic import records
from snowetl.errors import UsageError

ROOT = Path(__file__).parent.parent
BASELINE = Path(__file__).with_name("baseline.json")
TOLERANCE = 0.05
_ENRICHER, _TRANSFORMER = Path(__file__).with_name("passes.py"), Path(__file__).with_name("transform_passes.py")
_RESOLVER = ROOT / "fixtures" / "resolver.json"
_TRANSFORMS = {
    "shredded, PostgreSQL": ("--transformation", "shred", "--target", "postgres"),
    "shredded, Redshift": ("--transformation", "shred", "--target", "redshift"),
    "wide, JSON": ("--transformation", "widerow-json", "--target", "redshift"),
    "wide, Parquet": ("--transformation", "widerow-parquet", "--target", "redshift"),
}
_PROFILES: dict[str, Path | None] = {"none": None, "standard": ROOT / "fixtures" / "enrichments"}
_VARIETIES = ("warm", "unseen")
_TABLE = "[tool.snowetl]"
"""Of ``pyproject.toml``: lists what is compiled. Earlier trees have none."""


@dataclass(frozen=True)
class Comparison:
    """Rate of this tree ÷ rate of the other, and of the other ÷ itself (``control``): medians over all pairs."""

    name: str
    ratio: float
    control: float


@dataclass(frozen=True)
class Baseline:
    """The revision a release is measured against, and the ratios it had last time, on which Python (``3.11.7``): an
    interpreter that is faster itself gives others.
    """

    revision: str
    ratios: dict[str, float]
    python: str = field(default_factory=platform.python_version)

    @classmethod
    def read(cls) -> Baseline:
        stored = json.loads(BASELINE.read_text("utf-8"))
        return cls(stored["revision"], stored["ratios"], stored["python"])

    def write(self) -> None:
        text = json.dumps(asdict(self), indent=2)
        BASELINE.write_text(text + "\n", "utf-8")

    def losses(self, measured: Sequence[Comparison]) -> list[str]:
        """Where this tree is slower than it was on this Python, by more than the tolerance."""
        if self.python != platform.python_version():
            return []
        return [
            f"{one.name}: {one.ratio:.2f} times the rate of {self.revision}, {self.ratios[one.name]:.2f} was stored"
            for one in measured
            if one.ratio < self.ratios.get(one.name, 0) * (1 - TOLERANCE)
        ]


@dataclass(frozen=True)
class Trees:
    """The two trees of a comparison, ready to be run."""

    old: Path
    new: Path

    def builds(self) -> str:
        """What is measured against what, as each tree describes itself."""
        return f"{_build(self.new)} ÷ {_build(self.old)}"


@contextmanager
def trees(revision: str, compiled: bool) -> Iterator[Trees]:
    """This tree and ``revision``, each compiled if ``compiled`` says so and it can be.

    Raises ``UsageError`` for a revision git does not know, ``SnowetlError`` where this tree cannot be compiled.
    """
    with tempfile.TemporaryDirectory(prefix="snowetl-bench-") as folder:
        old = Path(folder, "old")
        _check_out(revision, old)
        if not compiled:
            yield Trees(old, ROOT)
            return
        if _TABLE in (old / "pyproject.toml").read_text("utf-8"):
            compile_in_place(old)
        yield Trees(old, compiled_copy())


def compare(trees: Trees, count: int, pairs: int) -> Iterator[Comparison]:
    """Measure both trees with ``count`` records a pass."""
    with tempfile.TemporaryDirectory(prefix="snowetl-bench-") as folder:
        warm = _write(Path(folder, "warm"), records(count))
        stream = records(count * pairs * 3, seed="unseen", unseen=True)
        unseen = [_write(Path(folder, f"unseen-{number}"), islice(stream, count)) for number in range(pairs * 3)]
        for name, enrichments in _PROFILES.items():
            command = [str(_ENRICHER), "--resolver", str(_RESOLVER)]
            command += ["--enrichments", str(enrichments)] if enrichments else []
            with ExitStack() as stack:
                old, twin, new = _three(trees, command, stack)
                for one in (old, twin, new):
                    one(warm)
                for variety in _VARIETIES:
                    files = [warm] * pairs if variety == "warm" else unseen[:pairs]
                    control = statistics.median(_ratio(old, twin, file, turn) for turn, file in enumerate(files))
                    files = [warm] * (2 * pairs) if variety == "warm" else unseen[pairs:]
                    ratio = statistics.median(_ratio(old, new, file, turn) for turn, file in enumerate(files))
                    yield Comparison(f"{name}, {variety}", ratio, control)


def compare_transforms(trees: Trees, count: int, pairs: int) -> Iterator[Comparison]:
    """Measure the transform step of both trees, all of it, with ``count`` events a pass."""
    from bench.warehouse import enriched_lines, write_run  # psycopg only here

    with tempfile.TemporaryDirectory(prefix="snowetl-bench-") as folder:
        run = Path(folder, "enriched")
        write_run(run, enriched_lines(count, str(_RESOLVER), str(_PROFILES["standard"])))
        for name, arguments in _TRANSFORMS.items():
            with ExitStack() as stack:
                old, twin, new = _three(trees, [str(_TRANSFORMER), "--resolver", str(_RESOLVER), *arguments], stack)
                for one in (old, twin, new):
                    one(run)
                control = statistics.median(_ratio(old, twin, run, turn) for turn in range(pairs))
                ratio = statistics.median(_ratio(old, new, run, turn) for turn in range(2 * pairs))
                yield Comparison(name, ratio, control)


class Step(NamedTuple):
    """What is measured: the cases, in a word or two, in how many records a pass, and how.

    A transform takes more of them, for a run costs some 30 ms whatever is in it (durable writes, the plan, the report).
    """

    cases: str
    records: int
    measure: Callable[[Trees, int, int], Iterator[Comparison]]


STEPS = {
    "enrich": Step("enrichments, records", 1000, compare),
    "transform": Step("rows", 8000, compare_transforms),
}


class _Tree:
    """A process that works with one tree."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, file: Path) -> float:
        """Processor seconds of one pass."""
        assert self._process.stdin and self._process.stdout
        print(json.dumps({"records": str(file)}), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"a measured process ended: {self._process.args!r}")
        return float(json.loads(answer)["cpu"])


def _three(trees: Trees, command: Sequence[str], stack: ExitStack) -> list[_Tree]:
    """The old tree, once more the old one, and the new one."""
    return [stack.enter_context(_tree(tree, command)) for tree in (trees.old, trees.old, trees.new)]


@contextmanager
def _tree(root: Path, command: Sequence[str]) -> Iterator[_Tree]:
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONHASHSEED": "0"}
    with subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield _Tree(process)
        if process.stdin:
            process.stdin.close()


def _ratio(old: _Tree, new: _Tree, file: Path, turn: int) -> float:
    """Rate of ``new`` ÷ rate of ``old`` for one pair of passes; who begins changes from turn to turn."""
    if turn % 2:
        after, before = new(file), old(file)
    else:
        before, after = old(file), new(file)
    return before / after


def _build(tree: Path) -> str:
    """``compiled`` or ``pure Python``."""
    code = "import snowetl.version as v; print(getattr(v, 'compiled', bool)())"
    environment = os.environ | {"PYTHONPATH": str(tree)}
    said = subprocess.run([sys.executable, "-c", code], cwd=tree, env=environment, capture_output=True, text=True)
    return "compiled" if said.stdout.strip() == "True" else "pure Python"


def _check_out(revision: str, folder: Path) -> None:
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True)
    if archive.returncode != 0:
        raise UsageError(f"git has no revision {revision}: {archive.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)  # Debian's 3.11.2 has none
        tar.extractall(folder)


def _write(path: Path, source: Iterator[bytes]) -> Path:
    path.write_bytes(b"".join(base64.b64encode(record) + b"\n" for record in source))
    return path
