"""Unbounce: one submitted form per form body (enrich 3.9.0 ``UnbounceAdapter``)."""

from __future__ import annotations

from typing import Any

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, input_failure, schema_uris
from snowetl.adapters.events import Wrapper
from snowetl.adapters.rewrite import camelize
from snowetl.adapters.webhook import FORM, body_fault, form_of, parse_json
from snowetl.jvm.scala_maps import as_map
from snowetl.model.payload import CollectorPayload, Parameters, RawEvent

_REQUIRED = ("page_id", "page_name", "variant", "page_url", "data.json")
_NOT_COPIED = ("data.json", "data.xml")

_wrap = Wrapper("com.unbounce-v1")


def build(setup: Setup) -> Adapt:
    schema = setup.schemas["form_post"]

    def adapt(payload: CollectorPayload) -> Outcome:
        fault = body_fault(payload, FORM, blank_is_empty=True)
        if fault is not None:
            return fault
        body = payload.body or ""
        fields = form_of(body, failed_field=body)
        if isinstance(fields, Failures):
            return fields
        event = event_of(fields)
        if isinstance(event, Failures):
            return event
        return [RawEvent(payload, _wrap(payload.parameters(), schema, camelize(event)))]

    return adapt


def event_of(fields: Parameters) -> dict[str, Any] | Failures:
    """The submitted data (field ``data.json``) and what is told about the page."""
    for name in _REQUIRED:
        if fields.get(name) is None:
            return input_failure(name, None, f"missing '{name}' field in body")
    text = fields["data.json"]
    if not text:
        return input_failure("data.json", None, "empty 'data.json' field in body")
    data = parse_json("data.json", text)
    if isinstance(data, Failures):
        return data
    sent = as_map({name: value for name, value in fields.items() if value is not None})
    return {"data.json": data} | {name: value for name, value in sent.items() if name not in _NOT_COPIED}


ADAPTER = Adapter(
    name="Unbounce",
    vendor="com.unbounce",
    version="v1",
    build=build,
    content_type=FORM,
    group="unbounce",
    schemas=schema_uris("com.unbounce", "1-0-0", "form_post"),
    events={"(every request)": "form_post"},
    cleaned="`data.json` is parsed, `data.xml` dropped, keys become camelCase.",
)
