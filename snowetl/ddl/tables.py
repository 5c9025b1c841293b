"""What a dialect says of the table of a schema's model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from snowetl.ddl.flat import Path
from snowetl.ddl.schema import Schema
from snowetl.model.schema import SchemaKey


class Column(NamedTuple):
    """One column. ``path`` leads to its property; ``None`` where the column is not that of one property.

    ``encoding`` is the compression of a warehouse that stores by column.
    """

    name: str
    type: str
    not_null: bool
    path: Path | None = None
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The table of a model.

    ``columns`` are those of its properties, in the order of the rows. ``overflow`` names the properties that have no
    column of their own, because there are too many: their values stand in the last column, a JSON object by name.
    ``row_limit`` is set where a row could be too big for the warehouse: the bytes its cells may take together.
    """

    columns: tuple[Column, ...]
    overflow: tuple[Column, ...] = ()
    row_limit: int | None = None

    def held(self) -> dict[str, Held]:
        """The columns of properties there are once the table is made."""
        return {column.name: Held(column.type, column.not_null) for column in self.columns}


class Held(NamedTuple):
    """A column of a table there is: its type as the warehouse prints it."""

    type: str
    not_null: bool


_PRINTED = {
    "character varying": "VARCHAR",
    "character": "CHAR",
    "timestamp without time zone": "TIMESTAMP",
}
_SIZED = re.compile(r"(character varying|character)\((\d+)\)")


def from_catalog(printed: str) -> str:
    """A type as ``format_type`` prints it, in our words: ``character varying(10)`` -> ``VARCHAR(10)``."""
    sized = _SIZED.fullmatch(printed)
    if sized:
        return f"{_PRINTED[sized[1]]}({sized[2]})"
    return "TEXT" if printed == "character varying" else _PRINTED.get(printed, printed.upper())


def text_length(type_: str) -> int | None:
    """Characters a VARCHAR or CHAR holds; ``None`` for any other type."""
    return int(type_[type_.index("(") + 1 : -1]) if type_.startswith(("VARCHAR(", "CHAR(")) else None


class NoTable(NamedTuple):
    """Why a model cannot have a table, in words for people."""

    reason: str


class Alterations(NamedTuple):
    """Statements that bring a table to what is wanted: ``before`` outside any transaction, ``inside`` in the load's."""

    before: list[str]
    inside: list[str]


class Create(Protocol):
    """The statements that make a model's table. ``events`` is the table of the events its rows belong to."""

    def __call__(self, schema: str, name: str, table: Table, key: SchemaKey, events: str = "events") -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """One warehouse's SQL about tables of entities. All functions are pure.

    ``table`` takes all versions of a model in publishing order. ``create`` gives the statements that make a table of
    that name in a schema, commented with the last version's key. ``alter`` gives those that add to and widen a table
    there is, from the columns it has now: nothing is ever dropped.
    """

    name: str
    max_identifier: int
    """Longest name, in bytes of UTF-8."""
    table: Callable[[Sequence[Schema]], Table | NoTable]
    create: Create
    alter: Callable[[str, str, SchemaKey, Mapping[str, Held], Table], Alterations]
