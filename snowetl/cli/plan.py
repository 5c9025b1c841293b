"""``snowetl plan``: what a run would do, and why."""

from __future__ import annotations

from snowetl.cli import console, tables
from snowetl.cli.verb import EXIT_CODES, verb
from snowetl.jvm import jsontext
from snowetl.orchestrator.settings import PlanSettings

EXAMPLES = (
    """
snowetl plan --config snowetl.yml""",
    """
snowetl plan --config snowetl.yml --as-json | jq .inputs""",
)


@verb(PlanSettings, section="run", examples=EXAMPLES, exit_codes=EXIT_CODES | {0: "there is something to do"})
def command(settings: PlanSettings) -> None:
    """Show what `snowetl run` would do: which run, which files, which steps, and why. Nothing is written.

    Takes the options of `snowetl run`, also from its snowetl.yml. Times are estimates from the last runs.
    """
    from snowetl.orchestrator import driver

    plan = driver.plan(settings)
    if settings.as_json:
        console.emit(jsontext.dumps(plan.to_json()))
    else:
        console.show(tables.planned_pipeline(plan))
