from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from snowetl.ddl import schema as ddl
from snowetl.ddl.schema import Schema, parse
from snowetl.jvm import jsontext
from snowetl.jvm.json_number import JsonNumber


def read(text: str) -> Schema | None:
    return parse(jsontext.loads_exact(text))


def test_known_keywords_are_read_and_others_passed_over() -> None:
    schema = read(
        '{"type":["string","null"],"maxLength":10,"format":"date","enum":["a",null],"$ref":"x","allOf":[],'
        '"description":"d","minimum":null}'
    )
    assert schema == Schema(
        type=frozenset(("string", "null")), max_length=10, format="date", enum=("a", None), description="d"
    )


@pytest.mark.parametrize(
    "text",
    [
        "[]", "null", "1", '{"type":"thing"}', '{"type":1}', '{"type":["string",1]}', '{"maxLength":1.5}',
        '{"minimum":"5"}', '{"maximum":"5"}', '{"minItems":"1"}', '{"properties":[]}', '{"properties":{"a":1}}',
        '{"required":true}', '{"required":[1]}', '{"enum":1}', '{"oneOf":{}}', '{"oneOf":[1]}', '{"items":1}',
        '{"additionalProperties":"x"}', '{"description":1}', '{"format":1}', '{"pattern":1}', '{"$schema":1}',
        '{"$schema":"a b"}', '{"multipleOf":"x"}', '{"maxLength":"x"}',
    ],
)  # fmt: skip
def test_a_keyword_of_the_wrong_kind_spoils_the_schema(text: str) -> None:
    assert read(text) is None


def test_some_numbers_may_be_text() -> None:
    schema = read('{"maxLength":"12","minLength":"1.0","multipleOf":"0.01"}')
    assert schema == Schema(max_length=12, min_length=1, multiple_of=Decimal("0.01"))


def test_integral_bounds_are_integers() -> None:
    assert read('{"minimum":1.0,"maximum":1e3}') == Schema(minimum=1, maximum=1000)
    assert read('{"minimum":0.5}') == Schema(minimum=Decimal("0.5"))


@pytest.mark.parametrize(
    ("value", "precision", "scale"),
    [
        ("0.010", 1, 2),
        ("100", 3, 0),
        ("1e2", 1, -2),
        ("100000000000000000000", 1, -20),
        ("-12.50", 3, 1),
        ("0.0", 1, 0),
    ],
)
def test_decimals_hold_digits_as_the_reference_does(value: str, precision: int, scale: int) -> None:
    number = ddl.big_decimal(jsontext.loads_exact(value))
    assert number is not None
    assert (ddl.precision(number), ddl.scale(number)) == (precision, scale)


@pytest.mark.parametrize("value", [True, None, "1", [], float("nan"), float("inf")])
def test_what_is_no_number(value: Any) -> None:
    assert ddl.big_decimal(value) is None
    assert ddl.big_int(value) is None


def test_an_exponent_beyond_reason_is_no_integer() -> None:
    assert ddl.big_int(JsonNumber("1e999999999")) is None


def test_types() -> None:
    assert parse({"type": ["string"]}) == Schema(type="string")
    union = Schema(type=frozenset(("string", "null")))
    assert union.allows("string")
    assert union.is_only("string")
    assert union.can_be_null
    assert not ddl.is_union(union.type)
    assert not ddl.is_union(frozenset(("integer", "number", "null")))
    assert ddl.is_union(frozenset(("integer", "string")))
    assert ddl.with_null(None) == "null"
    assert ddl.with_null("string") == frozenset(("string", "null"))


def test_deep_schemas_are_refused() -> None:
    document: dict[str, Any] = {}
    for _ in range(5000):
        document = {"items": document}
    assert parse(document) is None
