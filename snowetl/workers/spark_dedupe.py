"""Deduplication of a batch on Spark: what ``dedupe/decide.py`` does in memory, with joins.

Only keys are shuffled, never events; groups are counted where they lie before they are, and what is joined back are
the few keys that occur more than once. So a key that half of all events share costs no more than others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snowetl.dedupe.decide import Decided, KeyRow, Request, seen_of
from snowetl.dedupe.event_manifest import BATCH, ManifestConfig
from snowetl.dedupe.rules import Key
from snowetl.dedupe.verdicts import DROP, KNOWN, RENAME, Decisions
from snowetl.errors import SnowetlError
from snowetl.jvm.strings import to_utf8
from snowetl.storage.splits import Split
from snowetl.workers.base import Task, unheard
from snowetl.workers.spark_errors import job_error
from snowetl.workers.spark_frames import frame_of_splits, telling
from snowetl.workers.work import Work

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark import SparkContext
    from pyspark.sql import DataFrame, SparkSession

_ROWS = 10_000
_KEYS = "split int, line long, event_id string, fingerprint string, etl long, tags array<string>"
_FEW_PARTITIONS = 200


def decide_on_spark(
    context: SparkContext,
    task: Task[Iterator[KeyRow]],
    shipped: Mapping[str, str],
    work: Sequence[Work],
    request: Request,
) -> Decided:
    """Decide with joins. ``shipped``: the task's names for its files -> the names under which workers find them."""
    from pyspark import StorageLevel
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as F  # noqa: N812  # the field's own name for it

    spark = SparkSession(context)
    parallel = max(context.defaultParallelism, 1)
    shuffles = spark.conf.get("spark.sql.shuffle.partitions")
    if parallel * 4 < _FEW_PARTITIONS:
        spark.conf.set("spark.sql.shuffle.partitions", str(max(parallel * 4, 8)))
    keys = _keys(spark, task, shipped, work).persist(StorageLevel.DISK_ONLY)
    try:
        tags = frozenset[str]()
        if request.with_tags:
            rows = keys.select(F.explode("tags").alias("tag")).distinct().collect()
            tags = frozenset(row["tag"] for row in rows)
        if not (request.policy.natural or request.policy.finds_synthetic):
            return Decided(tags=tags)
        decisions = _decisions(keys.drop("tags"), request)
        return Decided(_write(decisions, request.folder, len(work)), tags)
    except SnowetlError:
        raise
    except Exception as error:
        raise job_error(str(error)) from error
    finally:
        keys.unpersist()
        if shuffles is not None:
            spark.conf.set("spark.sql.shuffle.partitions", shuffles)


def _keys(
    spark: SparkSession, task: Task[Iterator[KeyRow]], shipped: Mapping[str, str], work: Sequence[Work]
) -> DataFrame:
    """One row for each event: its key, its place, and the tags that are new in its split."""

    def read(split: Split, files: Mapping[str, Path]) -> Iterator[pa.RecordBatch]:
        return _key_batches(task.run(split, files, unheard))

    return frame_of_splits(spark, read, shipped, work, _KEYS)


def _key_batches(keys: Iterator[KeyRow]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    schema = pa.schema(
        [
            ("split", pa.int32()),
            ("line", pa.int64()),
            ("event_id", pa.string()),
            ("fingerprint", pa.string()),
            ("etl", pa.int64()),
            ("tags", pa.list_(pa.string())),
        ]
    )
    columns: list[list[Any]] = [[] for _ in schema]

    def batch() -> pa.RecordBatch:
        arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    for key, new in keys:
        fingerprint = key.fingerprint and to_utf8(key.fingerprint).decode()
        row = (*key.place, key.event_id, fingerprint, key.etl_micros, sorted(new) or None)
        for column, value in zip(columns, row, strict=True):
            column.append(value)
        if len(columns[0]) >= _ROWS:
            yield batch()
            for column in columns:
                column.clear()
    yield batch()


def _decisions(keys: DataFrame, request: Request) -> DataFrame:
    """(split, line, verdict) of all events that do not go through as they are."""
    from pyspark.sql import functions as F  # noqa: N812

    policy, manifest = request.policy, request.event_manifest
    survivors: DataFrame = keys.select("split", "line", "event_id", "fingerprint")
    verdicts: list[DataFrame] = []
    if policy.natural:
        survivors, dropped = _natural(keys)
        verdicts.append(dropped.withColumn("verdict", F.lit(DROP)))
    if manifest is not None:
        checked = _checked(keys, survivors, manifest, request.now)
        known = checked.where(~F.col("new")).select("split", "line")
        verdicts.append(known.withColumn("verdict", F.lit(KNOWN)))
        survivors = checked.where("new").drop("new")
    if policy.finds_synthetic:
        counts = survivors.groupBy("event_id").agg(F.count("*").alias("events"))
        shared = counts.where(F.col("events") > policy.cardinality).select("event_id")
        renamed = survivors.join(shared, "event_id").select("split", "line")
        verdicts.append(renamed.withColumn("verdict", F.lit(RENAME)))
    result = verdicts[0]
    for more in verdicts[1:]:
        result = result.unionByName(more)
    return result


def _natural(keys: DataFrame) -> tuple[DataFrame, DataFrame]:
    """The survivors of all groups, and the others: the oldest stays, see ``dedupe.age``."""
    from pyspark.sql import functions as F  # noqa: N812

    place = F.struct(F.col("etl").isNotNull().alias("has_etl"), "etl", "split", "line")
    named = keys.where(F.col("fingerprint").isNotNull())
    groups = named.groupBy("event_id", "fingerprint").agg(F.count("*").alias("events"), F.min(place).alias("kept"))
    repeated = groups.where(F.col("events") > 1).select("event_id", "fingerprint", "kept")
    is_kept = (F.col("split") == F.col("kept.split")) & (F.col("line") == F.col("kept.line"))
    dropped = named.join(repeated, ["event_id", "fingerprint"]).where(~is_kept).select("split", "line")
    columns = ["split", "line", "event_id", "fingerprint"]
    kept = groups.select(F.col("kept.split"), F.col("kept.line"), "event_id", "fingerprint")
    return kept.unionByName(keys.where(F.col("fingerprint").isNull()).select(columns)), dropped


def _checked(keys: DataFrame, survivors: DataFrame, manifest: ManifestConfig, now: int) -> DataFrame:
    """The survivors, with whether they are new to the manifest. Asking twice gives the same answer."""
    from pyspark import StorageLevel
    from pyspark.sql import functions as F  # noqa: N812

    earliest = keys.agg(F.min("etl")).first()
    etl_time = earliest[0] // 1_000_000 if earliest is not None and earliest[0] is not None else now

    @telling
    def claim(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        with manifest.open() as table:
            for batch in batches:
                places = [batch.column(name).to_pylist() for name in ("event_id", "fingerprint", "split", "line")]
                events = [
                    seen_of(Key(event_id, fingerprint, None, (split, line)))
                    for event_id, fingerprint, split, line in zip(*places, strict=True)
                ]
                new = [
                    is_new
                    for start in range(0, len(events), BATCH)
                    for is_new in table.claim(events[start : start + BATCH], etl_time)
                ]
                arrays = [batch.column(name) for name in ("split", "line", "event_id", "fingerprint")]
                yield pa.RecordBatch.from_arrays(
                    [*arrays, pa.array(new, type=pa.bool_())], names=["split", "line", "event_id", "fingerprint", "new"]
                )

    schema = "split int, line long, event_id string, fingerprint string, new boolean"
    return survivors.mapInArrow(claim, schema).persist(StorageLevel.DISK_ONLY)


def _write(decisions: DataFrame, folder: str, splits: int) -> frozenset[int]:
    """Write a file of decisions for each split that has any; returns their numbers."""

    @telling
    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        rows = (row for batch in batches for row in zip(*(column.to_pylist() for column in batch.columns), strict=True))
        done = []
        for split, members in groupby(rows, key=itemgetter(0)):
            lines: dict[int, list[int]] = {}
            for _, line, verdict in members:
                lines.setdefault(verdict, []).append(line)
            Decisions(lines).write(folder, split)
            done.append(split)
        yield pa.RecordBatch.from_arrays([pa.array(done, type=pa.int32())], names=["split"])

    partitions = min(splits, _FEW_PARTITIONS)
    placed = decisions.select("split", "line", "verdict").repartition(partitions, "split")
    ordered = placed.sortWithinPartitions("split", "line")
    return frozenset(row["split"] for row in ordered.mapInArrow(write, "split int").collect())
