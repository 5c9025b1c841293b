"""``snowetl ddl``: the tables of schemas, their migrations, and what keeps schemas from loading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from snowetl.cli import console
from snowetl.cli.verb import verb
from snowetl.steps.settings import DdlSettings

EXAMPLES = (
    """
snowetl ddl iglu:com.acme/click/jsonschema/1 --iglu-config resolver.json --dialect postgres""",
    """
snowetl ddl schemas --check --level warning""",
    """
snowetl ddl --external athena --schema snowplow s3://bucket/enriched""",
)


@verb(
    DdlSettings,
    examples=EXAMPLES,
    exit_codes={0: "done; nothing is wrong", 1: "there are errors (--check)", 2: "wrong usage or configuration"},
)
def command(settings: DdlSettings) -> None:
    """Print the DDL of tables for schemas or folders of runs, or check schemas for what will not load."""
    if settings.external is not None:
        _print_external(settings)
        return
    from snowetl.ddl import models
    from snowetl.iglu.client import IgluClient
    from snowetl.iglu.config import ResolverConfig
    from snowetl.load.wide_ddl import WIDE_DIALECTS

    given = settings.iglu_config
    client = IgluClient(ResolverConfig.default() if given is None else ResolverConfig.load(given), now=0)
    found: list[list[models.Version]] = []
    for text in settings.schemas:
        path = Path(text)
        found += models.from_files(path) if path.exists() else [models.from_registry(text, client)]
    if settings.check:
        if _check(found, settings.dialect, settings.level, settings.recovery_tables):
            raise click.exceptions.Exit(1)
        return
    if settings.dialect in WIDE_DIALECTS:
        _print_wide(settings, found)
        return
    for plain, model in zip(models.plain_names(found, settings.dialect), found, strict=True):
        how = (settings.dialect, settings.schema, settings.recovery_tables, plain)
        statements = (
            models.table_statements(model, *how)
            if settings.start is None
            else models.migration_statements(model, _version(settings.start), *how)
        )
        console.emit("".join(f"{statement};\n" for statement in statements))


def _print_wide(settings: DdlSettings, found: list[Any]) -> None:
    """The table of events that has the columns of all models: such warehouses have no others."""
    from snowetl.load.wide_ddl import statements

    for name, given in (("--from", settings.start), ("--recovery-tables", settings.recovery_tables)):
        if given:
            raise click.UsageError(
                f"{name} is for tables of entities; {settings.dialect} keeps them in columns of events"
            )
    for statement in statements(settings.dialect, settings.schema, found):
        console.emit(f"{statement};\n")


def _print_external(settings: DdlSettings) -> None:
    from snowetl.analytics.external import external_table
    from snowetl.ddl.external import ENGINES

    if len(settings.schemas) != 1:
        raise click.UsageError("--external takes one folder of runs")
    engine = ENGINES[str(settings.external)]
    table = external_table(
        settings.schemas[0],
        settings.rows,
        settings.schema,
        settings.table,
        settings.iglu_config,
        with_runs=settings.runs,
    )
    console.emit("".join(f"{statement}{engine.end}" for statement in engine.words(table)))


def _version(text: str) -> Any:
    from snowetl.model.schema import ParseError, SchemaVer

    try:
        return SchemaVer.parse(text)
    except ParseError:
        raise click.BadParameter(f"'{text}' is not a version such as 1-0-0", param_hint="--from") from None


def _check(found: list[Any], dialect: str, level: str, recovery_tables: bool) -> int:
    """Print the issues of all models from a level on; returns how many errors there are."""
    from snowetl.ddl.dialects import DIALECTS
    from snowetl.ddl.lint import ERROR, LEVELS, lint
    from snowetl.ddl.lint_model import lint_model

    printed = LEVELS[: LEVELS.index(level) + 1]
    errors = 0
    for model in found:
        by_key = {version.key.uri: lint(version.schema) for version in model}
        vendor, name, _, version = model[-1].key
        if dialect in DIALECTS:  # columns of wide rows have no model that could go wrong
            by_key[f"{vendor}/{name} {version.model}-*-*"] = lint_model(model, dialect, recovery_tables)
        for where, issues in by_key.items():
            for issue in issues:
                if issue.level in printed:
                    console.show(f"{where}: {issue}")
            errors += sum(issue.level == ERROR for issue in issues)
    return errors
