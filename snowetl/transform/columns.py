"""Columns of a batch of wide rows in Parquet (RDB Loader 5.6.3 ``transformation.parquet``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from snowetl.ddl import parquet
from snowetl.ddl.parquet import DecimalType, Field
from snowetl.ddl.schema import parse
from snowetl.errors import ConfigError
from snowetl.iglu.failures import ResolutionFailure
from snowetl.jvm import instants
from snowetl.jvm.json_number import JsonNumber
from snowetl.model.badrow import Message
from snowetl.model.fields import FIELDS
from snowetl.model.schema import SchemaKey
from snowetl.transform import badrows
from snowetl.transform.event import ATOMIC, DOUBLES, TIMESTAMPS, UNSTRUCT_EVENT, Event
from snowetl.transform.eventjson import Forms, column_name, places, scalars
from snowetl.transform.parquet import CastError, caster
from snowetl.transform.rows import SchemaType
from snowetl.transform.schemas import Failure, Schemas, SchemaSource, Version, not_in_list

DUPLICATE = "iglu:com.snowplowanalytics.snowplow/duplicate/jsonschema/1-0-0"
_REQUIRED = ("collector_tstamp", "event_id", "v_collector", "v_etl")
_MONEY = DecimalType(18, 2)
_TYPES: dict[str, parquet.FieldType] = {
    "str": "string",
    "ts": "timestamp",
    "int": "integer",
    "txn": "integer",
    "float": "double",
    "dec": _MONEY,
    "bool": "boolean",
}


def _atomic_type(name: str, type_: str) -> parquet.FieldType:
    return "double" if name == "se_value" else _TYPES[type_]


ATOMIC_FIELDS = tuple(
    Field(field.name, _atomic_type(field.name, field.type), field.name not in _REQUIRED)
    for field in FIELDS
    if field.type != "json"
)
"""The 128 columns every batch has."""


class EntityColumn(NamedTuple):
    """A column with entities' data: that of the schema versions ``keys``. ``type`` stands for them in bad rows."""

    field: Field
    column: str
    type: SchemaKey
    keys: frozenset[SchemaKey]


def entity_columns(types: Iterable[SchemaType], schemas: Schemas) -> list[EntityColumn] | Failure:
    """Columns for the schemas met in a batch, sorted: contexts first, then by schema."""
    met = sorted({(type_.column == UNSTRUCT_EVENT, SchemaKey.parse(type_.uri)) for type_ in types})
    columns: list[EntityColumn] = []
    for (is_event, *_), family in groupby(met, key=lambda pair: (pair[0], pair[1][:3], pair[1].version.model)):
        keys = [key for _, key in family]
        versions = schemas.versions(keys[-1])
        if isinstance(versions, Failure):
            return versions
        known = sorted((version for version in versions if version.key <= keys[-1]), key=lambda version: version.key)
        if not known:
            return not_in_list(keys[-1])
        columns += family_columns(bool(is_event), keys, known)
    return columns


def family_columns(is_event: bool, met: Sequence[SchemaKey], versions: Sequence[Version]) -> list[EntityColumn]:
    """One column for all versions that merge, and one for each version met that breaks with those before it."""
    column = "unstruct_event" if is_event else "contexts"
    name = column_name(f"{column}_", met[0].uri)
    first, *later = (EntityColumn(_field(is_event, name, v), column, met[0], frozenset((v.key,))) for v in versions)
    recovered = []
    for newer in later:
        merged = parquet.merge(first.field, newer.field).field
        if merged is not None:
            first = EntityColumn(merged, column, met[-1], first.keys | newer.keys)
        elif newer.keys <= set(met):
            (key,) = newer.keys
            recovered.append(newer._replace(field=replace(newer.field, name=_recovered_name(newer.field, key))))
    return [first, *recovered]


def _field(is_event: bool, name: str, version: Version) -> Field:
    field = parquet.build(name, version.schema, False) if is_event else parquet.build_repeated(name, version.schema)
    return parquet.normalized(field)


def _recovered_name(field: Field, key: SchemaKey) -> str:
    version = str(key.version).replace("-", "_")
    return f"{field.name}_recovered_{version}_{abs(parquet.structural_hash(field))}"


class Failures(NamedTuple):
    """Why an event does not fit its columns: elements of ``loader_iglu_error``."""

    messages: list[Message]


class WideRows:
    """Casts events to the columns of a batch."""

    def __init__(self, columns: Sequence[EntityColumn]) -> None:
        self.columns = columns
        self.fields: tuple[Field, ...] = (*ATOMIC_FIELDS, *(column.field for column in columns))
        self._doubles = [(place, caster(ATOMIC_FIELDS[place])) for place, _ in places(DOUBLES)]
        self._casters = [caster(column.field) for column in columns]
        self._places: dict[tuple[bool, str], int] = {
            (column.column == UNSTRUCT_EVENT, key.uri): place
            for place, column in enumerate(columns)
            for key in column.keys
        }

    def row(self, event: Event) -> list[Any] | Failures:
        """Values of ``fields`` in order, or what is wrong with the first column that cannot hold its value."""
        values = self._atomic_values(event)
        if isinstance(values, Failures):
            return values
        entities: list[Any] = [None] * len(self.columns)
        for place, data in sorted(self._data(event).items()):
            errors: list[CastError] = []
            entities[place] = self._casters[place](data, errors)
            if errors:
                return _failures(self.columns[place].type, errors)
        return values + entities

    def _data(self, event: Event) -> dict[int, Any]:
        """Data of the entities by the place of their column; contexts come before derived ones."""
        found: dict[int, Any] = {}
        for entity in (*event.contexts, *event.derived_contexts):
            place = self._places.get((False, entity.uri))
            if place is not None:
                found.setdefault(place, []).append(entity.data)
        if event.unstruct_event is not None:
            place = self._places.get((True, event.unstruct_event.uri))
            if place is not None:
                found[place] = event.unstruct_event.data
        return found

    def _atomic_values(self, event: Event) -> list[Any] | Failures:
        values = scalars(event, _MICROS)
        for place, index in _TIMESTAMPS:
            if values[place] is not None and not -(2**63) <= values[place] < 2**63:
                return Failures([badrows.wrong_type(ATOMIC.uri, event.iso(index), "Timestamp")])
        for place, cast in self._doubles:
            if values[place] is not None:
                errors: list[CastError] = []
                values[place] = cast(values[place], errors)
                if errors:
                    return _failures(ATOMIC, errors)
        return values


_MICROS = Forms(instants.canonical_to_micros, lambda instant: instant.micros, JsonNumber)
_TIMESTAMPS = places(TIMESTAMPS)


def _failures(key: SchemaKey, errors: list[CastError]) -> Failures:
    return Failures(
        [
            badrows.wrong_type(key.uri, error.value, error.expected)
            if error.key is None
            else badrows.missing_in_value(key.uri, error.key, error.value)
            for error in errors
        ]
    )


def atomic_lengths(source: SchemaSource) -> dict[str, int]:
    """Longest text of each atomic string column, from the atomic schema.

    Raises :class:`ConfigError` for a schema that cannot be found, or limits nothing.
    """
    found = source.schema(ATOMIC)
    schema = None if isinstance(found, ResolutionFailure) else parse(found)
    lengths = {} if schema is None else {name: s.max_length for name, s in (schema.properties or {}).items()}
    limited = {name: length for name, length in lengths.items() if length is not None}
    if not limited:
        raise ConfigError(
            f"{ATOMIC.uri} cannot be used, and truncate_atomic_fields needs it: no registry of the resolver has it, or "
            "it sets no maxLength"
        )
    return limited
