"""What is done in the warehouse after the load: the settings of models, of dbt, and of steps that are asked for."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snowetl.settings import Settings, Text, option
from snowetl.settings.kinds import LocalPath
from snowetl.steps.settings import WAREHOUSE


@dataclass(frozen=True)
class Arguments(Text):
    """Arguments of another program, as a shell would read them."""

    metavar: str = "ARGUMENTS"

    def parse(self, value: Any) -> str:
        text = super().parse(value)
        try:
            shlex.split(text)
        except ValueError as error:
            raise ValueError(f"'{text}' cannot be read: {error}") from None
        return text


@dataclass(frozen=True)
class Databases(Text):
    """Addresses of databases."""

    metavar: str = "URL"

    def split(self, value: Any) -> list[Any]:
        return str(value).split()


@dataclass(frozen=True, kw_only=True)
class AfterSettings(Settings):
    """Data models that are kept up to date by each run."""

    models: Path | None = option(
        "--models",
        kind=LocalPath("FILE|FOLDER"),
        default=None,
        help="After the load, run these SQL files in the warehouse: a playbook of SQL Runner, or a folder of *.sql.",
        group=WAREHOUSE,
    )
    also_load: tuple[str, ...] = option(
        "--also-load",
        kind=Databases(),
        multiple=True,
        default=(),
        secret=True,
        help="Load each run into this database as well: a URL as for --database, followed by #SCHEMA if its "
        "schema differs from --schema. May be given several times.",
        group=WAREHOUSE,
    )
    dbt: Path | None = option(
        "--dbt",
        kind=LocalPath("FOLDER"),
        default=None,
        help="After the load, and after --models, build this dbt project in the warehouse.",
        group=WAREHOUSE,
    )
    dbt_args: str = option(
        "--dbt-args",
        kind=Arguments(),
        default="build",
        help="Arguments of dbt: a command (build, run, test, …), its options, or both: 'run --select web+'.",
        group=WAREHOUSE,
    )
    dbt_schema: str = option(
        "--dbt-schema",
        kind=Text("SCHEMA"),
        default="derived",
        help="The schema in which dbt creates its tables, if the project has no profiles.yml of its own.",
        group=WAREHOUSE,
    )
    dbt_command: str = option(
        "--dbt-command",
        kind=Text("PROGRAM"),
        default="dbt",
        help="The dbt program: a path, or a name on PATH.",
        group=WAREHOUSE,
    )
