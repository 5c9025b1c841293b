"""referer_parser: medium, source and search term of ``page_referrer`` (scala-referer-parser 1.1.0).

With a configuration of version 2-0-2 also the entity ``utm_referrer``: the source that ``utm_source`` of the page URL
names (Enrich 6.13.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

from snowetl.caching import Memo
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Asset, Enrichment, Needs, Older, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import Parameters
from snowetl.enrich.services import Services
from snowetl.enrich.uri import Uri, page_query
from snowetl.errors import AssetError, ConfigError
from snowetl.jvm import jsontext
from snowetl.jvm.map_order import java_hash, map_order, trie_groups
from snowetl.jvm.strings import trim
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaCriterion, SchemaKey
from snowetl.model.text import percent_decode, tsv_safe

_PAGE_HOST: Final = INDEX["page_urlhost"]
_REFERER: Final = slice(INDEX["refr_medium"], INDEX["refr_term"] + 1)
_SCHEMES: Final = frozenset(("http", "https", "android-app"))
_CACHE_SIZE: Final = 16_384
_CACHED_LENGTH: Final = 2_048

_HOSTED: Final = (
    "https://s3-eu-west-1.amazonaws.com/snowplow-hosted-assets/third-party/referer-parser/",
    "referers-latest.json",
)

_MEDIA: Final = frozenset(("unknown", "search", "internal", "social", "email", "paid", "chatbot"))
"""``chatbot`` is of enrich 6.9.0: the public databases hold it, which the baseline cannot read."""
_WITHOUT_SOURCE: Final = frozenset(("unknown", "internal"))
_INTERNAL: Final = ("internal", "", "")
_UNKNOWN: Final = ("unknown", "", "")

_UTM_SOURCE: Final = "utm_source"
_UTM_REFERRER: Final = "iglu:com.snowplowanalytics.snowplow/utm_referrer/jsonschema/1-0-0"
_WITH_UTM: Final = 2
"""The addition of the first configuration version (2-0-2) that asks for the entity."""

Columns = tuple[str, str, str]


class Source(NamedTuple):
    """An entry of the database. ``parameters`` are the query names that hold search terms."""

    medium: str
    name: str
    parameters: frozenset[str]


class Sources(NamedTuple):
    """Of a database: sources by host, or host and path; and by the values of ``utm_source`` that name them."""

    by_domain: dict[str, Source]
    by_utm: dict[str, Source]

    def __or__(self, other: Sources) -> Sources:
        """Both; of two for the same key that of ``other``."""
        return Sources(self.by_domain | other.by_domain, self.by_utm | other.by_utm)


@configuration
class RefererParserConf:
    """``internal_domains`` are hosts, exactly as they stand in URIs.

    ``own`` (2-0-1, Enrich 6.9.0) are sources that win over those of the database.
    """

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("referer_parser", model=2)
    place: ClassVar[Place] = Place(95)
    older: ClassVar[dict[int, Older]] = {1: lambda data: _renew(data)}

    schema_key: SchemaKey
    database: Asset
    internal_domains: tuple[str, ...]
    own: Sources

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> RefererParserConf:
        given = Parameters(data)
        none: tuple[str, ...] = ()
        domains = given.read("parameters.internalDomains", parameters.texts, none)
        database = given.asset("parameters.uri", "parameters.database", "referer-parser.json")
        own = given.optional("parameters.referrers", _sources, Sources({}, {}))
        given.check()
        return cls(key, database, domains, own)

    def needs(self) -> Needs:
        return Needs(files=(self.database,))

    def open(self, services: Services) -> AbstractContextManager[Step]:
        sources = read_database(services.files[self.database.uri]) | self.own
        if self.schema_key.version.addition < _WITH_UTM:
            sources = sources._replace(by_utm={})
        return nullcontext(RefererParser(sources, self.internal_domains))


ENRICHMENT: Final[type[Enrichment]] = RefererParserConf


def _renew(data: dict[str, Any]) -> dict[str, Any]:
    """1-0-0 names no database: the job of that time had one inside."""
    raise ConfigError(
        "Version 1-0-0 names no database, and this package brings none. Write 2-0-0, with 'database' and 'uri' beside "
        f'internalDomains: "database": "{_HOSTED[1]}", "uri": "{_HOSTED[0]}" is the one Snowplow hosts'
    )


class RefererParser:
    """The step. A referrer that is neither a web address nor an app leaves the columns alone."""

    def __init__(self, sources: Sources, internal_domains: tuple[str, ...]) -> None:
        self._sources = sources.by_domain
        self._longest = max(map(len, self._sources), default=0)
        self._named = {name: _utm_referrer(source) for name, source in sources.by_utm.items()}
        self._internal = frozenset(trim(domain) for domain in internal_domains)
        self._known = Memo(self._columns, _CACHE_SIZE, _CACHED_LENGTH, length=lambda key: len(key[0].text))

    def __call__(self, draft: Draft) -> None:
        if self._named and draft.page_uri is not None:
            query = page_query(draft.page_uri.query, draft.raw.payload.encoding)
            named = self._named.get(query.get(_UTM_SOURCE, ""))
            if named is not None:
                draft.add(named)
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


def _utm_referrer(source: Source) -> Entity:
    data = {"source": source.name, "medium": source.medium}
    return Entity(_UTM_REFERRER, jsontext.dumps({"schema": _UTM_REFERRER, "data": data}))


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


def read_database(path: Path) -> Sources:
    """A database in JSON, or in YAML. Raises ``AssetError``."""
    try:
        return _sources(_parsed(path.read_text("utf-8")))
    except OSError as error:
        raise AssetError(f"The referer database {path} cannot be read: {error.strerror or error}") from None
    except ValueError as fault:
        raise AssetError(
            f"{path} is not a referer database: {fault}. "
            'It must be JSON like {"search": {"Google": {"domains": ["google.com"], "parameters": ["q"]}}}'
        ) from None


def _parsed(text: str) -> Any:
    """JSON; a mapping in YAML too (the public database comes in both)."""
    try:
        return jsontext.loads(text)
    except ValueError:
        import yaml

        with suppress(yaml.YAMLError, RecursionError, ValueError):
            found = yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
            if isinstance(found, dict):
                return found
        raise


def _sources(database: Any) -> Sources:
    """referrers in the form of the database.

    Of a domain that two sources claim, the later one counts, in the order of the reference's maps; so of a value of
    utm_source.
    """
    found = Sources({}, {})
    media = _object(database, "Referers json must be an object")
    for medium in media:
        if medium not in _MEDIA:
            raise ValueError(f"Unrecognized medium: '{medium}'")
    for medium in _medium_order(list(media)):
        sources = _object(media[medium], f"Medium '{medium}' not an object")
        for name in map_order(sources):
            entry = _object(sources[name], f"'{name}' of medium '{medium}' is not an object")
            source = Source(medium, name, frozenset(_optional_texts(entry, "parameters", name)))
            found.by_domain.update(dict.fromkeys(_texts(entry, "domains", name), source))
            found.by_utm.update(dict.fromkeys(_optional_texts(entry, "utm_sources", name), source))
    return found


def _medium_order(media: list[str]) -> list[str]:
    """Up to four as they stand, more in the order of a hash trie over the names of the reference's objects."""
    if len(media) <= 4:
        return media
    return sorted(media, key=lambda medium: trie_groups(java_hash(f"{medium.capitalize()}Medium")))


def _object(value: Any, fault: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(fault)
    return value


def _optional_texts(entry: dict[str, Any], key: str, name: str) -> list[str]:
    return [] if entry.get(key) is None else _texts(entry, key, name)


def _texts(entry: dict[str, Any], key: str, name: str) -> list[str]:
    value = entry.get(key)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"'{key}' of '{name}' is not a list of strings")
    return value
