"""``snowetl ddl``: the tables of schemas, their migrations, and what keeps schemas from loading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from snowetl.cli import console
from snowetl.cli.options import Document, config_option


@click.command()
@click.argument("schemas", nargs=-1, required=True, metavar="SCHEMA...")
@click.option("--iglu-config", type=Document(), help="Iglu resolver configuration. Default: our own schemas.")
@config_option
@click.option("--dialect", type=click.Choice(["redshift", "postgres"]), default="redshift", show_default=True)
@click.option("--schema", default="atomic", show_default=True, help="Database schema of the tables.")
@click.option("--from", "start", metavar="VERSION", help="Print the migration from this version, such as 1-0-0.")
@click.option("--check", is_flag=True, help="Print nothing but what is wrong with the schemas.")
def command(
    schemas: tuple[str, ...], iglu_config: Any, dialect: str, schema: str, start: str | None, check: bool
) -> None:
    """Print the tables of schemas as SQL, or check schemas for what will not load.

    SCHEMA is a model (iglu:com.acme/event/jsonschema/1), a version of one, a schema file, or a folder of them.

    Exit codes: 0 done (nothing wrong), 1 something is wrong (--check), 2 wrong usage.
    """
    from snowetl.ddl import models
    from snowetl.iglu.client import IgluClient
    from snowetl.iglu.config import ResolverConfig

    resolver = ResolverConfig.default() if iglu_config is None else ResolverConfig.load(iglu_config)
    client = IgluClient(resolver, now=0)
    found: list[list[models.Version]] = []
    for text in schemas:
        path = Path(text)
        found += models.from_files(path) if path.exists() else [models.from_registry(text, client)]
    if check:
        if _check(found, dialect):
            raise click.exceptions.Exit(1)
        return
    for model in found:
        statements = (
            models.table_statements(model, dialect, schema)
            if start is None
            else models.migration_statements(model, _version(start), dialect, schema)
        )
        console.show("".join(f"{statement};\n" for statement in statements))


def _version(text: str) -> Any:
    from snowetl.model.schema import ParseError, SchemaVer

    try:
        return SchemaVer.parse(text)
    except ParseError:
        raise click.BadParameter(f"'{text}' is no version such as 1-0-0", param_hint="--from") from None


def _check(found: list[Any], dialect: str) -> int:
    """Print the issues of all models; returns how many errors there are."""
    from snowetl.ddl.lint import ERROR, lint
    from snowetl.ddl.lint_model import lint_model

    errors = 0
    for model in found:
        by_key = {version.key.uri: lint(version.schema) for version in model}
        vendor, name, _, version = model[-1].key
        by_key[f"{vendor}/{name} {version.model}-*-*"] = lint_model(model, dialect)
        for where, issues in by_key.items():
            for issue in issues:
                console.show(f"{where}: {issue}")
            errors += sum(issue.level == ERROR for issue in issues)
    return errors
