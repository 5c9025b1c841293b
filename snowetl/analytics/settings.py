"""The settings of ``snowetl export cube``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from snowetl.analytics.cube import USUAL, CubeShape
from snowetl.settings import Location, Text, flag, option
from snowetl.steps.settings import IO, ROWS, SomeRuns, Speaking


@dataclass(frozen=True, kw_only=True)
class CubeSettings(SomeRuns, Speaking):
    """Which events are counted, by what, and where the table goes."""

    input_folder: tuple[str, ...] = option(
        "-i",
        "--input-folder",
        kind=Location("FOLDER|FILE|GLOB"),
        multiple=True,
        help="Enriched events: a folder of runs, a run folder, files. May be given several times.",
        group=IO,
    )
    cube: str = option(
        "--cube",
        kind=Text("DIMENSION,…"),
        help="What is counted by: day, hour, month, app, platform, event, host, page, title, referrer, channel, "
        "campaign, source, medium, country, city, browser, os, device, language.",
        group=ROWS,
    )
    measures: str = option(
        "--measures",
        kind=Text("MEASURE,…"),
        default=",".join(USUAL),
        help="What is counted: events, page_views, page_pings, transactions, sessions, users.",
        group=ROWS,
    )
    totals: bool = flag(
        "--totals",
        help="Also count over all values of each dimension, and of any of them together: '(all)'. Sessions and users "
        "do not add up, so nobody else can.",
        group=ROWS,
    )
    to: str = option("--to", choices=("csv", "xlsx", "parquet"), default="csv", help="Kind of the file.", group=IO)
    output: str | None = option(
        "-o",
        "--output",
        kind=Location("FILE"),
        default=None,
        default_help="standard output, for csv",
        help="The file: local, s3:// or hdfs://. One that is there is replaced.",
        group=IO,
    )

    @property
    def shape(self) -> CubeShape:
        """Raises ``ConfigError``."""
        return CubeShape.parse(_names(self.cube), _names(self.measures), self.totals)

    @property
    def runs(self) -> dict[str, Any]:
        """Which runs, as ``read_enriched`` takes it."""
        return {"since_timestamp": self.since_timestamp, "since_age": self.since_age, "until": self.until}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
