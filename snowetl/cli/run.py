"""``snowetl run``: raw collector logs to tables, all steps as one run that can be resumed."""

from __future__ import annotations

from functools import partial

import click

from snowetl.cli import console, endings, tables
from snowetl.cli.progress import ConsoleWatch
from snowetl.cli.verb import EXIT_CODES, verb
from snowetl.errors import NothingToDo
from snowetl.orchestrator.imports.emr_etl_runner.options import ELSEWHERE
from snowetl.orchestrator.settings import RunSettings

EXAMPLES = (
    """
snowetl run -i logs -f clj-tomcat -o out --enrichments enrichments --iglu-config resolver.json --master none""",
    """
snowetl run --config snowetl.yml""",
    """
SNOWETL_DATABASE='postgresql://loader:PASSWORD@db.example.com/analytics' \\
    snowetl run -i s3://logs/2026-03-05/ -f thrift -o s3://lake --iglu-config resolver.json""",
)


@verb(
    RunSettings,
    examples=EXAMPLES,
    exit_codes=EXIT_CODES | {1: "failure: run the same command again to continue"},
    interrupted="Finished steps stay finished: run the same command again to continue the run.",
    elsewhere=ELSEWHERE,
)
def command(settings: RunSettings) -> None:
    """Turn raw collector logs into tables: enrich, transform and load as one run.

    If it is killed at any moment, the same command finishes the run. Without --run-id, it continues an unfinished
    run of the same settings; files that a run has processed are not processed again.
    """
    from snowetl.library import run

    target = str(settings.target) if "load" in settings.steps else None
    planned = tables.planned_request if settings.executor == "dry" else partial(tables.planned_run, target=target)
    try:
        report = run(settings, watch=ConsoleWatch(planned=planned))
    except NothingToDo as nothing:
        console.fail(str(nothing))
        raise click.exceptions.Exit(settings.no_data_exit_code) from None
    if report is None:
        return
    console.summarize(tables.run_report(report))
    console.summarize(f"  report  {settings.runs_folder}/run={report['run']}/report.html")
    endings.check(report)
