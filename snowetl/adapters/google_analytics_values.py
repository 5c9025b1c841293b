"""Values of Measurement Protocol parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snowetl.adapters.google_analytics_fields import Field
from snowetl.jvm.big_decimal import to_double
from snowetl.jvm.doubles import json_double
from snowetl.jvm.integers import parse_int
from snowetl.model import badrow

Sent = dict[str, str]
"""Parameters that have a value, in the reference's map order."""


class Refused(ValueError):
    """A value that is not of its field's type; ``message`` goes into the bad row."""

    def __init__(self, field: Field, text: str, expectation: str) -> None:
        super().__init__(expectation)
        self.message = badrow.input_data(field.name, text, expectation)


def convert(field: Field, text: str) -> Any:
    """The JSON value of a field. Raises :class:`Refused`."""
    return text if field.type == "text" else _TYPES[field.type](field, text)


def _int(field: Field, text: str) -> int:
    """An integer; the text ``null`` in any case is 0 (the reference reads a null and unboxes it)."""
    if text.lower() == "null":
        return 0
    number = parse_int(text)
    if number is None:
        raise Refused(field, text, "cannot be converted to java.lang.Integer")
    return number


def _double(field: Field, text: str) -> Any:
    number = to_double(text, cents=field.type == "cents")
    if number is None:
        raise Refused(field, text, "cannot be converted to Double")
    return json_double(number)


def _bool(field: Field, text: str) -> bool:
    if text not in ("0", "1"):
        raise Refused(field, text, "cannot be converted to boolean, only 1 or 0 are supported")
    return text == "1"


_TYPES: dict[str, Callable[[Field, str], Any]] = {"int": _int, "cents": _double, "double": _double, "bool": _bool}
