"""``snowetl resume``: continue a run that was begun."""

from __future__ import annotations

from snowetl.cli import console, endings, tables
from snowetl.cli.progress import ConsoleWatch
from snowetl.cli.verb import EXIT_CODES, verb
from snowetl.orchestrator.imports.emr_etl_runner.options import ELSEWHERE, OF_RUN
from snowetl.orchestrator.verb_settings import ResumeSettings

EXAMPLES = (
    """
snowetl resume -o s3://lake""",
    """
snowetl resume -o s3://lake 2026-03-05-10-00-00""",
)


@verb(
    ResumeSettings,
    section="run",
    examples=EXAMPLES,
    exit_codes=EXIT_CODES | {3: "no run waits to be finished", 17: "another process is at work on the run"},
    interrupted="Steps that are done stay done: resume the run again.",
    elsewhere=ELSEWHERE | dict.fromkeys(("--skip", "--resume-from", "--include"), OF_RUN),
)
def command(settings: ResumeSettings) -> None:
    """Go on with a run, with the settings it was begun with: steps that are done are not done again.

    Secrets (a database's password, keys of registries) are not kept with the run: they are read from the environment,
    as `snowetl run` reads them. A run that is done stays as it is.
    """
    from snowetl.orchestrator import control, driver

    entry = control.find(settings.output_folder, settings.run)
    given = control.settings_of(entry, quiet=settings.quiet, verbose=settings.verbose, log_format=settings.log_format)
    report = driver.run(given, ConsoleWatch())
    console.summarize(tables.run_report(report))
    endings.check(report)
