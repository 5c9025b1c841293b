"""The tables of a warehouse that are ours, beside those of entities: ``events``, the manifest, rejected rows, …"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from snowetl.load import legacy_manifest
from snowetl.load.warehouse import Statement, Tables


class OwnTables(NamedTuple):
    """How the tables are made, and brought up to date.

    ``create`` has the statements of each table, with ``{schema}`` to fill in. ``added`` has the columns, with their
    types, that tables of earlier releases and of RDB Loader lack; ``add_column`` adds one.
    """

    create: Mapping[str, str | Sequence[str]]
    added: Mapping[str, Mapping[str, str]] = {}
    add_column: str = "ADD COLUMN IF NOT EXISTS {column} {type}"

    def set_up(self, schema: str, there: Tables, create_events: Sequence[Statement]) -> list[Statement]:
        """The statements that make what is missing: the schema, ``events``, our other tables, their new columns."""
        statements, there = legacy_manifest.renamed(schema, there)
        if not there.schema_exists:
            statements.append(Statement(f"create schema {schema}", f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        if "events" not in there.comments:
            statements += create_events
        for table, given in self.create.items():
            if table not in there.comments:
                made = [given] if isinstance(given, str) else given
                statements += [Statement(f"create {schema}.{table}", sql.format(schema=schema).strip()) for sql in made]
        return statements + self._new_columns(schema, there)

    def _new_columns(self, schema: str, there: Tables) -> list[Statement]:
        return [
            Statement(
                f"alter {schema}.{table}",
                f"ALTER TABLE {schema}.{table} {self.add_column.format(column=column, type=type_)}",
            )
            for table, columns in self.added.items()
            if table in there.comments
            for column, type_ in columns.items()
            if column not in there.columns[table]
        ]
