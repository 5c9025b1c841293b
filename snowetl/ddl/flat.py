"""Flattening: the columns of one schema, and of all versions of a model (schema-ddl 0.18.2 ``FlatSchema``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from snowetl.ddl.names import column_name
from snowetl.ddl.schema import Schema, is_union, with_null

Path = tuple[str, ...]


class Leaf(NamedTuple):
    """A property that becomes one column. ``path`` is empty for the root itself; ``schema`` allows null if optional."""

    path: Path
    schema: Schema

    @property
    def name(self) -> str:
        return column_name(self.path)

    @property
    def nullable(self) -> bool:
        return self.schema.can_be_null


class Change(NamedTuple):
    """A property that is in two successive versions, with different schemas."""

    path: Path
    before: Schema
    after: Schema


@dataclass(slots=True, frozen=True)
class Difference:
    """What a range of versions adds (in column order) and changes, step by step."""

    added: list[Leaf]
    changed: list[Change]


def leaves(schema: Schema) -> dict[Path, Schema]:
    """Columns of one schema in no particular order."""
    return _flatten(schema)[0]


def required(schema: Schema) -> set[Path]:
    """Properties that are required, and so are all above them."""
    return _flatten(schema)[1]


def _flatten(schema: Schema) -> tuple[dict[Path, Schema], set[Path]]:
    found: dict[Path, Schema] = {}
    needed: set[Path] = set()
    for path, node in _nodes(schema, ()):
        if _inside_union(path, found):
            continue
        if not path or path in needed:
            needed.update((*path, name) for name in node.required or ())
        if is_leaf(node):
            optional = (path and path not in needed) or node.can_be_null
            found[path] = replace(node, type=with_null(node.type)) if optional else node
    return found, needed


def node(schema: Schema, path: Path) -> Schema | None:
    """The schema of a property, whether it is a column or not."""
    found: Schema | None = schema
    for name in path:
        found = None if found is None else (found.properties or {}).get(name)
    return found


def is_always_there(schema: Schema, path: Path) -> bool:
    """Whether data that are valid have a value at ``path`` that is not null, as far as ``type`` and ``required`` say.

    Unlike :func:`required`, for which an object above may be null or something else (reference 08 §2.2).
    """
    for name in path:
        if schema.type != "object" or name not in (schema.required or ()):
            return False
        schema = (schema.properties or {})[name]
    return not schema.can_be_null and (schema.type is not None or schema.enum is not None)


def _nodes(schema: Schema, path: Path) -> Iterator[tuple[Path, Schema]]:
    """All schemas reached through ``properties`` alone, parents first."""
    yield path, schema
    for name, member in (schema.properties or {}).items():
        yield from _nodes(member, (*path, name))


def _inside_union(path: Path, found: dict[Path, Schema]) -> bool:
    return any(is_union(found[path[:end]].type) for end in range(len(path)) if path[:end] in found)


def is_leaf(schema: Schema) -> bool:
    """Whether a schema is one column: it is not an object with properties, or it can be something else as well."""
    nested = schema.allows("object") and schema.properties is not None
    return not nested or _is_mixed(schema)


def _is_mixed(schema: Schema) -> bool:
    alternatives: set[str] = set()
    for member in schema.one_of or ():
        if isinstance(member.type, frozenset):
            alternatives |= member.type
        elif member.type is not None:
            alternatives.add(member.type)
    return len(alternatives - {"null"}) > 1 or schema.type is None or is_union(schema.type)


def in_order(found: dict[Path, Schema]) -> list[Leaf]:
    """Columns in table order: those that are never null first, each half by name in code-unit order."""
    if list(found) == [()] and not found[()].properties:
        return []
    return sorted(
        (Leaf(path, schema) for path, schema in found.items()),
        key=lambda leaf: (leaf.nullable, leaf.name.encode("utf-16-be", "surrogatepass")),
    )


def difference(versions: Sequence[Schema]) -> Difference:
    """What changes from the first to the last of successive versions."""
    added: list[Leaf] = []
    changed: list[Change] = []
    previous = leaves(versions[0])
    for version in versions[1:]:
        current = leaves(version)
        added += in_order({path: schema for path, schema in current.items() if path not in previous})
        changed += [
            Change(leaf.path, previous[leaf.path], leaf.schema)
            for leaf in in_order(current)
            if leaf.path in previous and previous[leaf.path] != leaf.schema
        ]
        previous = current
    return Difference(added, changed)


def ordered(versions: Sequence[Schema]) -> list[Leaf]:
    """Columns of a model: those of its first version, then what each later one adds.

    Type and nullability are those of the version a property first appeared in.
    """
    return in_order(leaves(versions[0])) + difference(versions).added
