"""Enriched events as typed columns: ``snowetl.read_enriched``.

The columns are those of the wide Parquet rows that ``snowetl transform`` writes, made by the same code: the event's own
128 with their types, an array of structs for each model of contexts, a struct for each model of self-describing events.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snowetl.analytics.enriched_input import work_of
from snowetl.analytics.enriched_reading import LeftOut, Reading
from snowetl.ddl.hive import column_list
from snowetl.ddl.parquet import Field
from snowetl.errors import ConfigError, UsageError
from snowetl.iglu.config import ResolverConfig
from snowetl.model.schema import SchemaKey
from snowetl.problems import did_you_mean
from snowetl.settings.words import count
from snowetl.steps import registries
from snowetl.steps.base import World
from snowetl.steps.transform import PROCESSOR
from snowetl.steps.transform_task import SchemasTask, TransformConfig, type_of
from snowetl.storage.splits import Split
from snowetl.transform.columns import ATOMIC_FIELDS
from snowetl.transform.discovery import RunInterval
from snowetl.transform.event import UNSTRUCT_EVENT
from snowetl.transform.eventjson import column_name
from snowetl.transform.rows import SchemaType
from snowetl.transform.transformer import SHRED, WIDE_PARQUET
from snowetl.workers import Pickled, WorkerPool, WorkList, unheard
from snowetl.workers.in_process import InProcess

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    from snowetl.workers.spark_frames import DataFrame, SparkSession

BATCH_ROWS = 10_000
_ATOMIC_NAMES = tuple(field.name for field in ATOMIC_FIELDS)
_RECOVERED = "_recovered_"


def read_enriched(
    path: str | Path | Sequence[str | Path],
    *,
    iglu_config: Any = None,
    columns: Sequence[str] | None = None,
    where: pc.Expression | None = None,
    since_timestamp: str | None = None,
    since_age: str | None = None,
    until: str | None = None,
    strict: bool = False,
    batch_rows: int = BATCH_ROWS,
    warn: Callable[[str], None] | None = None,
) -> Enriched:
    """Open enriched events as typed columns. Only the list of files is read yet.

    ``path``: a folder of runs, a run folder, a file or a pattern, or several (local, ``s3://``, ``hdfs://``).
    ``iglu_config``: the resolver (default: the schemas of this package), asked where columns of entities are read.
    ``columns``: names of those to read, in that order (default: all); without columns of entities the files are read
    once instead of twice. ``where``: rows to keep, as ``pyarrow.compute`` expression over the event's own columns and
    the entities' columns that are read. ``since_timestamp``, ``since_age``, ``until``: which run folders, as
    ``snowetl transform`` has them. ``strict``: raise at the first line that is not an event or does not fit its
    columns; else such lines are left out, counted in ``bad_rows``, and warned of. ``warn`` hears warnings (default:
    they are Python's).

    Raises ``ConfigError``, ``NothingToDo``, ``UsageError``, ``StorageError``.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise UsageError("read_enriched needs more packages. Run: pip install 'snowetl[analytics]'")
    paths = [path] if isinstance(path, (str, Path)) else path
    work = work_of([str(one) for one in paths], RunInterval.parse(since_timestamp, since_age, until), warn or _warn)
    config = TransformConfig(
        transformation=WIDE_PARQUET,
        resolver=ResolverConfig.default() if iglu_config is None else ResolverConfig.load(iglu_config),
        processor=PROCESSOR,
        now=World.of_now().now,
    )
    if columns is not None and len(set(columns)) < len(columns):
        twice = [name for name, times in Counter(columns).items() if times > 1]
        raise ConfigError(f"columns names {' and '.join(twice)} twice")
    return Enriched(work, config, columns, where, strict, batch_rows, warn or _warn)


class Enriched:
    """Enriched events, read anew by each method, batch by batch: one batch is held in memory.

    An object of Arrow's C stream interface: DuckDB, Polars and pyarrow take it as it is.
    """

    def __init__(
        self,
        work: WorkList,
        config: TransformConfig,
        columns: Sequence[str] | None,
        where: pc.Expression | None,
        strict: bool,
        batch_rows: int,
        warn: Callable[[str], None],
    ) -> None:
        self._work = work
        self._config = config
        self._wanted = columns
        self._where = where
        self._strict = strict
        self._batch_rows = batch_rows
        self._warn = warn
        self._pool: WorkerPool = InProcess()
        self._left_out: Callable[[], Counter[str]] = Counter

    @property
    def schema(self) -> pa.Schema:
        """The columns. Raises ``SnowetlError`` where a schema that events name cannot be used."""
        return self._reading.schema

    @property
    def bad_rows(self) -> Counter[str]:
        """What the latest reading left out, by schema of the bad row that ``snowetl transform`` would write."""
        return self._left_out()

    @cached_property
    def _reading(self) -> Reading:
        """How splits are read. Which columns there are takes one pass over them, unless no entity is wanted."""
        entities = None if self._wanted is None else set(self._wanted).difference(_ATOMIC_NAMES)
        met = self._met if entities is None or entities else frozenset[SchemaType]()
        wanted = met if entities is None else frozenset(type_ for type_ in met if _is_wanted(type_, entities))
        config = replace(self._config, types=wanted)
        present = (*ATOMIC_FIELDS, *(column.field for column in config.columns(config.client())))
        names = tuple(field.name for field in present) if self._wanted is None else tuple(self._wanted)
        _check(names, present, met)
        return Reading(Pickled.of(config), present, names, self._where, self._strict, self._batch_rows)

    @cached_property
    def _met(self) -> frozenset[SchemaType]:
        """The schemas that events name."""
        parses = Pickled.of(replace(self._config, transformation=SHRED))
        tags = self._pool.distinct(SchemasTask(parses, self._registries), self._work, unheard)
        return frozenset(map(type_of, tags))

    @property
    def _registries(self) -> Mapping[str, str]:
        return registries.folders(self._config.resolver)

    def batches(self) -> Generator[pa.RecordBatch, None, None]:
        """The events as record batches, in the order of files and lines. Raises as :attr:`schema`, ``StorageError``."""
        bad: Counter[str] = Counter()
        self._left_out = lambda: bad
        reading = self._reading
        files = {name: Path(path) for name, path in self._registries.items()}
        first = ""

        def note(left_out: LeftOut) -> None:
            nonlocal first
            bad.update((left_out.row.schema_key,))
            first = first or left_out.url
            if left_out.damage is not None:
                self._warn(f"{left_out.damage}; the events that were there are not read")

        for split in self._work.splits:
            yield from reading.batches(split, files, note)
        if bad:
            kinds = ", ".join(f"{times} {SchemaKey.parse(uri).name}" for uri, times in bad.most_common())
            self._warn(f"{count(sum(bad.values()), 'line')} left out: {kinds}; the first in {first}")

    def reader(self) -> pa.RecordBatchReader:
        """The events as an Arrow stream."""
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(self.schema, self.batches())

    def __arrow_c_schema__(self) -> object:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.reader().__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> pa.Table:
        """All events in memory."""
        return self.reader().read_all()

    def to_pandas(self, **options: Any) -> pd.DataFrame:
        """All events in memory, as pandas; ``options`` are those of ``pyarrow.Table.to_pandas``."""
        return self.to_arrow().to_pandas(**options)

    def to_spark(self, session: SparkSession) -> DataFrame:
        """The events as a data frame that the workers of ``session`` read when it is used.

        ``bad_rows`` grows as they do; it counts twice what Spark reads twice.
        """
        from snowetl.workers.spark import SparkPool

        pool = SparkPool.of(session)
        self._pool = pool
        reading, bad = self._reading, pool.counter()
        self._left_out = lambda: bad.value

        def read(split: Split, files: Mapping[str, Path]) -> Iterator[pa.RecordBatch]:
            return reading.batches(split, files, lambda left_out: bad.add(Counter((left_out.row.schema_key,))))

        fields = {field.name: field for field in reading.present}
        columns = column_list([fields[name] for name in reading.wanted])
        return pool.frame(read, self._registries, self._work, columns)


def _is_wanted(type_: SchemaType, columns: Iterable[str]) -> bool:
    """Whether a schema's data stands in one of the columns, if only that of a version that broke with others."""
    name = _column_of(type_)
    return any(column == name or column.startswith(f"{name}{_RECOVERED}") for column in columns)


def _column_of(type_: SchemaType) -> str:
    return column_name("unstruct_event_" if type_.column == UNSTRUCT_EVENT else "contexts_", type_.uri)


def _check(names: Sequence[str], present: Sequence[Field], met: Iterable[SchemaType]) -> None:
    """Raises :class:`ConfigError` that tells all columns that are not there, and which are."""
    known = {field.name for field in present}
    unknown = [name for name in names if name not in known]
    if unknown:
        entities = sorted(set(map(_column_of, met)))
        hints = "; ".join(f"no column '{name}'{did_you_mean(name, [*_ATOMIC_NAMES, *entities])}" for name in unknown)
        raise ConfigError(f"{hints}. Entities' columns of these events: {', '.join(entities) or 'none'}")


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=3)
