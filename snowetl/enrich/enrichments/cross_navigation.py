"""cross_navigation: where a visitor came from, by the extended ``_sp`` of the page URI (docs of Enrich 4.1)."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from snowetl.enrich import conversions
from snowetl.enrich.conversions import ConversionError
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import ENRICHMENTS
from snowetl.enrich.services import Services
from snowetl.jvm import jsontext
from snowetl.jvm.uuid import is_uuid
from snowetl.model.schema import SchemaCriterion, SchemaKey

_LINKER = "_sp"
_CONTEXT = "iglu:com.snowplowanalytics.snowplow/cross_navigation/jsonschema/1-0-0"
_PARTS = ("domain_user_id", "timestamp", "session_id", "user_id", "source_id", "source_platform", "reason")
_ENCODED = ("user_id", "source_id", "reason")
"""Parts that trackers send as URL-safe base64."""
_PLATFORMS = frozenset(("web", "mob", "pc", "srv", "app", "tv", "cnsl", "iot", "headset"))
_URL_SAFE = str.maketrans("-_", "+/")


@configuration
class CrossNavigationConf:
    """It has no parameters."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("cross_navigation_config", vendor=ENRICHMENTS)
    place: ClassVar[Place] = Place(125)

    schema_key: SchemaKey

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> CrossNavigationConf:
        return cls(key)

    def needs(self) -> Needs:
        return Needs()

    def open(self, services: Services) -> AbstractContextManager[Step]:
        return nullcontext(cross_navigation)


ENRICHMENT: type[Enrichment] = CrossNavigationConf


def cross_navigation(draft: Draft) -> None:
    """The step. Without a user id and a time in the link there is no entity; a part that cannot be read is left out."""
    linker = draft.page_query.get(_LINKER) if draft.page_query else None
    if not linker:
        return
    given = dict(zip(_PARTS, linker.split("."), strict=False))
    try:
        time = conversions.epoch_ms(given.get("timestamp", ""))
    except ConversionError:  # the step cross_domain has failed the event for it
        return
    if not given["domain_user_id"] or not time:
        return
    data: dict[str, str] = {"domain_user_id": given["domain_user_id"], "timestamp": f"{time.replace(' ', 'T')}Z"}
    for name in _PARTS[2:]:
        text = given.get(name, "")
        text = _decoded(text) if name in _ENCODED else text
        if text and _fits(name, text):
            data[name] = text
    draft.add(Entity(_CONTEXT, jsontext.dumps({"schema": _CONTEXT, "data": data})))


def _decoded(text: str) -> str:
    try:
        return a2b_base64(text.translate(_URL_SAFE) + "=" * (-len(text) % 4), strict_mode=True).decode("utf-8")
    except (Base64Error, ValueError):
        return text


def _fits(name: str, text: str) -> bool:
    if name == "session_id":
        return is_uuid(text)
    return name != "source_platform" or text in _PLATFORMS
