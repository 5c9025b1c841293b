"""What a table of Redshift returns for a value, by rules written a second time (docs/redshift.md)."""

from __future__ import annotations

from decimal import ROUND_DOWN, Context, Decimal
from typing import Any

from snowetl.jvm import jsontext
from snowetl.jvm.json_number import JsonNumber
from tests.transform import generated

_RANGES = {"SMALLINT": 2**15, "INT": 2**31, "BIGINT": 2**63, "DECIMAL": 10**18, "DECIMAL (36, 2)": 10**34}
_EXACT = Context(prec=400_000)


def holds(type_: str, value: Any, got: Any) -> bool:
    """Whether ``got``, as psycopg reads it, is ``value``."""
    if type_.startswith(("VARCHAR", "CHAR")):
        same = bool(got == generated.readable(text(value)))
        return same or (type_.startswith("CHAR") and text(value).rstrip(" ") == (got or "").rstrip(" ") != "")
    if got is None:
        return False
    if type_ in _RANGES:
        return generated.is_number(value) and bool(generated.number(value) == got)
    if type_ == "DOUBLE PRECISION":
        return generated.is_number(value) and bool(float(value) == got)
    return generated.holds(type_, value, got)


def is_cut(type_: str, value: Any, got: Any) -> bool:
    """Whether ``got`` is what ``COPY`` leaves of ``value``: of a text its first bytes, of a number two decimals."""
    if type_.startswith(("VARCHAR", "CHAR")) and got is not None:
        whole = generated.readable(text(value)).encode()
        size = int(type_.partition("(")[2][:-1])
        return len(whole) > size and got.rstrip(" ") == whole[:size].decode("utf-8", "ignore").rstrip(" ")
    if type_ == "DECIMAL (36, 2)" and got is not None:
        return bool(generated.number(value).quantize(Decimal("0.01"), ROUND_DOWN, _EXACT) == got)
    return False


def may_be_refused(type_: str, value: Any) -> bool:
    """Whether a column of this type is null for a valid value, which then stands in ``rejected_values``."""
    if type_.startswith("CHAR"):
        return not text(value).isascii()
    if type_ in _RANGES:
        if not generated.is_number(value):
            return True
        size, number = _RANGES[type_], generated.number(value)
        exponent = number.normalize(_EXACT).as_tuple().exponent
        assert isinstance(exponent, int)
        return not -size <= number < size or (type_ != "DECIMAL (36, 2)" and exponent < 0) or abs(exponent) > 9_999
    if type_ == "DOUBLE PRECISION":
        return not generated.is_number(value) or not 1e-307 <= abs(float(value)) < float("inf")
    if type_ == "BOOLEAN":
        return not isinstance(value, bool)
    return not isinstance(value, str) or generated.may_be_refused(type_, value)


def text(value: Any) -> str:
    """The text of a value in a column of text."""
    if value == "\\N" and isinstance(value, str):
        return "\\\\N"
    if isinstance(value, str):
        return value.replace("\t", " ").replace("\n", " ").replace("\x00", " ")
    if isinstance(value, bool):
        return "1" if value else "0"
    return value.text if isinstance(value, JsonNumber) else jsontext.dumps(value)
