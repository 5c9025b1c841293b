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
    exit_codes={0: "done: a run would find all it needs", 2: "something is missing; each thing is named"},
)
def command(settings: RunSettings) -> None:
    """Check all that a run needs: packages, configuration, registries, buckets, rights, space, warehouse.

    The options are those of `snowetl run`, the keys of a snowetl.yml those for it. Nothing is begun and nothing is left
    behind.
    """
    from snowetl.orchestrator.doctor import examine

    failed = False
    for finding in examine(settings):
        failed |= finding.error is not None
        console.show(f"{'FAIL' if finding.error else 'ok  '}  {finding.name:<13}  {finding.note}")
    if failed:
        raise click.exceptions.Exit(2)
