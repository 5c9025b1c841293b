"""What keeps the versions of a model from being one table that loads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from snowetl.ddl import flat, names, postgres, redshift, versions
from snowetl.ddl.flat import Change, Leaf, Path
from snowetl.ddl.lint import ERROR, WARNING, Issue, escaped
from snowetl.ddl.names import column_name
from snowetl.ddl.recovery import fits
from snowetl.ddl.schema import Schema
from snowetl.model.schema import SchemaKey

_MAX_COLUMNS = 1600
_NAME_BYTES = {"redshift": 127, "postgres": postgres.MAX_NAME_BYTES}
_META = frozenset(column.name for column in redshift.META_COLUMNS)

Version = tuple[SchemaKey, Schema]


def lint_model(model: Sequence[Version], dialect: str = "redshift") -> list[Issue]:
    """Issues of the versions of a model, in order of publishing, as a table of ``redshift`` or ``postgres``."""
    keys = [key for key, _ in model]
    leaves = flat.ordered([schema for _, schema in model])
    issues = [*_order(keys), *_table(leaves, names.table_name(keys[-1]), dialect)]
    for leaf in leaves:
        issues += _column(leaf, dialect)
    if dialect == "redshift":  # on Postgres, migrations widen types and drop NOT NULL
        for before, after in pairwise(model):
            issues += _step(before, after)
    return issues


def _order(keys: Sequence[SchemaKey]) -> Iterator[Issue]:
    first = keys[0].version
    if (first.revision, first.addition) != (0, 0):
        text = f"the first version is {first}: registries refuse lists that do not begin with {first.model}-0-0"
        yield Issue(ERROR, "firstVersion", "", text)
    elif versions.order([key.version for key in keys]) is versions.Order.GAP:
        yield Issue(WARNING, "versionGap", "", f"there are gaps between {', '.join(str(key.version) for key in keys)}")


def _table(leaves: Sequence[Leaf], table: str, dialect: str) -> Iterator[Issue]:
    count = len(leaves) + len(_META)
    if count > _MAX_COLUMNS:
        yield Issue(ERROR, "columnCount", "", f"{count} columns are more than a table can have ({_MAX_COLUMNS})")
    if len(table.encode()) > _NAME_BYTES[dialect]:
        yield Issue(ERROR, "nameLength", "", f"the table name {table} is longer than {_NAME_BYTES[dialect]} bytes")
    for name, times in Counter(leaf.name for leaf in leaves).items():
        if times > 1:
            yield Issue(ERROR, "sameColumn", "", f"{times} properties would be the column {name}")


def _column(leaf: Leaf, dialect: str) -> Iterator[Issue]:
    pointer = _pointer(leaf.path)
    if not leaf.path:
        yield Issue(ERROR, "rootType", "", 'the root has properties but no "type": it would be a column itself')
    if leaf.name in _META:
        yield Issue(ERROR, "sameColumn", pointer, f"the column {leaf.name} is one that every table has")
    if len(leaf.name.encode()) > _NAME_BYTES[dialect]:
        text = f"the column name {leaf.name} is longer than {_NAME_BYTES[dialect]} bytes"
        yield Issue(ERROR, "nameLength", pointer, text)
    type_ = redshift.column_type(leaf.schema)
    if dialect == "redshift" and not redshift.is_allowed(type_):
        yield Issue(ERROR, "columnLength", pointer, f"the column's type, {type_}, is none Redshift allows")


def _pointer(path: Path) -> str:
    return "".join(f"/properties/{escaped(name)}" for name in path)


def _step(before: Version, after: Version) -> Iterator[Issue]:
    """What the migration from one version to the next cannot bring about."""
    step = f"{before[0].version} to {after[0].version}"
    old = flat.leaves(before[1])
    for path, schema in flat.leaves(after[1]).items():
        pointer, column = _pointer(path), column_name(path)
        if path not in old:
            if not schema.can_be_null:
                text = f"{column} is new and required ({step}): rows of older versions do not fit a NOT NULL column"
                yield Issue(WARNING, "lateRequired", pointer, text)
            continue
        if schema.can_be_null and not old[path].can_be_null:
            yield Issue(
                ERROR, "madeOptional", pointer, f"{column} becomes optional ({step}), its column stays NOT NULL"
            )
        held, wanted = redshift.column_type(old[path]), redshift.column_type(schema)
        if not _holds(held, wanted) and not redshift.is_widened(Change(path, old[path], schema)):
            text = f"{column} needs {wanted} ({step}), its column stays {held}"
            yield Issue(ERROR, "typeChange", pointer, text)


def _holds(held: str, wanted: str) -> bool:
    longer = all(type_.startswith("VARCHAR(") for type_ in (held, wanted)) and int(wanted[8:-1]) > int(held[8:-1])
    return held == wanted or (fits(wanted, held) and not longer)
