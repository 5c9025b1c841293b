"""What keeps the versions of a model from being one table that loads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from snowetl.ddl import flat, names, redshift, versions
from snowetl.ddl.dialects import DIALECTS, Column, Dialect, NoTable
from snowetl.ddl.families import Family, family, recovery_table
from snowetl.ddl.flat import Change, Path
from snowetl.ddl.lint import ERROR, WARNING, Issue, escaped
from snowetl.ddl.names import column_name
from snowetl.ddl.recovery import fits
from snowetl.ddl.schema import Schema
from snowetl.model.schema import SchemaKey

Version = tuple[SchemaKey, Schema]


def lint_model(model: Sequence[Version], dialect: str = "redshift", recovery_tables: bool = False) -> list[Issue]:
    """Issues of the versions of a model, in order of publishing, as a table of ``redshift`` or ``postgres``.

    What snowetl makes a table of, and other loaders do not, is a warning; so is a version that has a recovery table.
    """
    issues = [*_order([key for key, _ in model])]
    if recovery_tables:
        shared = family(model, dialect)
        issues += _recovered(model, shared, dialect)
        model = shared.merged
    issues += _table(model, DIALECTS[dialect])
    if dialect == "redshift":  # on Postgres, migrations widen types and drop NOT NULL
        issues += _types([schema for _, schema in model])
        for before, after in pairwise(model):
            issues += _step(before, after)
    return issues


def _recovered(model: Sequence[Version], shared: Family, dialect: str) -> Iterator[Issue]:
    limit = DIALECTS[dialect].max_identifier
    plain = names.table_name(model[-1][0], limit)
    for key, end in shared.recovered.items():
        text = f"{key.version} breaks the table {plain}: its rows go to {recovery_table(plain, end, limit)}"
        yield Issue(WARNING, "recoveryTable", "", text)


def _order(keys: Sequence[SchemaKey]) -> Iterator[Issue]:
    first = keys[0].version
    if (first.revision, first.addition) != (0, 0):
        text = f"the first version is {first}: registries refuse lists that do not begin with {first.model}-0-0"
        yield Issue(ERROR, "firstVersion", "", text)
    elif versions.order([key.version for key in keys]) is versions.Order.GAP:
        yield Issue(WARNING, "versionGap", "", f"there are gaps between {', '.join(str(key.version) for key in keys)}")


def _table(model: Sequence[Version], sql: Dialect) -> Iterator[Issue]:
    plain = names.table_name(model[-1][0])
    if len(plain.encode()) > sql.max_identifier:
        cut = names.table_name(model[-1][0], sql.max_identifier)
        text = f"the table name {plain} is longer than {sql.max_identifier} bytes: the table is {cut}"
        yield Issue(WARNING, "nameLength", "", text)
    schemas = [schema for _, schema in model]
    if any(leaf.path == () for leaf in flat.ordered(schemas)):
        yield Issue(ERROR, "rootType", "", 'the root has properties but no "type": it would be a column itself')
    table = sql.table(schemas)
    if isinstance(table, NoTable):
        yield Issue(ERROR, "columnCount", "", table.reason)
        return
    if table.overflow:
        text = f"{len(table.overflow)} properties have no column of their own: they share {table.columns[-1].name}"
        yield Issue(WARNING, "columnCount", "", text)
    for column in table.columns:
        yield from _name(column, sql)


def _name(column: Column, sql: Dialect) -> Iterator[Issue]:
    if column.path is None or column.name == column_name(column.path):
        return
    plain = column_name(column.path)
    if len(plain.encode("utf-8", "replace")) > sql.max_identifier:
        text = f"the column name {plain} is longer than {sql.max_identifier} bytes: the column is {column.name}"
        yield Issue(WARNING, "nameLength", _pointer(column.path), text)
    else:
        text = f"another column is named {plain}, or none can be: the column is {column.name}"
        yield Issue(WARNING, "sameColumn", _pointer(column.path), text)


def _types(schemas: Sequence[Schema]) -> Iterator[Issue]:
    for leaf in flat.ordered(schemas):
        type_ = redshift.column_type(leaf.schema)
        if not redshift.is_allowed(type_):
            text = f"Redshift does not allow the column's type, {type_}: it is {redshift.storable(type_)}"
            yield Issue(WARNING, "columnLength", _pointer(leaf.path), text)


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
