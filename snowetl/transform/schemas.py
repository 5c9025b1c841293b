"""Schemas as the transformer needs them: all versions of a model, in registry order, and what is compiled from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from snowetl.ddl.families import ALL, MERGED, Recovery, family
from snowetl.ddl.schema import SELF_DESCRIBING_URI, Schema, parse
from snowetl.iglu.failures import ResolutionFailure
from snowetl.jvm import jsontext
from snowetl.model.badrow import Message
from snowetl.model.schema import (
    INVALID_METASCHEMA,
    INVALID_SCHEMA,
    INVALID_SCHEMAVER,
    ParseError,
    SchemaKey,
    SchemaVer,
)
from snowetl.transform import badrows

_NO_SCHEMA = "Cannot be parsed as JSON Schema AST"
_NOT_IN_LIST = (
    "Iglu list did not return the schemaKey that was requested. Possible reason would be multiple iglu servers in "
    "resolver with the same schema family."
)


class SchemaSource(Protocol):
    """Where schemas come from: an ``IgluClient``."""

    def schema(self, key: SchemaKey) -> Any | ResolutionFailure:
        """The schema as parsed JSON."""

    def schema_list(self, vendor: str, name: str, model: int) -> list[SchemaKey] | ResolutionFailure:
        """Keys of all published versions of a model, in the order the registry gives."""


class Version(NamedTuple):
    """One published version of a model."""

    key: SchemaKey
    schema: Schema


class Sharing(NamedTuple):
    """Schemas whose rows go to one table, in publishing order, and which of their model's versions they are."""

    versions: str
    """As :mod:`snowetl.ddl.families` has it."""
    schemas: list[Schema]
    version: SchemaVer
    """Whose columns the rows have: the schema's own version, or the latest of those, where no registry lists it."""


class Failure(NamedTuple):
    """Why a schema cannot be used: an element of ``loader_iglu_error``."""

    message: Message


class Schemas:
    """Versions of models, each read once per worker. Failures of look-ups are not kept: the source caches them."""

    def __init__(self, source: SchemaSource) -> None:
        self._source = source
        self._models: dict[tuple[str, str, int], list[Version] | Failure] = {}
        self._versions: dict[tuple[str, str, int], list[Version]] = {}

    def sharing(self, key: SchemaKey, recovery: Recovery, rows_for: str) -> Sharing | Failure:
        """The versions of a schema's model whose rows share a table with those of the schema."""
        found = self.model(key)
        if isinstance(found, Failure) or not recovery.is_for(key):
            if isinstance(found, Failure):
                return found
            return Sharing(ALL, [version.schema for version in found], key.version)
        shared = family(found, rows_for)
        if key in shared.recovered:
            own = [version.schema for version in found if version.key == key]
            return Sharing(str(key.version), own, key.version)
        latest = key if any(version.key == key for version in found) else shared.merged[-1][0]
        return Sharing(MERGED, [schema for _, schema in shared.merged], latest.version)

    def model(self, key: SchemaKey) -> list[Version] | Failure:
        """All published versions of a schema's model, in publishing order; each must be self-describing."""
        model = (key.vendor, key.name, key.version.model)
        found = self._models.get(model)
        if found is None:
            found = self._read(*model)
            if not isinstance(found, Failure) or "error" not in found.message:
                self._models[model] = found
        return found

    def _read(self, vendor: str, name: str, model: int) -> list[Version] | Failure:
        keys = self._list(vendor, name, model)
        if isinstance(keys, Failure):
            return keys
        versions = []
        for key in keys:
            schema = self._self_describing(key)
            if isinstance(schema, Failure):
                return schema
            versions.append(Version(key, schema))
        return versions

    def versions(self, key: SchemaKey) -> list[Version] | Failure:
        """All published versions of a schema's model; they need not be self-describing."""
        model = (key.vendor, key.name, key.version.model)
        if model in self._versions:
            return self._versions[model]
        keys = self._list(*model)
        if isinstance(keys, Failure):
            return keys
        versions = []
        for version in keys:
            document = self._document(version)
            if isinstance(document, Failure):
                return document
            schema = parse(document)
            if schema is None:
                return Failure(badrows.unusable_schema(version.uri, _NO_SCHEMA))
            versions.append(Version(version, schema))
        self._versions[model] = versions
        return versions

    def _list(self, vendor: str, name: str, model: int) -> Sequence[SchemaKey] | Failure:
        found = self._source.schema_list(vendor, name, model)
        if isinstance(found, ResolutionFailure):
            return Failure(badrows.list_not_found(vendor, name, model, found.to_json()))
        return found

    def _document(self, key: SchemaKey) -> Any:
        found = self._source.schema(key)
        if isinstance(found, ResolutionFailure):
            return Failure(badrows.schema_not_found(key, found.to_json()))
        return found

    def _self_describing(self, key: SchemaKey) -> Schema | Failure:
        document = self._document(key)
        if isinstance(document, Failure):
            return document
        try:
            own_key = self_key(document)
        except ParseError as error:
            shown = jsontext.dumps(document)
            message = f"Cannot parse {shown} as self-describing schema, {error.code}"
            return Failure(badrows.unusable_schema(badrows.META_SCHEMA, message))
        schema = parse({name: value for name, value in document.items() if name not in ("self", "$schema")})
        return Failure(badrows.unusable_schema(own_key.uri, _NO_SCHEMA)) if schema is None else schema


def not_in_list(key: SchemaKey) -> Failure:
    """A version that events name but the registry's list does not."""
    return Failure(badrows.unusable_schema(key.uri, _NOT_IN_LIST))


def self_key(document: Any) -> SchemaKey:
    """The key a schema says it has. Raises ``ParseError`` where it is not self-describing."""
    if not isinstance(document, Mapping) or document.get("$schema") != SELF_DESCRIBING_URI:
        raise ParseError(INVALID_METASCHEMA)
    own = document.get("self")
    parts = [own.get(part) if isinstance(own, Mapping) else None for part in ("vendor", "name", "format")]
    if not all(isinstance(part, str) for part in parts):
        raise ParseError(INVALID_SCHEMA)
    assert isinstance(own, Mapping)
    version = own.get("version")
    if not isinstance(version, str):
        raise ParseError(INVALID_SCHEMAVER)
    vendor, name, format_ = (str(part) for part in parts)
    return SchemaKey(vendor, name, format_, SchemaVer.parse(version))
