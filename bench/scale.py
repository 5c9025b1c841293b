"""What a run of many objects costs the driver: processor time and memory of all it does itself.

The input is named by a storage that makes names up (10 MB each, so that a million are 10 TB), and a pool stands for the
workers: it returns the report of a real split again and again, with parts that are really staged. Everything else is
what a driver runs: choosing and noting the input, planning, merging reports, publishing parts, the ledger. Each size is
measured in a process of its own.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast
from unittest import mock

from bench.job import RUN_ID, write_input
from bench.warehouse import enriched_lines
from snowetl.dedupe.decide import Decided, Request
from snowetl.dedupe.verdicts import Decisions
from snowetl.enrich.pipeline import Enricher
from snowetl.model.badrow import Origin
from snowetl.orchestrator.choice import choose
from snowetl.orchestrator.settings import RunSettings
from snowetl.reporting.enrich import SplitReport
from snowetl.reporting.transform import TransformSplitReport
from snowetl.runs.parts import PartWriter, part_name
from snowetl.steps.base import Unwatched, World
from snowetl.steps.enrich_split import Output, enrich_split
from snowetl.steps.settings import EnrichSettings, TransformSettings
from snowetl.steps.table import ENRICH, TRANSFORM
from snowetl.steps.transform_outputs import Outputs
from snowetl.steps.transform_split import transform_split
from snowetl.steps.transform_task import TransformConfig
from snowetl.storage import FILE_SYSTEMS, FileInfo
from snowetl.storage.splits import Slice, Split
from snowetl.transform.columns import ATOMIC_FIELDS

SIZES = (1_000, 10_000, 100_000)
OBJECT_BYTES = 10_000_000
TABLES = 20
"""So many tables have rows of each split."""
RESOLVER = "fixtures/resolver.json"
_RECORDS = 2_000
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class NamedObjects:
    """A storage with ``count`` objects below any folder, all of the same content. It can be read only."""

    count = 0
    content = b""

    def walk(self, pattern: str) -> Iterator[FileInfo]:
        for number in range(self.count):
            name = f"2026/{number // 1_000:04d}/part-{number:08d}-6c1d4a3e.gz"
            yield FileInfo(f"{pattern}/{name}", OBJECT_BYTES, f"d41d8cd98f00b204e98009{number:010d}", 1_767_312_000_000)

    def folders(self, url: str) -> Iterator[str]:
        return iter(())

    def exists(self, url: str) -> bool:
        return "/_" not in url and not url.endswith("/run=" + RUN_ID + "/run=" + RUN_ID)

    def open(self, url: str, start: int = 0, end: int | None = None, *, expected: FileInfo | None = None) -> BinaryIO:
        return io.BytesIO(self.content[start:end])


FILE_SYSTEMS["bench"] = "bench.scale:NamedObjects"


class ReportPool:
    """Answers each split with the report of another one, pickled as if it came from a worker.

    ``spent`` is the processor time of what stands for the workers.
    """

    def __init__(self, report_of: Callable[[Split], Any]) -> None:
        self._report_of = report_of
        self.spent = 0.0

    def run(self, task: Any, work: Sequence[Any], advance: Any) -> Iterator[Any]:
        for split, size in work:
            started = time.process_time()
            with _without_waiting():
                packed = pickle.dumps(self._report_of(split))
            self.spent += time.process_time() - started
            advance(1, size)
            yield pickle.loads(packed)

    def distinct(self, task: Any, work: Sequence[Any], advance: Any) -> Iterator[str]:
        return iter(())

    def deduplicate(self, task: Any, work: Sequence[Any], request: Request, advance: Any) -> Decided:
        return Decided(frozenset(range(len(work))))


@contextmanager
def _without_waiting() -> Iterator[None]:
    """Workers wait for their own disks, not for that of the driver."""
    with mock.patch("os.fsync"):
        yield


@dataclass(frozen=True)
class Cost:
    """What one phase took of the driver: processor seconds, peak bytes over those of an empty one, splits, parts."""

    phase: str
    objects: int
    cpu: float
    memory: int
    splits: int = 0
    parts: int = 0


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


def _raw(folder: Path) -> bytes:
    write_input(folder / "raw", _RECORDS)
    return (folder / "raw" / "part-0000.lzo").read_bytes()


def _enrich_settings(folder: Path, source: str) -> EnrichSettings:
    return EnrichSettings(
        input_folder=(source,),
        input_format="thrift",
        output_folder=f"{folder}/good",
        bad_folder=f"{folder}/bad",
        iglu_config=RESOLVER,
        run_id=RUN_ID,
    )


def _enrich(folder: Path) -> Iterator[Cost]:
    """The enrich step: list, cut, look at the first records, note the work, merge reports, publish."""
    raw = _raw(folder)
    settings = _enrich_settings(folder, f"{folder}/raw")
    config = ENRICH.plan(settings, World.of_now()).config()
    split = Split(0, (Slice(f"{folder}/raw/part-0000.lzo", size=len(raw)),))
    out = Output(f"{folder}/template/good", f"{folder}/template/bad", RUN_ID)
    template = enrich_split(split, config, out, Enricher)
    NamedObjects.content = raw

    def report_of(split: Split) -> SplitReport:
        made = replace(template, index=split.index)
        made.good = _staged(f"{folder}/good/run={RUN_ID}", split.index)
        made.bad = _staged(f"{folder}/bad/run={RUN_ID}", split.index)
        return made

    pool, count = ReportPool(report_of), NamedObjects.count
    started, before = time.process_time(), _peak()
    plan = ENRICH.plan(replace(settings, input_folder=("bench://bucket/raw",)), World.of_now())
    planned = time.process_time() - started
    yield Cost("enrich: plan", count, planned, _peak() - before, len(plan.work))
    ENRICH.execute(plan, cast(Any, pool), Unwatched())
    cpu = time.process_time() - started - planned - pool.spent
    yield Cost("enrich: execute", count, cpu, _peak() - before, len(plan.work), 2 * len(plan.work))


def _transform(folder: Path) -> Iterator[Cost]:
    """The transform step, with duplicates found in every split, and rows of each split for many tables."""
    text = "".join(f"{line}\n" for line in enriched_lines(_RECORDS, RESOLVER, "fixtures/enrichments"))
    (folder / "one").mkdir()
    (folder / "one" / "part.txt").write_text(text, "utf-8")
    settings = TransformSettings(
        input_folder=f"bench://bucket/enriched/run={RUN_ID}", output_folder=f"{folder}/out", iglu_config=RESOLVER
    )
    template = _template(folder, settings)
    NamedObjects.content = gzip.compress(text.encode(), 1)

    def report_of(split: Split) -> TransformSplitReport:
        made = replace(template, index=split.index)
        run = f"{folder}/out/run={RUN_ID}"
        made.tables = [table._replace(part=_staged(f"{run}/{table.folder}", split.index)) for table in template.tables]
        return made

    pool, count = ReportPool(report_of), NamedObjects.count
    started, before = time.process_time(), _peak()
    plan = TRANSFORM.plan(settings, World.of_now())
    planned = time.process_time() - started
    [batch] = plan.batches
    yield Cost("transform: plan", count, planned, _peak() - before, len(batch.work))
    TRANSFORM.execute(plan, cast(Any, pool), Unwatched())
    cpu = time.process_time() - started - planned - pool.spent
    yield Cost("transform: execute", count, cpu, _peak() - before, len(batch.work), TABLES * len(batch.work))


def _template(folder: Path, settings: TransformSettings) -> TransformSplitReport:
    """The report of a real split, its tables repeated until there are :data:`TABLES`."""
    from snowetl.iglu.config import ResolverConfig

    config = TransformConfig("shred", ResolverConfig.load(settings.iglu_config), ("bench", "1"), 0, target="postgres")
    path = folder / "one" / "part.txt"
    split = Split(0, (Slice(str(path), size=path.stat().st_size),))
    outputs = Outputs(f"{folder}/template", "shred", 0, RUN_ID, "gzip", ATOMIC_FIELDS)
    report = transform_split(split, config.transformer(), Origin("bench", "1", 0), outputs, Decisions())
    tables = [
        table._replace(folder=table.folder.replace("/name=", f"/name={round_}_" if round_ else "/name="))
        for round_ in range(TABLES)
        for table in report.tables
    ]
    report.tables = tables[:TABLES]
    return report


def _staged(folder: str, index: int) -> Any:
    writer = PartWriter(folder, part_name(index, RUN_ID, "none"), "none")
    writer.add("x")
    return writer.finish()


def _run(folder: Path) -> Iterator[Cost]:
    """A run of the orchestrator: choose its input and note it; then the next hour, when all of it is known."""
    settings = RunSettings(
        input_folder=("bench://bucket/raw",),
        input_format="thrift",
        output_folder=f"{folder}/out",
        iglu_config=RESOLVER,
        settle=0,
    )
    count = NamedObjects.count
    started, before = time.process_time(), _peak()
    chosen = choose(settings, World.of_now())
    chosen.entry.begin(settings, chosen.files or ())
    first = time.process_time() - started
    yield Cost("run: choose and note", count, first, _peak() - before)
    chosen.entry.finish({"run": chosen.entry.id, "steps": []})
    started = time.process_time()
    again = choose(settings, World.of_now())
    assert again.found is not None and again.found.taken.files == count
    yield Cost("run: all known", count, time.process_time() - started, _peak() - before)


PHASES = {"run": _run, "enrich": _enrich, "transform": _transform}


def measure(sizes: Iterable[int]) -> Iterator[Cost]:
    """Each phase at each size, in a process of its own."""
    for phase in PHASES:
        for size in sizes:
            command = [sys.executable, "-m", "bench.scale", phase, str(size)]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
            for line in done.stdout.splitlines():
                yield Cost(**json.loads(line))


def show(costs: Iterable[Cost]) -> None:
    print(f"{'':<24}{'objects':>10}{'CPU s':>9}{'µs each':>9}{'MiB':>7}{'splits':>8}{'parts':>9}")
    for cost in costs:
        each = cost.cpu / cost.objects * 1e6
        memory = cost.memory / 2**20
        print(
            f"  {cost.phase:<22}{cost.objects:>10,}{cost.cpu:>9.2f}{each:>9.1f}{memory:>7.0f}"
            f"{cost.splits:>8,}{cost.parts:>9,}",
            flush=True,
        )


def main() -> None:
    """One phase at one size: a line of JSON for each part of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("phase", choices=PHASES)
    parser.add_argument("objects", type=int)
    args = parser.parse_args()
    NamedObjects.count = args.objects
    from bench import scale  # the storage is made of the module by its name

    scale.NamedObjects.count = args.objects
    with tempfile.TemporaryDirectory(prefix="snowetl-bench-") as folder:
        for cost in scale.PHASES[args.phase](Path(folder)):
            print(json.dumps(cost.__dict__), flush=True)


if __name__ == "__main__":
    main()
