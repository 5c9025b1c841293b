"""campaign_attribution: ``mkt_*`` from the query of the page URI (enrich 3.9.0 ``CampaignAttributionEnrichment``)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, Final

from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import Parameters
from snowetl.enrich.services import Services
from snowetl.jvm.map_order import in_map_order
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaCriterion, SchemaKey
from snowetl.model.text import tsv_safe

_FIELDS: Final = ("mktMedium", "mktSource", "mktTerm", "mktContent", "mktCampaign")
_CAMPAIGN: Final = slice(INDEX["mkt_medium"], INDEX["mkt_campaign"] + 1)
_CLICK: Final = slice(INDEX["mkt_clickid"], INDEX["mkt_network"] + 1)
_NO_CAMPAIGN: Final = ("",) * len(_FIELDS)
_NO_CLICK: Final = ("", "")
_NETWORKS: Final = {"gclid": "Google", "msclkid": "Microsoft", "dclid": "DoubleClick"}


@configuration
class CampaignAttributionConf:
    """``fields`` are the query names for medium, source, term, content and campaign, best first.

    ``networks`` are (query name of a click id, network) in the order in which they are looked for.
    """

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("campaign_attribution")
    place: ClassVar[Place] = Place(110)

    schema_key: SchemaKey
    fields: tuple[tuple[str, ...], ...]
    networks: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> CampaignAttributionConf:
        given = Parameters(data)
        none: tuple[str, ...] = ()
        fields = tuple(given.read(f"parameters.fields.{name}", parameters.texts, none) for name in _FIELDS)
        no_pairs: tuple[tuple[str, str], ...] = ()
        own = given.optional("parameters.fields.mktClickId", parameters.text_map, no_pairs)
        given.check()
        return cls(key, fields, tuple(in_map_order(_NETWORKS | dict(own)).items()))

    def needs(self) -> Needs:
        return Needs()

    def open(self, services: Services) -> AbstractContextManager[Step]:
        return nullcontext(CampaignAttribution(self.fields, self.networks))


ENRICHMENT: Final[type[Enrichment]] = CampaignAttributionConf


class CampaignAttribution:
    """The step. Without a page URI it leaves the columns alone."""

    def __init__(self, fields: tuple[tuple[str, ...], ...], networks: tuple[tuple[str, str], ...]) -> None:
        self._fields = fields
        self._networks = networks
        self._names = frozenset(name for names in (*fields, dict(networks)) for name in names)

    def __call__(self, draft: Draft) -> None:
        query = draft.page_query
        if query is None:
            return
        values = draft.values
        if self._names.isdisjoint(query):
            values[_CAMPAIGN] = _NO_CAMPAIGN
            values[_CLICK] = _NO_CLICK
        else:
            values[_CAMPAIGN] = [_first(names, query) for names in self._fields]
            values[_CLICK] = next(
                ((tsv_safe(query[name]), tsv_safe(network)) for name, network in self._networks if name in query),
                _NO_CLICK,
            )


def _first(names: tuple[str, ...], query: dict[str, str]) -> str:
    """The value of the first of ``names`` that is there, even if it is empty."""
    for name in names:
        if name in query:
            return tsv_safe(query[name])
    return ""
