"""The library alone: ``Enricher.process`` and the text of what it makes, one thread, no reading and no writing."""

from __future__ import annotations

import base64
import gzip
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from snowetl import EnrichConfig, Enricher
from snowetl.errors import UsageError
from snowetl.model.badrow import BadRow

ETL_TSTAMP = 1772668800000  # 2026-03-05T00:00:00Z

_BATCH = 5_000

Record = tuple[str, "bytes | str"]
"""Input format, and the record itself."""


@dataclass(frozen=True)
class Result:
    """``best`` and ``median`` are seconds of a warm pass over all records; events per second are of the best.

    ``cpu`` is the least processor time of a pass: on a machine that has other work to do, it says more than the clock.
    """

    records: int
    events: int
    bad_rows: int
    best: float
    median: float
    events_per_second: int
    cpu: float

    @property
    def clock_rate(self) -> float:
        """Events per second of the best pass."""
        return self.events / self.best

    @property
    def rate(self) -> float:
        """Events per second of processor time."""
        return self.events / self.cpu

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def read_records(path: Path) -> list[Record]:
    """Lines ``{"format": …, "record_base64": … | "line": …}``; a name ending in ``.gz`` is compressed."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            return [_record(json.loads(line)) for line in file]
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"cannot read records from {path}: {error}") from error


def _record(line: dict[str, Any]) -> Record:
    if "record_base64" in line:
        return line["format"], base64.b64decode(line["record_base64"])
    return line["format"], line["line"]


def measure(records: Sequence[Record], resolver: Any, enrichments: Any, passes: int = 5) -> Result:
    """Passes over ``records`` with one warm enricher for each input format: one pass to warm up, then ``passes``.

    ``resolver`` and ``enrichments`` as :meth:`EnrichConfig.load` takes them.
    """
    enrichers = {name: enricher_of(name, resolver, enrichments) for name in dict(records)}
    work = [(enrichers[name].process, record) for name, record in records]
    seconds, cpu = [], []
    events = bad_rows = 0
    for number in range(passes + 1):
        started, cpu_before = time.perf_counter(), time.process_time()
        events, bad_rows = _pass(work)
        if number > 0:
            seconds.append(time.perf_counter() - started)
            cpu.append(time.process_time() - cpu_before)
    best = min(seconds)
    return Result(len(records), events, bad_rows, best, statistics.median(seconds), round(events / best), min(cpu))


def measure_once(records: Iterator[bytes], resolver: Any, enrichments: Any) -> Result:
    """One pass over Thrift records by an enricher that has seen none of them, as a job enriches its input."""
    process = enricher_of("thrift", resolver, enrichments).process
    count = events = bad_rows = 0
    seconds = cpu = 0.0
    while batch := [(process, record) for record in islice(records, _BATCH)]:
        started, cpu_before = time.perf_counter(), time.process_time()
        more_events, more_bad_rows = _pass(batch)
        seconds += time.perf_counter() - started
        cpu += time.process_time() - cpu_before
        count, events, bad_rows = count + len(batch), events + more_events, bad_rows + more_bad_rows
    return Result(count, events, bad_rows, seconds, seconds, round(events / seconds), cpu)


def _pass(work: Sequence[tuple[Any, bytes | str]]) -> tuple[int, int]:
    events = bad_rows = 0
    for process, record in work:
        for result in process(record):
            if isinstance(result, BadRow):
                result.to_json()
                bad_rows += 1
            else:
                result.to_tsv()
                events += 1
    return events, bad_rows


def enricher_of(input_format: str, resolver: Any, enrichments: Any) -> Enricher:
    """A new enricher of the bench."""
    config = EnrichConfig.load(
        resolver=resolver,
        enrichments=enrichments,
        input_format=input_format,
        etl_tstamp=ETL_TSTAMP,
        processor=("snowetl-bench", "1"),
    )
    return Enricher(config)
