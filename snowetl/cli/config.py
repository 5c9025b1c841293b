"""``snowetl config``: what a snowetl.yml may hold, for editors and for the docs."""

from __future__ import annotations

import json
from pathlib import Path

import click

from snowetl.cli import console
from snowetl.cli.verbs import settings_of_all


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Describe snowetl.yml: its JSON Schema for editors, the option tables of the docs."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@command.command()
def schema() -> None:
    """Print the JSON Schema of snowetl.yml.

    With it an editor completes and checks the file: save it as snowetl.schema.json, and begin the YAML with
    `# yaml-language-server: $schema=snowetl.schema.json`.
    """
    from snowetl.settings.schema import json_schema

    console.emit_json(json.dumps(json_schema(settings_of_all()), indent=2))


@command.command()
@click.argument("pages", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
def tables(pages: tuple[Path, ...]) -> None:
    """Update the option tables of Markdown pages.

    A table stands between `<!-- options: VERB -->` and `<!-- end of options -->`.
    """
    from snowetl.settings.docs import with_tables
    from snowetl.steps.settings import GROUPS

    for page in pages:
        before = page.read_text("utf-8")
        after = with_tables(before, settings_of_all(), GROUPS)
        if after != before:
            page.write_text(after, "utf-8")
            console.say(f"{page} is brought up to date")
