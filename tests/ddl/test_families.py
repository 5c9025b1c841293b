"""Which versions of a model share a table, and what the tables of the others are called."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.ddl import families, postgres
from snowetl.ddl.families import Recovery, family
from snowetl.ddl.names import distinct_table_name, table_name
from snowetl.ddl.schema import Schema, parse
from snowetl.errors import ConfigError
from snowetl.model.schema import SchemaKey, SchemaVer

TEXT, LONGER, ID = {"type": "string", "maxLength": 10}, {"type": "string"}, {"type": "string", "format": "uuid"}
SMALL, WHOLE, NUMBER = {"type": "integer", "maximum": 9}, {"type": "integer"}, {"type": "number"}
YES, DAY, TIME = {"type": "boolean"}, {"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}
LIST, INNER = {"type": "array"}, {"type": "object", "properties": {"b": {"type": "string"}}}


def key(version: str, name: str = "event") -> SchemaKey:
    return SchemaKey("com.acme", name, "jsonschema", SchemaVer.parse(version))


def versions(*properties: dict[str, Any], required: tuple[str, ...] = ()) -> list[tuple[SchemaKey, Schema]]:
    found = []
    for number, each in enumerate(properties):
        schema = parse({"type": "object", "properties": each, "required": list(required)})
        assert schema is not None
        found.append((key(f"1-0-{number}"), schema))
    return found


@pytest.mark.parametrize(
    ("older", "newer", "breaks"),
    [
        (TEXT, LONGER, False), (LONGER, TEXT, False), (SMALL, WHOLE, False), (WHOLE, NUMBER, False), (DAY, TIME, False),
        (LONGER, WHOLE, False), (LONGER, ID, False), (LIST, WHOLE, False), (LIST, TEXT, False), (NUMBER, SMALL, False),
        (WHOLE, TEXT, True), (YES, NUMBER, True), (NUMBER, YES, True), (ID, LONGER, True), (TIME, WHOLE, True),
        (TEXT, LIST, True), (WHOLE, LIST, True), (TEXT, INNER, True),
    ],
)  # fmt: skip
def test_what_breaks_a_table_of_postgres(older: Any, newer: Any, breaks: bool) -> None:
    model = versions({"a": older}, {"a": newer})
    assert (model[1][0] in family(model, "postgres").recovered) is breaks


def test_missing_values_break_redshift_alone() -> None:
    first, then = versions({"a": LONGER}, required=("a",)), versions({"b": TEXT})
    model = [first[0], (key("1-0-1"), then[0][1])]
    assert list(family(model, "redshift").recovered) == [key("1-0-1")]
    assert family(model, "postgres").recovered == {}


PROPERTY = st.sampled_from([TEXT, LONGER, ID, SMALL, WHOLE, NUMBER, YES, DAY, TIME, LIST, INNER])
PROPERTIES = st.dictionaries(st.sampled_from(["a", "b", "c"]), PROPERTY)


@given(st.lists(PROPERTIES, min_size=1, max_size=5), PROPERTIES, st.sampled_from(["postgres", "redshift"]))
def test_a_later_version_moves_no_rows(properties: list[Any], later: Any, rows_for: str) -> None:
    before, after = family(versions(*properties), rows_for), family(versions(*properties, later), rows_for)
    assert after.merged[: len(before.merged)] == before.merged
    assert {each: after.recovered[each] for each in before.recovered} == before.recovered


@given(st.lists(PROPERTIES, min_size=1, max_size=5))
def test_no_column_of_postgres_changes_its_kind(properties: list[Any]) -> None:
    merged = family(versions(*properties), "postgres").merged
    types = {"TEXT": "text", "VARCHAR(10)": "text"} | dict.fromkeys(("INTEGER", "BIGINT", "NUMERIC"), "number")
    types |= {"DOUBLE PRECISION": "number", "DATE": "time", "TIMESTAMP": "time"}
    known: dict[str, str] = {}
    for count in range(1, len(merged) + 1):
        columns = postgres.table([schema for _, schema in merged[:count]]).columns
        kinds = {column.name: types.get(column.type, column.type) for column in columns}
        assert {name: kinds[name] for name in known} == known
        known = kinds


def test_names_of_recovery_tables_keep_their_end() -> None:
    [end] = family(versions({"a": WHOLE}, {"a": TEXT}), "postgres").recovered.values()
    long = table_name(key("1-0-1", "x" * 80), 63)
    name = families.recovery_table(long, end, 63)
    assert len(name) <= 63 and name.endswith(end) and end.startswith("_0_1_recovered_")
    assert families.recovery_table("com_acme_event_1", end, 63) == f"com_acme_event_1{end}"


def test_a_recovery_table_is_known_by_its_name_and_its_owner() -> None:
    assert families.is_recovery_table("com_acme_event_1_0_1_recovered_7", key("1-0-1"), 63)
    odd = key("7-0-0", "event_1_0_1_recovered")
    assert not families.is_recovery_table(table_name(odd), odd, 63)
    assert not families.is_recovery_table(distinct_table_name(odd, 63), odd, 63)


def test_schemas_can_be_left_out() -> None:
    recovery = Recovery.parse(True, ["iglu:com.acme/event/jsonschema/1-*-*"])
    assert (
        not recovery.is_for(key("1-0-5")) and recovery.is_for(key("2-0-0")) and recovery.is_for(key("1-0-0", "other"))
    )
    assert not Recovery().is_for(key("1-0-0"))
    with pytest.raises(ConfigError, match="--disable-recovery 'event' is not a schema criterion"):
        Recovery.parse(True, ["event"])
