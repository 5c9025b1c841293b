"""Schemas that mean harm, or are plain broken, cost no more than their own validation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from snowetl.iglu.validation import ValidationCrash, Validator, compile_schema
from snowetl.iglu.validation import schema as schema_module
from snowetl.iglu.validation.codegen import Code
from snowetl.iglu.validation.formats import FORMATS
from snowetl.iglu.validation.keywords import VOCABULARY
from snowetl.iglu.validation.schema import Document
from tests.growth import Work, assert_linear


def _validator(schema: Any) -> Validator:
    compiled = compile_schema(schema)
    assert isinstance(compiled, Validator), compiled
    return compiled


def _nested(levels: int, wrap: Any, inner: Any) -> Any:
    for _ in range(levels):
        inner = wrap(inner)
    return inner


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*a){20}", "a?" * 40 + "a" * 40, "(?:a*)*b"])
def test_a_runaway_pattern_is_stopped(pattern: str) -> None:
    """Without a limit these searches do not end: the test passes because it ends."""
    validator = _validator({"pattern": pattern})
    for length in (39, 5000):
        try:
            validator.fits("a" * length + "!")
        except ValidationCrash as crash:
            assert "takes too long" in str(crash)


@pytest.mark.parametrize(
    "keyword",
    [{"pattern": "\\d+$"}, {"pattern": "^.*x.*y$"}, *({"format": name} for name in sorted(FORMATS))],
    ids=str,
)  # fmt: skip
def test_long_texts_take_linear_time(keyword: dict[str, Any]) -> None:
    validator = _validator(keyword)

    def check(text: str) -> None:
        try:
            validator.fits(text)
        except ValidationCrash as crash:
            assert "takes too long" in str(crash)

    texts: list[Callable[[int], str]] = [
        lambda size: "1" * size + "!",
        lambda size: "http://" + "a:1" * (size // 3) + "<",
        lambda size: "a@" + " " * size + "b",
        lambda size: "a." * (size // 2),
        lambda size: "x" * size,
    ]
    for make in texts:
        assert_linear(lambda size, make=make: partial(check, make(size)), 200_000, about=make(12))


@pytest.mark.slow
@pytest.mark.parametrize("schema", [
    {"$ref": "#"},
    {"allOf": [{"$ref": "#"}]},
    {"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}}},
    {"not": {"$ref": "#"}},
    {"oneOf": [{"$ref": "#"}, {"type": "string"}]},
], ids=str)  # fmt: skip
def test_endless_references_crash_the_validation_only(schema: Any) -> None:
    validator = _validator(schema)
    for ask in (validator.fits, validator.reports):
        with pytest.raises(ValidationCrash):
            ask(1)


_LISTS = {"type": "array", "items": {"$ref": "#/properties/a"}}
_MANY_WAYS: dict[str, Any] = {
    "oneOf": {"properties": {"a": {"oneOf": [_LISTS, {**_LISTS, "maxItems": 9}, {"type": "string"}]}}},
    "anyOf": {"properties": {"a": {"anyOf": [_LISTS, {**_LISTS, "minItems": 1}, {"type": "string"}]}}},
    "allOf": {"properties": {"a": {"allOf": [{"items": {"$ref": "#/properties/a"}}, _LISTS]}}},
    "not": {"properties": {"a": {"not": {"anyOf": [_LISTS, {**_LISTS, "title": "again"}]}}}},
    "patterns": {
        "properties": {"a": {"$ref": "#"}},
        "patternProperties": {"^a": {"$ref": "#"}, "a$": {"$ref": "#"}},
        "additionalProperties": False,
    },
    "definitions": {
        "properties": {"a": {"$ref": "#/definitions/d0"}},
        "definitions": {f"d{i}": {"allOf": [{"$ref": f"#/definitions/d{i + 1}"}] * 3} for i in range(30)}
        | {"d30": {"type": "string"}},
    },
}
"""Schemas in which a value reaches a schema on several ways, and each item of the value on several ways again."""


@pytest.mark.parametrize("inner", ["x", 1, {}])
@pytest.mark.parametrize("kind", _MANY_WAYS)
def test_many_ways_to_a_schema_are_gone_once(kind: str, inner: Any) -> None:
    """Without memory each level of the data would double the work: the test passes because it ends."""
    validator = _validator(_MANY_WAYS[kind])
    wrap = (lambda value: {"a": value}) if kind == "patterns" else (lambda value: [value])
    deep = {"a": _nested(60, wrap, inner)}
    assert validator.fits(deep) == (not validator.reports(deep))


@pytest.mark.parametrize("kind", sorted(_MANY_WAYS.keys() - {"definitions"}))
def test_what_is_remembered_is_what_would_be_found_again(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    remembering = _validator(_MANY_WAYS[kind])
    monkeypatch.setattr(schema_module, "_count", lambda node, key: 0)
    forgetful = _validator(_MANY_WAYS[kind])
    values: list[Any] = ["x", 1, None, {}, [], ["x"], [1, "x"], [["x"], ["x"], 1], [[[]], "x"], {"a": "x"}, {"b": 1}]
    for value in values + [{"a": {"a": value}} for value in values] + [[value, value] for value in values]:
        instance = {"a": value}
        assert remembering.reports(instance) == forgetful.reports(instance)
        assert remembering.fits(instance) == forgetful.fits(instance)


def test_deep_data_against_a_recursive_schema() -> None:
    tree = {"type": "object", "properties": {"child": {"$ref": "#"}, "n": {"type": "integer"}}, "required": ["n"]}
    validator = _validator(tree)
    deep = _nested(510, lambda inner: {"n": 1, "child": inner}, {"n": 1})
    assert validator.fits(deep)
    assert validator.reports(deep) == []
    broken = _nested(510, lambda inner: {"n": 1, "child": inner}, {"n": "x"})
    assert not validator.fits(broken)
    (report,) = validator.reports(broken)
    assert report.path == "$" + ".child" * 510 + ".n"


def test_a_deep_schema_is_compiled() -> None:
    schema = _nested(250, lambda inner: {"properties": {"a": inner}}, {"type": "string"})
    validator = _validator(schema)
    assert validator.fits(_nested(250, lambda inner: {"a": inner}, "x"))
    assert not validator.fits(_nested(250, lambda inner: {"a": inner}, 1))


def test_a_large_enum_and_many_properties() -> None:
    names = [f"name{i}" for i in range(20_000)]

    def enum(size: int) -> Work:
        enums = {name: {"enum": names[:size]} for name in names[:50]}
        return lambda: _validator({"properties": enums, "additionalProperties": False}).fits({"name1": "name99"})

    def properties(size: int) -> Work:
        texts = {name: {"type": "string", "maxLength": i} for i, name in enumerate(names[:size])}
        return lambda: _validator({"properties": texts}).fits({"name9": "123456789"})

    assert_linear(enum, 20_000)
    assert_linear(properties, 5000)
    validator = _validator({"properties": {name: {"enum": names} for name in names[:50]}})
    assert validator.fits({"name1": "name19999"}) and not validator.fits({"name1": "x"})
    wide = _validator({"properties": {name: {"type": "string", "maxLength": i} for i, name in enumerate(names[:5000])}})
    assert wide.fits({"name9": "123456789"}) and not wide.fits({"name9": "1234567890"})


_INJECTIONS = ["'", '"', "\\", "\n", '"""', "}", "{v}", "x) or __import__('os').abort() #", "k0", "\x00", "\ud800"]


@pytest.mark.parametrize("text", _INJECTIONS, ids=repr)
def test_no_text_of_a_schema_becomes_code(text: str) -> None:
    schema = {
        "type": "object",
        "properties": {text: {"enum": [text], "pattern": "\\Q" + text + "\\E"}, "b": {"type": "string"}},
        "patternProperties": {"\\Q" + text + "\\E": {"maxLength": 40}},
        "required": [text],
        "dependencies": {text: [text], "z": {"required": [text]}},
        "notAllowed": [text + "!"],
        "additionalProperties": False,
    }
    code = Code()
    code.test(Document(schema, VOCABULARY).root)
    written = "\n".join(code.functions)
    assert text not in written or len(text) < 3
    validator = _validator(schema)
    assert validator.fits({text: text})
    assert not validator.fits({text: "other"})
    assert not validator.fits({"b": "x"})


@pytest.mark.parametrize("limit", [10**400, -(10**400), 2**63, 0])
def test_numbers_of_any_size(limit: int) -> None:
    for keyword in ("minimum", "maximum"):
        validator = _validator({keyword: limit})
        for value in (limit, limit + 1, limit - 1, 1.5):
            assert validator.fits(value) == (not validator.reports(value))


def test_exponents_no_computer_can_hold() -> None:
    from snowetl.jvm.json_number import JsonNumber

    validator = _validator({"type": "number", "minimum": 0, "maximum": 5, "multipleOf": 0.5, "enum": [1, 2.5]})
    for text in ("1e999999999", "1e-999999999", "1e99999999999999999999", "-1e99999999999999999999", "9e2147483647"):
        assert not validator.fits(JsonNumber(text))
        assert validator.reports(JsonNumber(text))
    _validator({"uniqueItems": True}).fits([JsonNumber("1e999999999"), JsonNumber("1e99999999999999999999")])
    _validator({"type": "integer", "minimum": 3}).reports(JsonNumber("1e999999999"))


@pytest.mark.parametrize("node", [
    {"properties": 5}, {"required": "x"}, {"items": "x"}, {"pattern": 5}, {"enum": 5}, {"enum": []}, {"minimum": "x"},
    {"maxLength": "x"}, {"maxLength": None}, {"maxLength": 3.5}, {"multipleOf": "x"}, {"multipleOf": 0},
    {"allOf": {"a": {}}}, {"allOf": 3}, {"not": 3}, {"oneOf": [3]}, {"patternProperties": []},
    {"patternProperties": {"(": {}}},
    {"dependencies": {"a": 5}}, {"dependencies": 5}, {"additionalProperties": 5},
    {"additionalItems": 3, "items": []},
    {"type": 5}, {"type": "strange"}, {"type": [3]}, {"type": [{}]}, {"format": 3}, {"uniqueItems": "x"}, {"$ref": 3},
    {"uuid": {}}, {"dateTime": 1}, {"edits": 1}, {"message": 3, "type": "string"}, {"id": "relative"}, {"id": 3},
    True, False, [], "text", 3, None,
], ids=str)  # fmt: skip
def test_what_the_meta_schema_does_not_see_is_used_or_crashes(node: Any) -> None:
    """``$ref`` may point anywhere in the document."""
    compiled = compile_schema({"properties": {"a": {"$ref": "#/elsewhere/s"}}, "elsewhere": {"s": node}})
    assert isinstance(compiled, Validator)
    assert compiled.fits({})
    for value in ("text", 5, 1.5, None, True, [1, 1], {"a": 1}):
        try:
            reports = compiled.reports({"a": value})
        except ValidationCrash:
            with pytest.raises(ValidationCrash):
                compiled.fits({"a": value})
        else:
            assert compiled.fits({"a": value}) == (not reports)
