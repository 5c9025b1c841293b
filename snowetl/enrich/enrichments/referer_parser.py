"""referer_parser: medium, source and search term of ``page_referrer`` (scala-referer-parser 1.1.0)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from snowetl.caching import Memo
from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Asset, Enrichment, Needs, Older, Place, Step
from snowetl.enrich.enrichments.parameters import Parameters
from snowetl.enrich.services import Services
from snowetl.enrich.uri import Uri
from snowetl.errors import AssetError, ConfigError
from snowetl.jvm import jsontext
from snowetl.jvm.map_order import java_hash, map_order, trie_groups
from snowetl.jvm.strings import trim
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaCriterion, SchemaKey
from snowetl.model.text import percent_decode, tsv_safe

_PAGE_HOST = INDEX["page_urlhost"]
_REFERER = slice(INDEX["refr_medium"], INDEX["refr_term"] + 1)
_SCHEMES = frozenset(("http", "https", "android-app"))
_CACHE_SIZE = 16_384
_CACHED_LENGTH = 2_048

_HOSTED = (
    "https://s3-eu-west-1.amazonaws.com/snowplow-hosted-assets/third-party/referer-parser/",
    "referers-latest.json",
)

_MEDIA = frozenset(("unknown", "search", "internal", "social", "email", "paid", "chatbot"))
"""``chatbot`` is of enrich 6.9.0: the public databases hold it, which the baseline cannot read."""
_WITHOUT_SOURCE = frozenset(("unknown", "internal"))
_INTERNAL = ("internal", "", "")
_UNKNOWN = ("unknown", "", "")

Columns = tuple[str, str, str]


class Source(NamedTuple):
    """An entry of the database. ``parameters`` are the query names that hold search terms."""

    medium: str
    name: str
    parameters: frozenset[str]


@dataclass(frozen=True, slots=True)
class RefererParserConf:
    """``internal_domains`` are hosts, exactly as they stand in URIs.

    ``own`` (2-0-1, Enrich 6.9.0) are sources by host, or host and path, that win over those of the database.
    """

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("referer_parser", model=2)
    place: ClassVar[Place] = Place(95)
    older: ClassVar[dict[int, Older]] = {1: lambda data: _renew(data)}

    schema_key: SchemaKey
    database: Asset
    internal_domains: tuple[str, ...]
    own: tuple[tuple[str, Source], ...] = ()

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> RefererParserConf:
        given = Parameters(data)
        none: tuple[str, ...] = ()
        domains = given.read("parameters.internalDomains", parameters.texts, none)
        database = given.asset("parameters.uri", "parameters.database", "referer-parser.json")
        no_sources: tuple[tuple[str, Source], ...] = ()
        own = given.optional("parameters.referrers", _sources, no_sources)
        given.check()
        return cls(key, database, domains, own)

    def needs(self) -> Needs:
        return Needs(files=(self.database,))

    def open(self, services: Services) -> AbstractContextManager[Step]:
        sources = read_database(services.files[self.database.uri]) | dict(self.own)
        return nullcontext(RefererParser(sources, self.internal_domains))


ENRICHMENT: type[Enrichment] = RefererParserConf


def _renew(data: dict[str, Any]) -> dict[str, Any]:
    """1-0-0 names no database: the job of that time had one inside."""
    raise ConfigError(
        "Version 1-0-0 names no database, and this package brings none. Write 2-0-0, with 'database' and 'uri' beside "
        f'internalDomains: "database": "{_HOSTED[1]}", "uri": "{_HOSTED[0]}" is the one Snowplow hosts'
    )


def _sources(value: Any) -> tuple[tuple[str, Source], ...]:
    """referrers in the form of the database."""
    return tuple(_entries(value))


class RefererParser:
    """The step. Referrers that are no web address or app leave the columns alone."""

    def __init__(self, sources: Mapping[str, Source], internal_domains: tuple[str, ...]) -> None:
        self._sources = sources
        self._longest = max(map(len, sources), default=0)
        self._internal = frozenset(trim(domain) for domain in internal_domains)
        self._known = Memo(self._columns, _CACHE_SIZE, _CACHED_LENGTH, length=lambda key: len(key[0].text))

    def __call__(self, draft: Draft) -> None:
        uri = draft.referrer_uri
        if uri is None:
            return
        values = draft.values
        columns = self._known[uri, values[_PAGE_HOST]]
        if columns is not None:
            values[_REFERER] = columns

    def _columns(self, key: tuple[Uri, str]) -> Columns | None:
        uri, page_host = key
        host = uri.host
        if uri.scheme not in _SCHEMES or host is None or uri.path is None:
            return None
        if host == page_host or host in self._internal:
            return _INTERNAL
        source = self._look_up(host, percent_decode(uri.path))
        if source is None:
            return _UNKNOWN
        if source.medium in _WITHOUT_SOURCE:
            return source.medium, "", ""
        term = _search_term(uri.query or "", source.parameters) if source.medium == "search" else ""
        return source.medium, tsv_safe(source.name), tsv_safe(term)

    def _look_up(self, host: str, path: str) -> Source | None:
        """The first hit of the whole path, its first segment, no path, each for the host and its parent domains."""
        first = next((segment for segment in path.split("/") if segment), None)
        ends = [""] if first is None else [path, f"/{first}", ""]
        starts = list(_with_parents(host.rstrip("."), self._longest))
        for end in ends:
            if len(end) < self._longest:
                for start in starts:
                    source = self._sources.get(start + end)
                    if source is not None:
                        return source
        return None


def _with_parents(host: str, longest: int) -> Iterator[str]:
    """The host and its parent domains, without those longer than ``longest``."""
    start = 0 if len(host) <= longest else host.find(".", len(host) - longest - 1) + 1 or len(host)
    while start < len(host):
        yield host[start:]
        start = host.find(".", start) + 1 or len(host)


def _search_term(query: str, names: frozenset[str]) -> str:
    """The first parameter, in the order of the URI, that holds search terms."""
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if not name:  # "=value" is a name
            name, value = pair, ""
        if percent_decode(name, plus=True) in names:
            return percent_decode(value, plus=True)
    return ""


# --- the database -------------------------------------------------------------------------------------------------


def read_database(path: Path) -> dict[str, Source]:
    """Host, or host and path -> source. Raises ``AssetError``."""
    try:
        return dict(_entries(jsontext.loads(path.read_text("utf-8"))))
    except OSError as error:
        raise AssetError(f"The referer database {path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise AssetError(
            f"{path} is not a referer database: {error}. "
            'It must be JSON like {"search": {"Google": {"domains": ["google.com"], "parameters": ["q"]}}}'
        ) from None


def _entries(database: Any) -> Iterator[tuple[str, Source]]:
    """In the order of the reference's maps: of a domain that two sources claim, the later one counts."""
    media = _object(database, "Referers json must be an object")
    for medium in media:
        if medium not in _MEDIA:
            raise ValueError(f"Unrecognized medium: '{medium}'")
    for medium in _medium_order(list(media)):
        sources = _object(media[medium], f"Medium '{medium}' not an object")
        for name in map_order(sources):
            entry = _object(sources[name], f"'{name}' of medium '{medium}' is not an object")
            names = frozenset() if entry.get("parameters") is None else frozenset(_texts(entry, "parameters", name))
            source = Source(medium, name, names)
            for domain in _texts(entry, "domains", name):
                yield domain, source


def _medium_order(media: list[str]) -> list[str]:
    """Up to four as they stand, more in the order of a hash trie over the names of the reference's objects."""
    if len(media) <= 4:
        return media
    return sorted(media, key=lambda medium: trie_groups(java_hash(f"{medium.capitalize()}Medium")))


def _object(value: Any, fault: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(fault)
    return value


def _texts(entry: dict[str, Any], key: str, name: str) -> list[str]:
    value = entry.get(key)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"'{key}' of '{name}' is not a list of strings")
    return value
