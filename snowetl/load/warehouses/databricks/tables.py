"""Our tables in Databricks: how each is made."""

from __future__ import annotations

from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.load.own_tables import OwnTables

_MANIFEST = """
CREATE TABLE IF NOT EXISTS {schema}.manifest (
    base STRING NOT NULL,
    types STRING NOT NULL,
    shredding_started TIMESTAMP NOT NULL,
    shredding_completed TIMESTAMP NOT NULL,
    min_collector_tstamp TIMESTAMP,
    max_collector_tstamp TIMESTAMP,
    ingestion_tstamp TIMESTAMP NOT NULL,
    compression STRING NOT NULL,
    processor_artifact STRING NOT NULL,
    processor_version STRING NOT NULL,
    count_good BIGINT,
    run_identity STRING,
    bad_rows BIGINT
)
USING DELTA
TBLPROPERTIES ('delta.isolationLevel' = 'Serializable')"""
_BAD_ROWS = """
CREATE TABLE IF NOT EXISTS {schema}.bad_rows (
    base STRING NOT NULL,
    type STRING NOT NULL,
    schema STRING,
    failure_tstamp TIMESTAMP,
    processor STRING,
    failure STRING,
    payload STRING
)
USING DELTA
TBLPROPERTIES ('delta.isolationLevel' = 'Serializable')"""
OWN_TABLES = OwnTables(
    create={"manifest": _MANIFEST, "bad_rows": _BAD_ROWS},
    added={"events": {LOAD_TSTAMP: "TIMESTAMP"}, "manifest": {"run_identity": "STRING", "bad_rows": "BIGINT"}},
    add_column="ADD COLUMNS ({column} {type})",
)
TABLES = ("events", "failed_events", *OWN_TABLES.create)
