"""Rows as RDB Loader's transformer writes them, for Redshift's ``COPY`` (RDB Loader 5.6.3 ``EventUtils``).

A cell differs from RDB Loader's only where ``COPY`` would refuse the row or read another value. What a column cannot
hold is left out of its row; that, and what ``COPY`` will cut, stands in ``rejected_values``, in a folder of its own
that no message names: RDB Loader does not see it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter

from snowetl.ddl import redshift
from snowetl.ddl.atomic import redshift_columns
from snowetl.ddl.cells import NULL, Unfit, Write
from snowetl.ddl.families import ALL, Recovery, merged_columns
from snowetl.ddl.redshift_cells import cut, escape, without_nul, writers
from snowetl.ddl.tables import Column, text_length
from snowetl.jvm.json_number import JsonNumber
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaKey
from snowetl.transform.cells import extractor, values
from snowetl.transform.entity import ParsedEntity
from snowetl.transform.event import ATOMIC, ATOMIC_COLUMNS, Event, atomic
from snowetl.transform.layouts.base import AddRows
from snowetl.transform.layouts.entity_cells import EntityCells
from snowetl.transform.layouts.rejected import RejectedValues, rejected_table
from snowetl.transform.rows import TSV, RowTable, ShreddedRow
from snowetl.transform.schemas import Failure, Schemas, Sharing

_EVENTS = RowTable(ATOMIC.vendor, ATOMIC.name, ATOMIC.version.model, TSV)
_LONGEST_TEXT = f"VARCHAR({redshift.MAX_VARCHAR})"
_REJECTED = RejectedValues(rejected_table(TSV), lambda text: cut(_LONGEST_TEXT, escape(text)))
_LONGEST_ROW = 4_000_000
"""Bytes of the longest row that ``COPY`` reads."""
_SURELY_SHORTER = _LONGEST_ROW // 4
"""Characters of a row that need not be counted in bytes."""


class RedshiftRows:
    """Tab-separated rows: null is empty for ``events``, ``\\N`` for entities; nothing is escaped."""

    def __init__(self, schemas: Schemas, recovery: Recovery = Recovery()) -> None:  # noqa: B008  # immutable
        self._schemas = schemas
        self._recovery = recovery

    def add_event(self, event: Event, rows: list[ShreddedRow]) -> Failure | None:
        """Append the event's row. An event without a time that Redshift's users can read is refused as a whole."""
        line = event.row()
        rejected: list[ShreddedRow] = []
        if not _fits(event, line):
            columns = list(event.columns)
            failure = _fit(event, columns, rejected)
            if failure is not None:
                return failure
            line = "\t".join(atomic(columns))
            if len(line) > _SURELY_SHORTER:
                line = "\t".join([cut(_TYPES[index].upper(), columns[index]) for index in ATOMIC_COLUMNS])
        rows.append(ShreddedRow(_EVENTS, line if event.clean else without_nul(line)))
        rows += rejected
        return None

    def entities(self, key: SchemaKey) -> AddRows | Failure:
        found = self._schemas.sharing(key, self._recovery, "redshift")
        if isinstance(found, Failure):
            return found
        columns: Sequence[Column] = redshift.row_columns(found.schemas)
        if found.versions != ALL:
            columns = merged_columns(columns)
        return _add_rows(key, columns, found)


# --- events ---------------------------------------------------------------------------------------------------------

_TYPES = {INDEX[column.name]: column.type for column in redshift_columns()}
_TEXTS = {
    index: writers(type_.upper()).plain for index, type_ in _TYPES.items() if type_.startswith(("varchar", "char"))
}
_SIZES = {index: text_length(_TYPES[index].upper()) or 0 for index in _TEXTS}
_DOUBLES = {index: writers("DOUBLE PRECISION").any for index, type_ in _TYPES.items() if type_ == "double precision"}
_MONEY = {index: writers("DECIMAL (18, 2)").any for index, type_ in _TYPES.items() if type_ == "dec(18,2)"}
_doubles, _money = itemgetter(*_DOUBLES), itemgetter(*_MONEY)


def _pattern(type_: str) -> bytes:
    length = text_length(type_.upper())
    characters = rb"[^\t\x80-\xff]" if type_.startswith("char") else rb"[^\t]"
    return characters + (b"*+" if length is None else b"{0,%d}+" % length)


_TEXTS_FIT = re.compile(b"\t".join(_pattern(column.type) for column in redshift_columns())).fullmatch
"""Matches a row, as bytes, of which ``COPY`` takes every text uncut."""
_PLAIN_MONEY = re.compile(r"(?:\t|-?[0-9]{1,16}(?:\.[0-9]{1,2})?(?=\t|$))*+").fullmatch


def _fits(event: Event, row: str) -> bool:
    """Whether ``COPY`` takes the event's row as it is."""
    if event.ordinary and event.clean and row.isascii():
        return True
    if event.exact or NULL in row or not _TEXTS_FIT(row.encode("utf-8", "replace")):
        return False
    return event.ordinary or not _has_strange_numbers(event)


def _has_strange_numbers(event: Event) -> bool:
    """Whether there is money of an unusual spelling, or a double with an exponent."""
    return not _PLAIN_MONEY("\t".join(_money(event.columns))) or "E" in "".join(_doubles(event.columns))


def _fit(event: Event, columns: list[str], rejected: list[ShreddedRow]) -> Failure | None:
    """Make of an event's texts what ``COPY`` takes; what is left out, or will be cut, is noted."""
    failure = _REJECTED.clear_strange_times(event, columns, rejected)
    if failure is not None:
        return failure
    for index, write in _TEXTS.items():
        text = columns[index]
        if text == NULL:
            rejected.append(_REJECTED.of_event(event, index, r"\N is NULL", text))
        elif text and not (text.isascii() and len(text) <= _SIZES[index]):
            _replace(event, columns, index, write, text, rejected)
    for index, write in (*_DOUBLES.items(), *_MONEY.items()):
        if columns[index]:
            _replace(event, columns, index, write, JsonNumber(columns[index]), rejected)
    return None


def _replace(
    event: Event, columns: list[str], index: int, write: Write, value: object, rejected: list[ShreddedRow]
) -> None:
    try:
        columns[index] = write(value)
    except Unfit as unfit:
        columns[index] = "" if unfit.cell == NULL else unfit.cell
        rejected.append(_REJECTED.of_event(event, index, unfit.reason, value))


# --- entities -------------------------------------------------------------------------------------------------------


def _add_rows(key: SchemaKey, properties: Sequence[Column], sharing: Sharing) -> AddRows:
    """Where some versions have tables of their own, each has a folder of its own, as in RDB Loader 6."""
    version = sharing.version
    place = "" if sharing.versions == ALL else f"revision={version.revision}/addition={version.addition}"
    table = RowTable(key.vendor, key.name, version.model, TSV, (), place, sharing.versions)
    columns = extractor([column.path or () for column in properties])
    cells_of = EntityCells(key, properties, writers, _REJECTED)

    def add(entity: ParsedEntity, event: Event, rows: list[ShreddedRow]) -> None:
        cells, rejected = cells_of.of(entity, event)
        row = cells_of.row(event, cells)
        if len(row) > _SURELY_SHORTER:
            found = values(columns, entity.data)
            rejected = [*rejected, *_shorten(key.uri, properties, cells, found, event)]
            row = cells_of.row(event, cells)
        rows.append(ShreddedRow(table, without_nul(row)))
        if rejected:
            rows += rejected

    return add


def _shorten(
    uri: str, properties: Sequence[Column], cells: list[str], found: Sequence[object], event: Event
) -> list[ShreddedRow]:
    """Make a row as short as ``COPY`` reads it: cells as they will be cut, the longest left out. Gives those."""
    cells[:] = [cut(column.type, text) for column, text in zip(properties, cells, strict=True)]
    sizes = [len(text.encode("utf-8", "replace")) + 1 for text in cells]
    left_out = []
    while sum(sizes) > _LONGEST_ROW - redshift.MAX_VARCHAR:
        place = sizes.index(max(sizes))
        left_out.append(_REJECTED.row(event, uri, properties[place].name, "its row has no room", found[place]))
        cells[place], sizes[place] = NULL, len(NULL) + 1
    return left_out
