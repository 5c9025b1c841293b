"""Values of wide rows in Parquet: JSON cast to the types of its columns (schema-ddl 0.18.2 ``FieldValue``).

A timestamp is microseconds since the epoch, a date days since the epoch, a decimal a :class:`~decimal.Decimal` of the
type's scale, a struct a ``dict`` by column name, JSON its text: what Arrow takes for these types.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from snowetl.ddl.names import word
from snowetl.ddl.parquet import Array, DecimalType, Field, FieldType, Struct, describe
from snowetl.ddl.schema import big_decimal, big_int, precision, scale
from snowetl.jvm import instants, jsontext
from snowetl.jvm.instants import Instant
from snowetl.jvm.timestamps import civil_from_days, days_from_civil


class CastError(NamedTuple):
    """A value its column cannot hold; ``key`` is set where a required one is missing from ``value``."""

    value: Any
    expected: str
    key: str | None = None


Caster = Callable[[Any, list[CastError]], Any]
"""Casts a JSON value. Appends to the list what is wrong; the value returned then means nothing."""

_INVALID = object()


def caster(field: Field) -> Caster:
    """Compile the cast of a field, with its rules for null."""
    return _nullable(field.type, field.nullable)


def _nullable(type_: FieldType, nullable: bool) -> Caster:
    return _or_null(_caster(type_), type_, nullable)


def _or_null(cast: Caster, type_: FieldType, nullable: bool) -> Caster:
    def cast_nullable(value: Any, errors: list[CastError]) -> Any:
        if value is not None:
            return cast(value, errors)
        if nullable:
            return None
        if type_ == "json":
            return "null"
        errors.append(CastError(None, describe(type_)))
        return _INVALID

    return cast_nullable


def _caster(type_: FieldType) -> Caster:
    if isinstance(type_, DecimalType):
        return _or_wrong_type(type_, lambda value: _decimal(value, type_))
    if isinstance(type_, Struct):
        return _struct(type_)
    if isinstance(type_, Array):
        return _array(type_)
    if type_ == "json":
        return lambda value, errors: jsontext.dumps(value)
    if type_ in _UNCHANGED:
        return _unchanged(type_, _UNCHANGED[type_])
    return _or_wrong_type(type_, _SCALARS[type_])


def _or_wrong_type(type_: FieldType, read: Callable[[Any], Any]) -> Caster:
    expected = describe(type_)

    def cast(value: Any, errors: list[CastError]) -> Any:
        result = read(value)
        if result is None:
            errors.append(CastError(value, expected))
            return _INVALID
        return result

    return cast


# --- scalars --------------------------------------------------------------------------------------------------------

_UNCHANGED: dict[FieldType, type] = {"string": str, "boolean": bool}


def _unchanged(type_: FieldType, kind: type) -> Caster:
    expected = describe(type_)

    def cast(value: Any, errors: list[CastError]) -> Any:
        if type(value) is kind:
            return value
        errors.append(CastError(value, expected))
        return _INVALID

    return cast


def _integer(bits: int) -> Callable[[Any], int | None]:
    beyond = 1 << bits - 1

    def read(value: Any) -> int | None:
        number = value if type(value) is int else big_int(value)
        return number if number is not None and -beyond <= number < beyond else None

    return read


def _double(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _decimal(value: Any, type_: DecimalType) -> Decimal | None:
    """Never rounded. What needs more digits than the type has is refused: no file could hold it."""
    number = big_decimal(value)
    if number is None or scale(number) > type_.scale:
        return None
    if precision(number) - scale(number) + type_.scale > type_.digits and number != 0:
        return None
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    return Decimal((sign if number else 0, (*digits, *(0,) * (exponent + type_.scale)), -type_.scale))


_DATE_TIME = re.compile(
    r"(?P<year>[0-9]{4}|-[0-9]{4,10}|\+[0-9]{5,10})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})[Tt]"
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{0,9}))?)?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<offset_hour>[0-9]{2}):(?P<offset_minute>[0-9]{2})(?::(?P<offset_second>[0-9]{2}))?)"
    r"(?:\[[A-Za-z][A-Za-z0-9~/._+-]*\])?"
)
_MAX_OFFSET = 18 * 3600


def _timestamp(value: Any) -> int | None:
    """ISO 8601 with an offset, strictly (``DateTimeFormatter.ISO_DATE_TIME``): microseconds, cut."""
    match = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    hour = match["hour"]
    clock = f"{hour}:{match['minute']}:{match['second'] or '00'}.{match['fraction'] or '0'}"
    if hour == "24" or clock[6:8] == "60":
        return None
    local = instants.parse(f"{match['year']}-{match['month']}-{match['day']}T{clock}")
    if local is None:
        return None
    offset = 0
    if match["sign"]:
        hours, minutes, seconds = (int(match[part] or 0) for part in ("offset_hour", "offset_minute", "offset_second"))
        offset = hours * 3600 + minutes * 60 + seconds
        if minutes > 59 or seconds > 59 or offset > _MAX_OFFSET:
            return None
    micros = Instant(local.seconds + (offset if match["sign"] == "-" else -offset), local.nanos).micros
    return micros if -(2**63) <= micros < 2**63 else None


_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")


def _date(value: Any) -> int | None:
    """``yyyy-[m]m-[d]d`` (``java.sql.Date.valueOf``): a day too many in a month counts on into the next one."""
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day = (int(group) for group in match.groups())
    return days_from_civil(year, month, 1) + day - 1 if 1 <= month <= 12 and 1 <= day <= 31 else None


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "integer": _integer(32),
    "long": _integer(64),
    "double": _double,
    "timestamp": _timestamp,
    "date": _date,
}


# --- nested ---------------------------------------------------------------------------------------------------------


def _array(type_: Array) -> Caster:
    element = _nullable(type_.element, type_.element_nullable)
    expected = describe(type_)

    def cast(value: Any, errors: list[CastError]) -> Any:
        if type(value) is list:
            return [element(member, errors) for member in value]
        errors.append(CastError(value, expected))
        return _INVALID

    return cast


def _struct(type_: Struct) -> Caster:
    members = [_member(field) for field in type_.fields]
    expected = describe(type_)

    def cast(value: Any, errors: list[CastError]) -> Any:
        if type(value) is not dict:
            errors.append(CastError(value, expected))
            return _INVALID
        get = value.get
        found: dict[str, Any] = {}
        for name, key, cast_value, otherwise in members:
            member = get(key)
            if member is not None:
                found[name] = cast_value(member, errors)
            else:
                found[name] = None if otherwise is None else otherwise(value, errors)
        return found

    return cast


class _Member(NamedTuple):
    """A field of a struct: what is at ``key`` in an object is ``cast``; where nothing is, ``otherwise`` is asked of the
    object, or it is null. Fields of several names have no key.
    """

    name: str
    key: str | None
    cast: Caster
    otherwise: Caster | None


def _member(field: Field) -> _Member:
    not_null = _caster(field.type)  # once: to compile it twice would double the work with each level of nesting
    cast = _or_null(not_null, field.type, field.nullable)
    accessors = sorted(field.accessors, key=lambda name: name.encode("utf-16-be", "surrogatepass"))

    def read_one(accessor: str, data: dict[str, Any], errors: list[CastError]) -> Any:
        if accessor in data:
            return cast(data[accessor], errors)
        if not field.nullable:
            errors.append(CastError(data, "", field.name))
        return None

    def read(data: dict[str, Any], errors: list[CastError]) -> Any:
        result, wrong = _INVALID, None
        for accessor in accessors:
            problems: list[CastError] = []
            value = read_one(accessor, data, problems)
            if problems:
                wrong = wrong or problems
            elif result is _INVALID or result is None:
                result = value
        if result is _INVALID:
            errors += wrong or []
        return result

    if len(accessors) > 1:
        return _Member(word(field.name), None, cast, read)
    return _Member(word(field.name), accessors[0], not_null, None if field.nullable else read)


# --- for reports and tests ------------------------------------------------------------------------------------------


def as_json(type_: FieldType, value: Any) -> Any:
    """A value as plain JSON: timestamps and dates as ISO text, decimals as text."""
    if value is None:
        return None
    if isinstance(type_, DecimalType):
        return str(value)
    if isinstance(type_, Array):
        return [as_json(type_.element, member) for member in value]
    if isinstance(type_, Struct):
        return {word(field.name): as_json(field.type, value[word(field.name)]) for field in type_.fields}
    if type_ == "timestamp":
        seconds, micros = divmod(value, 1_000_000)
        return instants.to_iso(Instant(seconds, micros * 1000))
    if type_ == "date":
        year, month, day = civil_from_days(value)
        return f"{year:04d}-{month:02d}-{day:02d}"
    return value
