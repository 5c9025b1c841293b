"""What a query's rows become: JSON by the Java class a driver gives a column, keys by the configured case, entities.

Source: enrich 3.9.0 ``sqlquery.JsonOutput``, ``sqlquery.Output``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from snowetl.enrich.draft import Entity
from snowetl.jvm import jsontext
from snowetl.jvm.doubles import json_double

Row = dict[str, Any]
"""JSON values by column label."""


class RowsFault(Exception):
    """Another number of rows than was expected. The message is the reference's."""


# --- values: from the text a database prints to the text of the Java object, and to JSON ------------------------------

_DATE = re.compile(r"(\d{4,}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d\.\d{3}))?")
_STAMP = re.compile(r"(\d{4,}-\d\d-\d\d) (\d\d:\d\d)(:\d\d)(?:\.(\d{1,9}))?(?:\+00)?")


def java_timestamp(text: str) -> str:
    """``java.sql.Timestamp.toString`` in UTC: ``2016-01-07 10:10:34.0``."""
    match = _STAMP.fullmatch(text)
    if match is None:
        return text
    day, minute, second, fraction = match.groups()
    return f"{day} {minute}{second}.{(fraction or '').rstrip('0') or '0'}"


def java_local_time(text: str) -> str:
    """``java.time.LocalDateTime.toString``: no seconds where there are none, fractions of 3, 6 or 9 digits."""
    match = _STAMP.fullmatch(text)
    if match is None:
        return text
    day, minute, second, fraction = match.groups()
    digits = (fraction or "").rstrip("0")
    if digits:
        return f"{day}T{minute}{second}.{digits.ljust(-(-len(digits) // 3) * 3, '0')}"
    return f"{day}T{minute}{'' if second == ':00' else second}"


def java_time(text: str) -> str:
    """``java.sql.Time.toString``: no fractions."""
    return text.partition(".")[0] if re.fullmatch(r"\d\d:\d\d:\d\d\.\d+", text) else text


def java_decimal(text: str) -> str:
    """``BigDecimal.toString``: ``0.0000001`` is ``1E-7``."""
    try:
        return str(Decimal(text))
    except InvalidOperation:
        return text


def _float(text: str) -> Any:
    return json_double(struct.unpack("f", struct.pack("f", float(text)))[0])


def _date(text: str) -> str:
    match = _DATE.fullmatch(text)
    return f"{match[1]}T{match[2] or '00:00:00.000'}Z" if match else text


_BY_CLASS: dict[str, Callable[[str], Any]] = {
    "Integer": int,
    "Long": int,
    "Boolean": lambda text: text == "true",
    "Double": lambda text: json_double(float(text)),
    "Float": _float,
    "String": str,
    "Date": _date,
}


def to_json(java_class: str, text: str) -> Any:
    """The JSON of a Java object, given its text; that of other classes is read as JSON, else it stays text."""
    convert = _BY_CLASS.get(java_class)
    if convert is not None:
        return convert(text)
    try:
        return jsontext.loads_exact(text)
    except jsontext.JsonError:
        return text


# --- keys -----------------------------------------------------------------------------------------------------------

_LATER_WORD = re.compile("_([a-z0-9])")
_CAPITAL = re.compile("[A-Z0-9]")


def _camel(label: str) -> str:
    return _LATER_WORD.sub(lambda match: match[1].upper(), label)


def _pascal(label: str) -> str:
    camel = _camel(label)
    return camel[:1].upper() + camel[1:]


CASES: dict[str, Callable[[str], str]] = {
    "AS_IS": str,
    "CAMEL_CASE": _camel,
    "PASCAL_CASE": _pascal,
    "SNAKE_CASE": lambda label: _CAPITAL.sub(lambda match: f"_{match[0].lower()}", label),
    "LOWER_CASE": str.lower,
    "UPPER_CASE": str.upper,
}


# --- rows -----------------------------------------------------------------------------------------------------------

EXPECTED = ("EXACTLY_ONE", "AT_MOST_ONE", "AT_LEAST_ONE", "AT_LEAST_ZERO")
DESCRIBES = ("ALL_ROWS", "EVERY_ROW")


class Output(NamedTuple):
    """How many rows there must be, and what is made of them."""

    expected: str
    schema: str
    describes: str
    case: str

    def entities(self, rows: Sequence[Row]) -> list[Entity]:
        """Raises :class:`RowsFault`."""
        count = len(rows)
        if self.expected == "EXACTLY_ONE" and count != 1:
            raise RowsFault("SQL Query Enrichment: exactly one row was expected")
        if self.expected == "AT_MOST_ONE" and count > 1:
            raise RowsFault("SQL Query Enrichment: at most one row was expected")
        if self.expected == "AT_LEAST_ONE" and count == 0:
            raise RowsFault("SQL Query Enrichment: at least one row was expected. 0 given instead")
        rename = CASES[self.case]
        objects = [{rename(label): value for label, value in row.items()} for row in rows]
        if self.describes == "EVERY_ROW" or self.expected in ("EXACTLY_ONE", "AT_MOST_ONE"):
            return [self._entity(one) for one in objects]
        return [self._entity(objects)]

    def _entity(self, data: Any) -> Entity:
        return Entity(self.schema, jsontext.dumps({"schema": self.schema, "data": data}))
