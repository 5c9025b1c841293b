"""``snowetl load``: transformed runs into a warehouse."""

from __future__ import annotations

from snowetl.cli import tables
from snowetl.cli.progress import ConsoleWatch
from snowetl.cli.verb import EXIT_CODES, verb
from snowetl.steps.settings import LoadSettings

EXAMPLES = (
    """
snowetl load -i out/transformed --iglu-config resolver.json --bad-rows out/bad""",
    """
SNOWETL_DATABASE='postgresql://loader:PASSWORD@db.example.com/analytics' \\
    snowetl load -i s3://lake/transformed --iglu-config resolver.json""",
    """
snowetl load --retry-rejected --iglu-config resolver.json""",
)


@verb(
    LoadSettings,
    examples=EXAMPLES,
    exit_codes=EXIT_CODES | {1: "failure: nothing of the run is visible", 3: "nothing to do: there is no complete run"},
    interrupted="Runs that were loaded stay loaded: run the same command again to load the rest.",
)
def command(settings: LoadSettings) -> None:
    """Load transformed runs into a warehouse, each in one transaction and once.

    Runs that are in the warehouse are skipped, so repeating a load is safe. Tables are created and migrated as
    their schemas require. Rows that fit no table are put aside, counted and named; once the schema is fixed,
    --retry-rejected loads them.
    """
    from snowetl.library import load

    load(settings, watch=ConsoleWatch(tables.load_report, tables.planned_statements))
