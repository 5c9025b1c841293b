"""iab_spiders_and_robots: is the client a browser, by the IAB/ABC lists? (enrich 3.9.0 ``IabEnrichment``).

Events without a known address or a user agent are judged by what they have (6.8.0), unless the setting
``iab_unknown_clients`` says ``skip``, as 3.9.0 did.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, NamedTuple

from snowetl.caching import Memo
from snowetl.enrich.compatibility import CHECK
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Asset, Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.iab_lists import (
    Addresses,
    Exclude,
    Include,
    read_addresses,
    read_excludes,
    read_includes,
)
from snowetl.enrich.enrichments.parameters import ENRICHMENTS, Parameters
from snowetl.enrich.services import Services
from snowetl.errors import AssetError
from snowetl.jvm import jsontext
from snowetl.jvm.host_name import host_address
from snowetl.jvm.strings import trim
from snowetl.model import badrow
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaCriterion, SchemaKey

_USERAGENT = INDEX["useragent"]
_IP_ADDRESS = INDEX["user_ipaddress"]
_DERIVED = INDEX["derived_tstamp"]
_CONTEXT = "iglu:com.iab.snowplow/spiders_and_robots/jsonschema/1-0-0"
_FILES = ("ipFile", "excludeUseragentFile", "includeUseragentFile")
_OWN_LISTS = ("includeUseragents", "excludeUseragents")
_IMPACTS = {"0": "PAGE_IMPRESSIONS", "1": "AD_IMPRESSIONS", "2": "PAGE_AND_AD_IMPRESSIONS"}
_REMEMBERED = 10_000
_REMEMBERED_LENGTH = 1_024


@configuration
class IabConf:
    """``files`` are the lists of addresses, of excluded and of included user agents.

    ``browsers`` and ``robots`` (1-0-1) are parts of user agents in lower case that settle it before any list is read.
    """

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("iab_spiders_and_robots_enrichment", vendor=ENRICHMENTS)
    place: ClassVar[Place] = Place(50)

    schema_key: SchemaKey
    files: tuple[Asset, Asset, Asset]
    browsers: tuple[str, ...] = ()
    robots: tuple[str, ...] = ()

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> IabConf:
        given = Parameters(data)
        addresses, excludes, includes = (
            given.asset(f"parameters.{name}.uri", f"parameters.{name}.database", f"iab_{name}") for name in _FILES
        )
        none: tuple[str, ...] = ()
        own = [given.optional(f"parameters.{name}", parameters.texts, none) for name in _OWN_LISTS]
        given.check()
        browsers, robots = (tuple(text.lower() for text in texts) for texts in own)
        return cls(key, (addresses, excludes, includes), browsers, robots)

    def needs(self) -> Needs:
        return Needs(files=self.files)

    def open(self, services: Services) -> AbstractContextManager[Step]:
        addresses, excludes, includes = (services.files[asset.uri] for asset in self.files)
        try:
            lists = read_addresses(addresses), read_excludes(excludes), read_includes(includes)
        except OSError as error:
            raise AssetError(f"cannot read {error.filename}: {error.strerror}") from None
        judges_unknown = services.compatibility.iab_unknown_clients == CHECK
        return nullcontext(IabSpidersAndRobots(self, *lists, judges_unknown=judges_unknown))


ENRICHMENT: type[Enrichment] = IabConf


class _Agent(NamedTuple):
    """What the lists say of a user agent, whenever it came: the records that match."""

    included: Sequence[Include]
    excluded: Exclude | None
    settled: Entity | None = None
    """What one of the user's own lists says, without any other."""


_NO_AGENT = _Agent((), None)


class IabSpidersAndRobots:
    """The step. An event without ``derived_tstamp`` is left alone.

    Without ``judges_unknown`` so is one without user agent or address.
    """

    def __init__(
        self,
        conf: IabConf,
        addresses: Addresses,
        excludes: Sequence[Exclude],
        includes: Sequence[Include],
        *,
        judges_unknown: bool = True,
    ) -> None:
        self._judges_unknown = judges_unknown
        self._schema_key = conf.schema_key
        self._browsers = conf.browsers
        self._robots = conf.robots
        self._excludes = excludes
        self._includes = includes
        self._is_listed = Memo(addresses.__contains__, _REMEMBERED)
        self._agent = Memo(self._look_up, _REMEMBERED, _REMEMBERED_LENGTH)

    def __call__(self, draft: Draft) -> None:
        values = draft.values
        agent, derived = values[_USERAGENT], values[_DERIVED]
        if not derived:
            return
        address = _address(values[_IP_ADDRESS])
        is_named = bool(trim(agent))
        if not self._judges_unknown and (address is None or not is_named):
            return
        found = self._agent[agent] if is_named else _NO_AGENT
        if found.settled is not None:
            draft.add(found.settled)
        elif address is not None and self._is_listed[address]:
            draft.add(_FAILED_IP)
        elif not is_named:
            draft.add(_PASSED)
        elif not any(record.counts_at(derived) for record in found.included):
            draft.add(_FAILED_INCLUDE)
        elif found.excluded is None:
            draft.add(_PASSED)
        elif found.excluded.impact in _IMPACTS:
            draft.add(_FAILED_EXCLUDE[found.excluded.is_inactive_at(derived), found.excluded.impact])
        else:
            message = badrow.simple_error(f"Invalid value of impression flag: '{found.excluded.impact}'")
            draft.fail(badrow.enrichment_message(message, self._schema_key.uri, "iab-spiders-and-robots"))

    def _look_up(self, agent: str) -> _Agent:
        lower = agent.lower()
        if any(text in lower for text in self._browsers):
            return _Agent((), None, _PASSED)
        if any(text in lower for text in self._robots):
            return _Agent((), None, _FAILED_OWN)
        included = [record for record in self._includes if record.matches(lower)]
        excluded = next((record for record in self._excludes if record.matches(lower)), None)
        return _Agent(included, excluded)


def _address(text: str) -> str | None:
    """The address in ``text``, which may be that of a block (``192.0.2.0/24``); names are never resolved."""
    if not text:
        return None
    found = host_address(text)
    if found is None and "/" in text:
        address, _, length = text.rpartition("/")
        if length.isdecimal() and int(length) <= (128 if ":" in address else 32):
            found = host_address(address)
    return found


def _entity(is_robot: bool, category: str, reason: str, impact: str) -> Entity:
    data = {"spiderOrRobot": is_robot, "category": category, "reason": reason, "primaryImpact": impact}
    return Entity(_CONTEXT, jsontext.dumps({"schema": _CONTEXT, "data": data}))


_PASSED = _entity(False, "BROWSER", "PASSED_ALL", "NONE")
_FAILED_IP = _entity(True, "SPIDER_OR_ROBOT", "FAILED_IP_EXCLUDE", "UNKNOWN")
_FAILED_INCLUDE = _entity(True, "SPIDER_OR_ROBOT", "FAILED_UA_INCLUDE", "UNKNOWN")
_FAILED_OWN = _entity(True, "SPIDER_OR_ROBOT", "FAILED_UA_EXCLUDE", "UNKNOWN")
_FAILED_EXCLUDE = {
    (inactive, flag): _entity(
        True, f"{'INACTIVE' if inactive else 'ACTIVE'}_SPIDER_OR_ROBOT", "FAILED_UA_EXCLUDE", impact
    )
    for inactive in (False, True)
    for flag, impact in _IMPACTS.items()
}
"""By whether the record is inactive, and its flag."""
