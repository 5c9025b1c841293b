"""ua_parser: the entity ``ua_parser_context``, by the rules of uap-core or the user's own (uap-java 1.5.4)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, Final

from snowetl.caching import Memo
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import parameters, ua_rules
from snowetl.enrich.enrichments.base import Asset, Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import Parameters
from snowetl.enrich.services import Services
from snowetl.jvm import jsontext
from snowetl.model.event import EMPTY
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaCriterion, SchemaKey

_USERAGENT: Final = INDEX["useragent"]
_CONTEXT: Final = "iglu:com.snowplowanalytics.snowplow/ua_parser_context/jsonschema/1-0-0"
_CACHE_SIZE: Final = 10_000
_CACHED_LENGTH: Final = 1_024
_LOOKED_AT: Final = 2_048
"""Longer user agents are cut: some rules take time that grows with the square of the length."""


@configuration
class UaParserConf:
    """``rules`` is the user's own rules file; without it the bundled rules count."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("ua_parser_config")
    place: ClassVar[Place] = Place(70)

    schema_key: SchemaKey
    rules: Asset | None

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> UaParserConf:
        found = data.get("parameters")
        if not isinstance(found, dict) or "uri" not in found:
            return cls(key, None)
        given = Parameters(data)
        rules = given.asset("parameters.uri", "parameters.database", "ua-parser-rules.yml")
        given.check()
        return cls(key, rules)

    def needs(self) -> Needs:
        return Needs() if self.rules is None else Needs(files=(self.rules,))

    def open(self, services: Services) -> AbstractContextManager[Step]:
        if self.rules is None:
            return nullcontext(UaParser(ua_rules.built_in()))
        return nullcontext(UaParser(ua_rules.read_rules(services.files[self.rules.uri])))


ENRICHMENT: Final[type[Enrichment]] = UaParserConf


class UaParser:
    """The step."""

    def __init__(self, parser: ua_rules.Parser) -> None:
        def entity(agent: str) -> Entity:
            return _entity(parser.parse(agent[:_LOOKED_AT]))

        self._entities = Memo(entity, _CACHE_SIZE, _CACHED_LENGTH)

    def __call__(self, draft: Draft) -> None:
        agent = draft.values[_USERAGENT]
        if agent or agent is EMPTY:
            draft.add(self._entities[agent])


def _entity(client: ua_rules.Client) -> Entity:
    family, major, minor, patch = client.agent
    system, system_major, system_minor, system_patch, system_patch_minor = client.system
    data = {
        "useragentFamily": family,
        "useragentMajor": major,
        "useragentMinor": minor,
        "useragentPatch": patch,
        "useragentVersion": _version(*client.agent),
        "osFamily": system,
        "osMajor": system_major,
        "osMinor": system_minor,
        "osPatch": system_patch,
        "osPatchMinor": system_patch_minor,
        "osVersion": _version(*client.system),
        "deviceFamily": client.device,
    }
    return Entity(_CONTEXT, jsontext.dumps({"schema": _CONTEXT, "data": data}))


def _version(family: str | None, major: str | None, *rest: str | None) -> str:
    """Family, a blank, and the parts that are there joined by dots."""
    text = family or ""
    if major is not None:
        text += f" {major}"
    return text + "".join([f".{part}" for part in rest if part is not None])
