"""How a table grows into rows in Parquet: columns are added, and fields inside of columns; nothing is ever changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from snowetl.load.warehouse import AddedColumn

if TYPE_CHECKING:
    import pyarrow as pa

ELEMENT = "element"
"""What stands for the members of an array in a path."""
_HASH_DIGITS = 8


class Evolution(NamedTuple):
    """``columns``: the table's column for each of the rows'. ``added`` is what the table lacks.

    ``retyped`` are columns whose values go to one of their own, because the table's has another type: in words.
    """

    columns: Mapping[str, str]
    added: tuple[AddedColumn, ...]
    retyped: tuple[str, ...]


def evolve(present: Mapping[str, pa.DataType], rows: Mapping[str, pa.DataType]) -> Evolution:
    """What a table needs to take rows. Fields may be null in the table, whatever the rows say."""
    columns: dict[str, str] = {}
    added: list[AddedColumn] = []
    retyped: list[str] = []
    for name, raw in rows.items():
        type_ = canonical(raw)
        column = name
        found = _added(name, present, type_)
        if found is None:
            column = f"{name}_recovered_{_digest(type_)}"
            retyped.append(f"{name} has another type than the table's column: its values are in {column}")
            found = _added(column, present, type_) or []
        columns[name] = column
        added += found
    return Evolution(columns, tuple(added), tuple(retyped))


def _added(name: str, present: Mapping[str, pa.DataType], wanted: pa.DataType) -> list[AddedColumn] | None:
    """The addition to one column; ``None`` if the table's column has a type that cannot hold it."""
    if name not in present:
        return [AddedColumn((name,), wanted)]
    found: list[AddedColumn] = []
    return found if _takes((name,), canonical(present[name]), wanted, found) else None


def _takes(path: tuple[str, ...], present: pa.DataType, wanted: pa.DataType, added: list[AddedColumn]) -> bool:
    import pyarrow.types as kind

    if kind.is_struct(present) and kind.is_struct(wanted):
        there = {member.name: member.type for member in present}
        for member in wanted:
            inner = (*path, member.name)
            if member.name not in there:
                added.append(AddedColumn(inner, member.type))
            elif not _takes(inner, there[member.name], member.type, added):
                return False
        return True
    if kind.is_list(present) and kind.is_list(wanted):
        return _takes((*path, ELEMENT), present.value_type, wanted.value_type, added)
    return bool(present == wanted or _is_wider(present, wanted))


def _is_wider(present: pa.DataType, wanted: pa.DataType) -> bool:
    import pyarrow.types as kind

    if kind.is_decimal(present) and kind.is_decimal(wanted):
        return bool(present.scale == wanted.scale and present.precision >= wanted.precision)
    return bool(kind.is_int64(present) and kind.is_int32(wanted))


def canonical(type_: pa.DataType) -> pa.DataType:
    """One type for all that mean the same: times are microseconds of UTC, every field may be null."""
    import pyarrow as pa
    import pyarrow.types as kind

    if kind.is_struct(type_):
        return pa.struct([pa.field(member.name, canonical(member.type)) for member in type_])
    if kind.is_list(type_) or kind.is_large_list(type_) or kind.is_list_view(type_):
        return pa.list_(pa.field(ELEMENT, canonical(type_.value_type)))
    if kind.is_timestamp(type_):
        return pa.timestamp("us", "UTC")
    if kind.is_large_string(type_) or kind.is_string_view(type_):
        return pa.string()
    return type_


def types_of(schema: Iterable[pa.Field]) -> dict[str, pa.DataType]:
    """Columns by name."""
    return {column.name: column.type for column in schema}


def grown(present: Mapping[str, pa.DataType], added: Iterable[AddedColumn]) -> dict[str, pa.DataType]:
    """The columns of a table after what it lacks was added."""
    columns = {name: canonical(type_) for name, type_ in present.items()}
    for addition in added:
        name, *inner = addition.path
        columns[name] = _with(columns[name], inner, addition.type) if inner else addition.type
    return columns


def _with(type_: pa.DataType, path: list[str], added: pa.DataType) -> pa.DataType:
    import pyarrow as pa
    import pyarrow.types as kind

    if kind.is_list(type_):
        return pa.list_(pa.field(ELEMENT, _with(type_.value_type, path[1:], added)))
    name, *inner = path
    if not inner:
        return pa.struct([*type_, pa.field(name, added)])
    return pa.struct(_members(type_, name, inner, added))


def _members(type_: pa.DataType, name: str, path: list[str], added: pa.DataType) -> Iterator[pa.Field]:
    for member in type_:
        yield member.with_type(_with(member.type, path, added)) if member.name == name else member


def _digest(type_: pa.DataType) -> str:
    return hashlib.sha256(str(type_).encode()).hexdigest()[:_HASH_DIGITS]
