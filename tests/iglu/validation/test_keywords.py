"""Every keyword: what fits, what is said about what does not, in which order."""

from __future__ import annotations

from typing import Any

import pytest

from snowetl.iglu.validation import Report, ValidationCrash, Validator, compile_schema
from snowetl.jvm import jsontext


def reports_of(schema: str | dict[str, Any], instance: str) -> list[Report]:
    """Both as JSON text, because notation matters."""
    parsed = jsontext.loads_exact(schema) if isinstance(schema, str) else schema
    compiled = compile_schema(parsed)
    assert isinstance(compiled, Validator), compiled
    value = jsontext.loads(instance)
    reports = compiled.reports(value)
    assert compiled.fits(value) == (not reports)
    return reports


def messages(schema: str | dict[str, Any], instance: str) -> list[str]:
    return [report.message for report in reports_of(schema, instance)]


_FITS = [
    ('{"type":"integer"}', "12345678901234567890123"),
    ('{"type":"number"}', "1e400"),
    ('{"enum":[1.0]}', "1"),
    ('{"enum":[{"a":[1]}]}', '{"a":[1]}'),
    ('{"enum":[1e2]}', "100.0"),
    ('{"uniqueItems":true}', '[1,1.0,true,"1",null,[1],[1.0],{},[]]'),
    ('{"uniqueItems":true}', "[0.0,-0.0]"),
    ('{"minimum":5,"exclusiveMinimum":3}', "5"),
    ('{"multipleOf":0.1}', "0.3"),
    ('{"multipleOf":0.01}', "1e300"),
    ('{"multipleOf":0}', "5"),
    ('{"type":"string","nullable":true}', "null"),
    ('{"nullable":true,"properties":{"a":{"type":"string"}}}', '{"a":null}'),
    ('{"type":"string","enum":["a"],"nullable":"true"}', "null"),
    ('{"additionalProperties":false}', '{"#context":1}'),
    ('{"properties":{"a":{}},"additionalProperties":{"type":"string"}}', '{"#a":1,"a":2,"b":"x"}'),
    ('{"required":["a"],"properties":{"a":{}}}', "[]"),
    ('{"dependencies":{"a":["b"]}}', '{"b":1}'),
    ('{"$ref":"http://example.com/x#"}', "1"),
    ('{"id":"http://example.com/a/","$ref":"b"}', "1"),
    ('{"$ref":"#word","x":{"id":"#word","type":"integer"}}', "1"),
    ('{"$ref":"#/definitions/a+b%25","definitions":{"a b%":{"type":"integer"}}}', "1"),
    ('{"$ref":"#/items/0","items":[{"type":"integer"}]}', "1"),
    ('{"$ref":"#/title","title":"anything"}', "1"),
    ('{"oneOf":[{"required":["a"]},{"required":["b"]}]}', '{"b":1}'),
    ('{"not":{"type":"string"}}', "1"),
    ('{"const":1,"contains":{},"if":{},"examples":[],"$comment":1}', "2"),
    ('{"readOnly":true}', "1"),
]


@pytest.mark.parametrize(("schema", "instance"), _FITS)
def test_fits(schema: str, instance: str) -> None:
    assert messages(schema, instance) == []


_FAULTS = [
    ('{"type":"integer"}', "1.0", ["$: number found, integer expected"]),
    ('{"type":"integer"}', "true", ["$: boolean found, integer expected"]),
    ('{"type":["string","null"]}', "1", ["$: integer found, but [string, null] is required"]),
    ('{"enum":["a",{"b":1},null,1E2]}', "1", ["$: does not have a value in the enumeration [a, , null, 1E+2]"]),
    ('{"enum":["a"],"nullable":true}', "1", ["$: does not have a value in the enumeration [a, null]"]),
    ('{"enum":[1]}', "true", ["$: does not have a value in the enumeration [1]"]),
    ('{"enum":[[1]]}', "[1.0]", ["$: does not have a value in the enumeration []"]),
    ('{"maxLength":2147483648}', '""', ["$: may only be -2147483648 characters long"]),
    ('{"maxLength":4294967296}', '"a"', ["$: may only be 0 characters long"]),
    ('{"minLength":2}', '"a"', ["$: must be at least 2 characters long"]),
    ('{"minimum":1.50}', "1", ["$: must have a minimum value of 1.50"]),
    ('{"maximum":9007199254740992}', "9007199254740993", ["$: must have a maximum value of 9007199254740992"]),
    ('{"maximum":1}', "1.0000000000000000000001", ["$: must have a maximum value of 1"]),
    (
        '{"type":"integer","maximum":5,"exclusiveMaximum":true}',
        "5.9",
        ["$: must have a maximum value of 5", "$: number found, integer expected"],
    ),
    ('{"multipleOf":1e10}', "5", ["$: must be multiple of 1.0E10"]),
    ('{"multipleOf":7}', "9007199254740993", ["$: must be multiple of 7.0"]),
    ('{"uniqueItems":true}', "[1.0,1.00]", ["$: the items in the array must be unique"]),
    ('{"uniqueItems":true}', '{"a":1,"b":1}', ["$: the items in the array must be unique"]),
    ('{"items":[{}],"additionalItems":false}', "[1,2,3]",
     ["$[1]: no validator found at this index", "$[2]: no validator found at this index"]),
    ('{"items":[{}],"additionalItems":{"type":"null"}}', "[1,2]", ["$[1]: integer found, null expected"]),
    ('{"required":["b","a"]}', "{}",
     ["$.b: is missing but it is required", "$.a: is missing but it is required"]),
    ('{"dependencies":{"b":["x"],"a":["y","z"]}}', '{"a":1}', ["$: has an error with dependencies {a=[y, z], b=[x]}"]),
    ('{"notAllowed":["a"]}', '{"a":1}', ["$.a: is not allowed but it is in the data"]),
    ('{"readOnly":["a","b"]}', "1", ["$: is a readonly field, it cannot be changed"]),
    ('{"not":{"b":1,"a":"x\\u0001\\""}}', "1",
     ['$: should not be valid to the schema "not" : {"b":1,"a":"x\\u0001\\""}']),
    ('{"anyOf":[{"type":"string"},{"minimum":5}]}', "1",
     ["$: should be valid to any of the schemas string", "$: must have a minimum value of 5"]),
    ('{"anyOf":[{"type":["string","null"]}]}', "1", ["$: integer found, but [string, null] is required"]),
    ('{"allOf":[{"type":"string"},{"type":"string"}]}', "1", ["$: integer found, string expected"]),
    ('{"oneOf":[{},{"minimum":1},{"x":1}]}', "1",
     ['$: should be valid to one and only one of schema, but more than one are valid: {}{"minimum":1}{"x":1}']),
    ('{"message":{"type":"no text!"},"type":"string"}', "1", ["no text!"]),
    ('{"message":{"type":"no text!"},"properties":{"a":{"type":"string"}}}', '{"a":1}', ["no text!"]),
    ('{"type":"object","properties":{"a":{"$ref":"#/definitions/d"}},"definitions":{"d":{"type":"object","enum":[1]}}}',
     '{"a":1}', []),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "instance", "expected"), _FAULTS)
def test_faults(schema: str, instance: str, expected: list[str]) -> None:
    assert messages(schema, instance) == expected


@pytest.mark.parametrize(
    ("schema", "instance"),
    [
        ('{"$ref":"#/nowhere"}', "1"),
        ('{"$ref":"relative"}', "1"),
        ('{"$ref":"urn:a:b"}', "1"),
        ('{"$ref":"http://example.com/x#/definitions/a"}', "1"),
        ('{"$ref":"#/x/true","x":{"true":true}}', "1"),
        ('{"$ref":"#/properties/1","properties":{"1":{}}}', "1"),
        ('{"$ref":"#/a%zz","a%zz":{}}', "1"),
        ('{"oneOf":[{"$ref":"#/nowhere"}]}', "1"),
        ('{"pattern":"*"}', "1"),
        ('{"patternProperties":{"[":{}}}', "1"),
        ('{"uuid":true}', "1"),
        ('{"properties":{"a":{"id":"relative"}}}', "1"),
    ],
)
def test_crashes(schema: str, instance: str) -> None:
    compiled = compile_schema(jsontext.loads(schema))
    assert isinstance(compiled, Validator)
    for ask in (compiled.fits, compiled.reports):
        with pytest.raises(ValidationCrash):
            ask(jsontext.loads(instance))


def test_a_crash_waits_until_it_is_reached() -> None:
    schema = '{"properties":{"a":{"pattern":"*"},"b":{"$ref":"#/nowhere"}},"items":{"uuid":1}}'
    assert messages(schema, '{"c":1}') == [] and messages(schema, "[]") == [] and messages(schema, "1") == []


# --- oneOf and its state ------------------------------------------------------------------------------------------


def test_inside_one_of_a_missing_name_silences_the_other_properties() -> None:
    schema = '{"oneOf":[{"properties":{"a":{"type":"string"},"b":{}},"required":["b"]}]}'
    assert messages(schema, '{"a":1}') == ["$.b: is missing but it is required"]


def test_required_and_additional_give_way_to_others() -> None:
    schema = (
        '{"oneOf":[{"required":["x"]},{"additionalProperties":false},{"properties":{"a":{"type":"string"}}},'
        '{"properties":{"a":{"minimum":9}}}]}'
    )
    assert messages(schema, '{"a":1}') == [
        "$.a: integer found, string expected",
        "$.a: must have a minimum value of 9",
    ]
    assert messages('{"oneOf":[{"required":["x"]},{"additionalProperties":false}]}', '{"a":1}') == [
        "$.a: is not defined in the schema and the schema does not allow additional properties"
    ]


def test_a_branch_must_have_matched_to_count() -> None:
    """A ``not`` whose inside only lacks a name does not count as a match, and then nothing is reported either."""
    schema = '{"oneOf":[{"not":{"properties":{"a":{}},"required":["a"]}},{"type":"integer"}]}'
    assert messages(schema, "{}") == ["$: object found, integer expected"]


# --- order --------------------------------------------------------------------------------------------------------


def test_order_of_keywords_and_of_members() -> None:
    names = ["one", "two", "three", "four", "five", "six"]
    schema = {
        "type": "integer",
        "required": ["z"],
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {name: {"type": "null"} for name in names[:2]},
    }
    instance = "{" + ",".join(f'"{name}":1' for name in names) + "}"
    assert [(report.keyword, report.message.partition(":")[0]) for report in reports_of(schema, instance)] == [
        ("type", "$.one"),
        ("type", "$.two"),
        ("additionalProperties", "$.four"),
        ("additionalProperties", "$.three"),
        ("additionalProperties", "$.six"),
        ("additionalProperties", "$.five"),
        ("maxProperties", "$"),
        ("required", "$.z"),
        ("type", "$"),
    ]


def test_required_is_reported_at_the_first_declared_name_that_is_absent() -> None:
    schema = '{"properties":{"a":{"type":"null"},"b":{},"c":{"type":"null"}},"required":["z","b"]}'
    assert [report.message.partition(":")[0] for report in reports_of(schema, '{"a":1,"c":1}')] == [
        "$.a",
        "$.z",
        "$.b",
        "$.c",
    ]


def test_a_report_as_json() -> None:
    (report,) = reports_of('{"properties":{"a b":{"items":{"format":"uuid"}}}}', '{"a b":["x"]}')
    assert list(report.to_dict().items()) == [
        ("message", "$.a b[0]: x is an invalid uuid"),
        ("path", "$.a b[0]"),
        ("keyword", "uuid"),
        ("targets", ["x", "uuid"]),
    ]
