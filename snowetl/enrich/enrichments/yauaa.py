"""yauaa: what the Java library of that name tells from user agent and client hints (enrich 3.9.0 ``YauaaEnrichment``).

Each distinct agent of a run is analysed once, before it (a lookup): no worker needs Java.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from snowetl.caching import Memo
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import parameters, yauaa_library
from snowetl.enrich.enrichments.base import Enrichment, Needs, Place, Resolve, Step, configuration
from snowetl.enrich.enrichments.parameters import ENRICHMENTS, Parameters
from snowetl.enrich.enrichments.yauaa_library import USER_AGENT, Library, Overtaxed
from snowetl.enrich.services import Services
from snowetl.jvm import jsontext
from snowetl.jvm.map_order import map_order
from snowetl.model import badrow
from snowetl.model.event import EMPTY
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaCriterion, SchemaKey

_USERAGENT = INDEX["useragent"]
_HINTS = "sec-ch-ua"
_HINT_NAMES = frozenset(
    f"{_HINTS}{suffix}"
    for suffix in (
        "",
        "-arch",
        "-bitness",
        "-form-factor",
        "-form-factors",
        "-full-version",
        "-full-version-list",
        "-mobile",
        "-model",
        "-platform",
        "-platform-version",
        "-wow64",
    )
)
"""The headers beside the user agent that the library reads; it ignores the case of their names."""

_LONGEST_AGENT = 2_048
_LONGEST_HINT = 1_024
_OVERLONG = "/" * (_LONGEST_AGENT + 1)
"""Stands for all agents the library calls a "Buffer overflow": longer ones, and here those that would take too long."""
_MANY_SLASHES = re.compile(r"(?:[^\s/;()]*/){33}")
"""The library's time grows with the square of the slashes in a word: two seconds for 128, a minute for 1,024."""
_REMEMBERED = 10_000
_REMEMBERED_LENGTH = 4_096


class _Schema(NamedTuple):
    """A version of the entity's schema, and the fields it has, by the library's names for them."""

    uri: str
    keys: Mapping[str, str]


def _keys(*names: str) -> dict[str, str]:
    return {name: name[0].lower() + name[1:] for name in names}


def _named(prefix: str, suffixes: str) -> list[str]:
    return [f"{prefix}{suffix}" for suffix in suffixes.split()]


_58 = _keys(
    *_named("Device", "Class Name Brand Cpu CpuBits FirmwareVersion Version"),
    *_named("OperatingSystem", "Class Name Version NameVersion VersionBuild NameVersionMajor VersionMajor"),
    *_named("LayoutEngine", "Class Name Version VersionMajor NameVersion NameVersionMajor Build"),
    *_named("Agent", "Class Name Version VersionMajor NameVersion NameVersionMajor Build Language LanguageCode"),
    *_named("Agent", "InformationEmail InformationUrl Security Uuid"),
    *_named("WebviewApp", "Name Version VersionMajor NameVersionMajor"),
    *_named("Facebook", "Carrier DeviceClass DeviceName DeviceVersion FBOP FBSS"),
    *_named("Facebook", "OperatingSystemName OperatingSystemVersion"),
    *_named("Hacker", "AttackVector Toolkit"),
    *_named("Kobo", "Affiliate PlatformId"),
    *_named("IECompatibility", "Version VersionMajor NameVersion NameVersionMajor"),
    *("Anonymized", "Carrier", "GSAInstallationID", "NetworkType"),
)
_CONTEXT = "iglu:nl.basjes/yauaa_context/jsonschema"
_OF_3_9 = _Schema(f"{_CONTEXT}/1-0-4", _58)
_LATEST = _Schema(f"{_CONTEXT}/1-0-5", _58 | _keys("WebviewAppNameVersion"))
_FIRST_OF_LATEST = (7, 12)


def schema_of(version: str) -> _Schema:
    """The schema for what a release of the library says: Enrich 3.9.0 has 7.11.0 and 1-0-4, 5.3.0 has 7.30.0 and 1-0-5.

    From 7.12 on fields may have values that 1-0-4 does not list.
    """
    release = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    return _LATEST if release >= _FIRST_OF_LATEST else _OF_3_9


@configuration
class YauaaConf:
    """``cache_size`` is the reference's; here every agent is analysed once, whatever it says."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("yauaa_enrichment_config", vendor=ENRICHMENTS)
    place: ClassVar[Place] = Place(170)

    schema_key: SchemaKey
    cache_size: int | None

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> YauaaConf:
        given = Parameters(data)
        cache_size: int | None = given.optional("parameters.cacheSize", parameters.integer, None)
        given.check()
        return cls(key, cache_size)

    def needs(self) -> Needs:
        return Needs(extras=(yauaa_library.EXTRA,), lookups=(Agents(),))

    def open(self, services: Services) -> AbstractContextManager[Step]:
        return nullcontext(Yauaa(self, services.lookups[Agents.name]))


ENRICHMENT: type[Enrichment] = YauaaConf


@dataclass(frozen=True, slots=True)
class Agents:
    """The lookup: from a user agent and its client hints to the entity.

    A key is the agent; with client hints a line end and the hints as a JSON object follow. No agent holds a line end.
    """

    name: ClassVar[str] = "yauaa"
    columns: ClassVar[tuple[str, ...]] = ("useragent",)

    def key(self, draft: Draft) -> str | None:
        return key_of(draft.values[_USERAGENT], draft.raw.payload.headers)

    def check(self) -> None:
        yauaa_library.check()

    @contextmanager
    def open(self) -> Iterator[Resolve]:
        """Resolving raises ``ConfigError`` or ``LookupFailed`` where the library cannot be used."""
        with yauaa_library.library() as library:
            yield lambda keys: ((key, _entity(library, key)) for key in keys)


def key_of(agent: str, headers: Iterable[str]) -> str:
    """The key of an event: its ``useragent`` column, and its client hints among the ``Name: value`` lines."""
    if not agent or agent == EMPTY:
        return ""
    hints: dict[str, str] = {}
    for header in headers:
        lower = header[:10].lower()
        if lower.startswith(_HINTS):
            name, colon, value = header.partition(": ")
            if colon and name.lower() in _HINT_NAMES and len(value) <= _LONGEST_HINT:
                hints[name] = value.lstrip()
        elif lower == "user-agent" and header[10:12] == ": " and not header.startswith(USER_AGENT):
            hints[header[:10]] = header[12:].lstrip()
    if hints:
        agent, hints = _told_apart(agent, hints, headers)
    if len(agent) > _LONGEST_AGENT or (agent.count("/") > 32 and _MANY_SLASHES.search(agent)):
        agent = _OVERLONG
    return f"{agent}\n{jsontext.dumps(dict(sorted(hints.items())))}" if hints else agent


def _told_apart(agent: str, hints: dict[str, str], headers: Iterable[str]) -> tuple[str, dict[str, str]]:
    """The agent, and the hints by their names in lower case.

    Of headers that differ by case only, the library keeps the last it is given; the reference gives them as a Scala map
    has them, the ``useragent`` column being the header ``User-Agent``.
    """
    named = {name.lower(): value for name, value in hints.items()}
    other_agent = named.pop("user-agent", agent)
    if len(named) == len(hints) or (other_agent == agent and len(named) == len(hints) - 1):
        return agent, named
    parts = (header.partition(": ") for header in headers)
    given = {name: hints.get(name) for name, colon, _ in parts if colon} | {USER_AGENT: agent}
    last = {name.lower(): given[name] for name in map_order(given)}
    return str(last["user-agent"]), {name: value for name, value in last.items() if name in named and value is not None}


def _entity(library: Library, key: str) -> str:
    """The entity for a key, as compact text."""
    if not key:
        version = library.analyse({USER_AGENT: "-"}).version
        uri = schema_of(version).uri
        return jsontext.dumps({"schema": uri, "data": {"deviceClass": "Unknown"}})
    agent, _, hints = key.partition("\n")
    try:
        said = library.analyse({USER_AGENT: agent} | (jsontext.loads(hints) if hints else {}))
    except Overtaxed:
        said = library.analyse({USER_AGENT: _OVERLONG})
    uri, keys = schema_of(said.version)
    data = {keys[name]: value for name, value in said.fields.items() if name in keys}
    return jsontext.dumps({"schema": uri, "data": data})


class Yauaa:
    """The step: one entity for each event. It fails an event only if it came after the agents had been gathered."""

    def __init__(self, conf: YauaaConf, answers: Callable[[str], str | None]) -> None:
        self._schema_key = conf.schema_key.uri

        def entity(key: str) -> Entity | None:
            text = answers(key)
            return None if text is None else Entity(text[11 : text.index('"', 11)], text)

        self._entities = Memo(entity, _REMEMBERED, _REMEMBERED_LENGTH)

    def __call__(self, draft: Draft) -> None:
        entity = self._entities[key_of(draft.values[_USERAGENT], draft.raw.payload.headers)]
        if entity is None:
            message = badrow.simple_error("the user agent was not among those that were analysed before the run")
            draft.fail(badrow.enrichment_message(message, self._schema_key, "yauaa"))
        else:
            draft.add(entity)
