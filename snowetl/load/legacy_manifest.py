"""The manifest of loaders before RDB Loader 1.0 (0.1.0 of its table): it knew runs by their time, and not by their
folder. It is kept under another name, as RDB Loader keeps it.
"""

from __future__ import annotations

from dataclasses import replace

from snowetl.load import manifest
from snowetl.load.warehouse import Statement, Tables

TABLE = "manifest_legacy"
_COLUMNS = frozenset(("etl_tstamp", "commit_tstamp", "event_count", "shredded_cardinality"))


def is_there(tables: Tables) -> bool:
    """Whether the table ``manifest`` is one of that kind."""
    return set(tables.columns.get(manifest.TABLE, ())) == _COLUMNS


def renamed(schema: str, tables: Tables) -> tuple[list[Statement], Tables]:
    """What renames it, where it is there, and the tables as they are afterwards."""
    if not is_there(tables):
        return [], tables
    sql = f"ALTER TABLE {schema}.{manifest.TABLE} RENAME TO {TABLE}"
    rest = {table: comment for table, comment in tables.comments.items() if table != manifest.TABLE}
    return [Statement(f"rename {schema}.{manifest.TABLE}", sql)], replace(tables, comments=rest)
