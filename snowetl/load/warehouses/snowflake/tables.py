"""Our tables in Snowflake: how each is made."""

from __future__ import annotations

from snowetl.load.own_tables import OwnTables

_MANIFEST = """
CREATE TABLE IF NOT EXISTS {schema}.manifest (
    base VARCHAR(512) NOT NULL PRIMARY KEY,
    types ARRAY NOT NULL,
    shredding_started TIMESTAMP_NTZ NOT NULL,
    shredding_completed TIMESTAMP_NTZ NOT NULL,
    min_collector_tstamp TIMESTAMP_NTZ,
    max_collector_tstamp TIMESTAMP_NTZ,
    ingestion_tstamp TIMESTAMP_NTZ NOT NULL,
    compression VARCHAR(16) NOT NULL,
    processor_artifact VARCHAR(64) NOT NULL,
    processor_version VARCHAR(32) NOT NULL,
    count_good INTEGER,
    run_identity VARCHAR(64),
    bad_rows INTEGER
)"""
_REJECTED = """
CREATE TABLE IF NOT EXISTS {schema}.rejected_rows (
    base VARCHAR(512) NOT NULL,
    table_name VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    line VARCHAR,
    model VARCHAR NOT NULL,
    columns VARCHAR NOT NULL,
    rejected_tstamp TIMESTAMP_NTZ NOT NULL
)"""
_BAD_ROWS = """
CREATE TABLE IF NOT EXISTS {schema}.bad_rows (
    base VARCHAR(512) NOT NULL,
    type VARCHAR(128) NOT NULL,
    "SCHEMA" VARCHAR(512),
    failure_tstamp TIMESTAMP_NTZ,
    processor VARCHAR(1024),
    failure VARIANT,
    payload VARIANT
)"""
_LOCK = "CREATE TABLE IF NOT EXISTS {schema}.loader_lock AS SELECT SYSDATE() AS taken_tstamp"
"""With its one row from the start: of two loaders that make it, one does."""
OWN_TABLES = OwnTables(
    create={"manifest": _MANIFEST, "rejected_rows": _REJECTED, "bad_rows": _BAD_ROWS, "loader_lock": _LOCK},
    added={"manifest": {"run_identity": "VARCHAR(64)", "bad_rows": "INTEGER"}},
)
