"""The steps that always run, and how all steps are put in order (enrich 3.9.0 ``EnrichmentManager``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from snowetl.enrich import conversions
from snowetl.enrich.conversions import ConversionError
from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments.base import CONTEXTS_WRITTEN, Place, Step
from snowetl.enrich.uri import UriError, page_query, parse_uri
from snowetl.jvm import timestamps
from snowetl.model import badrow
from snowetl.model.event import EMPTY
from snowetl.model.fields import INDEX
from snowetl.model.text import tsv_safe

_V_COLLECTOR: Final = INDEX["v_collector"]
_PAGE_URL: Final = INDEX["page_url"]
_PAGE_PARTS: Final = slice(INDEX["page_urlscheme"], INDEX["page_urlfragment"] + 1)
_PAGE_REFERRER: Final = INDEX["page_referrer"]
_REFR_PARTS: Final = slice(INDEX["refr_urlscheme"], INDEX["refr_urlfragment"] + 1)
_CREATED: Final = INDEX["dvce_created_tstamp"]
_SENT: Final = INDEX["dvce_sent_tstamp"]
_TRUE: Final = INDEX["true_tstamp"]
_COLLECTOR: Final = INDEX["collector_tstamp"]
_DERIVED: Final = INDEX["derived_tstamp"]
_REFR_USERID: Final = INDEX["refr_domain_userid"]
_REFR_TSTAMP: Final = INDEX["refr_dvce_tstamp"]
_EVENT: Final = INDEX["event"]
_EVENT_SCHEMA: Final = slice(INDEX["event_vendor"], INDEX["event_version"] + 1)

_SNOWPLOW: Final = "com.snowplowanalytics.snowplow"
_BUILT_IN_SCHEMAS: Final = {
    "page_view": [_SNOWPLOW, "page_view", "jsonschema", "1-0-0"],
    "page_ping": [_SNOWPLOW, "page_ping", "jsonschema", "1-0-0"],
    "transaction": [_SNOWPLOW, "transaction", "jsonschema", "1-0-0"],
    "transaction_item": [_SNOWPLOW, "transaction_item", "jsonschema", "1-0-0"],
    "struct": ["com.google.analytics", "event", "jsonschema", "1-0-0"],
}
_UNKNOWN_EVENT: Final = (
    "trying to extract the schema of the enriched event but event type [{}] doesn't match\n"
    "          any of page_view, page_ping, struct, transaction, transaction_item and unstruct\n"
    "          "
)


def collector_version(draft: Draft) -> None:
    if not draft.values[_V_COLLECTOR]:
        draft.fail(badrow.enrichment_message(badrow.input_data("v_collector", None, "should be set")))


def page_uri(draft: Draft) -> None:
    """``page_url`` (else the HTTP Referer) rewritten as the URI's text, and its parts."""
    values = draft.values
    text = values[_PAGE_URL] or draft.raw.payload.referer_uri
    if text is None:
        return
    try:
        uri = parse_uri(text)
    except UriError as error:
        draft.fail(badrow.enrichment_message(badrow.simple_error(str(error))))
        return
    draft.page_uri = uri
    values[_PAGE_URL] = uri.text or EMPTY
    values[_PAGE_PARTS] = uri.columns


def referrer_uri(draft: Draft) -> None:
    """The parts of ``page_referrer``, which itself stays as sent."""
    text = draft.values[_PAGE_REFERRER]
    if not text:
        return
    try:
        uri = parse_uri(text)
    except UriError as error:
        draft.fail(badrow.enrichment_message(badrow.simple_error(str(error))))
        return
    draft.referrer_uri = uri
    draft.values[_REFR_PARTS] = uri.columns


def derived_timestamp(draft: Draft) -> None:
    """When the event happened: the true time, else collector time less the time it waited in the tracker.

    The waiting time is subtracted as milliseconds; the reference subtracts calendar months (fixed in its 6.10.0).
    """
    values = draft.values
    created, sent = values[_CREATED], values[_SENT]
    if values[_TRUE]:
        values[_DERIVED] = values[_TRUE]
    elif created and sent and created < sent and values[_COLLECTOR]:
        parameters, collected = draft.raw.parameters, draft.raw.payload.timestamp
        assert collected is not None
        waited = int(parameters["stm"] or 0) - int(parameters["dtm"] or 0)
        values[_DERIVED] = timestamps.to_tsv(collected - waited)
    else:
        values[_DERIVED] = values[_COLLECTOR]


def page_querystring(draft: Draft) -> None:
    if draft.page_uri is not None:
        draft.page_query = page_query(draft.page_uri.query, draft.raw.payload.encoding)


def cross_domain(draft: Draft) -> None:
    """``_sp=USERID.MILLIS`` of the page URI; without any piece (``_sp=.``) nothing is set (the reference throws)."""
    query = draft.page_query
    linker = query.get("_sp") if query else None
    if not linker:
        return
    pieces = linker.rstrip(".").split(".")
    timestamp = ""
    if len(pieces) > 1:
        try:
            timestamp = conversions.epoch_ms(pieces[1])
        except ConversionError as error:
            draft.fail(badrow.enrichment_message(badrow.input_data("sp_dtm", pieces[1], str(error))))
            return
    draft.values[_REFR_USERID] = tsv_safe(pieces[0])
    draft.values[_REFR_TSTAMP] = timestamp


def event_schema(draft: Draft) -> None:
    """``event_vendor``, ``event_name``, ``event_format`` and ``event_version``."""
    values = draft.values
    event = values[_EVENT]
    if event == "unstruct":
        key = draft.event_key
        if key is not None:
            values[_EVENT_SCHEMA] = [key.vendor, key.name, key.format, str(key.version)]
        return
    schema = _BUILT_IN_SCHEMAS.get(event)
    if schema is None:
        expectation = _UNKNOWN_EVENT.format(event or "null")
        draft.fail(badrow.enrichment_message(badrow.input_data("event", event or None, expectation)))
    else:
        values[_EVENT_SCHEMA] = schema


class PlacedStep(NamedTuple):
    """A step, its name, and when it runs."""

    name: str
    place: Place
    step: Step


BUILT_IN: Final = (
    PlacedStep("collector_version", Place(20), collector_version),
    PlacedStep("page_uri", Place(30), page_uri),
    PlacedStep("derived_timestamp", Place(40), derived_timestamp),
    PlacedStep("referrer_uri", Place(90), referrer_uri),
    PlacedStep("page_querystring", Place(100), page_querystring),
    PlacedStep("cross_domain", Place(120), cross_domain),
    PlacedStep("event_schema", Place(180), event_schema),
)

NamedSteps = list[tuple[str, Step]]


def arrange(configured: Iterable[PlacedStep], *, legacy: bool = False) -> tuple[NamedSteps, NamedSteps]:
    """The steps that run, in order: those before the derived contexts are written, and those after (privacy)."""

    def number(one: PlacedStep) -> int:
        place = one.place
        return place.legacy if legacy and place.legacy is not None else place.number

    ordered = sorted((*BUILT_IN, *configured), key=lambda one: (number(one), one.name))
    before = [(one.name, one.step) for one in ordered if number(one) < CONTEXTS_WRITTEN]
    return before, [(one.name, one.step) for one in ordered[len(before) :]]
