from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from snowetl.errors import ConfigError
from snowetl.transform import columns
from snowetl.transform.columns import ATOMIC_FIELDS, EntityColumn, Failures, WideRows, entity_columns
from snowetl.transform.rows import SchemaType
from snowetl.transform.schemas import Failure, Schemas
from tests.transform.support import Registry, contexts, line, parsed, self_describing, unstruct

CLICK = "iglu:com.acme/click/jsonschema/1-0-0"


def schema(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or []}


def build(schemas: dict[str, Any], *met: tuple[str, str]) -> list[EntityColumn]:
    found = entity_columns([SchemaType(uri, column) for uri, column in met], Schemas(Registry(schemas)))
    assert not isinstance(found, Failure), found
    return found


def values(found: list[EntityColumn], text: str) -> list[Any]:
    row = WideRows(found).row(parsed(text))
    assert not isinstance(row, Failures), row
    return row


def test_atomic_columns() -> None:
    by_name = {field.name: field for field in ATOMIC_FIELDS}
    assert len(by_name) == 128
    assert by_name["tr_total"].type == columns.DecimalType(18, 2)
    assert by_name["se_value"].type == "double"
    assert [name for name, field in by_name.items() if not field.nullable] == [
        "collector_tstamp",
        "event_id",
        "v_collector",
        "v_etl",
    ]


def test_atomic_values() -> None:
    row = values(
        [], line(tr_total="12.5", se_value="1", txn_id="7", etl_tstamp="1970-01-01 00:00:01.5", br_cookies="1")
    )
    by_name = dict(zip((field.name for field in ATOMIC_FIELDS), row, strict=True))
    assert str(by_name["tr_total"]) == "12.50"
    assert (by_name["se_value"], by_name["txn_id"], by_name["etl_tstamp"]) == (1.0, 7, 1_500_000)
    assert by_name["br_cookies"] is True
    assert by_name["app_id"] is None


@pytest.mark.parametrize("amount", ["1.234", "1e21", "12345678901234567.00"])
def test_money_that_does_not_fit_is_never_rounded(amount: str) -> None:
    failures = WideRows([]).row(parsed(line(tr_total=amount)))
    assert isinstance(failures, Failures)
    assert failures.messages[0]["expected"] == "Decimal(Digits18,2)"


def test_a_year_no_microseconds_reach() -> None:
    failures = WideRows([]).row(parsed(line(etl_tstamp="+400000-01-01 00:00:00")))
    assert isinstance(failures, Failures)
    assert failures.messages[0]["expected"] == "Timestamp"


def test_columns_are_sorted_contexts_first() -> None:
    schemas = {
        "com.acme/click/1-0-0": schema(a={"type": "string"}),
        "com.acme/area/1-0-0": schema(a={"type": "string"}),
    }
    area = "iglu:com.acme/area/jsonschema/1-0-0"
    found = build(schemas, (CLICK, "unstruct_event"), (CLICK, "contexts"), (area, "derived_contexts"))
    assert [column.field.name for column in found] == [
        "contexts_com_acme_area_1",
        "contexts_com_acme_click_1",
        "unstruct_event_com_acme_click_1",
    ]


def test_versions_up_to_the_highest_met_merge() -> None:
    schemas = {
        "com.acme/click/1-0-0": schema(["a"], a={"type": "string"}),
        "com.acme/click/1-0-1": schema(["a"], a={"type": "string"}, b={"type": "integer"}),
        "com.acme/click/1-0-2": schema(["a"], a={"type": "string"}, c={"type": "integer"}),
    }
    (column,) = build(schemas, (CLICK.replace("1-0-0", "1-0-1"), "unstruct_event"))
    assert columns.parquet.as_json(column.field.type) == {
        "struct": [
            {"name": "a", "type": "string", "nullable": False},
            {"name": "b", "type": "long", "nullable": True},
        ]
    }


def test_a_breaking_version_that_was_met_has_its_own_column() -> None:
    schemas = {
        "com.acme/click/1-0-0": schema(a={"type": "integer"}),
        "com.acme/click/1-0-1": schema(a={"type": "string"}),
        "com.acme/click/1-0-2": schema(a={"type": "integer"}),
    }
    old, broken, new = (CLICK.replace("1-0-0", version) for version in ("1-0-0", "1-0-1", "1-0-2"))
    found = build(schemas, (old, "contexts"), (broken, "contexts"), (new, "contexts"))
    assert found[1].field.name.startswith("contexts_com_acme_click_1_recovered_1_0_1_")
    text = line(contexts=contexts(self_describing(broken, {"a": "x"}), self_describing(new, {"a": 1})))
    assert values(found, text)[128:] == [[{"a": 1}], [{"a": "x"}]]
    assert len(build(schemas, (new, "contexts"))) == 1


def test_contexts_come_before_derived_ones_in_their_column() -> None:
    found = build({"com.acme/click/1-0-0": schema(n={"type": "integer"})}, (CLICK, "contexts"))
    first, second = (contexts(self_describing(CLICK, {"n": number})) for number in (1, 2))
    assert values(found, line(derived_contexts=first, contexts=second))[128] == [{"n": 2}, {"n": 1}]


def test_all_failures_of_a_column_are_told() -> None:
    schemas = {"com.acme/click/1-0-0": schema(["a", "b"], a={"type": "string"}, b={"type": "integer"})}
    found = build(schemas, (CLICK, "unstruct_event"))
    failures = WideRows(found).row(parsed(line(unstruct_event=unstruct(self_describing(CLICK, {"b": "x"})))))
    assert failures == Failures(
        [
            {"schemaKey": CLICK, "key": "a", "value": {"b": "x"}},
            {"schemaKey": CLICK, "value": "x", "expected": "Long"},
        ]
    )


def test_a_version_the_list_does_not_have() -> None:
    failure = entity_columns(
        [SchemaType("iglu:com.acme/click/jsonschema/2-0-0", "contexts")],
        Schemas(Registry({"com.acme/click/1-0-0": schema(a={})})),
    )
    assert isinstance(failure, Failure)
    assert failure.message["schemaCriterion"] == "iglu:com.acme/click/jsonschema/2-*-*"


def test_atomic_lengths_come_from_the_registry() -> None:
    atomic = schema(app_id={"type": "string", "maxLength": 255}, txn_id={"type": "integer"})
    registry = Registry({"com.snowplowanalytics.snowplow/atomic/1-0-0": atomic})
    assert columns.atomic_lengths(registry) == {"app_id": 255}
    with pytest.raises(ConfigError, match="truncate_atomic_fields"):
        columns.atomic_lengths(Registry({}))


def test_decimals_keep_their_scale() -> None:
    assert (
        Decimal("12.50") == values([], line(tr_total="12.5"))[[field.name for field in ATOMIC_FIELDS].index("tr_total")]
    )
