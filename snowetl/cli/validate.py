"""``snowetl validate``: is a snowetl.yml, with all that it names, as it should be?"""

from __future__ import annotations

import click

from snowetl.cli import console
from snowetl.cli.verb import verb
from snowetl.orchestrator.settings import RunSettings
from snowetl.settings.words import count

EXAMPLES = (
    """
snowetl validate --config snowetl.yml""",
)


@verb(
    RunSettings,
    section="run",
    preflight=False,
    examples=EXAMPLES,
    exit_codes={0: "nothing is wrong", 2: "something is wrong; each thing is named"},
)
def command(settings: RunSettings) -> None:
    """Check a snowetl.yml and every document it names, offline: for a pull request.

    Checks the resolver, enrichments, adapters, their local files, and whether the settings fit together. `snowetl
    doctor` checks what is elsewhere: buckets, registries, the warehouse. Takes the options of `snowetl run`.
    """
    from snowetl.orchestrator.validate import problems

    found = problems(settings)
    for problem in found:
        console.fail(problem)
    if found:
        console.say(f"{count(len(found), 'problem')} to mend")
        raise click.exceptions.Exit(2)
    console.summarize("nothing is wrong with these settings; `snowetl doctor` asks whether a run finds all it needs")
