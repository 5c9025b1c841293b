"""Typed nested columns for Parquet and lakes: types, fields, merging of versions (schema-ddl 0.18.2 ``parquet``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from snowetl.ddl.names import word
from snowetl.ddl.schema import Schema, Type, big_decimal, precision, scale
from snowetl.ddl.storage import for_storage
from snowetl.jvm.map_order import java_hash

PRIMITIVES = ("string", "boolean", "integer", "long", "double", "date", "timestamp", "json")
"""Names of the plain types. ``integer`` has 32 bits, ``long`` 64; ``json`` is stored as text."""

_INT, _LONG = 2**31 - 1, 2**63 - 1


@dataclass(slots=True, frozen=True)
class DecimalType:
    """A decimal of 9, 18 or 38 digits, ``scale`` of them after the point."""

    digits: int
    scale: int


@dataclass(slots=True, frozen=True)
class Struct:
    fields: tuple[Field, ...]


@dataclass(slots=True, frozen=True)
class Array:
    element: FieldType
    element_nullable: bool


FieldType = str | DecimalType | Struct | Array


@dataclass(slots=True, frozen=True)
class Field:
    """A named, typed place. ``accessors`` are the JSON keys its value is looked for under."""

    name: str
    type: FieldType
    nullable: bool
    accessors: frozenset[str] = field(default=frozenset())

    def __post_init__(self) -> None:
        if not self.accessors:
            object.__setattr__(self, "accessors", frozenset((self.name,)))


# --- from schemas ---------------------------------------------------------------------------------------------------


def build(name: str, schema: Schema, required: bool) -> Field:
    """The field of a schema; names inside are still the schema's."""
    type_, allows_null = field_type(for_storage(schema))
    return Field(name, type_, allows_null or not required)


def build_repeated(name: str, schema: Schema) -> Field:
    """A nullable array of (required) items of a schema."""
    type_, allows_null = field_type(for_storage(schema))
    return Field(name, Array(type_, allows_null), True)


def field_type(schema: Schema) -> tuple[FieldType, bool]:
    """Type of a schema that was rewritten for storage, and whether the schema itself allows null."""
    for rule in (_object, _array, _date_or_time, _plain, _numeric, _enum):
        found = rule(schema)
        if found is not None:
            return found
    return "json", schema.type is None or schema.allows("null")


def _object(schema: Schema) -> tuple[FieldType, bool] | None:
    if not schema.is_only("object"):
        return None
    if not schema.properties:
        return "json", schema.allows("null")
    fields = []
    for name in sorted(schema.properties, key=_code_units):
        type_, allows_null = field_type(schema.properties[name])
        fields.append(Field(name, type_, allows_null or name not in (schema.required or ())))
    return Struct(tuple(fields)), schema.allows("null")


def _code_units(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def _array(schema: Schema) -> tuple[FieldType, bool] | None:
    if not schema.is_only("array"):
        return None
    if not isinstance(schema.items, Schema):
        return Array("json", True), schema.allows("null")
    element, allows_null = field_type(schema.items)
    return Array(element, allows_null), schema.allows("null")


def _date_or_time(schema: Schema) -> tuple[FieldType, bool] | None:
    if schema.is_only("string") and schema.format in ("date", "date-time"):
        return "date" if schema.format == "date" else "timestamp", schema.allows("null")
    return None


def _plain(schema: Schema) -> tuple[FieldType, bool] | None:
    for name in ("boolean", "string"):
        if schema.is_only(name):
            return name, schema.allows("null")
    return None


def _numeric(schema: Schema) -> tuple[FieldType, bool] | None:
    if schema.is_only("integer"):
        return _integer(schema), schema.allows("null")
    if not _only_numbers(schema.type):
        return None
    if isinstance(schema.multiple_of, int):
        return _integer(schema), schema.allows("null")
    if schema.multiple_of is None or schema.minimum is None or schema.maximum is None:
        return "double", schema.allows("null")
    places = scale(schema.multiple_of)
    digits = max(_whole_digits(schema.maximum), _whole_digits(schema.minimum)) + places
    return _decimal(digits, places) or "double", schema.allows("null")


def _only_numbers(type_: Type | None) -> bool:
    if isinstance(type_, frozenset):
        return bool(type_ - {"null"}) and type_ - {"null"} <= {"number", "integer"}
    return type_ in ("number", "integer")


def _integer(schema: Schema) -> FieldType:
    low, high = schema.minimum, schema.maximum
    if low is None or high is None:
        return "long"
    if high <= _INT and low >= -_INT - 1:
        return "integer"
    if high <= _LONG and low >= -_LONG - 1:
        return "long"
    return _decimal(max(_whole_digits(high), _whole_digits(low)), 0) or "double"


def _whole_digits(number: int | Decimal) -> int:
    decimal = Decimal(number)
    return precision(decimal) - scale(decimal)


def _decimal(digits: int, places: int) -> DecimalType | None:
    for size in (9, 18, 38):
        if digits <= size:
            return DecimalType(size, places)
    return None


def _enum(schema: Schema) -> tuple[FieldType, bool] | None:
    if schema.enum is None:
        return None
    members = [member for member in schema.enum if member is not None]
    nullable = len(members) < len(schema.enum)
    numbers = [big_decimal(member) for member in members]
    decimals = [number for number in numbers if number is not None]
    if len(decimals) == len(members):
        return _number_enum(decimals), nullable
    return "string" if all(isinstance(member, str) for member in members) else "json", nullable


def _number_enum(members: Sequence[Decimal]) -> FieldType:
    places = max((scale(member) for member in members), default=0)
    places = max(places, 0)
    largest = max((member.copy_abs() for member in members), default=Decimal(0))
    if places == 0 and largest <= _LONG:
        return "integer" if largest <= _INT else "long"
    return _decimal(_whole_digits(largest) + places, places) or "double"


# --- names ----------------------------------------------------------------------------------------------------------


def normalized(field_: Field) -> Field:
    """The field with column names throughout; fields of a struct whose names become equal are one.

    A name without letters becomes an underscore: engines refuse an empty one, and with it the whole table.
    """
    return replace(field_, name=word(field_.name) or "_", type=_normalized_type(field_.type))


def _normalized_type(type_: FieldType) -> FieldType:
    if isinstance(type_, Array):
        return replace(type_, element=_normalized_type(type_.element))
    return _collapsed(type_) if isinstance(type_, Struct) else type_


def _collapsed(struct: Struct) -> Struct:
    by_name: dict[str, list[Field]] = {}
    for member in struct.fields:
        renamed = normalized(member)
        by_name.setdefault(renamed.name, []).append(renamed)
    return Struct(tuple(_one(members) for members in by_name.values()))


def _one(members: list[Field]) -> Field:
    lowest = min(members, key=lambda member: min(map(_code_units, member.accessors)))
    return replace(lowest, accessors=frozenset().union(*(member.accessors for member in members)))


# --- versions -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Merge:
    """Two versions of a field in one; ``field`` is ``None`` when they cannot be. ``changes`` tells what differs."""

    field: Field | None
    changes: list[str]
    breaking: bool


def merge(older: Field, newer: Field) -> Merge:
    """Merge a version into those before it."""
    changes: dict[str, bool] = {}
    merged = _merge_fields((), older, newer, changes)
    return Merge(merged, list(changes), any(changes.values()))


def _merge_fields(path: tuple[str, ...], older: Field, newer: Field, changes: dict[str, bool]) -> Field | None:
    if older == newer:
        return older
    nullable = _merge_nullability(path, older.nullable, newer.nullable, changes)
    type_ = _merge_types(path, older.type, newer.type, changes)
    if type_ is None:
        return None
    return Field(older.name, type_, nullable, older.accessors | newer.accessors)


def _merge_nullability(path: tuple[str, ...], older: bool, newer: bool, changes: dict[str, bool]) -> bool:
    where = "/" + "/".join(path)
    if older and not newer:
        changes.setdefault(f"Changing nullable property to required at {where}", False)
    elif newer and not older:
        changes.setdefault(f"Changing required property to nullable at {where}", False)
    return older or newer


def _merge_types(
    path: tuple[str, ...], older: FieldType, newer: FieldType, changes: dict[str, bool]
) -> FieldType | None:
    if isinstance(older, Struct) and isinstance(newer, Struct):
        return _merge_structs(path, older, newer, changes)
    if isinstance(older, Array) and isinstance(newer, Array):
        inside = (*path, "[arrayDown]")
        nullable = _merge_nullability(inside, older.element_nullable, newer.element_nullable, changes)
        element = _merge_types(inside, older.element, newer.element, changes)
        return None if element is None else Array(element, nullable)
    if older == newer:
        return newer
    changes["Incompatible type change {} to {} at /{}".format(describe(older), describe(newer), "/".join(path))] = True
    return None


def _merge_structs(path: tuple[str, ...], older: Struct, newer: Struct, changes: dict[str, bool]) -> Struct | None:
    old, new = ({member.name: member for member in struct.fields} for struct in (older, newer))
    kept: dict[str, Field] = {}
    for member in older.fields:
        where = (*path, member.name)
        if member.name not in new:
            changes.setdefault("Key removal at /" + "/".join(where), False)
            kept[member.name] = replace(member, nullable=True)
            continue
        merged = _merge_fields(where, member, new[member.name], changes)
        if merged is not None:
            kept[member.name] = merged
    _note_additions(path, older, newer, changes)
    if len(kept) < len(old):
        return None
    fields = [_in_newer_order(member, old.get(member.name), kept) for member in newer.fields]
    return Struct((*fields, *(member for name, member in kept.items() if name not in new)))


def _in_newer_order(newer: Field, older: Field | None, kept: dict[str, Field]) -> Field:
    if older is None:
        return replace(newer, nullable=True)
    if newer == older or isinstance(kept[newer.name].type, (Struct, Array)):
        return kept[newer.name]
    return replace(newer, nullable=newer.nullable or older.nullable, accessors=newer.accessors | older.accessors)


def _note_additions(path: tuple[str, ...], older: Struct, newer: Struct, changes: dict[str, bool]) -> None:
    known = {member.name for member in older.fields}
    for member in newer.fields:
        if member.name not in known:
            changes.setdefault("Schema key addition at /" + "/".join((*path, member.name)), False)


# --- as the reference prints and hashes them ------------------------------------------------------------------------

_SCALA = {name: name.capitalize() for name in PRIMITIVES}


def describe(type_: FieldType) -> str:
    """A type in the library's own rendering, as it stands in bad rows: ``Long``, ``Decimal(Digits18,2)``."""
    if isinstance(type_, str):
        return _SCALA[type_]
    if isinstance(type_, DecimalType):
        return f"Decimal(Digits{type_.digits},{type_.scale})"
    if isinstance(type_, Array):
        return f"Array({describe(type_.element)},{_nullability(type_.element_nullable)})"
    return f"Struct(List({', '.join(map(_describe_field, type_.fields))}))"


def _describe_field(member: Field) -> str:
    accessors = ", ".join(sorted(member.accessors))
    return f"Field({member.name},{describe(member.type)},{_nullability(member.nullable)},Set({accessors}))"


def _nullability(nullable: bool) -> str:
    return "Nullable" if nullable else "Required"


def structural_hash(field_: Field) -> int:
    """The Scala 2.12 hash code of a field, which names the columns of recovered versions (signed 32 bits)."""

    def of_type(type_: FieldType) -> int:
        if isinstance(type_, str):
            return java_hash(_SCALA[type_])
        if isinstance(type_, DecimalType):
            return _ordered([java_hash(f"Digits{type_.digits}"), type_.scale], _PRODUCT_SEED)
        if isinstance(type_, Array):
            return _ordered([of_type(type_.element), java_hash(_nullability(type_.element_nullable))], _PRODUCT_SEED)
        members = _ordered([of_field(member) for member in type_.fields], java_hash("Seq"))
        return _ordered([members], _PRODUCT_SEED)

    def of_field(member: Field) -> int:
        accessors = _unordered([java_hash(name) for name in member.accessors], java_hash("Set"))
        parts = [java_hash(member.name), of_type(member.type), java_hash(_nullability(member.nullable)), accessors]
        return _ordered(parts, _PRODUCT_SEED)

    unsigned = of_field(field_)
    return unsigned - 2**32 if unsigned >= 2**31 else unsigned


_PRODUCT_SEED = 0xCAFEBABE
_MASK = 0xFFFFFFFF


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> 32 - by) & _MASK


def _mix_last(state: int, value: int) -> int:
    value = value * 0xCC9E2D51 & _MASK
    return state ^ _rotate(value, 15) * 0x1B873593 & _MASK


def _mix(state: int, value: int) -> int:
    return _rotate(_mix_last(state, value), 13) * 5 + 0xE6546B64 & _MASK


def _finalize(state: int, length: int) -> int:
    state ^= length
    state = (state ^ state >> 16) * 0x85EBCA6B & _MASK
    state = (state ^ state >> 13) * 0xC2B2AE35 & _MASK
    return state ^ state >> 16


def _ordered(hashes: list[int], seed: int) -> int:
    state = seed
    for value in hashes:
        state = _mix(state, value & _MASK)
    return _finalize(state, len(hashes))


def _unordered(hashes: list[int], seed: int) -> int:
    total, xor, product = 0, 0, 1
    for value in hashes:
        total = total + value & _MASK
        xor ^= value
        product = product * (value or 1) & _MASK
    return _finalize(_mix_last(_mix(_mix(seed, total), xor), product), len(hashes))


def as_json(type_: FieldType) -> Any:
    """A type as plain data, for reports and tests."""
    if isinstance(type_, str):
        return type_
    if isinstance(type_, DecimalType):
        return {"decimal": [type_.digits, type_.scale]}
    if isinstance(type_, Array):
        return {"array": as_json(type_.element), "element_nullable": type_.element_nullable}
    return {
        "struct": [
            {"name": member.name, "type": as_json(member.type), "nullable": member.nullable} for member in type_.fields
        ]
    }
