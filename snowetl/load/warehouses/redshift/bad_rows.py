"""Bad rows in Redshift: the table of :mod:`snowetl.load.bad_rows`, whose JSON is ``SUPER``, copied from S3."""

from __future__ import annotations

TABLE = "bad_rows"
STAGE = "snowetl_bad_rows"
CREATE = """
CREATE TABLE IF NOT EXISTS {schema}.bad_rows (
    "base" VARCHAR(512) ENCODE ZSTD NOT NULL,
    "type" VARCHAR(128) ENCODE ZSTD NOT NULL,
    "schema" VARCHAR(512) ENCODE ZSTD NULL,
    "failure_tstamp" TIMESTAMP ENCODE ZSTD NULL,
    "processor" VARCHAR(1024) ENCODE ZSTD NULL,
    "failure" SUPER ENCODE ZSTD NULL,
    "payload" SUPER ENCODE ZSTD NULL
)
DISTSTYLE EVEN
SORTKEY (failure_tstamp)"""
CREATE_STAGE = f"CREATE TEMPORARY TABLE {STAGE} (line SUPER)"
DROP_STAGE = f"DROP TABLE {STAGE}"
_TIME = 'b.line.data.failure."timestamp"::VARCHAR'
_SCHEMA = 'b.line."schema"::VARCHAR'
INSERT = (
    'INSERT INTO {schema}.bad_rows ("base", "type", "schema", "failure_tstamp", "processor", "failure", '
    '"payload") SELECT {base}, '
    f"COALESCE(NULLIF(LEFT(SPLIT_PART({_SCHEMA}, '/', 2), 128), ''), 'unreadable'), LEFT({_SCHEMA}, 512), "
    f"CASE WHEN {_TIME} ~ '^[0-9]{{{{4}}}}-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]([.][0-9]+)?Z$' "
    f"THEN CAST(REPLACE(REPLACE({_TIME}, 'T', ' '), 'Z', '') AS TIMESTAMP) END, "
    "LEFT(b.line.data.processor.artifact::VARCHAR || ' ' || b.line.data.processor.version::VARCHAR, 1024), "
    "b.line.data.failure, b.line.data.payload "
    f"FROM {STAGE} b"
)
"""A line that is JSON but not a bad row has the type ``unreadable``."""
