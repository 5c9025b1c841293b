"""Spark with the jars of Delta Lake and Iceberg, in a process of its own: SQL in, rows out."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from tests import maven

_JARS = {
    "4.0": (
        "io.delta:delta-spark_2.13:4.0.1",
        "io.delta:delta-storage:4.0.1",
        "org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.10.1",
        "org.xerial:sqlite-jdbc:3.50.3.0",
    )
}
"""By release of Spark."""
_CONF = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension,"
    "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.databricks.delta.retentionDurationCheck.enabled": "false",
}


class SparkShell:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sql(self, statement: str, settings: Mapping[str, str] | None = None) -> list[tuple[Any, ...]]:
        """Rows of a statement, in a session with these settings. Raises what Spark says."""
        self._connection.send((statement, dict(settings or {})))
        told, found = self._connection.recv()
        if told is not None:
            raise AssertionError(told)
        rows: list[tuple[Any, ...]] = found
        return rows


def iceberg(folder: str) -> dict[str, str]:
    """Settings of a catalog ``snowetl`` that an SQLite file in the folder keeps, as snowetl makes it.

    Spark leaves its connection reading, which would keep out whoever writes, but for a write-ahead log.
    """
    name = "spark.sql.catalog.snowetl"
    return {
        name: "org.apache.iceberg.spark.SparkCatalog",
        f"{name}.type": "jdbc",
        f"{name}.uri": f"jdbc:sqlite:{folder}/catalog.db?journal_mode=WAL&busy_timeout=10000",
        f"{name}.warehouse": f"file://{folder}",
    }


def lake_jars() -> list[str]:
    """Files of Delta Lake and Iceberg for the Spark there is. Skips the test, saying so, where one cannot be had."""
    pyspark = pytest.importorskip("pyspark")
    release = ".".join(pyspark.__version__.split(".")[:2])
    if release not in _JARS:
        pytest.skip(f"which jars of Delta Lake and Iceberg go with Spark {release} is not known here")
    place = maven.cache(f"lakes-spark-{release}")
    return [str(path) for path in maven.jars(place, _JARS[release], "Spark, to read lakes,")]


@contextmanager
def spark_shell(folder: Path) -> Iterator[SparkShell]:
    """Skips the test, saying so, where there is no Spark, or no jars for it."""
    jars = lake_jars()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, jars, str(folder)))
    process.start()
    theirs.close()
    try:
        yield SparkShell(ours)
    finally:
        ours.close()
        process.join(30)
        if process.is_alive():
            process.kill()


def _serve(connection: Connection, jars: Sequence[str], folder: str) -> None:
    os.environ["TZ"] = "UTC"
    os.chdir(folder)
    from pyspark.sql import SparkSession

    from snowetl.workers.spark_session import LOG_CONFIG

    builder = SparkSession.builder.master("local[1]").config("spark.driver.memory", "1g")
    builder = builder.config("spark.jars", ",".join(jars)).config("spark.driver.extraClassPath", ":".join(jars))
    builder = builder.config(
        "spark.driver.extraJavaOptions", f"-XX:TieredStopAtLevel=1 -Dlog4j2.configurationFile=file:{LOG_CONFIG}"
    )
    for name, value in _CONF.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    try:
        while True:
            statement, settings = connection.recv()
            session = spark.newSession()  # which sees what others have committed
            for name, value in settings.items():
                session.conf.set(name, value)
            try:
                rows = [tuple(_plain(value) for value in row) for row in session.sql(statement).collect()]
                connection.send((None, rows))
            except Exception as error:
                connection.send((f"{statement[:500]}\n{error}", None))
    except EOFError:
        pass
    finally:
        spark.stop()


def _plain(value: Any) -> Any:
    """Rows as dicts: the process of the test needs no pyspark."""
    if hasattr(value, "asDict"):
        return {name: _plain(each) for name, each in value.asDict().items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
