"""``snowetl enrichment``: try what an enrichment is configured with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from snowetl.cli import console
from snowetl.errors import ConfigError
from snowetl.jvm import jsontext


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Test the script of a JavaScript enrichment."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@command.command()
@click.argument("script", metavar="SCRIPT", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--record",
    "records",
    multiple=True,
    metavar="RECORD|FILE[:N[-M]]",
    help="Run the script on a record, given as `snowetl explain` takes it; may be given several times.",
)
@click.option("-f", "--input-format", default="thrift", show_default=True, help="Format of the records.")
@click.option("-e", "--enrichments", help="The other enrichments, which run as they will in the job.")
@click.option("--iglu-config", help="Iglu resolver configuration, to validate what the script makes.")
def check(script: Path, records: tuple[str, ...], input_format: str, enrichments: str | None,
          iglu_config: str | None) -> None:  # fmt: skip
    """Compile SCRIPT (JavaScript, or the JSON of its configuration), list its Java classes, run it on records.

    Exit codes: 0 the script can be used, 2 it cannot.
    """
    from snowetl.steps import script_check
    from snowetl.steps.extras import check_extras
    from snowetl.steps.settings import ExplainSettings

    given = script_check.read(script)
    review, faults = script_check.review(given)
    for use in review.classes:
        if use.instead is None:
            console.show(f"line {use.line}: {use.name} is available")
    for line, text in review.warnings:
        console.show(f"line {line}: {text}")
    if faults:
        raise ConfigError("\n".join([f"{script} cannot be used:", *faults]))
    console.show(f"{script} compiles and defines process")
    for record in records:
        settings = ExplainSettings(
            record=record, input_format=input_format, enrichments=enrichments, iglu_config=iglu_config
        )
        check_extras(settings)
        for tried in script_check.tried(given, settings):
            console.show(f"\n{console.one_line(tried.place or record[:60])}")
            for changes in tried.changes:
                console.show("\n".join(_changes(changes)))
            for printed in tried.printed:
                console.show(f"   print: {console.one_line(printed)}")
            for verdict in tried.verdicts:
                console.show(f"   {console.one_line(str(verdict))}")


def _changes(changes: dict[str, Any]) -> Iterator[str]:
    if not changes:
        yield "   (nothing changes)"
    for name, value in changes.items():
        shown = "(null)" if value == "" else value if isinstance(value, str) else jsontext.dumps(value)
        yield f"   {name} = {console.one_line(shown)}"
