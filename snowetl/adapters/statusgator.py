"""StatusGator: one status change per form body (enrich 3.9.0 ``StatusGatorAdapter``)."""

from __future__ import annotations

from snowetl.adapters.base import Adapt, Adapter, Failures, Outcome, Setup, schema_uris
from snowetl.adapters.events import Wrapper
from snowetl.adapters.rewrite import camelize
from snowetl.adapters.webhook import FORM, body_fault, form_of
from snowetl.jvm.scala_maps import as_map
from snowetl.model.payload import CollectorPayload, RawEvent

_wrap = Wrapper("com.statusgator-v1")


def build(setup: Setup) -> Adapt:
    schema = setup.schemas["status_change"]

    def adapt(payload: CollectorPayload) -> Outcome:
        fault = body_fault(payload, FORM, blank_is_empty=True)
        if fault is not None:
            return fault
        fields = form_of(payload.body or "", failed_field="body")
        if isinstance(fields, Failures):
            return fields
        return [RawEvent(payload, _wrap(payload.parameters(), schema, camelize(as_map(fields))))]

    return adapt


ADAPTER = Adapter(
    name="StatusGator",
    vendor="com.statusgator",
    version="v1",
    build=build,
    content_type=FORM,
    group="statusgator",
    schemas=schema_uris("com.statusgator", "1-0-0", "status_change"),
    events={"(every request)": "status_change"},
    cleaned="All fields as text, keys in camelCase.",
)
