"""Our tables in DuckDB: how each is made."""

from __future__ import annotations

from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.load.own_tables import OwnTables

_MANIFEST = """
CREATE TABLE IF NOT EXISTS {schema}.manifest (
    "base" VARCHAR NOT NULL PRIMARY KEY,
    "types" VARCHAR NOT NULL,
    "shredding_started" TIMESTAMP NOT NULL,
    "shredding_completed" TIMESTAMP NOT NULL,
    "min_collector_tstamp" TIMESTAMP,
    "max_collector_tstamp" TIMESTAMP,
    "ingestion_tstamp" TIMESTAMP NOT NULL,
    "compression" VARCHAR NOT NULL,
    "processor_artifact" VARCHAR NOT NULL,
    "processor_version" VARCHAR NOT NULL,
    "count_good" BIGINT,
    "run_identity" VARCHAR,
    "bad_rows" BIGINT
)"""
_BAD_ROWS = """
CREATE TABLE IF NOT EXISTS {schema}.bad_rows (
    "base" VARCHAR NOT NULL,
    "type" VARCHAR NOT NULL,
    "schema" VARCHAR,
    "failure_tstamp" TIMESTAMP,
    "processor" VARCHAR,
    "failure" JSON,
    "payload" JSON
)"""
OWN_TABLES = OwnTables(
    create={"manifest": _MANIFEST, "bad_rows": _BAD_ROWS}, added={"events": {LOAD_TSTAMP: "TIMESTAMP"}}
)
