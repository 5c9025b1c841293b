"""event_specifications: what is inferred, what is held against a declared specification, which plans are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snowetl.enrich.enrichments.base import Step
from snowetl.errors import ConfigError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.testing import enrich, event, hit, tp2
from tests.enrich.enrichments.support import draft, step

SNOWPLOW = "com.snowplowanalytics.snowplow"
SPECIFICATION = f"iglu:{SNOWPLOW}/event_specification/jsonschema/1-0-4"
VALIDATION = f"iglu:{SNOWPLOW}/event_specification_validation/jsonschema/1-0-0"
CART = "iglu:com.acme/add_to_cart/jsonschema/1-0-0"
PRODUCT = "iglu:com.acme/product/jsonschema/1-0-0"

PLAN = """
apiVersion: v1
resourceType: data-product
resourceName: 3d3059c4-d29b-4979-a973-43f7070e1dd0
data:
  name: Shop
  domain: Sales
  eventSpecifications:
    - resourceName: cart
      name: Add to cart
      version: 2
      appIds: [web]
      event:
        source: iglu:com.acme/add_to_cart/jsonschema/1-0-0
        schema: {type: object, properties: {currency: {enum: [USD]}}, required: [currency]}
      entities:
        tracked:
          - source: iglu:com.acme/product/jsonschema/1-0-0
            minCardinality: 1
            maxCardinality: 1
            schema: {type: object, properties: {sku: {type: string, pattern: "^A"}}}
    - resourceName: cart
      name: Add to cart
      version: 1
      event: {source: iglu:com.acme/add_to_cart/jsonschema/1-0-0}
    - resourceName: any_cart
      name: Any cart
      event: {tracked: {source: iglu:com.acme/add_to_cart/jsonschema/1-0-1}}
    - resourceName: page
      name: Page of the shop
      event: {source: iglu:com.snowplowanalytics.snowplow/page_view/jsonschema/1-0-0}
      entities:
        enriched:
          - {source: iglu:com.acme/product/jsonschema/1-0-0, maxCardinality: 0}
"""
ABOUT = {
    "data_product_id": "3d3059c4-d29b-4979-a973-43f7070e1dd0",
    "data_product_name": "Shop",
    "data_product_domain": "Sales",
}
IN_CART = {"id": "cart", "name": "Add to cart", **ABOUT, "version": 2}
IN_ANY_CART = {"id": "any_cart", "name": "Any cart", **ABOUT}


def planned(folder: Path, plan: str = PLAN) -> Step:
    (folder / "plan.yml").write_text(plan)
    return step("event_specifications", uri=str(folder), database="plan.yml")


def cart(contexts: list[Any], app_id: str = "web", version: str = "1-0-0", **data: Any) -> Any:
    unstruct = {"schema": f"iglu:{SNOWPLOW}/unstruct_event/jsonschema/1-0-0", "data": {"schema": CART, "data": data}}
    wrapped = {"schema": f"iglu:{SNOWPLOW}/contexts/jsonschema/1-0-1", "data": contexts}
    return draft(
        unstruct_event=json.dumps(unstruct),
        contexts=json.dumps(wrapped),
        app_id=app_id,
        event_vendor="com.acme",
        event_name="add_to_cart",
        event_format="jsonschema",
        event_version=version,
    )


def product(sku: str = "A1") -> Any:
    return {"schema": PRODUCT, "data": {"sku": sku}}


def declared(id_: str = "cart", **more: Any) -> Any:
    return {"schema": SPECIFICATION, "data": {"id": id_, **more}}


def added(one: Step, made: Any) -> list[tuple[str, Any]]:
    """(schema, data) of the entities it adds, each valid by its schema."""
    one(made)
    found = [json.loads(entity.json) for entity in made.entities]
    iglu = IgluClient(ResolverConfig.default(), now=0)
    assert all(iglu.checker(entity["schema"]).check(entity["data"]) is None for entity in found)
    assert not made.failures
    return [(entity["schema"], entity["data"]) for entity in found]


# --- inference ----------------------------------------------------------------------------------------------------


def test_an_event_is_of_each_specification_it_fulfils(tmp_path: Path) -> None:
    """Of a specification's versions the newest; versions of a schema's model are one data structure."""
    one = planned(tmp_path)
    both = [(SPECIFICATION, IN_CART), (SPECIFICATION, IN_ANY_CART)]
    assert added(one, cart([product()], currency="USD")) == both
    assert added(one, cart([product()], currency="USD", version="1-2-3")) == both


@pytest.mark.parametrize(
    "made",
    [
        cart([product()], currency="EUR"),
        cart([product()]),
        cart([], currency="USD"),
        cart([product(), product()], currency="USD"),
        cart([product("B")], currency="USD"),
        cart([product()], app_id="mobile", currency="USD"),
    ],
)
def test_what_does_not_fulfil_one_is_not_of_it(tmp_path: Path, made: Any) -> None:
    assert added(planned(tmp_path), made) == [(SPECIFICATION, IN_ANY_CART)]


def test_other_events_are_left_alone(tmp_path: Path) -> None:
    one = planned(tmp_path)
    assert added(one, cart([product()], currency="USD", version="2-0-0")) == []
    assert added(one, draft(event_name="add_to_cart")) == []
    assert added(one, draft(contexts="{", unstruct_event="[]", app_id="web")) == []


# --- validation ---------------------------------------------------------------------------------------------------


def test_an_event_that_declares_and_fulfils_one(tmp_path: Path) -> None:
    assert added(planned(tmp_path), cart([declared(version=2), product()], currency="USD")) == []


@pytest.mark.parametrize(
    ("made", "errors"),
    [
        (
            cart([declared(version=2), product()], currency="EUR"),
            [{"message": "does not have a value in the enumeration [USD]", "schema": CART, "path": "$.currency"}],
        ),
        (
            cart([declared(version=2), product(), product("B")], currency="USD"),
            [
                {"message": "2 entities of this schema, not 1", "schema": PRODUCT},
                {"message": "does not match the regex pattern ^A", "schema": PRODUCT, "path": "$.sku"},
            ],
        ),
        (
            cart([declared(version=2)], currency="USD"),
            [{"message": "0 entities of this schema, not 1", "schema": PRODUCT}],
        ),
    ],
)
def test_what_a_declared_one_lacks(tmp_path: Path, made: Any, errors: list[dict[str, str]]) -> None:
    [(schema, data)] = added(planned(tmp_path), made)
    assert (schema, data["isValid"]) == (VALIDATION, False)
    for got, expected in zip(data["errors"], errors, strict=True):
        assert expected.pop("message") in got.pop("message")
        assert got == expected


@pytest.mark.parametrize(
    "declaration",
    [declared(), declared(version=1), declared(version=3), declared("other", version=2), declared("", version=None)],
)
def test_events_that_are_not_held_against_any(tmp_path: Path, declaration: Any) -> None:
    """No version (trackers before Snowtype 0.17), one without rules, an unknown one. Nothing is inferred either."""
    assert added(planned(tmp_path), cart([declaration, product("B")], currency="EUR")) == []


def test_errors_are_few(tmp_path: Path) -> None:
    made = cart([declared(version=2), *[product("B")] * 500], currency="USD")
    [(_, data)] = added(planned(tmp_path), made)
    assert len(data["errors"]) == 101 and data["errors"][-1] == {"message": "and 401 more"}


# --- the plan -----------------------------------------------------------------------------------------------------


def test_all_that_is_wrong_with_a_plan_is_told(tmp_path: Path) -> None:
    specifications = [
        1,
        {},
        {"resourceName": "a", "event": {}},
        {"resourceName": "b", "event": {"source": "iglu:com.acme/x"}},
        {"resourceName": "c", "event": {"source": CART, "schema": {"type": 3}}},
        {"resourceName": "d", "event": {"source": CART}, "sourceApplications": [{"$ref": "./apps/web.yaml"}]},
        {"resourceName": "e", "event": {"source": CART}, "version": "1"},
        {
            "resourceName": "f",
            "event": {"source": CART},
            "entities": {"tracked": [{"source": PRODUCT, "minCardinality": "1"}]},
        },
        {"resourceName": "g", "event": {"source": CART}, "name": "x" * 300},
        {"resourceName": "h", "event": {"source": CART}},
        {"resourceName": "h", "event": {"source": CART}},
    ]
    with pytest.raises(ConfigError) as error:
        planned(tmp_path, json.dumps({"data": {"eventSpecifications": specifications}}))
    text = str(error.value)
    for part in (
        "eventSpecifications[0]: must be an object",
        "eventSpecifications[1]: resourceName is missing",
        "eventSpecifications[2]: event.source is missing",
        "eventSpecifications[3]: event.source: INVALID_IGLUURI",
        "eventSpecifications[4]: event.schema is not a JSON Schema",
        "eventSpecifications[5]: sourceApplications names another file. Write the ids",
        "eventSpecifications[6]: version is '1', not a whole number",
        "eventSpecifications[7]: entities.tracked[0]: minCardinality",
        "eventSpecifications[8]: name is 'xxx",
        "the event specification h is there twice",
    ):
        assert part in text
    with pytest.raises(ConfigError, match="is not a data product"):
        planned(tmp_path, "[1]")


# --- in the pipeline ----------------------------------------------------------------------------------------------


def test_a_page_view_is_of_a_specification(tmp_path: Path) -> None:
    (tmp_path / "plan.yml").write_text(PLAN)
    configuration = {
        "schema": "iglu:com.snowplowanalytics.snowetl/event_specifications/jsonschema/1-0-0",
        "data": {
            "vendor": "com.snowplowanalytics.snowetl",
            "name": "event_specifications",
            "enabled": True,
            "parameters": {"uri": f"file:{tmp_path}", "database": "plan.yml"},
        },
    }
    result = enrich(
        hit(),
        tp2(event(f"iglu:{SNOWPLOW}/link_click/jsonschema/1-0-1", {"targetUrl": "x"}, [])),
        enrichments=[configuration],
    )
    assert result.reasons() == []
    assert [[one.data["id"] for one in found.entities(SPECIFICATION)] for found in result.events] == [["page"], []]
