"""cookie_extractor: an entity for each configured cookie (enrich 3.9.0 ``CookieExtractorEnrichment``).

The name of the header is read in any case (4.1.0): collectors of some releases write it in lower case.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import Parameters
from snowetl.enrich.services import Services
from snowetl.jvm import jsontext
from snowetl.jvm.http_core import parse_parameters
from snowetl.model.schema import SchemaCriterion, SchemaKey

_HEADER = "cookie:"
_CONTEXT = "iglu:org.ietf/http_cookie/jsonschema/1-0-0"


@configuration
class CookieExtractorConf:
    """``cookies`` are the names to look for; they match exactly."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("cookie_extractor_config")
    place: ClassVar[Place] = Place(140)

    schema_key: SchemaKey
    cookies: tuple[str, ...]

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> CookieExtractorConf:
        given = Parameters(data)
        none: tuple[str, ...] = ()
        cookies = given.read("parameters.cookies", parameters.texts, none)
        given.check()
        return cls(key, cookies)

    def needs(self) -> Needs:
        return Needs()

    def open(self, services: Services) -> AbstractContextManager[Step]:
        return nullcontext(CookieExtractor(self.cookies))


ENRICHMENT: type[Enrichment] = CookieExtractorConf


class CookieExtractor:
    """The step. Entities stand in the order of the headers, however many; repeated cookies are kept."""

    def __init__(self, cookies: tuple[str, ...]) -> None:
        self._names = frozenset(cookies)

    def __call__(self, draft: Draft) -> None:
        found = [
            _entity(name, value)
            for header in draft.raw.payload.headers
            if header[: len(_HEADER)].lower() == _HEADER
            for name, value in parse_parameters(header[len(_HEADER) :])
            if name in self._names
        ]
        if found:
            draft.add(*found)


def _entity(name: str, value: str | None) -> Entity:
    return Entity(_CONTEXT, jsontext.dumps({"schema": _CONTEXT, "data": {"name": name, "value": value}}))
