"""Dataclasses as JSON, both ways: ``snake_case`` fields as ``camelCase`` keys, what is absent as its default."""

from __future__ import annotations

import dataclasses
import types
import typing
from functools import cache
from typing import Any, TypeVar, cast

T = TypeVar("T")


def to_json(value: object) -> Any:
    """``value`` (dataclasses, lists, mappings, scalars, nested) as JSON. Fields that are ``None`` by default and are
    ``None`` are left out.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            camel(field.name): to_json(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if not (field.default is None and getattr(value, field.name) is None)
        }
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    return value


def from_json(kind: type[T], document: object) -> T:
    """The ``kind`` that ``to_json`` wrote as ``document``. Keys it does not know are passed over.

    Raises ``ValueError`` naming a key that is missing, or whose value is of another kind.
    """
    return cast("T", _read(kind, document, kind.__name__))


def camel(name: str) -> str:
    """``bad_row_schemas`` as ``badRowSchemas``."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: Any, value: Any, place: str) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _read_fields(kind, value, place)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _read(next(each for each in arguments if each is not type(None)), value, place)
    if origin in (list, tuple) and isinstance(value, list):
        items = [_read(arguments[0], item, place) for item in value]
        return items if origin is list else tuple(items)
    if origin is dict and isinstance(value, dict):
        return {key: _read(arguments[1], item, f"{place}.{key}") for key, item in value.items()}
    if kind is Any:
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if origin is None and isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise ValueError(f"{place} is {value!r}: it should be {kind if origin else kind.__name__}")


def _read_fields(kind: type, value: Any, place: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{place} is {value!r}: it should be an object")
    given: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        key = camel(field.name)
        if key in value:
            given[field.name] = _read(_hints(kind)[field.name], value[key], f"{place}.{key}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ValueError(f"{place} lacks the key {key}")
    return kind(**given)
