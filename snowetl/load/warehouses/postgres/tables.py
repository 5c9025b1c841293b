"""Our tables in PostgreSQL: how each is made, with its indexes."""

from __future__ import annotations

from snowetl.ddl import postgres as ddl
from snowetl.ddl.atomic import LOAD_TSTAMP, postgres_columns
from snowetl.load.own_tables import OwnTables
from snowetl.load.warehouse import Statement

_INDEXED = ("collector_tstamp", "derived_tstamp", "event_id", "domain_sessionid", LOAD_TSTAMP)
"""Columns of events that have an index: those that plans of the documented questions use, on millions of events."""
_MANIFEST = """
CREATE TABLE IF NOT EXISTS {schema}.manifest (
    "base" VARCHAR(512) NOT NULL PRIMARY KEY,
    "types" TEXT NOT NULL,
    "shredding_started" TIMESTAMP NOT NULL,
    "shredding_completed" TIMESTAMP NOT NULL,
    "min_collector_tstamp" TIMESTAMP NULL,
    "max_collector_tstamp" TIMESTAMP NULL,
    "ingestion_tstamp" TIMESTAMP NOT NULL,
    "compression" VARCHAR(16) NOT NULL,
    "processor_artifact" VARCHAR(64) NOT NULL,
    "processor_version" VARCHAR(32) NOT NULL,
    "count_good" INT NULL,
    "run_identity" VARCHAR(64) NULL,
    "bad_rows" BIGINT NULL
)"""
"""``bad_rows``: how many were loaded with the run; null where that is not known."""
_REJECTED_ROWS = """
CREATE TABLE IF NOT EXISTS {schema}.rejected_rows (
    "base" TEXT NOT NULL,
    "table_name" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "line" TEXT NOT NULL,
    "model" TEXT NULL,
    "columns" TEXT NULL,
    "rejected_tstamp" TIMESTAMP NULL
)"""
OWN_TABLES = OwnTables(
    create={
        "manifest": _MANIFEST,
        "rejected_rows": _REJECTED_ROWS,
        "rejected_values": ddl.create_rejected_values("{schema}"),
    },
    added={
        "manifest": {"run_identity": "VARCHAR(64)", "bad_rows": "BIGINT"},
        "rejected_rows": {"model": "TEXT", "columns": "TEXT", "rejected_tstamp": "TIMESTAMP"},
    },
)


def create_events(schema: str, table: str, partitioned: bool) -> list[Statement]:
    """A table of events and its indexes. A ``partitioned`` one has no partitions yet: the copies of rows make them."""
    columns = [
        f"    {column.name} {column.type}{' NOT NULL' if column.not_null else ''}" for column in postgres_columns()
    ]
    columns.append(f"    {LOAD_TSTAMP} timestamp")
    name = f"{schema}.{table}"
    parts = ddl.partition_by("collector_tstamp") if partitioned else ""
    return [
        Statement(f"create {name}", f"CREATE TABLE IF NOT EXISTS {name} (\n" + ",\n".join(columns) + f"\n){parts}"),
        *(
            Statement(f"index {name}", f"CREATE INDEX IF NOT EXISTS {table}_{column}_idx ON {name} ({column})")
            for column in _INDEXED
        ),
    ]
