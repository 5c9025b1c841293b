"""``snowetl enrich``: raw collector logs to enriched events and bad rows. ``jobs/enrich.py`` is the same command."""

from __future__ import annotations

from snowetl.cli import tables
from snowetl.cli.progress import ConsoleWatch
from snowetl.cli.verb import EXIT_CODES, verb
from snowetl.steps.settings import EnrichSettings

EXAMPLES = (
    """
snowetl enrich -i s3://logs/2026-03-05/ -f thrift -o s3://lake/enriched -b s3://lake/bad \\
    --enrichments enrichments --iglu-config resolver.json""",
    """
snowetl enrich --config snowetl.yml --run-id 2026-03-05-01-00-00 --master none""",
)


@verb(
    EnrichSettings,
    examples=EXAMPLES,
    exit_codes=EXIT_CODES | {1: "failure: storage, registry, Spark; nothing is published"},
    interrupted="Nothing is published: run the same command again, with the same --run-id if the run has a name.",
)
def command(settings: EnrichSettings) -> None:
    """Turn raw collector logs into enriched events and bad rows.

    Writes run=<id>/ in both output folders. A finished run is left unchanged; one that died is repeated.
    """
    from snowetl.library import enrich

    enrich(settings, watch=ConsoleWatch(tables.enrich_report, tables.planned_run))
