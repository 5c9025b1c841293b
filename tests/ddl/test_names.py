"""Names of tables and columns that warehouses take, and that stay distinct."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.ddl import names, postgres, redshift
from snowetl.ddl.dialects import DIALECTS, NoTable, Table
from snowetl.ddl.schema import parse
from snowetl.model.schema import SchemaKey

GA = "iglu:com.google.analytics.measurement-protocol/product_impression_custom_{}/jsonschema/1-0-0"
LONG = "iglu:com.example.department.of.very.long.names/checkout_step_completed_with_{}/jsonschema/{}-0-0"


def key(text: str) -> SchemaKey:
    return SchemaKey.parse(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (GA.format("dimension"), GA.format("metric")),
        (LONG.format("credit", 1), LONG.format("voucher", 1)),
        (LONG.format("credit", 1), LONG.format("credit", 2)),
        (LONG.format("credit", 1), LONG.format("credit", 11)),
    ],
)
def test_B4_long_names_of_two_models_are_two_tables(one: str, other: str) -> None:
    first, second = key(one), key(other)
    chosen = names.choose_table(first, {}, 63)
    assert chosen == names.table_name(first)[:63], "as the server cuts it"
    tables = [chosen, names.choose_table(second, {chosen: first}, 63)]
    indexes = [names.index_name(table, "_root_idx", 63) for table in tables]
    assert len({*tables, *indexes}) == 4
    assert all(len(name) <= 63 for name in (*tables, *indexes))
    owners = dict(zip(tables, (first, second), strict=True))
    assert tables == [names.choose_table(model, owners, 63) for model in (first, second)], "and so they stay"


def test_a_name_that_fits_is_kept() -> None:
    assert names.table_name(key("iglu:com.acme/PascalCase/jsonschema/13-0-0"), 63) == "com_acme_pascal_case_13"
    assert names.index_name("com_acme_click_1", "_root_idx", 63) == "com_acme_click_1_root_idx"


def test_B4_models_whose_names_fold_into_one_are_two_tables() -> None:
    first, second = key("iglu:com.acme/user_id/jsonschema/1-0-0"), key("iglu:com.acme/userId/jsonschema/1-0-3")
    owners = {"com_acme_user_id_1": first}
    own = names.choose_table(second, owners, 63)
    assert own.startswith("com_acme_user_id_1_")
    assert names.choose_table(first, owners | {own: second}, 63) == "com_acme_user_id_1"
    assert names.choose_table(second, owners | {own: second}, 63) == own


def test_B4_the_comment_says_whose_a_table_is() -> None:
    """A table that got a hash, as earlier releases named those of long names, stays that of its model."""
    long = key(LONG.format("credit", 1))
    cut, hashed = names.table_name(long)[:63], names.distinct_table_name(long, 63)
    assert names.choose_table(long, {hashed: long}, 63) == hashed
    assert names.choose_table(long, {cut: long, hashed: key(LONG.format("voucher", 1))}, 63) == cut
    assert names.choose_table(key(LONG.format("voucher", 1)), {cut: long}, 63) not in (cut, hashed)


def test_a_name_is_cut_between_characters() -> None:
    model = key("iglu:com.acmes/x/jsonschema/1-0-0")._replace(name="é" * 40)
    assert names.table_name(model, 63) == "com_acmes_" + "é" * 26


def test_a_vendor_that_begins_with_a_digit_is_quoted() -> None:
    assert names.qualified("atomic", "7signal_reading_1") == 'atomic."7signal_reading_1"'
    assert names.qualified("atomic", "com_acme_click_1") == "atomic.com_acme_click_1"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_B3_columns_are_told_apart(dialect: str) -> None:
    properties = [
        "userName",
        "user_name",
        "rootId",
        "ctid",
        "schemaVendor",
        "",
        "x" * 200,
        "x" * 201,
        "nul\x00",
        "\ud800",
    ]
    schema = parse({"type": "object", "properties": {name: {"type": "string"} for name in properties}})
    assert schema is not None
    table = DIALECTS[dialect].table([schema])
    assert isinstance(table, Table)
    found = [column.name for column in table.columns]
    assert len(set(found)) == len(found) == len(properties)
    assert "user_name" in found
    meta = {column.name for column in (*postgres.META_COLUMNS, *redshift.META_COLUMNS)}
    assert not meta & set(found)
    assert "ctid" not in found
    for name in found:
        assert 0 < len(name.encode("utf-8")) <= DIALECTS[dialect].max_identifier
        assert "\x00" not in name


paths = st.lists(st.lists(st.text(max_size=30), min_size=1, max_size=3).map(tuple), max_size=20)


@given(paths, paths)
def test_later_columns_never_rename_earlier_ones(first: list[tuple[str, ...]], later: list[tuple[str, ...]]) -> None:
    before = names.column_names(first, 63, {"root_id"})
    after = names.column_names([*first, *later], 63, {"root_id"})
    assert after[: len(first)] == before
    assert len(set(after)) == len(after)


def test_B3_a_redshift_table_has_1600_columns_at_most() -> None:
    schema = parse({"type": "object", "properties": {f"p{number}": {} for number in range(1592)}})
    assert schema is not None
    found = redshift.table([schema])
    assert isinstance(found, NoTable)
    assert found.reason == "1592 properties: a table of Redshift has 1600 columns at most"
    assert isinstance(postgres.table([schema]), Table)
