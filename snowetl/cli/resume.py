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
    exit_codes=EXIT_CODES | {3: "there is no unfinished run", 17: "another process is at work on the run"},
    interrupted="Finished steps stay finished: resume the run again.",
    elsewhere=ELSEWHERE | dict.fromkeys(("--skip", "--resume-from", "--include"), OF_RUN),
)
def command(settings: ResumeSettings) -> None:
    """Continue a run with the settings it was begun with. Finished steps are not repeated.

    Secrets (a database's password, keys of registries) are not kept with the run: they are read from the
    environment, as by `snowetl run`. A finished run is left unchanged.
    """
    from snowetl.orchestrator import control, driver

    entry = control.find(settings.output_folder, settings.run)
    given = control.settings_of(entry, quiet=settings.quiet, verbose=settings.verbose, log_format=settings.log_format)
    report = driver.run(given, ConsoleWatch())
    console.summarize(tables.run_report(report))
    endings.check(report)
