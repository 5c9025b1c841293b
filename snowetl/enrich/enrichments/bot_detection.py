"""bot_detection: one verdict from all that other enrichments found out (Enrich 6.9.0, its documentation)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from snowetl.caching import Memo
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import ENRICHMENTS, Parameters
from snowetl.enrich.services import Services
from snowetl.jvm import jsontext
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaCriterion, SchemaKey

_CONTEXT = "iglu:com.snowplowanalytics.snowplow/bot_detection/jsonschema/1-0-1"
_CONTEXTS = INDEX["contexts"]
_CLIENT = "iglu:com.snowplowanalytics.snowplow/client_side_bot_detection/jsonschema/1-"
_ROBOT_DEVICES = ("Robot", "Robot Mobile", "Robot Imitator")
_ROBOT_AGENTS = ("Robot", "Robot Mobile")
_REMEMBERED = 10_000
_LONGEST = 8_192

IsBot = Callable[[dict[str, Any]], bool]

_SOURCES: dict[str, tuple[str, str, IsBot]] = {
    "useYauaa": (
        "yauaa",
        "iglu:nl.basjes/yauaa_context/jsonschema/1-",
        lambda data: data.get("deviceClass") in _ROBOT_DEVICES or data.get("agentClass") in _ROBOT_AGENTS,
    ),
    "useIab": (
        "iab",
        "iglu:com.iab.snowplow/spiders_and_robots/jsonschema/1-",
        lambda data: data.get("spiderOrRobot") is True,
    ),
    "useAsnLookups": (
        "asnLookups",
        "iglu:com.snowplowanalytics.snowplow/asn/jsonschema/1-",
        lambda data: data.get("likelyBot") is True,
    ),
    "useClientSideDetection": ("clientSideDetection", _CLIENT, lambda data: data.get("bot") is True),
}
"""By the switch in the configuration: name of the indicator, schema of the entity that tells, and what it must say."""


@configuration
class BotDetectionConf:
    """``sources`` are the switches that are on."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("bot_detection_enrichment_config", vendor=ENRICHMENTS)
    place: ClassVar[Place] = Place(197)

    schema_key: SchemaKey
    sources: tuple[str, ...]

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> BotDetectionConf:
        given = Parameters(data)
        on = tuple(name for name in _SOURCES if given.optional(f"parameters.{name}", parameters.boolean, False))
        given.check()
        return cls(key, on)

    def needs(self) -> Needs:
        return Needs()

    def open(self, services: Services) -> AbstractContextManager[Step]:
        return nullcontext(BotDetection(self.sources))


ENRICHMENT: type[Enrichment] = BotDetectionConf


class BotDetection:
    """The step. Every event gets the entity; a source that said nothing says nothing against the visitor."""

    def __init__(self, switches: tuple[str, ...]) -> None:
        self._sources = [_SOURCES[switch] for switch in switches]
        self._asks_client = "useClientSideDetection" in switches
        self._indicator = Memo(self._read, _REMEMBERED, _LONGEST)

    def __call__(self, draft: Draft) -> None:
        found = {indicator for entity in draft.entities if (indicator := self._indicator[entity.json])}
        if self._asks_client and _CLIENT in draft.values[_CONTEXTS]:
            found |= set(self._client_side(draft.values[_CONTEXTS]))
        indicators = [name for name, _, _ in self._sources if name in found]
        data = {"bot": bool(indicators), "indicators": indicators}
        draft.add(Entity(_CONTEXT, jsontext.dumps({"schema": _CONTEXT, "data": data})))

    def _read(self, text: str) -> str | None:
        return self._verdict(jsontext.loads(text))

    def _verdict(self, entity: Any) -> str | None:
        """The indicator an entity is, if it is one."""
        schema, data = entity["schema"], entity["data"]
        for name, prefix, is_bot in self._sources:
            if schema.startswith(prefix) and isinstance(data, dict) and is_bot(data):
                return name
        return None

    def _client_side(self, contexts: str) -> Iterator[str]:
        for entity in jsontext.loads(contexts)["data"]:
            indicator = self._verdict(entity)
            if indicator is not None and entity["schema"].startswith(_CLIENT):
                yield indicator
