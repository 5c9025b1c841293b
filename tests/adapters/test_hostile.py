"""Whatever is sent, adapters answer with events or failures, in linear time."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from snowetl.adapters import catalogue
from snowetl.model.badrow import BadRow
from snowetl.model.payload import CollectorPayload
from tests.adapters.helpers import FORM, JSON, payload, registry
from tests.examples import examples
from tests.growth import Work, assert_linear

REGISTRY = registry()
ADAPTERS = {adapter.path.removeprefix("/"): adapter for adapter in catalogue.built_in()}
SIZE = 400_000

_KEYS = sorted(
    {"event", "type", "action", "subscriptionType", "data", "items", "timestamp", "ts", "messages", "operators"}
    | {"schema", "signature", "event-data", "token", "occurred", "processed", "id", "sg_event_id", "_tags", "", "_-"}
    | {"attachment-count", "occurredAt", "created_at", "u", "cx", "co", "e", "t", "cd1", "pr1id", "il1pi2cd3", "[]"}
)
_WORDS = sorted(
    {event for adapter in ADAPTERS.values() for event in adapter.events}
    | {"1772438400", "2026-03-02 08:00:00", "2026-03-02T08:00:00Z", "1.2.3", "null", "1e5", "\ud800", "\x00", "٣"}
    | {"iglu:com.example/x/jsonschema/1-0-0", "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"}
)
_TEXTS = st.sampled_from(_WORDS) | st.text(max_size=20)
_NAMES = st.sampled_from(_KEYS) | st.text(max_size=8)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=6),
    max_leaves=20,
)
_JSON_TEXTS = _JSON.map(lambda value: json.dumps(value, ensure_ascii=True))
_FORM_NAMES = _NAMES | st.sampled_from(["mandrill_events", "data.json", "page_id", "data[a][b]", "fired_at"])
_FORMS = st.lists(st.tuples(_FORM_NAMES, _JSON_TEXTS | _TEXTS | st.none()), max_size=6).map(
    lambda pairs: "&".join(
        quote_plus(name, errors="replace") + ("" if value is None else "=" + quote_plus(value, errors="replace"))
        for name, value in pairs
    )
)
_LINES = st.lists(_TEXTS, min_size=10, max_size=34).map("\t".join)
_BODIES = (
    st.none() | _JSON_TEXTS | _FORMS | _LINES | _TEXTS | st.binary(max_size=30).map(lambda raw: raw.decode("latin-1"))
)
_TYPES = st.sampled_from([None, JSON, FORM, "application/json; charset=utf-8", "text/plain", ""])
_QUERIES = st.lists(st.tuples(_NAMES.filter(bool), st.none() | _TEXTS | _JSON_TEXTS), max_size=6)


def check(given_payload: CollectorPayload) -> None:
    result = REGISTRY.adapt(given_payload)
    if isinstance(result, BadRow):
        assert result.type in ("adapter_failures", "tracker_protocol_violations")
        assert result.data["failure"]["messages"]
        assert json.loads(result.to_json().encode("utf-8", "replace"))["schema"] == result.schema_key
        return
    assert result
    for event in result:
        assert all(isinstance(name, str) for name in event.parameters)
        assert all(value is None or isinstance(value, str) for value in event.parameters.values())


@pytest.mark.parametrize("path", sorted(ADAPTERS))
@examples(0.7, suppress_health_check=list(HealthCheck))
@given(body=_BODIES, content_type=_TYPES, query=_QUERIES)
def test_anything_gives_events_or_failures(path, body, content_type, query):
    check(payload(path, body, content_type, query))


@pytest.mark.parametrize("path", sorted(ADAPTERS))
@examples(0.3, suppress_health_check=list(HealthCheck))
@given(data=_JSON, event=st.sampled_from(_WORDS))
def test_near_misses_give_events_or_failures(path, data, event):
    """Bodies that get past the opening checks more often."""
    one = {"event": event, "type": event, "action": event, "subscriptionType": event, "data": data, "items": [data]}
    one |= {"signature": data, "event-data": {"event": event, "timestamp": data, "x": data}, "messages": [data]}
    one |= {"occurred": event, "id": event, "processed": event, "timestamp": data, "ts": data}
    text = json.dumps(one)
    many = json.dumps([one, one, data])
    for body in (text, many, json.dumps({"messages": [one, data]})):
        check(payload(path, body, JSON))
        check(payload(path, body, None))
    records = [{"data": b64encode(body.encode()).decode()} for body in (text, many)]
    check(payload(path, json.dumps({"records": [*records, data, {"data": data}]}), JSON))
    for field in (f"mandrill_events={quote(many)}", f"data={quote(text)}"):
        check(payload(path, field, FORM))
    check(payload(path, query=[("message", text), ("u", event), ("e", event), ("co", text), ("cx", event)]))


def _repeated(item: str, size: int, separator: str = ",") -> str:
    return separator.join([item] * (size // (len(item) + len(separator))))


_LONG: dict[str, Callable[[int], str]] = {
    "arrays": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "objects": lambda size: '{"a":' * (size // 6) + "1" + "}" * (size // 6),
    "empty objects": lambda size: f"[{_repeated('{}', size)}]",
    "a long text": lambda size: '{"type":"' + "x" * size + '"}',
    "a long key": lambda size: '{"' + "a_b" * (size // 3) + '":1,"b":1,"c":1,"d":1,"e":1}',
    "a long number": lambda size: '{"type":' + "9" * size + "}",
    "a long fraction": lambda size: '{"event":1.' + "9" * size + "}",
    "blanks": lambda size: " " * size,
    "controls": lambda size: '\x00\x01"' * (size // 3),
    "tabs": lambda size: "\t" * size,
    "brackets": lambda size: "type=subscribe&a" + "[a]" * (size // 3) + "=1",
    "escapes": lambda size: "type=subscribe&a=" + "%41" * (size // 3),
    "foreign letters": lambda size: "type=subscribe&a=" + "é" * size,
    "an illegal end": lambda size: "a=" + "x" * size + '"',
    "lines": lambda size: "x\n" * (size // 2),
    "a wide line": lambda size: "2026-03-02\t08:00:00\tc\t1\t" + "\t".join(["%2541" * (size // 125)] * 22),
    "records": lambda size: '{"records":[' + _repeated('{"data":"e30="}', size) + "]}",
    "one record": lambda size: '{"records":[{"data":"' + "e30K" * (size // 4) + '"}]}',
    "one record of nothing": lambda size: '{"records":[{"data":"' + "WwpbCltb" * (size // 8) + '"}]}',
    "no texts": lambda size: (
        '{"schema":"iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4","data":['
        + _repeated('{"e":1}', size)
        + "]}"
    ),
}


@pytest.mark.parametrize("name", _LONG)
def test_long_bodies_take_linear_time(name: str) -> None:
    def prepare(size: int, path: str, content_type: str | None) -> Work:
        query = [("schema", "iglu:com.example/x/jsonschema/1-0-0"), ("u", "x")]
        return partial(REGISTRY.adapt, payload(path, _LONG[name](size), content_type, query))

    for path in ADAPTERS:
        for content_type in (JSON, FORM, None):
            assert_linear(partial(prepare, path=path, content_type=content_type), SIZE, about=(path, content_type))
