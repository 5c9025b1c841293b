"""``snowetl load``: transformed runs into a warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from snowetl.cli import console
from snowetl.cli.options import Document, config_option

if TYPE_CHECKING:
    from snowetl.load.report import LoadReport


@click.command()
@click.option("-i", "--input-folder", required=True, help="A transformed run folder, or the folder of all of them.")
@click.option("--iglu-config", type=Document(), required=True, help="Iglu resolver configuration.")
@click.option("--warehouse", type=click.Choice(["postgres", "redshift"]), default="postgres", show_default=True)
@click.option("--database", help="Connection URL. Default for postgres: the embedded server, see --data-folder.")
@click.option("--data-folder", type=click.Path(path_type=Path), default="warehouse", show_default=True,
              help="Where the embedded PostgreSQL keeps its data.")  # fmt: skip
@click.option("--schema", default="atomic", show_default=True, help="Schema of all tables.")
@click.option("--bad-rows", multiple=True, help="Folder, file or glob of bad rows to load too (postgres).")
@click.option("--role-arn", help="redshift: role of the cluster that may read the run's files.")
@click.option("--assume-role-arn", help="redshift: role whose temporary keys COPY uses instead.")
@click.option("--region", help="redshift: region of the bucket. Default: that of the AWS configuration.")
@click.option("--max-error", type=click.IntRange(0), default=10, show_default=True, help="redshift: MAXERROR of COPY.")
@config_option
def command(input_folder: str, iglu_config: Any, bad_rows: tuple[str, ...], **target: Any) -> None:
    """Load transformed runs into PostgreSQL or Redshift, each in one transaction and once.

    Runs that are in the warehouse already are left alone, so repeating a load is safe. Tables are made and migrated
    as the schemas ask for it.

    Exit codes: 0 done, 1 failure (nothing of the run is visible), 2 wrong usage or configuration, 3 nothing to do.
    """
    from snowetl.errors import NothingToDo, SnowetlError
    from snowetl.iglu.client import IgluClient
    from snowetl.iglu.config import ResolverConfig
    from snowetl.load.engine import Loader
    from snowetl.load.report import save
    from snowetl.load.run import discover, read_run
    from snowetl.load.schemas import RegistrySchemas
    from snowetl.load.target import Target
    from snowetl.runs.run import absolute
    from snowetl.storage import filesystem

    schemas = RegistrySchemas(IgluClient(ResolverConfig.load(iglu_config), now=0))
    folders = discover(absolute(input_folder))  # the manifest names runs by their folders, from wherever we are
    if not folders:
        raise NothingToDo(f"no complete run in {input_folder}: `snowetl transform` makes them")
    bad_files = [info for pattern in bad_rows for info in filesystem(pattern).list(pattern)]
    with Target(**target).open(console.say) as warehouse:
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
