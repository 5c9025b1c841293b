"""The values an event gives to a query's placeholders, each with the type the reference sends it as.

Source: enrich 3.9.0 ``sqlquery.Input``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments.event_inputs import COLUMN_TYPES, Column, Entities, Json, JsonReader
from snowetl.jvm.doubles import parse_double
from snowetl.jvm.integers import MAX_INT, MAX_LONG, MIN_INT, MIN_LONG, parse_int, parse_long
from snowetl.jvm.json_number import JsonNumber
from snowetl.model.event import EMPTY
from snowetl.model.fields import INDEX

_INVALID = "SQL Query enrichment: SQL Query Enrichment: "
_LONGEST_INTEGER = 400
"""Characters of a number beyond which it is not worth finding out whether it is a whole one."""


class Value(NamedTuple):
    """A parameter of a query. ``type`` is string, int, long, byte, float, double or boolean."""

    type: str
    value: Any


_COLUMN_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "int": ("int", int),
    "bool": ("byte", int),
    "float": ("float", float),
    "dec": ("double", float),
}


class Inputs:
    """The values of an event by placeholder, from 1."""

    def __init__(self, given: Iterable[tuple[int, Column | Json]]) -> None:
        self._readers: list[tuple[int, int | JsonReader, tuple[str, Callable[[str], Any]]]] = []
        self.faults: list[str] = []
        """What is wrong with the inputs, in the reference's words: every event fails with them."""
        for placeholder, source in given:
            if isinstance(source, Json):
                reader = JsonReader(source, _INVALID)
                self.faults += reader.faults
                self._readers.append((placeholder, reader, ("", str)))
            elif source.field in INDEX:
                kind = _COLUMN_READERS.get(COLUMN_TYPES[source.field], ("string", str))
                self._readers.append((placeholder, INDEX[source.field], kind))
            else:
                self.faults.append(f"{_INVALID}Wrong POJO input field was specified")

    def read(self, draft: Draft) -> tuple[Value, ...] | None:
        """``None`` where the placeholders that have a value are not 1, 2, 3, …: there is nothing to ask then.

        Of equal placeholders the last one with a value counts.
        """
        values: dict[int, Value] = {}
        entities = Entities(draft)
        for placeholder, reader, (type_, convert) in self._readers:
            if isinstance(reader, int):
                text = draft.values[reader]
                value = Value(type_, convert(text)) if text or text is EMPTY else None
            else:
                found = reader.values(entities)
                value = typed(found[0]) if found is not None and len(found) == 1 else None
            if value is not None:
                values[placeholder] = value
        if any(place not in values for place in range(1, len(values) + 1)):
            return None
        return tuple(values[place] for place in range(1, len(values) + 1))


def typed(value: Any) -> Value | None:
    """A value of JSON as the narrowest type it fits, text too; ``None`` for null, arrays and objects."""
    if isinstance(value, bool):
        return Value("boolean", value)
    if isinstance(value, (int, float)):
        return _number(value)
    return _text(value) if isinstance(value, str) else None


def _number(value: float) -> Value:
    if isinstance(value, float):
        text = value.text if isinstance(value, JsonNumber) else repr(value)
        if abs(value) < 1e19 and len(text) <= _LONGEST_INTEGER:
            exact = Decimal(text)
            if exact == exact.to_integral_value():
                value = int(exact)
    if isinstance(value, int):
        if MIN_INT <= value <= MAX_INT:
            return Value("int", value)
        if MIN_LONG <= value <= MAX_LONG:
            return Value("long", value)
        return Value("double", _double(value))
    return Value("double", float(value))


def _double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _text(text: str) -> Value:
    number = parse_int(text)
    if number is not None:
        return Value("int", number)
    number = parse_long(text)
    if number is not None:
        return Value("long", number)
    double = parse_double(text)
    if double is not None:
        return Value("double", double)
    if text.lower() in ("true", "false"):
        return Value("boolean", text.lower() == "true")
    return Value("string", text)
