"""JSON values as cells for Redshift's ``COPY``: RDB Loader's texts, but where ``COPY`` would refuse or misread one.

A number is then spelled as the column's type reads it, and a value the type cannot hold raises :class:`Unfit`. What
``COPY`` only cuts (long texts, further decimals) stays whole in the cell, and raises :class:`Unfit` to be noted.

What ``COPY`` takes, by the Amazon Redshift Database Developer Guide: VARCHAR is measured in bytes, CHAR takes ASCII
alone; ``TRUNCATECOLUMNS`` cuts both; integers are digits within their range; decimals of a finer scale are cut;
``DOUBLE PRECISION`` is 1E-307 to 1E+308, and values beyond are errors.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from math import isinf
from typing import Any

from snowetl.ddl.cells import NULL, Unfit, Write, Writers, date_text, moment
from snowetl.ddl.schema import big_int
from snowetl.ddl.tables import text_length
from snowetl.jvm import jsontext, moments
from snowetl.jvm.json_number import JsonNumber

_SMALLEST = 1e-307


def writers(type_: str) -> Writers:
    """The writers of a column type."""
    length = text_length(type_)
    if length is not None:
        return Writers(_text(type_, True), _text(type_, False))
    return _WRITERS[type_]


def cut(type_: str, text: str) -> str:
    """A cell as ``TRUNCATECOLUMNS`` cuts it: to the bytes of its column, in front of a whole character."""
    length = text_length(type_)
    if length is None or len(text) * 4 <= length:
        return text
    return text.encode("utf-8", "replace")[:length].decode("utf-8", "ignore")


# --- text -----------------------------------------------------------------------------------------------------------


def cell(value: Any, plain: bool = False) -> str:
    """One value as TSV: text with tabs and line feeds as blanks, booleans as 1 and 0, numbers as they were written.

    ``plain`` tells that no text in ``value`` was escaped, so that none needs a look.
    """
    kind = type(value)
    if kind is str:
        return value if plain else escape(value)
    if value is None:
        return NULL
    if kind is bool:
        return "1" if value else "0"
    if kind is JsonNumber:
        return value.text  # type: ignore[no-any-return]
    return jsontext.dumps(value)


def without_nul(row: str) -> str:
    """A row without NUL characters, at which ``COPY`` may end a line: they become blanks, as tabs do."""
    return row.replace("\x00", " ") if "\x00" in row else row


def escape(text: str) -> str:
    """Text that stays one cell, and is told from null."""
    if text == NULL:
        return "\\\\N"
    return text.replace("\t", " ").replace("\n", " ")


def _text(type_: str, plain: bool) -> Write:
    length = text_length(type_) or 0
    check, surely = (_ascii, 0) if type_.startswith("CHAR") else (_bytes, length // 4)

    def write(value: Any) -> str:
        text = cell(value, plain)
        if len(text) > surely:
            check(text, length)
        return text

    def write_plain(value: Any) -> str:
        return value if type(value) is str and len(value) <= surely else write(value)

    return write_plain if plain else write


def _bytes(text: str, length: int) -> None:
    if len(text) > length or (not text.isascii() and len(text.encode("utf-8", "replace")) > length):
        raise Unfit(f"longer than {length} bytes", text)


def _ascii(text: str, length: int) -> None:
    if not text.isascii():
        raise Unfit("CHAR columns hold only ASCII")
    if len(text) > length:
        raise Unfit(f"longer than {length} bytes", text)


# --- numbers and booleans -------------------------------------------------------------------------------------------


def _whole(digits: int | None, low: int, high: int) -> Write:
    shown = f"between {low} and {high}" if digits is None else f"a whole number of at most {digits} digits"

    def write(value: Any) -> str:
        number = value if type(value) is int else big_int(value)
        if number is None:
            raise Unfit("not a whole number")
        if low <= number <= high:
            return str(number)
        raise Unfit(f"not {shown}")

    return write


def _decimal(precision: int, scale: int) -> Write:
    limit = Decimal(10) ** (precision - scale)

    def write(value: Any) -> str:
        text = _number_text(value)
        try:
            number = Decimal(text)
        except InvalidOperation:  # an exponent of twenty digits
            raise Unfit(f"beyond what DECIMAL({precision}, {scale}) holds") from None
        if number.copy_abs() >= limit:  # abs() would round to 28 digits
            raise Unfit(f"beyond what DECIMAL({precision}, {scale}) holds")
        if number.adjusted() < -precision and number:
            raise Unfit(f"more than {scale} decimals", "0")
        plain = format(number, "f") if "e" in text or "E" in text else text
        if _decimals(number) > scale:
            raise Unfit(f"more than {scale} decimals", plain)
        return plain

    return write


def _decimals(number: Decimal) -> int:
    """How many decimals are needed: zeros at the end are not."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    zeros = next((at for at, digit in enumerate(reversed(digits)) if digit), len(digits) - exponent)
    return max(0, -exponent - zeros)


def _number_text(value: Any) -> str:
    if isinstance(value, (int, float)) and type(value) is not bool:
        return jsontext.dumps(value)
    raise Unfit("not a number")


def _double(value: Any) -> str:
    text = _number_text(value)
    try:
        number = abs(float(value))
    except OverflowError:
        number = float("inf")
    if number >= _SMALLEST and not isinf(number):
        return text
    if any(digit in "123456789" for digit in text.lower().partition("e")[0]):
        raise Unfit("beyond what DOUBLE PRECISION holds")
    return "-0" if text[0] == "-" else "0"


def _boolean(value: Any) -> str:
    if type(value) is bool:
        return "1" if value else "0"
    raise Unfit("not a boolean")


# --- times ----------------------------------------------------------------------------------------------------------

_COMMON_TIME = re.compile(
    r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]{1,6})?(?:Z|[+-]00:00)?"
).fullmatch


def _timestamp(value: Any) -> str:
    """A date-time in UTC: Redshift's TIMESTAMP would drop an offset (``12:00+02:00`` is ``10:00Z``)."""
    if type(value) is str and _COMMON_TIME(value):
        return value
    return date_text(value) if type(value) is str and moments.is_date(value) else moment(value).text("T") + "Z"


_WRITERS = {
    type_: Writers(write, write)
    for type_, write in (
        ("SMALLINT", _whole(None, -(2**15), 2**15 - 1)),
        ("INT", _whole(None, -(2**31), 2**31 - 1)),
        ("BIGINT", _whole(None, -(2**63), 2**63 - 1)),
        ("DECIMAL", _whole(18, -(10**18) + 1, 10**18 - 1)),
        ("DECIMAL (36, 2)", _decimal(36, 2)),
        ("DECIMAL (18, 2)", _decimal(18, 2)),
        ("DOUBLE PRECISION", _double),
        ("BOOLEAN", _boolean),
        ("TIMESTAMP", _timestamp),
        ("DATE", date_text),
    )
}
