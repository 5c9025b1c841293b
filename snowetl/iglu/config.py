"""Resolver configuration: which registries there are, and how much to remember (``resolver-config`` 1-0-*)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from snowetl import documents
from snowetl.errors import ConfigError
from snowetl.model.schema import ParseError, SchemaCriterion, self_describing
from snowetl.problems import Problems, nearest

T = TypeVar("T")

_CRITERION = SchemaCriterion("com.snowplowanalytics.iglu", "resolver-config", "jsonschema", 1, 0, None)
_WHAT = "the resolver configuration"
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
        """From a file, an address, JSON text, base64 of JSON text, or parsed JSON.

        Raises :class:`ConfigError` that lists everything wrong.
        """
        if isinstance(source, ResolverConfig):
            return source
        if source is None or (isinstance(source, str) and not source.strip()):
            raise ConfigError(f"The resolver configuration is missing. {_HELP}")
        document = documents.read(source, _WHAT)
        try:
            return cls.parse(document.value)
        except ConfigError as error:
            if document.where == _WHAT:
                raise
            if not error.problems:
                raise ConfigError(f"{document.where}: {error}") from None
            problems = Problems()
            for problem in error.problems:
                problems.add(f"{document.where}: {problem}")
            problems.check(_HELP)
            raise

    @classmethod
    def parse(cls, obj: Any) -> ResolverConfig:
        """From a parsed self-describing JSON. Raises :class:`ConfigError` that lists everything wrong."""
        try:
            key, data = self_describing(obj)
        except ParseError as error:
            raise ConfigError(f"The resolver configuration is not self-describing ({error.code}). {_HELP}") from None
        if not _CRITERION.matches(key):
            full = f"SchemaKey({key.vendor},{key.name},{key.format},Full({','.join(map(str, key.version))}))"
            raise ConfigError(
                f"{key} is not a resolver configuration (Schema {full} does not match criterion {_CRITERION}). {_HELP}"
            )
        problems = Problems()
        read = _Reader(problems)
        cache_size = read.field(data, "cacheSize", _integer, "data", default=0)
        cache_ttl = read.field(data, "cacheTtl", _integer, "data", optional=True)
        entries = read.field(data, "repositories", _array, "data", default=[])
        repositories = tuple(
            read.repository(entry, f"data.repositories[{place}]") for place, entry in enumerate(entries)
        )
        with problems.gathered():
            _check_names(repositories)
        problems.check(_HELP)
        return cls(repositories, cache_size, cache_ttl)


# --- decoding -----------------------------------------------------------------------------------------------------


class _Reader:
    """Reads fields; what is wrong is gathered, and a default stands in."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def repository(self, entry: Any, at: str) -> Repository:
        if not isinstance(entry, dict):
            self._problems.add(f"{at} in the resolver configuration must be an object")
            return Repository(at, 0, ())
        name = self.field(entry, "name", _text, at, default=at)
        priority = self.field(entry, "priority", _integer, at, default=0)
        prefixes = self.field(entry, "vendorPrefixes", _texts, at, default=())
        connection = self.field(entry, "connection", _object, at)
        if connection is None:
            return Repository(name, priority, prefixes)
        embedded = connection.get("embedded")
        if isinstance(embedded, dict) and isinstance(embedded.get("path"), str):
            return Repository(name, priority, prefixes, path=embedded["path"])
        http = self.field(connection, "http", _object, f"{at}.connection")
        if http is None:
            return Repository(name, priority, prefixes)
        uri = self.field(http, "uri", _uri, f"{at}.connection.http")
        apikey = self.field(http, "apikey", _text, f"{at}.connection.http", optional=True)
        return Repository(name, priority, prefixes, uri=uri, apikey=apikey)

    def field(
        self,
        obj: Any,
        name: str,
        decode: Callable[[Any], T],
        at: str,
        *,
        optional: bool = False,
        default: Any = None,
    ) -> Any:
        """``obj[name]``; ``default`` for what is missing or wrong, ``None`` for an optional one that is absent."""
        if not isinstance(obj, dict):
            self._problems.add(f"{at} in the resolver configuration must be an object")
            return default
        value = obj.get(name)
        if value is None:
            if not optional:
                others = [key for key in obj if nearest(key, [name])]
                misspelt = f" ({others[0]} is unknown; did you mean {name}?)" if others else ""
                self._problems.add(f"{at}.{name} is missing in the resolver configuration{misspelt}")
            return default
        try:
            return decode(value)
        except ValueError as error:
            self._problems.add(f"{at}.{name} in the resolver configuration {error}")
            return default


def _check_names(repositories: tuple[Repository, ...]) -> None:
    counts = Counter(repository.name for repository in repositories)
    twice = [
        f"{name} encountered List({', '.join([name] * count)}) times" for name, count in counts.items() if count > 1
    ]
    if twice:
        raise ConfigError(f"Repository names must be unique, {', '.join(twice)}")


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
        raise ValueError(f"is not a URI. Provided URI string violates RFC 2396: [{fault}]")
    if urlsplit(text).scheme.lower() not in ("http", "https", "file"):
        raise ValueError(f"must begin with http://, https:// or file:///, but is {text}")
    return text
