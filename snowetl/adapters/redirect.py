"""URI redirects ``/r/tp2?u=...``: the target becomes an event, or a context of the event that is there (enrich 3.9.0
``RedirectAdapter``)."""

from __future__ import annotations

import base64

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure
from snowetl.adapters.events import UNSTRUCT_OPEN, contexts_text, query_text, self_describing_text
from snowetl.jvm import jsontext
from snowetl.jvm.commons_codec import decode_base64
from snowetl.jvm.strings import decode_utf8, to_utf8
from snowetl.model import badrow
from snowetl.model.payload import CollectorPayload, Parameters, RawEvent

URI_REDIRECT = "iglu:com.snowplowanalytics.snowplow/uri_redirect/jsonschema/1-0-0"

_BASE64_LINE = 76


def adapt(payload: CollectorPayload) -> Outcome:
    query = payload.parameters()
    if not query:
        return input_failure("querystring", None, "empty querystring: not a valid URI redirect")
    target = query.get("u")
    if target is None:
        return input_failure("querystring", query_text(query), "missing `u` parameter: not a valid URI redirect")
    added = _as_context(query, target) if "e" in query else _as_event(target)
    if isinstance(added, Failures):
        return added
    del query["u"]
    query |= added
    query["tv"] = "r-tp2"
    query.setdefault("p", "web")
    return [RawEvent(payload, query)]


def _as_event(target: str) -> Parameters:
    return {"e": "ue", "ue_pr": f"{UNSTRUCT_OPEN}{_redirect(target)}}}"}


def _as_context(query: Parameters, target: str) -> Parameters | Failures:
    """The redirect as first context; ``cx`` has precedence over ``co``.

    Without a value either counts as not sent (the reference throws).
    """
    encoded, plain = query.get("cx"), query.get("co")
    if encoded is not None:
        contexts = _prepended(target, decode_utf8(decode_base64(encoded)))
        return contexts if isinstance(contexts, Failures) else {"cx": encode_base64(contexts)}
    contexts = _prepended(target, plain) if plain else contexts_text([_redirect(target)])
    return contexts if isinstance(contexts, Failures) else {"co": contexts}


def _prepended(target: str, contexts: str) -> str | Failures:
    """``contexts`` with the redirect as first element of its data; unchanged where it has no such list."""
    try:
        value = jsontext.loads_exact(contexts)
    except jsontext.JsonError as error:
        return Failures((badrow.not_json("co|cx", contexts, f"invalid json: {error}"),))
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        value["data"].insert(0, {"schema": URI_REDIRECT, "data": {"uri": target}})
    return jsontext.dumps(value)


def _redirect(target: str) -> str:
    return self_describing_text(URI_REDIRECT, {"uri": target})


def encode_base64(plain: str) -> str:
    """URL-safe, without padding, in lines of 76 characters (commons-codec)."""
    encoded = base64.urlsafe_b64encode(to_utf8(plain)).decode("ascii").rstrip("=")
    return "\r\n".join([encoded[at : at + _BASE64_LINE] for at in range(0, len(encoded), _BASE64_LINE)])


def build(setup: Setup) -> Adapt:
    return adapt


ADAPTER = Adapter(
    name="URI redirect",
    vendor="r",
    version="tp2",
    build=build,
    method="GET",
    content_type="",
    cleaned="Parameter `u` becomes a `uri_redirect` event, or the first context of the event that is sent along.",
)
