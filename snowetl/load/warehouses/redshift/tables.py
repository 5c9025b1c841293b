"""Our tables in Redshift: how each is made, with its distribution, sort key and encodings."""

from __future__ import annotations

from snowetl.ddl.atomic import LOAD_TSTAMP, redshift_columns
from snowetl.ddl.redshift import create_rejected_values
from snowetl.load.own_tables import OwnTables

_PRIMARY_KEY = "event_id_0110_pk"
"""Of ``events``, as RDB Loader names it."""


_MANIFEST = """
CREATE TABLE IF NOT EXISTS {schema}.manifest (
    "base" VARCHAR(512) ENCODE ZSTD NOT NULL PRIMARY KEY,
    "types" VARCHAR(65535) ENCODE ZSTD NOT NULL,
    "shredding_started" TIMESTAMP ENCODE ZSTD NOT NULL,
    "shredding_completed" TIMESTAMP ENCODE ZSTD NOT NULL,
    "min_collector_tstamp" TIMESTAMP ENCODE RAW NULL,
    "max_collector_tstamp" TIMESTAMP ENCODE ZSTD NULL,
    "ingestion_tstamp" TIMESTAMP ENCODE ZSTD NOT NULL,
    "compression" VARCHAR(16) ENCODE ZSTD NOT NULL,
    "processor_artifact" VARCHAR(64) ENCODE ZSTD NOT NULL,
    "processor_version" VARCHAR(32) ENCODE ZSTD NOT NULL,
    "count_good" INT ENCODE ZSTD NULL,
    "run_identity" VARCHAR(64) ENCODE ZSTD NULL,
    "bad_rows" BIGINT ENCODE ZSTD NULL
)"""


_REJECTED = """
CREATE TABLE IF NOT EXISTS {schema}.rejected_rows (
    "base" VARCHAR(512) ENCODE ZSTD NOT NULL,
    "table_name" VARCHAR(256) ENCODE ZSTD NOT NULL,
    "reason" VARCHAR(4096) ENCODE ZSTD NOT NULL,
    "folder" VARCHAR(2048) ENCODE ZSTD NOT NULL,
    "model" VARCHAR(1024) ENCODE ZSTD NOT NULL,
    "row_count" BIGINT ENCODE ZSTD NOT NULL,
    "rejected_tstamp" TIMESTAMP ENCODE ZSTD NOT NULL
)"""
OWN_TABLES = OwnTables(
    create={
        "manifest": _MANIFEST,
        "rejected_rows": _REJECTED,
        "rejected_values": create_rejected_values("{schema}"),
    },
    added={"manifest": {"run_identity": "VARCHAR(64)", "bad_rows": "BIGINT"}},
    add_column="ADD COLUMN {column} {type} ENCODE ZSTD NULL",
)


def create_events(schema: str, table: str) -> str:
    """A table of events: ``events`` itself, or one like it under another name."""
    width = max(len(column.name) for column in redshift_columns())
    lines = [
        f"    {column.name.ljust(width)} {column.type}{_unique(column.name)}{_encode(column.name)}"
        + (" NOT NULL" if column.not_null else "")
        for column in redshift_columns()
    ]
    lines.append(f"    {LOAD_TSTAMP.ljust(width)} timestamp DEFAULT SYSDATE ENCODE AZ64 NULL")
    lines.append(f"    CONSTRAINT {_PRIMARY_KEY if table == 'events' else f'{table}_pk'} PRIMARY KEY (event_id)")
    return (
        f"CREATE TABLE IF NOT EXISTS {schema}.{table} (\n" + ",\n".join(lines) + "\n)\n"
        "DISTSTYLE KEY\nDISTKEY (event_id)\nSORTKEY (collector_tstamp)"
    )


def _unique(column: str) -> str:
    return " UNIQUE" if column == "event_id" else ""


def _encode(column: str) -> str:
    return " ENCODE RAW" if column == "collector_tstamp" else " ENCODE ZSTD"
