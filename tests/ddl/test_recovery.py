"""Models with breaking versions: what merges, what gets a table of its own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.ddl import recovery
from snowetl.ddl.recovery import Model, fits
from snowetl.ddl.schema import parse
from snowetl.model.schema import SchemaKey, SchemaVer


def version(number: str, required: tuple[str, ...] = (), **properties: Any) -> Model:
    schema = parse({"type": "object", "properties": properties, "required": list(required)})
    assert schema is not None
    return recovery.model(SchemaKey("com.acme", "event", "jsonschema", SchemaVer.parse(number)), schema)


def columns(model: Model | None) -> list[tuple[str, str, bool]]:
    assert model is not None
    return [(column.name, column.type, column.not_null) for column in model.columns]


TEXT = {"type": "string", "maxLength": 10}
LONGER = {"type": "string", "maxLength": 20}
INTEGER = {"type": "integer", "maximum": 100}


def test_late_columns_are_appended_and_never_required() -> None:
    merged = recovery.merge(version("1-0-0", ("b",), b=TEXT), version("1-0-1", ("a", "b"), a=INTEGER, b=TEXT))
    assert columns(merged.model) == [("b", "VARCHAR(10)", True), ("a", "SMALLINT", False)]
    assert [column.name for column in merged.added] == ["a"]
    assert not merged.widened


def test_text_widens_and_never_narrows() -> None:
    wider = recovery.merge(version("1-0-0", a=TEXT), version("1-0-1", a=LONGER))
    assert columns(wider.model) == [("a", "VARCHAR(20)", False)]
    assert [column.type for column in wider.widened] == ["VARCHAR(20)"]
    narrower = recovery.merge(version("1-0-0", a=LONGER), version("1-0-1", a=TEXT))
    assert columns(narrower.model) == [("a", "VARCHAR(20)", False)]
    assert not narrower.widened


@pytest.mark.parametrize(
    ("older", "newer", "error"),
    [
        (version("1-0-0", a=TEXT), version("1-0-1", a={"type": "integer"}),
         "Incompatible types in column a old RedshiftVarchar(10) new RedshiftBigInt"),
        (version("1-0-0", a={"type": "boolean"}), version("1-0-1", a={"type": "number"}),
         "Incompatible types in column a old RedshiftBoolean new RedshiftDouble"),
        (version("1-0-0", ("a",), a=TEXT), version("1-0-1", a=TEXT), "Making required column nullable a"),
        (version("1-0-0", ("a",), a=TEXT), version("1-0-1", b=TEXT), "Making required column nullable a"),
    ],
)  # fmt: skip
def test_versions_that_do_not_merge(older: Model, newer: Model, error: str) -> None:
    merged = recovery.merge(older, newer)
    assert merged.model is None
    assert merged.errors == (error,)


def test_all_errors_are_told() -> None:
    older = version("1-0-0", ("b",), a=TEXT, b=TEXT)
    assert len(recovery.merge(older, version("1-0-1", a={"type": "number"})).errors) == 2


def test_a_version_that_broke_does_not_stop_later_ones() -> None:
    models = [version("1-0-0", a=TEXT), version("1-0-1", a={"type": "number"}), version("1-0-2", a=LONGER, b=INTEGER)]
    good, recovered = recovery.merge_all(models)
    assert columns(good) == [("a", "VARCHAR(20)", False), ("b", "SMALLINT", False)]
    assert list(recovered) == [models[1].key]
    assert good.key == models[2].key


def test_recovery_tables_are_named_by_what_is_in_them() -> None:
    first, second = version("1-0-1", a=TEXT), version("1-0-1", a=LONGER)
    assert first.recovery_table.startswith("com_acme_event_1_0_1_recovered_")
    assert first.recovery_table != second.recovery_table
    assert first.recovery_table == version("1-0-1", a=TEXT).recovery_table


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ("SMALLINT", "INT", True), ("INT", "SMALLINT", False), ("BIGINT", "DOUBLE PRECISION", True),
        ("SMALLINT", "VARCHAR(5)", True), ("SMALLINT", "VARCHAR(4)", False), ("BIGINT", "VARCHAR(19)", True),
        ("BOOLEAN", "VARCHAR(5)", True), ("BOOLEAN", "VARCHAR(4)", False), ("DATE", "TIMESTAMP", False),
        ("CHAR(3)", "CHAR(3)", True), ("CHAR(4)", "CHAR(3)", False), ("CHAR(4)", "VARCHAR(9)", True),
        ("VARCHAR(9)", "CHAR(9)", False), ("VARCHAR(9)", "VARCHAR(1)", True),
        ("DECIMAL (9, 2)", "DECIMAL (18, 2)", True), ("DECIMAL (18, 2)", "DECIMAL (9, 2)", False),
        ("DECIMAL (9, 2)", "DOUBLE PRECISION", True), ("DECIMAL (9, 2)", "VARCHAR(9)", True),
        ("SMALLINT", "DECIMAL (9, 2)", True), ("BIGINT", "DECIMAL (18, 0)", False),
    ],
)  # fmt: skip
def test_what_fits(new: str, old: str, expected: bool) -> None:
    assert fits(new, old) is expected


PROPERTY = st.sampled_from([TEXT, LONGER, INTEGER, {"type": "integer"}, {"type": "boolean"}, {"type": "number"}])
PROPERTIES = st.dictionaries(st.sampled_from(["a", "b", "c"]), PROPERTY)


@given(st.lists(PROPERTIES, min_size=1, max_size=5))
def test_a_merged_model_holds_every_version_it_stands_for(properties: list[dict[str, Any]]) -> None:
    models = [version(f"1-0-{number}", **each) for number, each in enumerate(properties)]
    good, recovered = recovery.merge_all(models)
    room = {column.name: column for column in good.columns}
    for model in models:
        for column in model.columns if model.key not in recovered else ():
            assert fits(column.type, room[column.name].type)
    assert len({column.name for column in good.columns}) == len(good.columns)
