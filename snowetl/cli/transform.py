"""``snowetl transform``: enriched runs to rows a warehouse can load. ``jobs/transform.py`` is the same command."""

from __future__ import annotations

from snowetl.cli import tables
from snowetl.cli.progress import ConsoleWatch
from snowetl.cli.verb import EXIT_CODES, verb
from snowetl.steps.settings import TransformSettings

EXAMPLES = (
    """
snowetl transform -i s3://lake/enriched -o s3://lake/transformed --iglu-config resolver.json""",
    """
snowetl transform -i out/enriched -o out/lake --iglu-config resolver.json \\
    --transformation widerow-parquet --master none""",
)


@verb(
    TransformSettings,
    examples=EXAMPLES,
    exit_codes=EXIT_CODES
    | {
        1: "failure: the run is not published",
        3: "nothing to do: there is no run, or every run is still being enriched",
    },
    interrupted="The run is not published: run the same command again to repeat it.",
)
def command(settings: TransformSettings) -> None:
    """Turn enriched events into rows for a warehouse: shredded, or wide.

    Transforms every run of the input that the output lacks. The last file it writes for a run is
    shredding_complete.json. A run that died is repeated.
    """
    from snowetl.library import transform

    transform(settings, watch=ConsoleWatch(tables.transform_report, tables.planned_runs))
