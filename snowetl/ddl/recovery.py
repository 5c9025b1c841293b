"""Redshift tables of models with breaking versions, as RDB Loader 6 has them (schema-ddl 0.27.0 ``ShredModel``).

Each version has its own columns; versions merge in order into one table. One that cannot be merged keeps a table of its
own, the recovery table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from snowetl.ddl import flat, redshift
from snowetl.ddl.names import table_name
from snowetl.ddl.redshift import META_COLUMNS, Column, column_lines
from snowetl.ddl.schema import Schema
from snowetl.jvm.map_order import java_hash_size
from snowetl.model.schema import SchemaKey

_SIZED = re.compile(r"(\w+) ?\((\d+)(?:, (\d+))?\)")
_REPORTED = {
    "TIMESTAMP": "RedshiftTimestamp",
    "DATE": "RedshiftDate",
    "SMALLINT": "RedshiftSmallInt",
    "INT": "RedshiftInteger",
    "BIGINT": "RedshiftBigInt",
    "DOUBLE PRECISION": "RedshiftDouble",
    "BOOLEAN": "RedshiftBoolean",
}
_WHOLE_DIGITS = {"SMALLINT": 5, "INT": 10, "BIGINT": 19}
_TEXT_LENGTH = _WHOLE_DIGITS | {"DATE": 10, "TIMESTAMP": 25, "BOOLEAN": 5}
_WIDER = {
    "SMALLINT": ("INT", "BIGINT", "DOUBLE PRECISION"),
    "INT": ("BIGINT", "DOUBLE PRECISION"),
    "BIGINT": ("DOUBLE PRECISION",),
}


@dataclass(slots=True, frozen=True)
class Model:
    """Columns of the properties, and which version they stand for."""

    key: SchemaKey
    columns: tuple[Column, ...]

    def text(self) -> str:
        """The rendered column list, which names recovery tables."""
        return ",\n".join(column_lines((*META_COLUMNS, *self.columns), indent=2))

    @property
    def end(self) -> str:
        """How the name of its recovery table ends."""
        version = self.key.version
        return f"_{version.revision}_{version.addition}_recovered_{java_hash_size(self.text())}"

    @property
    def recovery_table(self) -> str:
        """Name of the table that holds rows of this version alone."""
        return f"{table_name(self.key)}{self.end}"


@dataclass(slots=True, frozen=True)
class Merged:
    """Two models in one: the columns widened and added, or the reasons why they cannot be one."""

    model: Model | None
    widened: tuple[Column, ...]
    added: tuple[Column, ...]
    errors: tuple[str, ...]


def model(key: SchemaKey, schema: Schema) -> Model:
    """Columns of one version. No encoding is TEXT255, so that enums can be widened."""
    columns = (redshift.column(leaf) for leaf in flat.in_order(flat.leaves(schema)))
    return Model(key, tuple(column._replace(encoding=_encoding(column.type)) for column in columns))


def _encoding(type_: str) -> str:
    return {"BOOLEAN": "RUNLENGTH", "DOUBLE PRECISION": "RAW"}.get(type_, "ZSTD")


def merge(older: Model, newer: Model) -> Merged:
    """Merge a version into those before it. Columns are matched by name; late additions are never NOT NULL."""
    old = {column.name: column for column in older.columns}
    new = {column.name: column for column in newer.columns}
    errors = [_incompatible(old[column.name], column) for column in newer.columns if column.name in old]
    errors += [_made_nullable(column) for column in older.columns if column.not_null and column.name not in new]
    reasons = tuple(error for error in errors if error is not None)
    if reasons:
        return Merged(None, (), (), reasons)
    widened = tuple(new[name] for name in new if name in old and _is_wider(old[name].type, new[name].type))
    added = tuple(column._replace(not_null=False) for column in newer.columns if column.name not in old)
    by_name = {column.name: column for column in widened}
    columns = tuple(by_name.get(column.name, column) for column in older.columns)
    return Merged(Model(newer.key, (*columns, *added)), widened, added, ())


def merge_all(models: Sequence[Model]) -> tuple[Model, dict[SchemaKey, Model]]:
    """The model all mergeable versions share, and those that need a recovery table."""
    good, recovered = models[0], {}
    for newer in models[1:]:
        merged = merge(good, newer).model
        if merged is None:
            recovered[newer.key] = newer
        else:
            good = merged
    return good, recovered


def breaking(versions: Sequence[tuple[SchemaKey, Schema]]) -> dict[SchemaKey, str]:
    """The versions (in publishing order) that have tables of their own, and how the names of these end."""
    _, recovered = merge_all([model(key, schema) for key, schema in versions])
    return {key: version.end for key, version in recovered.items()}


def _made_nullable(column: Column) -> str:
    return f"Making required column nullable {column.name}"


def _incompatible(old: Column, new: Column) -> str | None:
    if old.not_null and not new.not_null:
        return _made_nullable(old)
    if fits(new.type, old.type):
        return None
    return f"Incompatible types in column {old.name} old {_reported(old.type)} new {_reported(new.type)}"


def _reported(type_: str) -> str:
    return type_.replace("VARCHAR", "RedshiftVarchar") if type_.startswith("VARCHAR") else _REPORTED.get(type_, type_)


def _size(type_: str) -> tuple[str, int, int]:
    match = _SIZED.fullmatch(type_)
    if match is None:
        return (type_, 18, 0) if type_ == "DECIMAL" else (type_, 0, 0)
    return match[1], int(match[2]), int(match[3] or 0)


def _is_wider(old: str, new: str) -> bool:
    return new.startswith("VARCHAR") and _size(new)[1] > _size(old)[1]


def fits(new: str, old: str) -> bool:
    """Whether values of a new type can stand in (or widen) a column of an old one."""
    (kind, size, places), (held, room, fraction) = _size(new), _size(old)
    if kind == "VARCHAR":
        return held == "VARCHAR"
    if kind == "CHAR":
        return held in ("VARCHAR", "CHAR") and room >= size
    if kind == "DECIMAL":
        if held == "DECIMAL":
            return room >= size and fraction >= places
        return held == "DOUBLE PRECISION" or (held == "VARCHAR" and room >= size)
    if new == old or old in _WIDER.get(new, ()):
        return True
    if held == "VARCHAR" and new in _TEXT_LENGTH:
        return room >= _TEXT_LENGTH[new]
    return held == "DECIMAL" and new in _WHOLE_DIGITS and room - fraction >= _WHOLE_DIGITS[new]
