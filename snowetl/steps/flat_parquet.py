"""Enriched events as Parquet, straight from enrich.

A Parquet file begins with its columns, and which entities a run has is known when all of it is enriched. So the run is
written as enriched lines first, in a folder of its own that nobody reads, and these are then written as Parquet: as
``snowetl transform`` does it, by the same code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from snowetl.enrich.config import EnrichConfig
from snowetl.model.badrow import BadRow
from snowetl.reporting.enrich import FlatReport
from snowetl.runs.parts import PartWriter, part_name
from snowetl.steps import registries
from snowetl.steps.cut import cut_input
from snowetl.steps.stream import stream
from snowetl.steps.transform_outputs import ParquetPart
from snowetl.steps.transform_split import damage_row
from snowetl.steps.transform_task import SchemasTask, TransformConfig, transformer_of, type_of
from snowetl.storage import Damage, filesystem
from snowetl.storage.splits import Split
from snowetl.transform.columns import ATOMIC_FIELDS
from snowetl.transform.rows import WideRecord
from snowetl.transform.transformer import SHRED, WIDE_PARQUET
from snowetl.workers import Advance, Pickled, WorkerPool, unheard

FOLDER = "_tsv"
"""Below a run folder: the enriched lines that become Parquet."""


def flatten(
    folder: str, bad_folder: str, run: str, config: EnrichConfig, compression: str, workers: WorkerPool, split_size: int
) -> Iterator[FlatReport]:
    """Write what lies in :data:`FOLDER` of a run folder as Parquet; parts are staged. Then the lines are gone.

    Raises ``RegistryUnavailable``, ``StorageError``, ``SnowetlError`` where a schema of the events cannot be used.
    """
    lines = f"{folder}/{FOLDER}"
    files = filesystem(lines)
    if not files.exists(lines):
        return
    work = cut_input(files.walk(lines), split_size=split_size).work
    rows = TransformConfig(
        transformation=SHRED,
        resolver=config.resolver,
        processor=config.processor,
        now=config.etl_tstamp,
        on_registry_failure=config.on_registry_failure,
    )
    found = registries.folders(config.resolver)
    met = workers.distinct(SchemasTask(Pickled.of(rows), found), work, unheard)
    wide = replace(rows, transformation=WIDE_PARQUET, types=frozenset(map(type_of, met)))
    wide.transformer()  # a schema that cannot be read stops the run here
    task = FlatParquetTask(Pickled.of(wide), found, folder, bad_folder, run, compression)
    yield from workers.run(task, work, unheard)
    files.delete_tree(lines)


@dataclass(frozen=True, slots=True)
class FlatParquetTask:
    """Writes the enriched lines of splits as Parquet; picklable. ``files``: the registries that are folders."""

    config: Pickled[TransformConfig]
    files: Mapping[str, str]
    folder: str
    bad_folder: str
    run_name: str
    compression: str

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> FlatReport:
        config, transformer = transformer_of(self.config, files)
        fields = (*ATOMIC_FIELDS, *(column.field for column in transformer.columns))
        good = ParquetPart(self.folder, f"part-{split.index:05d}-{self.run_name}.snappy.parquet", fields)
        name = part_name(split.index, f"{self.run_name}-flat", self.compression)
        bad = PartWriter(self.bad_folder, name, self.compression)
        report = FlatReport(split.index)
        try:
            for _, record in stream(split, advance, binary=False):
                if isinstance(record, Damage):
                    _add_bad(damage_row(config.origin, record), bad, report)
                    continue
                rows = transformer.rows(str(record.data))
                if isinstance(rows, WideRecord):
                    good.add(rows.values)
                else:
                    assert isinstance(rows, BadRow)
                    _add_bad(rows, bad, report)
            report.good, report.bad = good.finish(), bad.finish()
        except BaseException:
            good.abort()
            bad.abort()
            raise
        return report


def _add_bad(row: BadRow, bad: PartWriter, report: FlatReport) -> None:
    bad.add(row.to_json())
    report.bad_rows[row.schema_key] += 1
    report.statistics.keep(row)
