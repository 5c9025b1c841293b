"""Deduplication of a batch: keys of all splits in, decisions about lines out, as files the splits' tasks read.

On Spark only keys are shuffled, never events; groups are counted where they lie before they are, and what is joined
back are the few keys that occur more than once. So a key that half of all events share costs no more than others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from snowetl.dedupe import rules as dedupe
from snowetl.dedupe.event_manifest import BATCH, ManifestConfig, Seen
from snowetl.dedupe.rules import Key, Policy
from snowetl.dedupe.verdicts import DROP, KNOWN, RENAME, VERDICTS, Decisions
from snowetl.errors import SnowetlError
from snowetl.jvm.text import to_utf8
from snowetl.steps.transform_split import read_keys
from snowetl.steps.transform_task import KeysTask
from snowetl.transform.rows import SchemaType
from snowetl.workers.executors import Advance, Work, job_error, wrap_error

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark import SparkContext
    from pyspark.sql import DataFrame, SparkSession

_ROWS = 10_000
_KEYS = "split int, line long, event_id string, fingerprint string, etl long, types array<string>"
_FEW_PARTITIONS = 200
_LONGEST_FINGERPRINT = 256


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be decided, and the folder the decisions go to.

    ``now`` (epoch seconds) names the batch in the manifest where none of its events has an ``etl_tstamp``.
    """

    policy: Policy
    manifest: ManifestConfig | None
    now: int
    folder: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What was found out about a batch: splits with decisions, schemas met."""

    splits: frozenset[int] = frozenset()
    types: frozenset[SchemaType] = frozenset()


def seen_of(key: Key) -> Seen:
    """How an event is named in a manifest; without a fingerprint, as nothing else ever is.

    Fingerprints no database takes as a key, which no enrichment makes, are named by their digest.
    """
    if not key.fingerprint:
        return Seen(key.event_id, dedupe.new_id(key.event_id, "{}/{}".format(*key.place)))
    if len(key.fingerprint) > _LONGEST_FINGERPRINT or "\0" in key.fingerprint:
        return Seen(key.event_id, hashlib.sha256(to_utf8(key.fingerprint)).hexdigest())
    return Seen(key.event_id, to_utf8(key.fingerprint).decode())


# --- without Spark --------------------------------------------------------------------------------------------------


def decide_in_memory(
    executor: Any, task: KeysTask, work: Sequence[Work], request: Request, advance: Advance
) -> Decided:
    """Decide with all keys of the batch in memory."""
    reports = sorted(executor(task, work, advance), key=lambda report: report.index)
    keys: list[Key] = [key for report in reports for key in report.keys]
    types: frozenset[SchemaType] = frozenset().union(*(report.types for report in reports))
    policy = request.policy
    if request.manifest is None:
        decision = dedupe.decide(keys, policy)
    else:
        fresh = _fresh(dedupe.survivors(keys, policy), keys, request.manifest, request.now)
        decision = dedupe.decide(keys, policy, lambda key: key.place in fresh)
    return Decided(_write(_by_split(decision), request.folder), types)


def _fresh(survivors: Sequence[Key], keys: Sequence[Key], manifest: ManifestConfig, now: int) -> set[tuple[int, int]]:
    times = [key.etl_micros for key in keys if key.etl_micros is not None]
    etl_time = min(times) // 1_000_000 if times else now
    with manifest.open() as table:
        new = table.claim([seen_of(key) for key in survivors], etl_time)
    return {key.place for key, is_new in zip(survivors, new, strict=True) if is_new}


def _by_split(decision: dedupe.Decision) -> dict[int, dict[int, list[int]]]:
    """Split -> verdict -> lines."""
    by_split: dict[int, dict[int, list[int]]] = {}
    for verdict, places in zip(VERDICTS, decision, strict=True):
        for split, line in places:
            by_split.setdefault(split, {}).setdefault(verdict, []).append(line)
    return by_split


def _write(by_split: dict[int, dict[int, list[int]]], folder: str) -> frozenset[int]:
    for split, lines in by_split.items():
        Decisions(lines).write(folder, split)
    return frozenset(by_split)


# --- on Spark -------------------------------------------------------------------------------------------------------


def decide_on_spark(
    context: SparkContext, task: KeysTask, work: Sequence[Work], request: Request, with_types: bool
) -> Decided:
    """Decide with joins. ``with_types`` asks for the schemas met, too."""
    from pyspark import StorageLevel
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as F  # noqa: N812  # the field's own name for it

    spark = SparkSession(context)
    parallel = max(context.defaultParallelism, 1)
    shuffles = spark.conf.get("spark.sql.shuffle.partitions")
    if parallel * 4 < _FEW_PARTITIONS:
        spark.conf.set("spark.sql.shuffle.partitions", str(max(parallel * 4, 8)))
    keys = _keys(spark, task, work).persist(StorageLevel.DISK_ONLY)
    try:
        types = frozenset[SchemaType]()
        if with_types:
            rows = keys.select(F.explode("types").alias("type")).distinct().collect()
            types = frozenset(_read_type(row["type"]) for row in rows)
        if not (request.policy.natural or request.policy.finds_synthetic):
            return Decided(types=types)
        decisions = _decisions(keys.drop("types"), request)
        return Decided(_write_on_spark(decisions, request.folder, len(work)), types)
    except SnowetlError:
        raise
    except Exception as error:
        raise job_error(str(error)) from error
    finally:
        keys.unpersist()
        if shuffles is not None:
            spark.conf.set("spark.sql.shuffle.partitions", shuffles)


def _telling(
    step: Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]],
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A step of Spark's workers whose errors arrive at the driver as what they are."""

    def told(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            yield from step(batches)
        except SnowetlError as error:
            raise RuntimeError(wrap_error(error)) from error

    return told


def _show_type(type_: SchemaType) -> str:
    return f"{type_.column} {type_.uri}"


def _read_type(text: str) -> SchemaType:
    column, _, uri = text.partition(" ")
    return SchemaType(uri, column)


def _keys(spark: SparkSession, task: KeysTask, work: Sequence[Work]) -> DataFrame:
    """One row for each event: its key, its place, and the schemas that are new in its split."""
    from pyspark.sql import functions as F  # noqa: N812

    numbers = {item.split.index: item.split for item in work}

    @_telling
    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield from _key_batches(read_keys(numbers[number], task.transformer()))

    rows = spark.sparkContext.parallelize([(index,) for index in sorted(numbers)], len(numbers))
    return spark.createDataFrame(rows, "split int").select(F.col("split")).mapInArrow(read, _KEYS)


def _key_batches(keys: Iterator[tuple[Key, frozenset[SchemaType]]]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    schema = pa.schema(
        [
            ("split", pa.int32()),
            ("line", pa.int64()),
            ("event_id", pa.string()),
            ("fingerprint", pa.string()),
            ("etl", pa.int64()),
            ("types", pa.list_(pa.string())),
        ]
    )
    columns: list[list[Any]] = [[] for _ in schema]

    def batch() -> pa.RecordBatch:
        arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    for key, new in keys:
        fingerprint = key.fingerprint and to_utf8(key.fingerprint).decode()
        row = (*key.place, key.event_id, fingerprint, key.etl_micros, sorted(map(_show_type, new)) or None)
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

    policy, manifest = request.policy, request.manifest
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

    @_telling
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


def _write_on_spark(decisions: DataFrame, folder: str, splits: int) -> frozenset[int]:
    """Write a file of decisions for each split that has any; returns their numbers."""

    @_telling
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
