"""Models of schemas from files and registries, and the statements that make and migrate their tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from snowetl.ddl import names
from snowetl.ddl.dialects import DIALECTS, Dialect, NoTable, Table
from snowetl.ddl.families import family, merged_columns, recovery_table
from snowetl.ddl.schema import SELF_DESCRIBING_URI, Schema, parse
from snowetl.errors import UsageError
from snowetl.iglu.failures import ResolutionFailure, describe
from snowetl.jvm import jsontext
from snowetl.model.schema import ParseError, SchemaKey, SchemaVer

_MODEL = re.compile(r"iglu:([a-zA-Z0-9\-_.]+)/([a-zA-Z0-9\-_]+)/jsonschema/([1-9][0-9]*)")


class Version(NamedTuple):
    """One version of a model."""

    key: SchemaKey
    schema: Schema


class Registry(Protocol):
    """An Iglu client."""

    def schema(self, key: SchemaKey) -> Any | ResolutionFailure: ...

    def schema_list(self, vendor: str, name: str, model: int) -> list[SchemaKey] | ResolutionFailure: ...


def from_registry(text: str, registry: Registry) -> list[Version]:
    """All versions of the model ``iglu:vendor/name/jsonschema/1``; up to the one named, when text names a version.

    Raises :class:`UsageError` for another name, or a schema that cannot be found or read.
    """
    match = _MODEL.match(text)
    if match is None:
        raise UsageError(f"'{text}' is neither a file nor a schema such as iglu:com.acme/event/jsonschema/1")
    vendor, name, model = match[1], match[2], int(match[3])
    last = _last(text) if match.end() < len(text) else None
    keys = registry.schema_list(vendor, name, model)
    if isinstance(keys, ResolutionFailure):
        raise UsageError(f"{text}: no registry lists its versions.\n{describe(keys.to_json())}")
    if last is not None:
        if last not in keys:
            raise UsageError(f"{text}: no registry has this version; there are {_shown(keys)}")
        keys = keys[: keys.index(last) + 1]
    return [Version(key, _read(registry.schema(key), key.uri)) for key in keys]


def _last(text: str) -> SchemaKey:
    try:
        return SchemaKey.parse(text)
    except ParseError as error:
        raise UsageError(f"'{text}' is not a schema: {error.code}") from None


def _read(document: Any, where: str) -> Schema:
    if isinstance(document, ResolutionFailure):
        raise UsageError(f"{where}: {describe(document.to_json())}")
    schema = parse(document)
    if schema is None:
        raise UsageError(f"{where} is not a JSON Schema: a keyword has a value of the wrong kind")
    return schema


def from_files(path: Path) -> list[list[Version]]:
    """The models of a schema file, or of all files in a folder, each in order of its versions. Raises as above."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    models: dict[tuple[str, str, int], list[Version]] = {}
    for file in files:
        version = _read_file(file)
        key = version.key
        models.setdefault((key.vendor, key.name, key.version.model), []).append(version)
    return [sorted(versions, key=lambda version: version.key) for versions in models.values()]


def _read_file(file: Path) -> Version:
    try:
        document = jsontext.loads_exact(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read as JSON: {error}") from None
    own = document.get("self") if isinstance(document, dict) else None
    parts = [own.get(part) if isinstance(own, dict) else None for part in ("vendor", "name", "format", "version")]
    try:
        key = SchemaKey.parse("iglu:{}/{}/{}/{}".format(*parts))
    except ParseError:
        raise UsageError(f'{file} has no "self" with vendor, name, format and version') from None
    return Version(key, _read(document, str(file)))


def _shown(keys: Iterable[SchemaKey]) -> str:
    return ", ".join(str(key.version) for key in keys)


class Own(NamedTuple):
    """A table of a model, and the versions whose rows are in it."""

    name: str
    versions: Sequence[Version]


def plain_names(found: Iterable[Sequence[Version]], dialect: str) -> list[str]:
    """The names of the tables of models in a warehouse that has no others: each model has its own."""
    limit = DIALECTS[dialect].max_identifier
    owners: dict[str, SchemaKey | None] = {}
    chosen = []
    for model in found:
        chosen.append(names.choose_table(model[-1].key, owners, limit))
        owners[chosen[-1]] = model[-1].key
    return chosen


def own_tables(model: Sequence[Version], dialect: str, recovery_tables: bool, plain: str | None = None) -> list[Own]:
    """The model's table, and with ``recovery_tables`` those of the versions that break it.

    ``plain`` is the name of the first, where another model may have taken the usual one.
    """
    limit = DIALECTS[dialect].max_identifier
    plain = plain or names.table_name(model[-1].key, limit)
    if not recovery_tables:
        return [Own(plain, model)]
    recovered = family(model, dialect).recovered
    own = {version.key: version for version in model}
    return [
        Own(plain, [version for version in model if version.key not in recovered]),
        *(Own(recovery_table(plain, end, limit), [own[key]]) for key, end in recovered.items()),
    ]


def table_statements(
    model: Sequence[Version], dialect: str, schema: str, recovery_tables: bool = False, plain: str | None = None
) -> list[str]:
    """What makes the tables of a model, at its last version. Raises :class:`UsageError` where none can be."""
    sql = DIALECTS[dialect]
    return [
        statement
        for own in own_tables(model, dialect, recovery_tables, plain)
        for statement in _create(own, sql, schema, recovery_tables)
    ]


def _create(own: Own, sql: Dialect, schema: str, recovery_tables: bool) -> list[str]:
    table = _table(own.versions, sql)
    if recovery_tables:
        table = replace(table, columns=merged_columns(table.columns))
    return sql.create(schema, own.name, table, own.versions[-1].key)


def migration_statements(
    model: Sequence[Version],
    start: SchemaVer,
    dialect: str,
    schema: str,
    recovery_tables: bool = False,
    plain: str | None = None,
) -> list[str]:
    """What brings the tables of a model from version ``start`` to its last. Raises :class:`UsageError`."""
    key = model[-1].key
    numbers = [version.key.version for version in model]
    if start not in numbers:
        shown = _shown(version.key for version in model)
        raise UsageError(f"{key.uri}: there is no version {start} to start from; there are {shown}")
    if len(model) == 1:
        raise UsageError(f"{key.uri} is the only version of its model: no table can be migrated to it")
    sql = DIALECTS[dialect]
    known = {version.key for version in model[: numbers.index(start) + 1]}
    own, *recovered = own_tables(model, dialect, recovery_tables, plain)
    present = _table([version for version in own.versions if version.key in known], sql).held()
    before, inside = sql.alter(schema, own.name, own.versions[-1].key, present, _table(own.versions, sql))
    new = [table for table in recovered if table.versions[0].key not in known]
    inside += [statement for table in new for statement in _create(table, sql, schema, recovery_tables)]
    return [*before, *(["BEGIN", *inside, "COMMIT"] if before and inside else inside)]


def _table(model: Sequence[Version], sql: Dialect) -> Table:
    for version in model:
        if version.schema.schema_uri != SELF_DESCRIBING_URI:
            raise UsageError(
                f'{version.key.uri} has no table: its "$schema" is {version.schema.schema_uri or "missing"}, and no '
                f"loader takes a schema that does not say {SELF_DESCRIBING_URI}"
            )
    found = sql.table([version.schema for version in model])
    if isinstance(found, NoTable):
        raise UsageError(f"{model[-1].key.uri} cannot have a table: {found.reason}")
    return found
