"""What Redshift's ``COPY`` makes of a row of text, by the Amazon Redshift Database Developer Guide.

With the options RDB Loader gives it: ``TIMEFORMAT 'auto' TRUNCATECOLUMNS ACCEPTINVCHARS``, the delimiter a tab, no
``ESCAPE``, ``NULL AS`` left at ``\\N``. What the guide leaves open is taken strictly: such a cell is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import ROUND_DOWN, Context, Decimal
from typing import Any, NamedTuple

import psycopg

NULL = "\\N"
LONGEST_ROW = 4_194_304
_WHOLE = re.compile(r"[+-]?[0-9]+").fullmatch
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)").fullmatch
_DOUBLE = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?").fullmatch
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
).fullmatch
_TRUE, _FALSE = ("t", "true", "y", "yes", "1"), ("f", "false", "n", "no", "0")
_SIZED = re.compile(r"([a-z ]+)\((\d+)(?:,(\d+))?\)")
_EXACT = Context(prec=400_000)


class Refused(Exception):
    """Why a row is not loaded: the code and reason that ``STL_LOAD_ERRORS`` tells."""


class Column(NamedTuple):
    """A column of the table: its type as ``format_type`` prints it."""

    name: str
    type: str
    not_null: bool


def table_columns(connection: psycopg.Connection[Any], table: str) -> list[Column]:
    found = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [table],
    )
    return [Column(*row) for row in found.fetchall()]


def values(line: bytes, columns: Sequence[Column], fill: bool, empty_as_null: bool) -> list[str | None]:
    """The values of a row, as texts that Postgres reads. Raises :class:`Refused`."""
    if len(line) > LONGEST_ROW:
        raise Refused("1224 The row is longer than 4 MB")
    cells = line.decode("utf-8", "replace").replace("\ufffd", "?").split("\t")
    if len(cells) > len(columns):
        raise Refused("1202 Extra column(s) found")
    if len(cells) < len(columns) and not fill:
        raise Refused("1202 Delimiter not found")
    cells += [NULL] * (len(columns) - len(cells))
    return [_value(cell, column, empty_as_null) for cell, column in zip(cells, columns, strict=True)]


def _value(cell: str, column: Column, empty_as_null: bool) -> str | None:
    sized = _SIZED.fullmatch(column.type)
    kind, sizes = (sized[1], [int(size) for size in sized.groups()[1:] if size]) if sized else (column.type, [])
    is_text = kind in ("character", "character varying")
    if cell == NULL or (not cell and (empty_as_null or not is_text)):
        if column.not_null:
            raise Refused(f"1213 Missing data for not-null field {column.name}")
        return None
    return _TYPES[kind](cell, *sizes)


def _char(cell: str, length: int) -> str:
    if not cell.isascii():
        raise Refused("1220 Multibyte character not supported for CHAR (Hint: Try using VARCHAR)")
    return cell[:length].replace("\x00", "\ufffd")  # which Postgres cannot hold


def _varchar(cell: str, length: int) -> str:
    return cell.encode()[:length].decode("utf-8", "ignore").replace("\x00", "\ufffd")  # which Postgres cannot hold


def _integer(bits: int) -> Callable[[str], str]:
    def check(cell: str) -> str:
        if not _WHOLE(cell):
            raise Refused("1207 Invalid digit")
        if not -(2 ** (bits - 1)) <= int(cell) < 2 ** (bits - 1):
            raise Refused("1216 Overflow")
        return cell

    return check


def _numeric(cell: str, precision: int = 18, scale: int = 0) -> str:
    if not _DECIMAL(cell):
        raise Refused("1207 Invalid digit")
    number = Decimal(cell).quantize(Decimal(1).scaleb(-scale), ROUND_DOWN, _EXACT)
    if abs(number) >= Decimal(10) ** (precision - scale):
        raise Refused("1216 Overflow")
    return format(number, "f")


def _double(cell: str) -> str:
    if not _DOUBLE(cell):
        raise Refused("1207 Invalid digit")
    number = abs(float(cell))
    zero = not cell.lower().partition("e")[0].strip("+-0.")
    if number == float("inf") or (number < 1e-307 and not zero):
        raise Refused("1216 Overflow or underflow of a double")
    return cell


def _boolean(cell: str) -> str:
    if cell.lower() not in (*_TRUE, *_FALSE):
        raise Refused("1210 Invalid boolean")
    return str(cell.lower() in _TRUE)


def _timestamp(cell: str) -> str:
    """Its offset is dropped: the column has no time zone."""
    match = _TIMESTAMP(cell)
    if match is None:
        raise Refused("1206 Invalid timestamp format or value")
    return f"{_date(match[1])} {_clock(match[2] or '00:00:00')}"


def _clock(text: str) -> str:
    try:
        datetime.fromisoformat(f"2000-01-01 {text[:8]}")
    except ValueError:
        raise Refused("1206 Invalid timestamp format or value") from None
    return text


def _date(cell: str) -> str:
    try:
        if not _DATE(cell):
            raise ValueError
        datetime.fromisoformat(cell)
    except ValueError:
        raise Refused("1205 Invalid date format") from None
    return cell


_TYPES: dict[str, Callable[..., str]] = {
    "character": _char,
    "character varying": _varchar,
    "smallint": _integer(16),
    "integer": _integer(32),
    "bigint": _integer(64),
    "numeric": _numeric,
    "double precision": _double,
    "boolean": _boolean,
    "timestamp without time zone": _timestamp,
    "date": _date,
}
