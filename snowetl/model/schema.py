"""Iglu identifiers: SchemaKey, SchemaVer, SchemaCriterion (iglu-core 1.0.0)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

_URI: Final = re.compile(r"iglu:([a-zA-Z0-9\-_.]+)/([a-zA-Z0-9\-_]+)/([a-zA-Z0-9\-_]+)/([0-9]*(?:-(?:[0-9]*)){2})")
_FULL_VERSION: Final = re.compile(r"([1-9][0-9]*)-(0|[1-9][0-9]*)-(0|[1-9][0-9]*)")
_CRITERION: Final = re.compile(
    r"iglu:([a-zA-Z0-9\-_.]+)/([a-zA-Z0-9\-_]+)/([a-zA-Z0-9\-_]+)/"
    r"([1-9][0-9]*|\*)-(0|[1-9][0-9]*|\*)-(0|[1-9][0-9]*|\*)"
)
_MAX_GROUP: Final = 2**31 - 1
_REMEMBERED_LENGTH: Final = 512
"""No registry has a longer name, and whoever sends events makes them up."""
_MAX_GROUP_DIGITS: Final = len(str(_MAX_GROUP))

INVALID_IGLUURI: Final = "INVALID_IGLUURI"
INVALID_SCHEMAVER: Final = "INVALID_SCHEMAVER"
INVALID_DATA_PAYLOAD: Final = "INVALID_DATA_PAYLOAD"
INVALID_SCHEMA: Final = "INVALID_SCHEMA"
INVALID_METASCHEMA: Final = "INVALID_METASCHEMA"


class ParseError(ValueError):
    """An identifier that cannot be read; ``code`` is what bad rows carry."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class VersionOverflow(ParseError):
    """A version that is well formed but whose ``number`` needs more than 32 bits; the reference throws there."""

    def __init__(self, number: str) -> None:
        super().__init__(INVALID_SCHEMAVER)
        self.number = number


class SchemaVer(NamedTuple):
    """MODEL-REVISION-ADDITION; compares numerically."""

    model: int
    revision: int
    addition: int

    @classmethod
    def parse(cls, text: str) -> SchemaVer:
        """Raises :class:`ParseError` (``INVALID_SCHEMAVER``)."""
        match = _FULL_VERSION.fullmatch(text)
        if match is None:
            raise ParseError(INVALID_SCHEMAVER)
        for group in match.groups():
            if len(group) > _MAX_GROUP_DIGITS or int(group) > _MAX_GROUP:
                raise VersionOverflow(group)
        return cls(*map(int, match.groups()))

    def __str__(self) -> str:
        return f"{self.model}-{self.revision}-{self.addition}"


class SchemaKey(NamedTuple):
    """Vendor, name, format and full version of a schema; compares in that order."""

    vendor: str
    name: str
    format: str
    version: SchemaVer

    @classmethod
    def parse(cls, uri: str) -> SchemaKey:
        """Read ``iglu:VENDOR/NAME/FORMAT/VERSION``. Raises :class:`ParseError` with the reference's code."""
        parsed = _parse_uri(uri) if len(uri) <= _REMEMBERED_LENGTH else _read_uri(uri)
        if isinstance(parsed, SchemaKey):
            return parsed
        if parsed == INVALID_SCHEMAVER:
            SchemaVer.parse(uri.rpartition("/")[2])
        raise ParseError(parsed)

    @property
    def path(self) -> str:
        return f"{self.vendor}/{self.name}/{self.format}/{self.version}"

    @property
    def uri(self) -> str:
        return f"iglu:{self.path}"

    def __str__(self) -> str:
        return self.uri


def _read_uri(uri: str) -> SchemaKey | str:
    match = _URI.fullmatch(uri)
    if match is None:
        return INVALID_IGLUURI
    vendor, name, format_, version = match.groups()
    try:
        return SchemaKey(vendor, name, format_, SchemaVer.parse(version))
    except ParseError as error:
        return error.code


_parse_uri: Final = lru_cache(maxsize=8192)(_read_uri)


class SchemaCriterion(NamedTuple):
    """A family of schemas: any version group may be ``None`` (``*`` in text)."""

    vendor: str
    name: str
    format: str
    model: int | None
    revision: int | None
    addition: int | None

    @classmethod
    def parse(cls, text: str) -> SchemaCriterion:
        """Raises ``ValueError`` when ``text`` is not a criterion."""
        match = _CRITERION.fullmatch(text)
        if match is None:
            raise ValueError(f"not a schema criterion: {text}")
        vendor, name, format_, *version = match.groups()
        model, revision, addition = (None if group == "*" else int(group) for group in version)
        return cls(vendor, name, format_, model, revision, addition)

    def matches(self, key: SchemaKey) -> bool:
        """Equality group by group; ``None`` stands for anything."""
        return (
            self.vendor == key.vendor
            and self.name == key.name
            and self.format == key.format
            and (self.model is None or self.model == key.version.model)
            and (self.revision is None or self.revision == key.version.revision)
            and (self.addition is None or self.addition == key.version.addition)
        )

    def __str__(self) -> str:
        version = "-".join("*" if group is None else str(group) for group in self[3:])
        return f"iglu:{self.vendor}/{self.name}/{self.format}/{version}"


def self_describing(value: object) -> tuple[SchemaKey, object]:
    """Split a parsed self-describing JSON into its key and its data.

    Raises :class:`ParseError` (``INVALID_DATA_PAYLOAD``, ``INVALID_IGLUURI``, ``INVALID_SCHEMAVER``).
    """
    if not isinstance(value, dict) or "data" not in value:
        raise ParseError(INVALID_DATA_PAYLOAD)
    uri = value.get("schema")
    if not isinstance(uri, str):
        raise ParseError(INVALID_DATA_PAYLOAD)
    return SchemaKey.parse(uri), value["data"]
