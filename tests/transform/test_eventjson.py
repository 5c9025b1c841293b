from __future__ import annotations

import json
from typing import Any

import pytest

from snowetl.model.fields import NAMES
from snowetl.transform import eventjson
from tests.transform.support import contexts, line, parsed, self_describing, unstruct

CLICK = "iglu:com.acme/link_click/jsonschema/1-0-0"


def wide(text: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(eventjson.wide_line(parsed(text)))
    return row


def test_scalars_are_typed_and_nulls_present() -> None:
    row = wide(
        line(txn_id="5", br_cookies="0", se_value="10000000", app_id="shop", etl_tstamp="2021-10-14 10:00:00.000")
    )
    assert set(row) == set(NAMES) - {"contexts", "unstruct_event", "derived_contexts"}
    assert (row["txn_id"], row["br_cookies"], row["se_value"], row["app_id"]) == (5, False, 1e7, "shop")
    assert row["etl_tstamp"] == "2021-10-14T10:00:00Z"
    assert row["user_id"] is None


def test_doubles_print_as_java_does() -> None:
    assert '"se_value":1.0E7' in eventjson.wide_line(parsed(line(se_value="10000000")))


def test_entities_by_schema_model() -> None:
    newer = CLICK.replace("1-0-0", "1-2-0")
    row = wide(
        line(
            contexts=contexts(self_describing(CLICK, {"n": 1}), self_describing(newer, {"n": 2})),
            unstruct_event=unstruct(self_describing(CLICK, {"n": 3})),
        )
    )
    assert row["contexts_com_acme_link_click_1"] == [{"n": 1}, {"n": 2}]
    assert row["unstruct_event_com_acme_link_click_1"] == {"n": 3}


def test_derived_contexts_take_the_column() -> None:
    first, second = (contexts(self_describing(CLICK, {"n": number})) for number in (1, 2))
    assert wide(line(contexts=first, derived_contexts=second))["contexts_com_acme_link_click_1"] == [{"n": 2}]


@pytest.mark.parametrize(
    ("latitude", "longitude", "location"),
    [("37.5", "-122.4", "37.5,-122.4"), ("0", "0", "0.0,0.0"), ("1e400", "1", "Infinity,1.0"), ("37.5", "", None)],
)
def test_geo_location_needs_both(latitude: str, longitude: str, location: str | None) -> None:
    assert wide(line(geo_latitude=latitude, geo_longitude=longitude)).get("geo_location") == location


def test_number_text_survives() -> None:
    text = contexts(self_describing(CLICK, {"n": 0})).replace('"n":0', '"n":1.50,"m":1E5,"k":-0')
    assert '[{"n":1.50,"m":1E5,"k":-0}]' in eventjson.wide_line(parsed(line(contexts=text)))


def test_the_payload_of_bad_rows_has_all_columns_in_order() -> None:
    payload = eventjson.payload(parsed(line(contexts=contexts(self_describing(CLICK, 1)))))
    assert list(payload) == list(NAMES)
    assert payload["derived_contexts"] == {}
    assert payload["unstruct_event"] is None
    assert payload["contexts"]["schema"].endswith("/contexts/jsonschema/1-0-0")
    assert payload["contexts"]["data"] == [{"schema": CLICK, "data": 1}]


@pytest.mark.parametrize(
    ("vendor", "name", "column"),
    [
        ("org.w3", "PerformanceTiming", "contexts_org_w3_performance_timing_1"),
        ("com.acme-corp", "my-context.v2", "contexts_com_acme_corp_my_context_v2_1"),
        ("com.Acme", "URLClick", "contexts_com_acme_urlclick_1"),
        ("com.acme", "some_Thing", "contexts_com_acme_some_thing_1"),
    ],
)
def test_column_names(vendor: str, name: str, column: str) -> None:
    assert eventjson.wide_column("contexts_", vendor, name, 1) == column
