"""An ``events`` table that Snowplow's loaders or earlier releases made: columns that came with the years are added, and
texts widened, if the server lets us.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from snowetl.ddl.atomic import COLUMNS_OF, LOAD_TSTAMP
from snowetl.ddl.tables import Column, Held, Table, from_catalog, text_length
from snowetl.load.plan import ATOMIC_KEY, Request
from snowetl.load.run import RowFolder
from snowetl.load.warehouse import NO_CHANGE, Statement, TableChange
from snowetl.model.fields import LATER_LENGTHS


def widened(request: Request, table: str, folders: Sequence[RowFolder]) -> tuple[TableChange, str | None]:
    """The change and what the report says of it.

    Rows that tell their types need no more than these; others may be as long as any release of the reference lets
    texts be. Each statement is optional: a view, or the encoding of a column of Redshift, may forbid it. The table is
    taken as it is then: texts are cut to its columns, and events come without ``load_tstamp``; without another column
    they do not come.
    """
    present = request.tables.columns.get(table, {})
    warehouse = request.warehouse
    absent = _absent(present, warehouse.dialect.name) if present else []
    before: list[Statement] = []
    inside: list[Statement] = []
    notes: list[str] = []
    added = [column.name for column in absent]
    if present and LOAD_TSTAMP not in present:
        inside.append(warehouse.add_load_tstamp(table, request.run.load_tstamp))
        added.append(LOAD_TSTAMP)
    if added:
        notes.append(f"{', '.join(added)} added")
    wider = _wider(present, folders)
    if wider:
        notes.append(f"{', '.join(column.name for column in wider)} widened")
    if absent or wider:
        made = warehouse.dialect.alter(warehouse.schema, table, ATOMIC_KEY, present, Table((*absent, *wider)))
        what = f"alter {warehouse.schema}.{table}"
        for statements, texts in ((before, made.before), (inside, made.inside)):
            statements += [Statement(what, sql, optional=True) for sql in texts if sql.startswith("ALTER")]
    if not notes:
        return NO_CHANGE, None
    return TableChange(tuple(before), tuple(inside), None), ", ".join(notes)


def _absent(present: Mapping[str, Held], dialect: str) -> list[Column]:
    """The columns of events that a table lacks. Those that need a value need none there: its rows have none."""
    return [
        Column(column.name, column.type.upper(), False, None, "ZSTD")
        for column in COLUMNS_OF[dialect]()
        if column.name not in present
    ]


def _wider(present: Mapping[str, Held], folders: Sequence[RowFolder]) -> list[Column]:
    """The columns that the rows need to be longer than they are."""
    columns = []
    for name in LATER_LENGTHS:
        length = max((_length(folder, name) for folder in folders), default=0)
        held = present.get(name)
        narrow = None if held is None else text_length(from_catalog(held.type))
        if held is not None and narrow is not None and narrow < length:
            columns.append(Column(name, f"VARCHAR({length})", held.not_null, None, "ZSTD"))
    return columns


def _length(folder: RowFolder, column: str) -> int:
    """Characters that the rows of a folder may have in a column."""
    if folder.columns is None:
        return LATER_LENGTHS[column]
    return max((text_length(each.type) or 0 for each in folder.columns if each.name == column), default=0)
