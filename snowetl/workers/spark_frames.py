"""Data frames whose rows Spark's workers read from splits, when they are needed."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snowetl.errors import SnowetlError
from snowetl.storage.splits import Split
from snowetl.workers.spark_errors import wrap_error
from snowetl.workers.work import Work

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark import SparkContext
    from pyspark.accumulators import Accumulator
    from pyspark.sql import DataFrame as DataFrame
    from pyspark.sql import SparkSession as SparkSession

Step = Callable[[Iterable["pa.RecordBatch"]], Iterator["pa.RecordBatch"]]
"""What Spark's workers do to the batches of a frame."""
Read = Callable[[Split, Mapping[str, Path]], Iterator["pa.RecordBatch"]]
"""Reads the rows of a split; given the files that were shipped for it, by their names."""

_MOST_TASKS = 2_000
"""Of more splits several are read by one task: what tasks leave with the driver stays below its
``spark.driver.maxResultSize``."""


def frame_of_splits(
    spark: SparkSession, read: Read, shipped: Mapping[str, str], work: Sequence[Work], columns: str
) -> DataFrame:
    """The rows of all ``work``. ``shipped``: names of files -> those workers find; ``columns``: DDL."""

    @telling
    def step(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import SparkFiles

        files = {name: Path(SparkFiles.get(file)) for name, file in shipped.items()}
        for batch in batches:
            for packed in batch.column(0).to_pylist():
                yield from read(Split.from_json(json.loads(zlib.decompress(packed))), files)

    tasks = min(len(work), max(_MOST_TASKS, spark.sparkContext.defaultParallelism))
    rows = [(zlib.compress(json.dumps(item.split.to_json()).encode(), 1),) for item in _dealt(work, tasks)]
    frame = spark.createDataFrame(spark.sparkContext.parallelize(rows, max(tasks, 1)), "split binary")
    return frame.mapInArrow(step, columns)


def _dealt(work: Sequence[Work], hands: int) -> Iterator[Work]:
    """All of ``work``, which comes in the order of size, so that neighbours are of many sizes."""
    return (work[place] for hand in range(hands) for place in range(hand, len(work), hands))


def telling(step: Step) -> Step:
    """A step of Spark's workers whose errors arrive at the driver as what they are."""

    def told(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            yield from step(batches)
        except SnowetlError as error:
            raise RuntimeError(wrap_error(error)) from error

    return told


def counter(context: SparkContext) -> Accumulator[Counter[str]]:
    """An accumulator that adds up counters."""
    from pyspark.accumulators import AccumulatorParam

    class Counters(AccumulatorParam[Counter[str]]):
        def zero(self, value: Counter[str]) -> Counter[str]:
            return Counter()

        def addInPlace(self, value1: Counter[str], value2: Counter[str]) -> Counter[str]:  # noqa: N802  # Spark's name
            return value1 + value2

    return context.accumulator(Counter(), Counters())
