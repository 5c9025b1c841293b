"""Resolver configuration: which registries there are, and how much to remember (``resolver-config`` 1-0-*)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from snowetl.errors import ConfigError
from snowetl.jvm import jsontext
from snowetl.jvm.text import decode_base64, decode_utf8
from snowetl.model.schema import ParseError, SchemaCriterion, self_describing

T = TypeVar("T")

_CRITERION = SchemaCriterion("com.snowplowanalytics.iglu", "resolver-config", "jsonschema", 1, 0, None)
_HELP = (
    "A resolver configuration is JSON like "
    '{"schema":"iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3","data":{"cacheSize":500,'
    '"repositories":[{"name":"Iglu Central","priority":0,"vendorPrefixes":["com.snowplowanalytics"],'
    '"connection":{"http":{"uri":"http://iglucentral.com"}}}]}}.'
)
_NOT_IN_URI = re.compile(r"[\s\"<>\\^`{|}\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Repository:
    """One registry: either ``uri`` (http, https, file) with an optional key, or ``path`` of an embedded folder."""

    name: str
    priority: int
    vendor_prefixes: tuple[str, ...]
    uri: str | None = None
    apikey: str | None = field(default=None, repr=False)
    path: str | None = None


BUILT_IN = Repository("Iglu Client Embedded", 0, (), path="/iglu-client-embedded")
"""Always there, and first in the list of all registries."""

_OFFLINE = Repository("Snowetl Embedded", 1, (), path="/snowetl/iglu")


@dataclass(frozen=True, slots=True)
class ResolverConfig:
    """``cache_size`` ≤ 0 or ``cache_ttl`` ≤ 0 (seconds; ``None`` is for ever) switch caching off."""

    repositories: tuple[Repository, ...]
    cache_size: int = 500
    cache_ttl: int | None = None

    @classmethod
    def default(cls) -> ResolverConfig:
        """No network: the schemas of the tracker protocol and of the standard enrichments, from the package itself."""
        return cls(repositories=(_OFFLINE,))

    @classmethod
    def load(cls, source: Any) -> ResolverConfig:
        """From a parsed JSON, a path, JSON text, or base64 of JSON text. Raises :class:`ConfigError`."""
        if isinstance(source, ResolverConfig):
            return source
        if isinstance(source, dict):
            return cls.parse(source)
        if isinstance(source, Path):
            return _parse_text(_read(source), str(source))
        if not isinstance(source, str) or not source.strip():
            raise ConfigError(f"The resolver configuration is missing. {_HELP}")
        if source.lstrip().startswith(("{", "[", '"')):
            return _parse_text(source, "the resolver configuration")
        if _is_file(source):
            return _parse_text(_read(Path(source)), source)
        return _parse_text(_from_base64(source), "the resolver configuration in base64")

    @classmethod
    def parse(cls, obj: Any) -> ResolverConfig:
        """From a parsed self-describing JSON. Raises :class:`ConfigError`."""
        try:
            key, data = self_describing(obj)
        except ParseError as error:
            raise ConfigError(f"The resolver configuration is not self-describing ({error.code}). {_HELP}") from None
        if not _CRITERION.matches(key):
            full = f"SchemaKey({key.vendor},{key.name},{key.format},Full({','.join(map(str, key.version))}))"
            raise ConfigError(f"Schema {full} does not match criterion {_CRITERION}. {_HELP}")
        cache_size = _field(data, "cacheSize", _integer, "data")
        cache_ttl = _field(data, "cacheTtl", _integer, "data", optional=True)
        entries = _field(data, "repositories", _array, "data")
        repositories = tuple(_repository(entry, f"data.repositories[{place}]") for place, entry in enumerate(entries))
        _check_names(repositories)
        return cls(repositories, cache_size, cache_ttl)


# --- sources ------------------------------------------------------------------------------------------------------


def _is_file(source: str) -> bool:
    try:
        return Path(source).is_file()
    except (OSError, ValueError):
        return False


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The resolver configuration {path} cannot be read: {error}") from None


def _from_base64(source: str) -> str:
    text = decode_utf8(decode_base64(source))
    if not text.lstrip().startswith("{"):
        raise ConfigError(
            f"No resolver configuration at {source[:200]}: it is neither a file, nor JSON, nor JSON in base64. "
            "Give the path of a file, or the JSON itself."
        )
    return text


def _parse_text(text: str, where: str) -> ResolverConfig:
    try:
        obj = jsontext.loads(text)
    except jsontext.JsonError as error:
        raise ConfigError(f"{where} is no JSON: {error}") from None
    try:
        return ResolverConfig.parse(obj)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


# --- decoding -----------------------------------------------------------------------------------------------------


def _repository(entry: Any, at: str) -> Repository:
    name = _field(entry, "name", _text, at)
    priority = _field(entry, "priority", _integer, at)
    prefixes = _field(entry, "vendorPrefixes", _texts, at)
    connection = _field(entry, "connection", _object, at)
    embedded = connection.get("embedded")
    if isinstance(embedded, dict) and isinstance(embedded.get("path"), str):
        return Repository(name, priority, prefixes, path=embedded["path"])
    http = _field(connection, "http", _object, f"{at}.connection")
    uri = _field(http, "uri", _uri, f"{at}.connection.http")
    apikey = _field(http, "apikey", _text, f"{at}.connection.http", optional=True)
    return Repository(name, priority, prefixes, uri=uri, apikey=apikey)


def _check_names(repositories: tuple[Repository, ...]) -> None:
    counts = Counter(repository.name for repository in repositories)
    twice = [
        f"{name} encountered List({', '.join([name] * count)}) times" for name, count in counts.items() if count > 1
    ]
    if twice:
        raise ConfigError(f"Repository names must be unique, {', '.join(twice)}")


def _field(obj: Any, name: str, decode: Callable[[Any], T], at: str, optional: bool = False) -> Any:
    """``obj[name]``; ``None`` for an optional one that is null or absent. Raises :class:`ConfigError`."""
    if not isinstance(obj, dict):
        raise ConfigError(f"{at} in the resolver configuration must be an object. {_HELP}")
    value = obj.get(name)
    if value is None:
        if optional:
            return None
        raise ConfigError(f"{at}.{name} is missing in the resolver configuration. {_HELP}")
    try:
        return decode(value)
    except ValueError as error:
        raise ConfigError(f"{at}.{name} in the resolver configuration {error}. {_HELP}") from None


def _integer(value: Any) -> int:
    if isinstance(value, str):
        value = int(value) if re.fullmatch(r"-?[0-9]{1,10}", value) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
        raise ValueError("must be an integer")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("must be an array")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("must be an array of texts")
    return tuple(value)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return value


def _uri(value: Any) -> str:
    text = _text(value)
    bad = _NOT_IN_URI.search(text)
    if bad:
        fault = f"Illegal character in {'authority' if '://' in text else 'path'} at index {bad.start()}: {text}"
        raise ValueError(f"is no URI. Provided URI string violates RFC 2396: [{fault}]")
    if urlsplit(text).scheme.lower() not in ("http", "https", "file"):
        raise ValueError(f"must begin with http://, https:// or file:///, but is {text}")
    return text
