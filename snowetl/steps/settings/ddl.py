"""The settings of ``snowetl ddl``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from snowetl.settings import Text, argument, flag, option
from snowetl.steps.settings.common import Speaking
from snowetl.steps.settings.groups import CONFIGURATION, WAREHOUSE


@dataclass(frozen=True, kw_only=True)
class DdlSettings(Speaking):
    """The tables of schemas, their migrations, and what keeps schemas from loading."""

    schemas: tuple[str, ...] = argument(
        "SCHEMA...",
        multiple=True,
        help="A model (iglu:com.acme/event/jsonschema/1), a version of one, a schema file, or a folder of them; with "
        "--external, the folder of runs.",
    )
    iglu_config: Any = option(
        "--iglu-config",
        document=True,
        default=None,
        default_help="the schemas of this package",
        help="Iglu resolver configuration: a JSON file, or its text in base64.",
        group=CONFIGURATION,
    )
    dialect: str = option(
        "--dialect",
        choices=("redshift", "postgres", "snowflake", "databricks", "duckdb", "clickhouse", "bigquery"),
        default="redshift",
        help="Print the SQL of this warehouse.",
        group=WAREHOUSE,
    )
    schema: str = option("--schema", default="atomic", help="Database schema of the tables.", group=WAREHOUSE)
    start: str | None = option(
        "--from",
        kind=Text("VERSION"),
        default=None,
        help="Print the migration from this version, such as 1-0-0.",
        group=WAREHOUSE,
    )
    external: str | None = option(
        "--external",
        choices=("athena", "glue", "spectrum"),
        default=None,
        help="Print a table over a folder of runs on S3 instead: statements of Athena or Redshift Spectrum, or "
        "requests for Glue's create_table and batch_create_partition.",
        group=WAREHOUSE,
    )
    rows: str = option(
        "--rows",
        choices=("enriched", "bad", "transformed", "transformed-bad"),
        default="enriched",
        help="--external: content of the folder: enriched (or failed) events, bad rows of enrich, wide rows of "
        "transform, or its bad rows.",
        group=WAREHOUSE,
    )
    table: str = option(
        "--table", default="events", help="--external: name of the table, in the database --schema.", group=WAREHOUSE
    )
    runs: bool = flag(
        "--runs",
        help="--external: list the folder, and add its runs as partitions (transformed rows: always).",
        group=WAREHOUSE,
    )
    recovery_tables: bool = flag(
        "--recovery-tables",
        help="Give versions that break the table of their model tables of their own, as this option of `snowetl "
        "transform` does.",
        group=WAREHOUSE,
    )
    check: bool = flag("--check", help="Print only what is wrong with the schemas.", group=WAREHOUSE)
    level: str = option(
        "--level",
        choices=("info", "warning", "error"),
        default="info",
        help="--check: print issues of this level and above.",
        group=WAREHOUSE,
    )
