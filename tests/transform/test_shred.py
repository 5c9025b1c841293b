from __future__ import annotations

import json
from typing import Any

from snowetl.transform.columns import Failures
from snowetl.transform.formats import Formats
from snowetl.transform.layouts import Settings
from snowetl.transform.layouts.shredded import Shredded
from snowetl.transform.rows import ShreddedRow
from snowetl.transform.schemas import Schemas
from tests.transform.support import EVENT_ID, Registry, contexts, line, parsed, self_describing, unstruct

CLICK = "iglu:com.acme/link_click/jsonschema/1-0-0"
ITEM = "iglu:com.acme-corp/CartItem/jsonschema/2-0-1"
V1 = {"type": "object", "properties": {"url": {"type": "string"}, "at": {"type": "integer"}}, "required": ["url"]}
V2 = V1 | {"properties": V1["properties"] | {"by": {"type": "string"}}}
REGISTRY = {
    "com.acme/link_click/1-0-0": V1,
    "com.acme/link_click/1-0-1": V2,
    "com.acme-corp/CartItem/2-0-0": {"type": "object", "properties": {"sku": {"type": "string"}}},
    "com.acme/anything/1-0-0": {},
}
PREFIX = f"{EVENT_ID}\t2021-10-14 10:23:45.678\tevents\t"


def shredder(registry: Registry, formats: Formats | None = None, target: str = "redshift") -> Shredded:
    return Shredded(Settings(Schemas(registry), target, formats or Formats(), ()))


def shred(text: str, formats: Formats | None = None, registry: dict[str, Any] = REGISTRY) -> list[ShreddedRow]:
    rows = shredder(Registry(registry), formats).rows(parsed(text))
    assert not isinstance(rows, Failures), rows
    return list(rows.rows)


def test_the_atomic_row_comes_first_without_the_json_columns() -> None:
    row = shred(line(app_id="shop", contexts=contexts(self_describing(CLICK, {}))))[0]
    assert row.table.folder == "vendor=com.snowplowanalytics.snowplow/name=atomic/format=tsv/model=1"
    values = row.text.split("\t")
    assert len(values) == 128
    assert values[0] == "shop"


def test_a_row_has_the_columns_of_all_published_versions() -> None:
    row = shred(line(unstruct_event=unstruct(self_describing(CLICK, {"url": "u", "at": 5, "more": 1}))))[1]
    assert row.table.folder == "vendor=com.acme/name=link_click/format=tsv/model=1"
    assert row.text == f'com.acme\tlink_click\tjsonschema\t1-0-0\t{PREFIX}["events","link_click"]\tevents\tu\t5\t\\N'


def test_an_unpublished_version_of_a_known_model_shreds() -> None:
    text = shred(line(contexts=contexts(self_describing(ITEM, {"sku": "a\tb"}))))[1].text
    assert text == f'com.acme-corp\tCartItem\tjsonschema\t2-0-1\t{PREFIX}["events","CartItem"]\tevents\ta b'


def test_a_schema_without_properties_gives_nine_columns() -> None:
    row = shred(line(contexts=contexts(self_describing("iglu:com.acme/anything/jsonschema/1-0-0", {"a": 1}))))[1]
    assert row.text.count("\t") == 8


def test_every_entity_makes_a_row() -> None:
    same = [self_describing(CLICK, {"url": str(number)}) for number in range(3)]
    rows = shred(line(contexts=contexts(*same)))
    assert [row.text.split("\t")[9] for row in rows[1:]] == ["0", "1", "2"]


def test_json_rows_keep_their_data_and_need_no_schema() -> None:
    entity = self_describing("iglu:org.unknown/thing/jsonschema/1-0-0", {"b": None, "a": 1.50})
    row = shred(line(contexts=contexts(entity)), Formats.parse("JSON"), {})[1]
    assert row.table.folder == "vendor=org.unknown/name=thing/format=json/model=1"
    document = json.loads(row.text)
    assert list(document) == ["schema", "data", "hierarchy"]
    assert document["data"] == {"b": None, "a": 1.5}
    assert document["hierarchy"] == {
        "rootId": EVENT_ID,
        "rootTstamp": "2021-10-14 10:23:45.678",
        "refRoot": "events",
        "refTree": ["events", "thing"],
        "refParent": "events",
    }


def test_formats_are_chosen_by_schema() -> None:
    text = line(contexts=contexts(self_describing(CLICK, {}), self_describing(ITEM, {})))
    formats = Formats.parse("TSV", json=["iglu:com.acme/link_click/jsonschema/1-*-*"])
    assert [row.table.output for row in shred(text, formats)] == ["tsv", "json", "tsv"]


def test_the_first_missing_schema_is_told() -> None:
    unknown = self_describing("iglu:com.acme/unknown/jsonschema/3-1-0", {})
    failure = shredder(Registry(REGISTRY)).rows(parsed(line(contexts=contexts(unknown, unknown))))
    assert isinstance(failure, Failures)
    assert failure.messages[0]["schemaCriterion"] == "iglu:com.acme/unknown/jsonschema/3-*-*"
    assert failure.messages[0]["error"]["error"] == "ResolutionError"


def test_schemas_are_asked_for_once() -> None:
    registry = Registry(REGISTRY)
    known = shredder(registry)
    event = parsed(line(contexts=contexts(self_describing(CLICK, {}), self_describing(CLICK, {}))))
    known.rows(event)
    asked = len(registry.asked)
    known.rows(event)
    assert len(registry.asked) == asked == 3


def test_a_schema_that_is_not_self_describing_is_no_schema() -> None:
    registry = Registry({"com.acme/a/1-0-0": {"$schema": "http://json-schema.org/draft-04/schema#"}})
    event = parsed(line(contexts=contexts(self_describing("iglu:com.acme/a/jsonschema/1-0-0", {}))))
    failure = shredder(registry).rows(event)
    assert isinstance(failure, Failures)
    assert failure.messages[0]["schemaKey"] == "iglu:com.snowplowanalyics.self-desc/schema/jsonschema/1-0-0"
    assert failure.messages[0]["message"].endswith("as self-describing schema, INVALID_METASCHEMA")


def test_a_schema_with_a_keyword_of_the_wrong_kind_is_no_schema() -> None:
    registry = Registry({"com.acme/a/1-0-0": {"type": "thing"}})
    event = parsed(line(contexts=contexts(self_describing("iglu:com.acme/a/jsonschema/1-0-0", {}))))
    failure = shredder(registry).rows(event)
    assert failure == Failures(
        [{"schemaKey": "iglu:com.acme/a/jsonschema/1-0-0", "message": "Cannot be parsed as JSON Schema AST"}]
    )
