"""Cells of shredded TSV rows: property values in column order (RDB Loader 5.6.3 ``EventUtils.flatten``)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from snowetl.ddl import date_times
from snowetl.jvm import jsontext
from snowetl.jvm.jsontext import JsonNumber

NULL = "\\N"
_NOTHING: dict[str, Any] = {}


class Extractor(NamedTuple):
    """Where the values of a model's columns stand, compiled from their paths.

    ``containers``: the objects to go through, each as (number of the object it is in, key); number 0 is the data.
    ``columns``: the values, in the same form.
    """

    containers: tuple[tuple[int, str], ...]
    columns: tuple[tuple[int, str], ...]
    keys: tuple[str, ...] | None
    """Keys of the columns where all stand in the data itself."""


def extractor(paths: Sequence[tuple[str, ...]]) -> Extractor:
    """Compile the paths of columns. The root itself (path ``()``) has no column in a table and so no cell."""
    numbers: dict[tuple[str, ...], int] = {(): 0}
    containers: list[tuple[int, str]] = []
    columns = []
    for path in paths:
        for end in range(1, len(path)):
            if path[:end] not in numbers:
                containers.append((numbers[path[: end - 1]], path[end - 1]))
                numbers[path[:end]] = len(containers)
        if path:
            columns.append((numbers[path[:-1]], path[-1]))
    keys = tuple(key for _, key in columns) if not containers else None
    return Extractor(tuple(containers), tuple(columns), keys)


def cells(columns: Extractor, data: Any, plain: bool) -> list[str]:
    """Texts of the columns. ``plain`` tells that no text in ``data`` was escaped, so that none needs a look."""
    return [cell(value, plain) for value in values(columns, data)]


def values(columns: Extractor, data: Any) -> list[Any]:
    """JSON values of the columns; ``None`` where missing or null."""
    root = data if type(data) is dict else _NOTHING
    if columns.keys is not None:
        get = root.get
        return [get(key) for key in columns.keys]
    objects = [root]
    for number, key in columns.containers:
        inner = objects[number].get(key)
        objects.append(inner if type(inner) is dict else _NOTHING)
    return [objects[number].get(key) for number, key in columns.columns]


def cell(value: Any, plain: bool = False) -> str:
    """One value as TSV: text with tabs and line feeds as blanks, booleans as 1 and 0, numbers as they were written."""
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


_OFFSET = re.compile(r"[+-](?!00.00)[0-9]{2}.[0-9]{2}", re.DOTALL).fullmatch


def utc_cell(text: str) -> str:
    """A date-time without its offset, which Redshift's TIMESTAMP would drop: ``12:00+02:00`` is ``10:00Z``."""
    moment = date_times.parse(text) if _OFFSET(text[-6:]) else None
    return text if moment is None or not 1 <= moment.year <= 9999 else moment.text("T") + "Z"


def escape(text: str) -> str:
    """Text that stays one cell, and is told from null."""
    if text == NULL:
        return "\\\\N"
    return text.replace("\t", " ").replace("\n", " ")
