"""``snowetl doctor``: would a run of these settings find all it needs?"""

from __future__ import annotations

import click

from snowetl.cli import console
from snowetl.cli.verb import verb
from snowetl.orchestrator.settings import RunSettings

EXAMPLES = (
    """
snowetl doctor --config snowetl.yml""",
    """
snowetl doctor -i s3://logs/2026-03-05/ -f thrift -o s3://lake --iglu-config resolver.json""",
)


@verb(
    RunSettings,
    section="run",
    preflight=False,
    examples=EXAMPLES,
    exit_codes={0: "a run would find everything it needs", 2: "something is missing; each thing is named"},
)
def command(settings: RunSettings) -> None:
    """Check everything that a run needs: packages, configuration, registries, buckets, rights, space, warehouse.

    Takes the options of `snowetl run`, also from its snowetl.yml. Starts no run and leaves nothing behind.
    """
    from snowetl.orchestrator.doctor import examine

    failed = False
    for finding in examine(settings):
        failed |= finding.error is not None
        console.show(f"{'FAIL' if finding.error else 'ok  '}  {finding.name:<13}  {finding.note}")
    if failed:
        raise click.exceptions.Exit(2)
