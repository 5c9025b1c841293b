"""http_header_extractor: an entity for each matching header (enrich 3.9.0 ``HttpHeaderExtractorEnrichment``)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from snowetl.caching import Memo
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import ENRICHMENTS, Parameters
from snowetl.enrich.services import Services
from snowetl.iglu.validation.patterns import Search, full_match
from snowetl.iglu.validation.report import ValidationCrash
from snowetl.jvm import jsontext
from snowetl.jvm.regex import PatternFault
from snowetl.jvm.strings import trim
from snowetl.model.schema import SchemaCriterion, SchemaKey

_CONTEXT = "iglu:org.ietf/http_header/jsonschema/1-0-0"
_PATTERN = "parameters.headersPattern"
_REMEMBERED_NAMES = 1_024
_REMEMBERED_LENGTH = 256


@configuration
class HttpHeaderExtractorConf:
    """``pattern`` is a Java regular expression that must match the whole name of a header, in its own case.

    The reference finds out about a broken pattern with the first event; here it stops the job before it starts.
    """

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("http_header_extractor_config", vendor=ENRICHMENTS)
    place: ClassVar[Place] = Place(150)

    schema_key: SchemaKey
    pattern: str

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> HttpHeaderExtractorConf:
        given = Parameters(data)
        pattern = given.read(_PATTERN, parameters.text, "")
        try:
            full_match(pattern)
        except PatternFault as fault:
            given.fault(f"{_PATTERN} is not a regular expression: {fault}")
        given.check()
        return cls(key, pattern)

    def needs(self) -> Needs:
        return Needs()

    def open(self, services: Services) -> AbstractContextManager[Step]:
        return nullcontext(HttpHeaderExtractor(full_match(self.pattern)))


ENRICHMENT: type[Enrichment] = HttpHeaderExtractorConf


class HttpHeaderExtractor:
    """The step. Entities stand in the order of the headers. A name the pattern takes too long for does not match."""

    def __init__(self, matches: Search) -> None:
        def wanted(name: str) -> bool:
            try:
                return matches(name)
            except ValidationCrash:
                return False

        self._wanted = Memo(wanted, _REMEMBERED_NAMES, _REMEMBERED_LENGTH)

    def __call__(self, draft: Draft) -> None:
        found = []
        for header in draft.raw.payload.headers:
            name, colon, value = header.partition(":")
            if colon and self._wanted[name]:
                found.append(_entity(trim(name), trim(value)))
        if found:
            draft.add(*found)


def _entity(name: str, value: str) -> Entity:
    return Entity(_CONTEXT, jsontext.dumps({"schema": _CONTEXT, "data": {"name": name, "value": value}}))
