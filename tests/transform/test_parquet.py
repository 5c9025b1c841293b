from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.ddl.parquet import Array, DecimalType, Field, FieldType, Struct
from snowetl.jvm import jsontext
from snowetl.transform.parquet import CastError, caster


def cast(type_: FieldType, text: str, nullable: bool = False) -> Any:
    errors: list[CastError] = []
    value = caster(Field("f", type_, nullable))(jsontext.loads_exact(text), errors)
    return errors or value


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("string", '"x"', "x"), ("boolean", "true", True), ("integer", "-43", -43), ("integer", "1.0", 1),
        ("integer", "1e2", 100), ("long", "2147483648", 2147483648), ("double", "-43", -43.0),
        ("double", "1e999", float("inf")),
        ("json", '{"a":1.50}', '{"a":1.50}'), ("json", "null", "null"),
        ("date", '"2022-02-02"', 19025), ("date", '"2022-2-2"', 19025), ("date", '"1970-01-01"', 0),
        ("date", '"2021-02-31"', 18689),
        ("timestamp", '"2022-02-02T12:02:03.123+03:00"', 1643792523123000), ("timestamp", '"1970-01-01T00:00Z"', 0),
        ("timestamp", '"1970-01-01t00:00:00z"', 0), ("timestamp", '"1970-01-01T01:00:00+01:00[Europe/Paris]"', 0),
        ("timestamp", '"1970-01-01T00:00:00.0000019Z"', 1), ("timestamp", '"1969-12-31T23:59:59-00:00:01"', 0),
        (DecimalType(9, 2), "87.98", Decimal("87.98")), (DecimalType(38, 2), "-879", Decimal("-879.00")),
        (DecimalType(9, 2), "1e2", Decimal("100.00")), (DecimalType(9, 2), "-0.0", Decimal("0.00")),
        (DecimalType(9, 0), "999999999", Decimal(999999999)),
        (DecimalType(38, 2), f"-{'1234567890' * 3}123456.1", Decimal(f"-{'1234567890' * 3}123456.10")),
        (DecimalType(38, 0), f"{'1234567890' * 3}1234567e1", Decimal(f"{'1234567890' * 3}12345670")),
    ],
)  # fmt: skip
def test_values_that_fit(type_: FieldType, text: str, value: Any) -> None:
    got = cast(type_, text)
    assert got == value
    assert type(got) is type(value)
    assert str(got) == str(value)


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("string", "1"), ("string", "null"), ("boolean", "1"), ("boolean", '"true"'), ("integer", "2147483648"),
        ("integer", "1.5"), ("integer", "true"), ("integer", '"1"'), ("long", "9223372036854775808"), ("double", '"1"'),
        ("double", "true"), ("date", '"2022-02"'), ("date", '"2022-13-01"'), ("date", '"22-01-01"'), ("date", "1"),
        ("timestamp", '"2022-02-02T12:02:03"'), ("timestamp", '"2022-02-30T00:00:00Z"'), ("timestamp", '"now"'),
        ("timestamp", '"2022-02-02T24:00:00Z"'), ("timestamp", '"2022-02-02T00:00:60Z"'),
        ("timestamp", '"2022-02-02T00:00:00+19:00"'), ("timestamp", '"2022-02-02 00:00:00Z"'),
        ("timestamp", '"+999999-01-01T00:00:00Z"'),
        (DecimalType(9, 2), "123.123"), (DecimalType(9, 2), "123456789.12"), (DecimalType(9, 2), "1e8"),
        (DecimalType(9, 2), '"1"'),
        (Struct(()), "[]"), (Array("string", False), "{}"), (Array("string", False), "[null]"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(type_: FieldType, text: str) -> None:
    (error,) = cast(type_, text)
    assert error.key is None


def test_null() -> None:
    assert cast("string", "null", nullable=True) is None
    assert cast(Array("string", True), '["a",null]') == ["a", None]
    assert cast(Array("json", False), "[null]") == ["null"]


STRUCT = Struct((Field("someKey", "string", False), Field("other_key", "long", True)))


def test_structs_drop_what_they_do_not_know() -> None:
    assert cast(STRUCT, '{"someKey":"a","more":1}') == {"some_key": "a", "other_key": None}
    assert cast(STRUCT, '{"other_key":null}') == [CastError({"other_key": None}, "", "someKey")]


def test_expected_types_are_told_as_the_reference_prints_them() -> None:
    (error,) = cast(Array(STRUCT, False), "1")
    assert error.expected == (
        "Array(Struct(List(Field(someKey,String,Required,Set(someKey)), "
        "Field(other_key,Long,Nullable,Set(other_key)))),Required)"
    )


def test_collapsed_fields_take_the_first_value_that_is_valid() -> None:
    struct = Struct((Field("a_b", "integer", True, frozenset(("aB", "a_b"))),))
    assert cast(struct, '{"aB":1,"a_b":2}') == {"a_b": 1}
    assert cast(struct, '{"aB":null,"a_b":2}') == {"a_b": 2}
    assert cast(struct, '{"aB":"x","a_b":2}') == {"a_b": 2}
    assert cast(struct, "{}") == {"a_b": None}
    assert len(cast(struct, '{"aB":"x","a_b":"y"}')) == 1


TYPES = st.sampled_from(["string", "boolean", "integer", "long", "double", "date", "timestamp", "json", STRUCT])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda members: st.lists(members) | st.dictionaries(st.text(), members),
)


@given(TYPES, JSON)
def test_any_value_is_cast_or_told(type_: FieldType, value: object) -> None:
    errors: list[CastError] = []
    caster(Field("f", type_, True))(value, errors)
    for error in errors:
        assert error.key is not None or error.expected


def test_a_schema_that_nests_deep_is_compiled_in_a_moment() -> None:
    """Each level was compiled twice: forty levels never ended."""
    type_: FieldType = "string"
    value: Any = "leaf"
    for _ in range(200):
        type_, value = Struct((Field("inner", type_, True),)), {"inner": value}
    problems: list[CastError] = []
    assert caster(Field("top", type_, True))(value, problems) == value and problems == []
