"""user_agent_utils: browser, operating system and device, as UserAgentUtils 1.21 names them.

The library looks for words, so whatever is newer than its tables is misnamed (Chrome 120 is "Chrome 12"); data people
already have depends on it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, ClassVar, Final, NamedTuple

from snowetl.caching import Memo
from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.services import Services
from snowetl.model.event import EMPTY
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaCriterion, SchemaKey
from snowetl.model.text import with_zeros

_log = logging.getLogger("snowetl")

_USERAGENT: Final = INDEX["useragent"]
_BROWSER: Final = slice(INDEX["br_name"], INDEX["br_renderengine"] + 1)
_SYSTEM: Final = slice(INDEX["os_name"], INDEX["os_manufacturer"] + 1)
_DEVICE: Final = slice(INDEX["dvce_type"], INDEX["dvce_ismobile"] + 1)
_CACHE_SIZE: Final = 10_000
_CACHED_LENGTH: Final = 1_024
_SHAPES: Final = 1_024
_LOOKED_AT: Final = 2_048
"""Longer user agents are cut for the search of the version, which would take quadratic time."""

_ROBOT: Final = "Robot/Spider"
_MOBILE_DEVICES: Final = frozenset(("Mobile", "Tablet", "Wearable computer"))


@configuration
class UserAgentUtilsConf:
    """Nothing to configure."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("user_agent_utils_config")
    place: ClassVar[Place] = Place(60)

    schema_key: SchemaKey

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> UserAgentUtilsConf:
        return cls(key)

    def needs(self) -> Needs:
        return Needs()

    def open(self, services: Services) -> AbstractContextManager[Step]:
        return nullcontext(UserAgentUtils())


ENRICHMENT: Final[type[Enrichment]] = UserAgentUtilsConf


Columns = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Texts for the ``br_*``, ``os_*`` and ``dvce_*`` columns."""


class UserAgentUtils:
    """The step."""

    def __init__(self) -> None:
        self._tables = tables()
        self._known = Memo(self._columns, _CACHE_SIZE, _CACHED_LENGTH)
        self._likely = Memo(self._choose, _SHAPES, _CACHED_LENGTH)

    def __call__(self, draft: Draft) -> None:
        values = draft.values
        agent = values[_USERAGENT]
        if agent or agent is EMPTY:
            values[_BROWSER], values[_SYSTEM], values[_DEVICE] = self._known[agent]

    def _columns(self, agent: str) -> Columns:
        text = agent.lower()
        browsers, systems = self._likely[with_zeros(text)]
        browser = _match(browsers, text) or _UNKNOWN_BROWSER
        system = None if browser.name == _ROBOT else _match(systems, text)
        system = system or _UNKNOWN_SYSTEM
        return (
            (browser.name, browser.family, self._version(browser.version, agent), browser.kind, browser.maker),
            (system.name, system.family, system.maker),
            (system.kind, "1" if system.kind in _MOBILE_DEVICES else "0"),
        )

    def _choose(self, zeros: str) -> tuple[list[Entry], list[Entry]]:
        """Browsers and systems that an agent may be which has any digits for the ``zeros``: few, and the same for all
        versions of a browser.
        """
        return _pruned(self._tables.browsers, zeros), _pruned(self._tables.systems, zeros)

    def _version(self, rule: str, agent: str) -> str:
        if not rule:
            return ""
        agent = agent[:_LOOKED_AT]
        match = self._tables.versions[rule].search(agent)
        if match is not None:
            return match[1]
        if rule == "safari":
            build = _WEBKIT_BUILD.search(agent)
            return self._tables.safari_builds.get(build[1], "") if build else ""
        return ""


# --- tables -------------------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """A browser or operating system: found by any of ``words``, unless a child or one of ``forbidden`` is."""

    name: str
    family: str
    kind: str
    maker: str
    version: str
    words: tuple[str, ...]
    forbidden: tuple[str, ...]
    children: list[Entry]


class Tables(NamedTuple):
    browsers: list[Entry]
    systems: list[Entry]
    versions: dict[str, re.Pattern[str]]
    safari_builds: dict[str, str]


_UNKNOWN_BROWSER: Final = Entry("Unknown", "Unknown", "unknown", "OTHER", "", (), (), [])
_UNKNOWN_SYSTEM: Final = Entry("Unknown", "Unknown", "Unknown", "Other", "", (), (), [])
_WEBKIT_BUILD: Final = re.compile(r"AppleWebKit/([0-9]+(?:[^\n\r\x85\u2028\u2029][0-9]+){1,2})")


def _pruned(entries: list[Entry], zeros: str) -> list[Entry]:
    return [
        entry._replace(children=_pruned(entry.children, zeros))
        for entry in entries
        if any(with_zeros(word) in zeros for word in entry.words)
    ]


def _match(entries: list[Entry], text: str) -> Entry | None:
    for entry in entries:
        for word in entry.words:
            if word in text:
                child = _match(entry.children, text)
                if child is not None:
                    return child
                if not any(bad in text for bad in entry.forbidden):
                    return entry
                break
    return None


@cache
def tables() -> Tables:
    from snowetl.enrich.enrichments import user_agent_tables as source

    return Tables(
        _tree(source.BROWSERS),
        _tree(source.SYSTEMS),
        {name: re.compile(rule, re.ASCII | re.IGNORECASE) for name, rule in source.VERSIONS.items()},
        dict(pair.split(":") for pair in source.SAFARI_BUILDS.split()),
    )


def _tree(table: str) -> list[Entry]:
    roots: list[Entry] = []
    above: list[Entry] = []
    for line in table.strip().replace("\\\n", "").split("\n"):
        depth = (len(line) - len(line.lstrip())) // 2
        del above[depth:]
        parent = above[-1] if above else None
        cells = [cell.strip() for cell in line.split("|")]
        for name, words in _numbered(cells[0], cells[1]):
            entry = _entry(name, words, [*cells[2:], "", "", "", ""], parent, above[0] if above else None)
            (parent.children if parent else roots).append(entry)
        above.append(entry)
    return roots


def _entry(name: str, words: str, cells: list[str], parent: Entry | None, root: Entry | None) -> Entry:
    return Entry(
        name=name,
        family=root.name if root else name,
        kind=cells[1] or (parent.kind if parent else ""),
        maker=cells[2] or (parent.maker if parent else ""),
        version=cells[3] or (root.version if root else ""),
        words=_words(words),
        forbidden=_words(cells[0]),
        children=[],
    )


def _words(cell: str) -> tuple[str, ...]:
    return tuple(word.strip().replace("~", " ") for word in cell.split("&")) if cell else ()


def _numbered(name: str, words: str) -> Iterator[tuple[str, str]]:
    """``Chrome 65..40`` is many entries, from the first number down to the second."""
    base, dots, last = name.rpartition("..")
    if not dots:
        yield name, words
        return
    base, _, first = base.rpartition(" ")
    for number in range(int(first), int(last) - 1, -1):
        yield f"{base} {number}", words.replace("{}", str(number))
