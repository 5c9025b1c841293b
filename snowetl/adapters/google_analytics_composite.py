"""Entities from Measurement Protocol parameters with numbers in their names, such as ``il1pi2cd3``.

A name falls apart into texts and numbers. The value belongs to all texts together (``ilpicd``), a number to the texts
from its own on (``IFilpicd`` = 1, ``IFpicd`` = 2, ``IFcd`` = 3). All values of one such entry are a column; a schema's
entities are the rows of its columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from snowetl.adapters.google_analytics_fields import COMPOSITE
from snowetl.adapters.google_analytics_values import Refused, Sent, convert
from snowetl.adapters.schemas import schema_key_hash
from snowetl.jvm.scala_maps import as_map, ordered_by_hash
from snowetl.model import badrow
from snowetl.model.badrow import Message

_NAME = re.compile(r"(pr|promo|il|cd|cm|cg)(\d+)([a-zA-Z]*)(\d*)([a-zA-Z]*)(\d*)", re.ASCII)
_DIGIT = re.compile(r"\d")
_EXPECTED = rf"composite field name has to conform to regex {_NAME.pattern}$"
_SMALL_MAP = 4
_INDEX = "IF"
_CURRENCY = "currencyCode"
_WITH_CURRENCY = frozenset(schema for schema, fields in COMPOSITE.items() if "cu" in fields)
_SCHEMAS_OF = {
    entry: [schema for schema, fields in COMPOSITE.items() if entry in fields]
    for entry in {entry for fields in COMPOSITE.values() for entry in fields}
}
_INDEXES = {schema: sum(entry.startswith(_INDEX) for entry in fields) for schema, fields in COMPOSITE.items()}

Entity = tuple[str, dict[str, Any]]
"""Schema key and data."""


def composite_entities(sent: Sent, schemas: Mapping[str, str]) -> list[Entity] | Message:
    """The entities in the reference's order, or the first failure."""
    numbered = sorted(filter(_DIGIT.search, sent))
    if not numbered:
        return []
    entries = []
    for name in numbered:
        parts = name_parts(name)
        if isinstance(parts, dict):
            return parts
        entries.append(entries_of(*parts, sent[name]))
    try:
        columns = _columns(entries, schemas)
    except Refused as refusal:
        return refusal.message
    currency = sent.get("cu")
    return [
        (schema, row)
        for schema, by_name in columns.items()
        for row in _rows(by_name, currency if schema in _WITH_CURRENCY else None)
        if len(row) > _INDEXES[schema] + (_CURRENCY in row)
    ]


def name_parts(name: str) -> tuple[list[str], list[str]] | Message:
    """Texts and numbers of a parameter's name, or why it has none."""
    if not name:
        return badrow.input_data(name, None, "cannot parse empty field name")
    match = _NAME.fullmatch(name)
    if match is None:
        return badrow.input_data(name, None, _EXPECTED)
    parts = [part for part in match.groups() if part]
    return parts[::2], parts[1::2]


def entries_of(texts: list[str], numbers: list[str], value: str) -> tuple[dict[str, str], tuple[str, str]]:
    """The index entries of a name, and the entry of its value."""
    last = min(len(texts), len(numbers))
    if last == 1:
        return {_INDEX + texts[0]: numbers[0]}, ("".join(texts), value)
    indexes = {_INDEX + "".join(texts[at:last]): number for at, number in enumerate(numbers)}
    return indexes, ("".join(texts), value)


def _columns(
    entries: list[tuple[dict[str, str], tuple[str, str]]], schemas: Mapping[str, str]
) -> dict[str, dict[str, list[Any]]]:
    """Schema key -> field name -> values. Raises :class:`Refused` with the first failure."""
    values: dict[str, list[str]] = {}
    for _, (entry, value) in entries:
        values.setdefault(entry, []).append(value)
    for indexes, _ in groupby(indexes for indexes, _ in entries):
        for entry, number in indexes.items():
            values.setdefault(entry, []).append(number)
    found: dict[str, dict[str, list[str]]] = {}
    for entry in as_map(values):
        for schema in _SCHEMAS_OF.get(entry, ()):
            found.setdefault(schema, {})[entry] = values[entry]
    order = ordered_by_hash(found, lambda key: schema_key_hash(schemas[key]))
    return {schema: _typed(schema, found[schema]) for schema in order}


def _typed(schema: str, columns: dict[str, list[str]]) -> dict[str, list[Any]]:
    fields = COMPOSITE[schema]
    by_name = as_map({fields[entry].name: (fields[entry], texts) for entry, texts in columns.items()})
    return {
        name: texts if field.type == "text" else [convert(field, text) for text in texts]
        for name, (field, texts) in by_name.items()
    }


def _rows(columns: dict[str, list[Any]], currency: str | None) -> list[dict[str, Any]]:
    """Row n holds the n-th value of every column that has one, under the *first* names: with columns of different
    length values land under wrong names, as they do in the reference."""
    if len({len(values) for values in columns.values()}) == 1:
        rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    else:
        longest = max(map(len, columns.values()))
        cells_of = [[values[at] for values in columns.values() if at < len(values)] for at in range(longest)]
        rows = [dict(zip(columns, cells, strict=False)) for cells in cells_of]
    if currency is not None:
        rows = [{_CURRENCY: currency, **row} for row in rows]
    return [as_map(row) for row in rows] if len(columns) >= _SMALL_MAP else rows
