"""The versions of one model of a schema, as a registry lists them (iglu-core 1.0.0 ``SchemaList``)."""

from __future__ import annotations

from typing import Any

from snowetl.model.schema import ParseError, SchemaKey, SchemaVer

_PREFIX = "Cannot parse list of strings into SchemaList. "
_ERROR_TEXTS = {
    "INVALID_IGLUURI": "Invalid Iglu URI: {}, code: INVALID_IGLUURI",
    "INVALID_SCHEMAVER": "Invalid schema version: {}, code: INVALID_SCHEMAVER",
}


class SchemaListError(ValueError):
    """No list of schemas; the message is the reference's."""


def parse_schema_list(elements: Any) -> list[SchemaKey]:
    """Keys in the registry's order, which is trusted. Raises :class:`SchemaListError`."""
    if not isinstance(elements, list) or not all(isinstance(element, str) for element in elements):
        raise SchemaListError("not a JSON array of Iglu URIs")
    return checked_schema_list([_key(element) for element in elements])


def checked_schema_list(keys: list[SchemaKey]) -> list[SchemaKey]:
    """Starts at ``M-0-0``, one vendor and name, nothing twice. Raises :class:`SchemaListError`."""
    if not keys:
        raise SchemaListError(f"{_PREFIX}SchemaList cannot be empty")
    first = keys[0]
    if first.version != SchemaVer(first.version.model, 0, 0):
        raise SchemaListError(f"{_PREFIX}Init schema {first} is not 1-0-0")
    seen = {first}
    for key in keys[1:]:
        if (key.vendor, key.name) != (first.vendor, first.name):
            vendor_or_name = f"vendor ({key.vendor}) or name ({key.name})"
            raise SchemaListError(f"{_PREFIX}SchemaKey {key} does not match previous {vendor_or_name}")
        if key in seen:
            raise SchemaListError(f"{_PREFIX}SchemaKey {key} is not unique")
        seen.add(key)
    return keys


def _key(element: str) -> SchemaKey:
    try:
        return SchemaKey.parse(element)
    except ParseError as error:
        wrong = element.rpartition("/")[2] if error.code == "INVALID_SCHEMAVER" else element
        raise SchemaListError(f"{_PREFIX}{element} - {_ERROR_TEXTS[error.code].format(wrong)}") from None
