"""Values of a shredded row: those of properties in column order (RDB Loader 5.6.3 ``EventUtils.flatten``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


Make = Callable[[Any], str]
"""Makes the text of a cell of a value that is not null."""


class Cells(NamedTuple):
    """Where the values of an object go, compiled from the paths of columns: the number of the cell and what makes it,
    by key; and the same for objects in it.

    A long list of columns costs nothing where an entity has few of them: the way leads over what is there.
    """

    own: dict[str, tuple[int, Make]]
    inner: dict[str, Cells]


def cells(paths: Sequence[tuple[str, ...]], make: Sequence[Make]) -> list[Cells]:
    """Compile the paths of columns, whose values go to the cells of the same numbers; the root itself has no cell.

    All of the result are to be filled: there are more where several columns have one path.
    """
    found: list[Cells] = []
    number = 0
    for path, make_cell in zip(paths, make, strict=True):
        if not path:
            continue
        for root in found:
            node = _node(root, path)
            if path[-1] not in node.own:
                break
        else:
            found.append(Cells({}, {}))
            node = _node(found[-1], path)
        node.own[path[-1]] = (number, make_cell)
        number += 1
    return found


def _node(root: Cells, path: tuple[str, ...]) -> Cells:
    for key in path[:-1]:
        root = root.inner.setdefault(key, Cells({}, {}))
    return root


def fill(texts: list[str], where: Cells, data: Any) -> None:
    """Put the texts of an object's values into ``texts``; null and what is missing leave them as they are.

    What the makers raise comes through; ``texts`` mean nothing then.
    """
    if type(data) is not dict:
        return
    cell_of = where.own.get
    for key, value in data.items():
        cell = cell_of(key)
        if cell is not None and value is not None:
            number, make = cell
            texts[number] = make(value)
    if where.inner:
        for key, inner in where.inner.items():
            fill(texts, inner, data.get(key))
