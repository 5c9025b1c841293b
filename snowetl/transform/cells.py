"""Values of a shredded row: those of properties in column order (RDB Loader 5.6.3 ``EventUtils.flatten``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

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
