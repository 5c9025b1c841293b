"""``snowetl init``: the first files of a pipeline."""

from __future__ import annotations

from snowetl.cli import console
from snowetl.cli.verb import verb
from snowetl.orchestrator.verb_settings import InitSettings

EXAMPLES = (
    """
snowetl init shop -i s3://logs/ -f thrift -o s3://lake --warehouse redshift""",
    """
snowetl init && snowetl validate --config snowetl.yml""",
)


@verb(
    InitSettings,
    preflight=False,
    examples=EXAMPLES,
    exit_codes={0: "written", 2: "a file exists already, or an option is wrong; nothing was written"},
)
def command(settings: InitSettings) -> None:
    """Write a commented snowetl.yml, a resolver.json and a folder of enrichments as a start."""
    from snowetl.orchestrator import init

    for path in init.write(settings):
        console.say(f"written: {path}")
    console.summarize(
        f"Next: look through {settings.folder}/{init.SETTINGS}, then, in that folder: "
        f"snowetl validate --config {init.SETTINGS}"
    )
