"""The settings of ``snowetl export cube``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snowetl.analytics.cube import USUAL, CubeShape
from snowetl.errors import ConfigError
from snowetl.load.target import Target
from snowetl.load.warehouses import SCHEMES
from snowetl.settings import Location, Text, flag, option
from snowetl.steps.settings import IO, ROWS, WAREHOUSE, Loading, SomeRuns, Speaking
from snowetl.storage.base import scheme_of


@dataclass(frozen=True, kw_only=True)
class CubeSettings(SomeRuns, Speaking):
    """Which events are counted, by what, and where the table goes."""

    input_folder: tuple[str, ...] = option(
        "-i",
        "--input-folder",
        kind=Location("FOLDER|FILE|GLOB"),
        multiple=True,
        default=(),
        default_help="none: events of a warehouse, see --warehouse",
        help="Enriched events: a folder of runs, a run folder, files. May be given several times.",
        group=IO,
    )
    warehouse: str | None = option(
        "--warehouse",
        kind=Text("KIND"),
        default=None,
        default_help="the kind that --database names; none with --input-folder",
        help="Count the events of a warehouse: postgres, duckdb, delta, iceberg, clickhouse, bigquery.",
        group=WAREHOUSE,
    )
    database: str | None = option(
        "--database",
        kind=Text("URL"),
        default=None,
        default_help="postgres, duckdb: the embedded one, see --data-folder",
        help="Connection URL, as for `snowetl load`.",
        group=WAREHOUSE,
        secret=True,
    )
    data_folder: Path = Loading.field("data_folder")
    schema: str = Loading.field("schema")
    table: str = option(
        "--table", choices=("events", "failed_events"), default="events", help="Table of events.", group=WAREHOUSE
    )
    cube: str = option(
        "--cube",
        kind=Text("DIMENSION,…"),
        help="Dimensions: day, hour, month, app, platform, event, host, page, title, referrer, channel, "
        "campaign, source, medium, country, city, browser, os, device, language.",
        group=ROWS,
    )
    measures: str = option(
        "--measures",
        kind=Text("MEASURE,…"),
        default=",".join(USUAL),
        help="Measures: events, page_views, page_pings, transactions, sessions, users.",
        group=ROWS,
    )
    totals: bool = flag(
        "--totals",
        help="Add rows for all values ('(all)') of each dimension and of each combination. Sessions and users "
        "cannot be summed from the other rows.",
        group=ROWS,
    )
    to: str = option("--to", choices=("csv", "xlsx", "parquet"), default="csv", help="Format of the file.", group=IO)
    output: str | None = option(
        "-o",
        "--output",
        kind=Location("FILE"),
        default=None,
        default_help="standard output, for csv",
        help="The file: local, s3:// or hdfs://. An existing file is replaced.",
        group=IO,
    )

    @property
    def shape(self) -> CubeShape:
        """Raises ``ConfigError``."""
        return CubeShape.parse(_names(self.cube), _names(self.measures), self.totals)

    @property
    def target(self) -> Target | None:
        """The warehouse whose events are counted; ``None``: those of folders. Raises ``ConfigError``."""
        kind = self.warehouse
        if kind is None and self.database is not None:
            kind = SCHEMES.get(scheme_of(self.database), "postgres")
        if (kind is None) != bool(self.input_folder):
            raise ConfigError("events of a folder (--input-folder) or of a warehouse (--warehouse): name one of them")
        if kind is None:
            return None
        if any(self.runs.values()):
            raise ConfigError("--since-timestamp, --since-age and --until choose runs of folders: a warehouse has all")
        return Target(warehouse=kind, database=self.database, data_folder=self.data_folder, schema=self.schema)

    @property
    def runs(self) -> dict[str, Any]:
        """Which runs, as ``read_enriched`` takes it."""
        return {"since_timestamp": self.since_timestamp, "since_age": self.since_age, "until": self.until}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
