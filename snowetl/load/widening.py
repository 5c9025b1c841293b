"""An ``events`` table that is narrower than its rows: its texts are widened, where the server lets them be."""

from __future__ import annotations

from collections.abc import Sequence

from snowetl.ddl.tables import Column, Table, from_catalog, text_length
from snowetl.load.plan import ATOMIC_KEY, Request
from snowetl.load.run import RowFolder
from snowetl.load.warehouse import NO_CHANGE, Statement, TableChange
from snowetl.model.fields import LATER_LENGTHS


def widened(request: Request, table: str, folders: Sequence[RowFolder]) -> tuple[TableChange, str | None]:
    """The change and what the report says of it.

    Rows that tell their types need no more than these; others may be as long as any release of the reference lets
    texts be. Each statement is optional: a view, or the encoding of a column of Redshift, may forbid it. The table is
    taken as it is then, and texts are cut to its columns.
    """
    present = request.tables.columns.get(table, {})
    columns = []
    for name in LATER_LENGTHS:
        length = max((_length(folder, name) for folder in folders), default=0)
        held = present.get(name)
        narrow = None if held is None else text_length(from_catalog(held.type))
        if held is not None and narrow is not None and narrow < length:
            columns.append(Column(name, f"VARCHAR({length})", held.not_null, None, "ZSTD"))
    if not columns:
        return NO_CHANGE, None
    warehouse = request.warehouse
    made = warehouse.dialect.alter(warehouse.schema, table, ATOMIC_KEY, present, Table(tuple(columns)))
    what = f"alter {warehouse.schema}.{table}"

    def statements(texts: Sequence[str]) -> tuple[Statement, ...]:
        return tuple(Statement(what, sql, optional=True) for sql in texts if sql.startswith("ALTER"))

    change = TableChange(statements(made.before), statements(made.inside), None)
    return change, f"{', '.join(column.name for column in columns)} widened"


def _length(folder: RowFolder, column: str) -> int:
    """Characters that the rows of a folder may have in a column."""
    if folder.columns is None:
        return LATER_LENGTHS[column]
    return max((text_length(each.type) or 0 for each in folder.columns if each.name == column), default=0)
