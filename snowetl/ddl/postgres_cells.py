"""JSON values as cells of ``COPY … FROM STDIN`` (text format), one writer a column type.

A writer raises :class:`Unfit` for a value its type cannot hold. What every text loses, since Postgres holds neither: a
NUL character becomes U+FFFD, a lone surrogate ``?``.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from math import isinf
from typing import Any

from snowetl.ddl.cells import Unfit, Write, Writers, date_text, moment
from snowetl.ddl.postgres import BIGINT_MAX, INT_MAX
from snowetl.ddl.schema import big_int
from snowetl.ddl.tables import text_length
from snowetl.jvm import jsontext
from snowetl.jvm.json_number import JsonNumber


def writers(type_: str) -> Writers:
    """The writers of a column type."""
    length = text_length(type_)
    if length is not None:
        return _limited(length)
    return _WRITERS[type_]


# --- text -----------------------------------------------------------------------------------------------------------

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": "\ufffd"})


def escape(text: str) -> str:
    """Text as a cell, so that COPY reads it back unchanged."""
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


def _as_text(value: Any) -> str:
    return value if type(value) is str else jsontext.dumps(value)


def _text(value: Any) -> str:
    return escape(_as_text(value))


def _plain_text(value: Any) -> str:
    return value if type(value) is str else escape(jsontext.dumps(value))


def _limited(length: int) -> Writers:
    def write(value: Any) -> str:
        text = _as_text(value)
        if len(text) > length:
            raise Unfit(f"longer than {length} characters", escape(text[:length]))
        return escape(text)

    def write_plain(value: Any) -> str:
        return value if type(value) is str and len(value) <= length else write(value)

    return Writers(write_plain, write)


_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch


def _uuid(value: Any) -> str:
    if type(value) is str and _UUID(value):
        return value.lower()
    raise Unfit("not a UUID")


# --- JSON -----------------------------------------------------------------------------------------------------------

_NUL_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_HUGE = re.compile(r"[eE][+-]?[0-9]{4}").search
_MOST_DIGITS, _MOST_DECIMALS = 131_072, 16_383


def _json(value: Any) -> str:
    return json_cell(jsontext.dumps(value), value)


def json_cell(text: str, value: Any) -> str:
    """JSON text of ``value`` as a cell of type JSONB."""
    if (len(text) > _MOST_DECIMALS or _HUGE(text)) and not _numbers_fit(value):
        raise Unfit("a number in it is beyond what JSONB holds")
    if "\\" in text:
        if "\\u0000" in text:
            text = _NUL_ESCAPE.sub("\\1\ufffd", text)
        text = text.replace("\\", "\\\\")
    return text


def _numbers_fit(value: Any) -> bool:
    """Whether every number in JSON is one that JSONB holds. Without recursion: events may nest deeply."""
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            pending += node.values()
        elif isinstance(node, list):
            pending += node
        elif not isinstance(node, (str, bool)) and node is not None and not _is_numeric(jsontext.dumps(node)):
            return False
    return True


def _is_numeric(text: str) -> bool:
    """Whether Postgres' NUMERIC holds a JSON number exactly."""
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        return False
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent <= _MOST_DECIMALS and max(exponent, number.adjusted()) < _MOST_DIGITS


# --- numbers and booleans -------------------------------------------------------------------------------------------


def _whole(low: int, high: int) -> Write:
    def write(value: Any) -> str:
        number = value if type(value) is int else big_int(value)
        if number is None:
            raise Unfit("not a whole number")
        if low <= number <= high:
            return str(number)
        raise Unfit(f"not between {low} and {high}")

    return write


def _number_text(value: Any) -> str:
    if isinstance(value, (int, float)) and type(value) is not bool:
        return jsontext.dumps(value)
    raise Unfit("not a number")


def _numeric(value: Any) -> str:
    text = _number_text(value)
    if _is_numeric(text):
        return text
    raise Unfit("beyond what NUMERIC holds")


def _double(value: Any) -> str:
    text = _number_text(value)
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if isinf(number):
        raise Unfit("beyond what DOUBLE PRECISION holds")
    if number == 0 and type(value) is JsonNumber:
        return "-0" if text[0] == "-" else "0"
    return text


def _boolean(value: Any) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    raise Unfit("not a boolean")


# --- times ----------------------------------------------------------------------------------------------------------

_COMMON_TIME = re.compile(
    r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]{1,6})?[Zz]"
).fullmatch


def _timestamp(value: Any) -> str:
    """A date-time as UTC, microseconds cut. A date is its midnight, a leap second the second after it."""
    if type(value) is str and _COMMON_TIME(value):
        return f"{value[:10]} {value[11:-1]}"
    return moment(value).text(" ")


_WRITERS = {
    "TEXT": Writers(_plain_text, _text),
    "JSONB": Writers(_json, _json),
    **{
        type_: Writers(write, write)
        for type_, write in (
            ("UUID", _uuid),
            ("INTEGER", _whole(-INT_MAX - 1, INT_MAX)),
            ("BIGINT", _whole(-BIGINT_MAX - 1, BIGINT_MAX)),
            ("NUMERIC", _numeric),
            ("DOUBLE PRECISION", _double),
            ("BOOLEAN", _boolean),
            ("TIMESTAMP", _timestamp),
            ("DATE", date_text),
        )
    },
}
