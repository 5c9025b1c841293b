"""The enrich job on local Spark, the bare read-write path beside it, and the memory both sides need."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import psutil

from bench.traffic import records
from snowetl.enrich.pipeline import Enricher
from snowetl.model.event import EnrichedEvent
from snowetl.steps.base import World
from snowetl.steps.enrich import EnrichPlan
from snowetl.steps.enrich_split import Output, Processor, enrich_split
from snowetl.steps.settings import EnrichSettings
from snowetl.steps.table import ENRICH
from snowetl.storage import lzop_writer

RECORDS_PER_FILE = 10_000
_ROLES = {"java": "JVM", "pyth": "worker"}
RUN_ID = "2026-03-05-00-00-00"


@dataclass(frozen=True)
class JobResult:
    """Seconds: ``busy`` is what tasks spent in Python, ``cpu`` the processor time of the Python workers, ``wall`` the
    whole job with the start of Spark."""

    events: int
    bad_rows: int
    busy: float
    cpu: float
    wall: float
    peak_memory: dict[str, int]
    """Largest resident size by role (driver, JVM, worker), in bytes."""

    @property
    def clock_rate(self) -> float:
        """Events per second of the tasks' time."""
        return self.events / self.busy

    @property
    def rate(self) -> float:
        """Events per second of processor time."""
        return self.events / self.cpu


def write_input(folder: Path, count: int, parade: int = 0, unseen: bool = False) -> None:
    """``count`` records of the bench's traffic (``parade``, ``unseen`` as there) as indexed ``.lzo`` files."""
    folder.mkdir(parents=True)
    source = records(count, parade=parade, unseen=unseen)
    for number in range(-(-count // RECORDS_PER_FILE)):
        data, index = lzop_writer.write(list(islice(source, RECORDS_PER_FILE)))
        (folder / f"part-{number:04d}.lzo").write_bytes(data)
        (folder / f"part-{number:04d}.lzo.index").write_bytes(index)


def run_job(source: Path, enrichments: Path | None, resolver: Path, cores: int) -> JobResult:
    """``snowetl enrich`` as a process of its own with ``--master local[cores]``, watched from outside."""
    with tempfile.TemporaryDirectory(prefix="snowetl-bench-") as folder:
        good, bad = Path(folder, "good"), Path(folder, "bad")
        command = [
            *(sys.executable, "-m", "snowetl", "enrich"),
            *("--input-folder", str(source), "--input-format", "thrift"),
            *("--output-folder", str(good), "--bad-folder", str(bad), "--run-id", RUN_ID),
            *("--iglu-config", str(resolver), "--master", f"local[{cores}]"),
            *(["--enrichments", str(enrichments)] if enrichments else []),
        ]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        peaks, cpu = _watch(process)
        wall = time.perf_counter() - started
        output = process.stdout.read() if process.stdout else ""
        if process.returncode != 0:
            raise RuntimeError(f"the job failed ({process.returncode}):\n{output}")
        report = json.loads((good / f"run={RUN_ID}" / "_report.json").read_text("utf-8"))
    peaks["worker"] = max(peaks.get("worker", 0), report["workers"]["peakMemory"])
    bad_rows = sum(report["badRows"].values())
    return JobResult(report["events"], bad_rows, report["workers"]["seconds"], cpu, wall, peaks)


def _watch(process: subprocess.Popen[str]) -> tuple[dict[str, int], float]:
    """Wait for ``process``. The largest resident size by role among it and its children, processor time of workers."""
    peaks: dict[str, int] = {}
    cpu: dict[int, float] = {}
    root = psutil.Process(process.pid)
    while process.poll() is None:
        for member in [root, *_children(root)]:
            try:
                name, size, times = member.name(), member.memory_info().rss, member.cpu_times()
            except psutil.Error:
                continue
            role = "driver" if member.pid == root.pid else _ROLES.get(name[:4])
            if role is not None:  # others are on their way to become one of these
                peaks[role] = max(peaks.get(role, 0), size)
            if role == "worker":
                cpu[member.pid] = times.user + times.system
        time.sleep(0.1)
    return peaks, sum(cpu.values())


def _children(root: psutil.Process) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = root.children(recursive=True)
        return found
    except psutil.Error:
        return []


@dataclass(frozen=True)
class SplitsResult:
    """``cpu`` is processor time; both are seconds."""

    events: int
    seconds: float
    cpu: float

    @property
    def clock_rate(self) -> float:
        return self.events / self.seconds

    @property
    def rate(self) -> float:
        return self.events / self.cpu


def run_splits(source: Path, resolver: Any, enrichments: Any) -> tuple[SplitsResult, SplitsResult]:
    """``enrich_split`` over an input in this process: with the enricher left out, and with it, warm.

    Left out means that copies of real lines are written, as many as it would make: reading and writing alone.
    """
    with tempfile.TemporaryDirectory(prefix="snowetl-bench-") as folder:
        plan = ENRICH.plan(
            EnrichSettings(
                input_folder=(str(source),),
                input_format="thrift",
                output_folder=f"{folder}/good",
                bad_folder=f"{folder}/bad",
                iglu_config=resolver,
                enrichments=enrichments,
                run_id=RUN_ID,
            ),
            World.of_now(),
        )
        enricher = Enricher(plan.config())
        bare = _run_splits(plan, _Replay(enricher))
        _run_splits(plan, enricher)
        return bare, _run_splits(plan, enricher)


def _run_splits(plan: EnrichPlan, processor: Processor) -> SplitsResult:
    good, bad = plan.run.folders
    output, config = Output(good, bad, plan.run.id), plan.config()
    started, cpu = time.perf_counter(), time.process_time()
    events = sum(enrich_split(work.split, config, output, lambda _: processor).events for work in plan.work)
    return SplitsResult(events, time.perf_counter() - started, time.process_time() - cpu)


class _Replay:
    """Answers records with events made before, as many as the enricher made of the first thousands."""

    SAMPLE = 2000

    def __init__(self, enricher: Enricher) -> None:
        answers = [list(enricher.process(record)) for record in records(self.SAMPLE)]
        self._answers: list[Sequence[EnrichedEvent]] = [
            [_Line(result.to_tsv()) for result in results if isinstance(result, EnrichedEvent)] for results in answers
        ]
        self._next = 0

    def process(self, record: bytes | str, source: str = "", number: int = 0) -> Sequence[EnrichedEvent]:
        answer = self._answers[self._next]
        self._next = (self._next + 1) % self.SAMPLE
        return answer


class _Line(EnrichedEvent):
    """An event whose text is known."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def to_tsv(self) -> str:
        return self.text
