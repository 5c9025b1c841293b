"""``snowetl load``: transformed runs into a warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowetl.cli import console
from snowetl.cli.verb import EXIT_CODES, verb
from snowetl.steps.settings import LoadSettings

if TYPE_CHECKING:
    from snowetl.load.report import LoadReport

EXAMPLES = (
    """
snowetl load -i out/transformed --iglu-config resolver.json --bad-rows out/bad""",
    """
SNOWETL_DATABASE='postgresql://loader:PASSWORD@db.example.com/analytics' \\
    snowetl load -i s3://lake/transformed --iglu-config resolver.json""",
)


@verb(
    LoadSettings,
    examples=EXAMPLES,
    exit_codes=EXIT_CODES | {1: "failure: nothing of the run is visible", 3: "nothing to do: no complete run is there"},
    interrupted="Runs that were loaded stay loaded: run the same command again to load the rest.",
)
def command(settings: LoadSettings) -> None:
    """Load transformed runs into PostgreSQL or Redshift, each in one transaction and once.

    Runs that are in the warehouse already are left alone, so repeating a load is safe. Tables are made and migrated
    as the schemas ask for it.
    """
    from snowetl.errors import NothingToDo, SnowetlError, UsageError
    from snowetl.iglu.client import IgluClient
    from snowetl.iglu.config import ResolverConfig
    from snowetl.load.engine import Loader
    from snowetl.load.report import save
    from snowetl.load.run import discover, read_run
    from snowetl.load.schemas import RegistrySchemas
    from snowetl.runs.run import absolute
    from snowetl.storage import filesystem

    target = settings.target
    schemas = RegistrySchemas(IgluClient(ResolverConfig.load(settings.iglu_config), now=0))
    source = absolute(settings.input_folder)  # the manifest names runs by their folders, from wherever we are
    if not filesystem(source).exists(source):
        raise UsageError(f"--input-folder: there is no folder {settings.input_folder}")
    folders = discover(source)
    if not folders:
        raise NothingToDo(f"no complete run in {settings.input_folder}: `snowetl transform` makes them")
    bad_files = [info for pattern in settings.bad_rows for info in filesystem(pattern).list(pattern)]
    with target.open(console.say) as warehouse:
        loader = Loader(warehouse, schemas, progress=console.say)
        for folder in folders:
            report = loader.load(read_run(folder), bad_files if folder == folders[-1] else ())
            console.show(_table(report))
            if report.outcome == "loaded":
                try:
                    save(report)
                except SnowetlError as error:  # a loader needs no right to write there
                    console.warn(f"the run is loaded, but its report cannot be kept: {error}")


def _table(report: LoadReport) -> str:
    """A report as text: a line per table."""
    lines = [f"{report.base}: {report.outcome}"]
    width = max((len(table.table) for table in report.tables), default=0)
    for table in report.tables:
        notes = [table.change or "", f"{table.rejected:,} rejected" if table.rejected else ""]
        note = ", ".join(note for note in notes if note)
        lines.append(f"  {table.table:<{width}}  {table.rows:>10,} rows  {table.seconds:6.1f} s  {note}".rstrip())
    return "\n".join(lines)
