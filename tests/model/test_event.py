"""The enriched event as a mapping, read back from its line, and asked for its entities."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from snowetl.errors import ConfigError
from snowetl.model.event import EnrichedEvent
from snowetl.model.fields import NAMES
from snowetl.model.schema import SchemaCriterion, SchemaKey

ENVELOPE = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"
CART = "iglu:com.acme/cart/jsonschema/"


def event(**columns: str) -> EnrichedEvent:
    made = EnrichedEvent()
    for column, text in columns.items():
        made[column] = text
    return made


def envelope(*entities: tuple[str, object]) -> str:
    return json.dumps({"schema": ENVELOPE, "data": [{"schema": uri, "data": data} for uri, data in entities]})


def test_an_event_is_a_mapping() -> None:
    made = event(event="page_view", app_id="shop")
    assert isinstance(made, Mapping)
    assert len(made) == len(made.keys()) == len(made.values()) == 131
    assert list(made) == list(made.keys()) == list(NAMES)
    assert "event" in made
    assert "no_column" not in made
    assert dict(made) == made.to_dict() == dict(made.items()) == {**made}
    assert made["event"] == made.get("event") == "page_view"
    assert made.get("geo_city") is None
    assert made.get("geo_city", "nowhere") is None  # the column is there, and null
    assert made.get("no_column", "nowhere") == "nowhere"
    with pytest.raises(KeyError, match="no_column"):
        made["no_column"]


def test_events_are_equal_by_their_columns() -> None:
    assert event(app_id="a") == event(app_id="a")
    assert event(app_id="a") != event(app_id="b")
    assert event(app_id="a") == event(app_id="a").to_dict()
    assert event() != "event"
    with pytest.raises(TypeError):
        hash(event())


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_an_event_is_read_back_from_its_line(end: str) -> None:
    made = event(app_id="shop", event_name="cart", true_tstamp="2026-03-02 08:00:00.000")
    assert EnrichedEvent.from_tsv(made.to_tsv() + end) == made


@pytest.mark.parametrize("line", ["", "a\tb", "\t" * 131])
def test_a_line_with_another_number_of_columns_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match=f"131 tab-separated columns; this line has {line.count(chr(9)) + 1}"):
        EnrichedEvent.from_tsv(line)


def test_entities_of_both_columns_by_criterion() -> None:
    made = event(
        contexts=envelope((CART + "1-0-0", {"n": 1}), (CART + "1-2-0", {"n": 2}), (CART + "2-0-0", {"n": 3})),
        derived_contexts=envelope(("iglu:org.example/geo/jsonschema/1-0-0", {})),
    )
    assert [str(entity.schema.version) for entity in made.entities(CART + "1-*-*")] == ["1-0-0", "1-2-0"]
    assert [entity.data for entity in made.entities(CART + "*-*-*")] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert made.entities(CART + "1-2-0") == [(SchemaKey.parse(CART + "1-2-0"), {"n": 2})]
    assert made.entities(SchemaCriterion.parse(CART + "2-*-*"))[0].data == {"n": 3}
    assert [entity.schema.name for entity in made.entities()] == ["cart", "cart", "cart", "geo"]
    assert event().entities() == []


def test_the_self_describing_event() -> None:
    inner = {"schema": CART + "1-0-0", "data": {"n": 1}}
    text = json.dumps({"schema": ENVELOPE.replace("contexts", "unstruct_event"), "data": inner})
    found = event(unstruct_event=text).self_describing_event()
    assert found == (SchemaKey.parse(CART + "1-0-0"), {"n": 1})
    assert event().self_describing_event() is None


def test_a_criterion_that_is_none_and_a_damaged_column_are_named() -> None:
    with pytest.raises(ConfigError, match="not a schema criterion: cart"):
        event().entities("cart")
    for text in ("{", "[]", '{"schema": "x", "data": []}', '{"data": []}', '{"schema": 1}'):
        with pytest.raises(ConfigError, match="contexts"):
            event(contexts=text).entities()
