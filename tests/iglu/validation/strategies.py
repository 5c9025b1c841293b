"""Schemas and instances that meet each other often: few names, few values, every keyword."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from snowetl.jvm.json_number import JsonNumber

NAMES = st.sampled_from(["a", "b", "c", "#d", "ae", "id", ""])
TEXTS = st.sampled_from(
    ["", "a", "ab", "abc", "1", "a\n", "2020-01-01", "x@example.com", "1.2.3.4", "http://a/b", "😀"]
)
INTEGERS = st.one_of(st.integers(-3, 6), st.sampled_from([2**31, 2**53 + 1, 2**63, -(2**64)]))
DECIMALS = st.sampled_from([0.5, 1.0, 1.5, -0.0, 3.0, 1e22])
NUMBERS = st.one_of(INTEGERS, DECIMALS, st.sampled_from(["1.00", "1E2", "-0", "2.50", "1e400"]).map(JsonNumber))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)

instances: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=6)),
    max_leaves=8,
)

_TYPES = st.sampled_from(["string", "integer", "number", "boolean", "null", "object", "array"])
_SIZES = st.integers(0, 4)
_PATTERNS = st.sampled_from(["^a", "b$", "^[a-c]+$", "\\d", "^$", "(a|b)+c", "a?"])
_FORMATS = st.sampled_from(
    ["date-time", "date", "email", "ipv4", "ipv6", "uri", "uuid", "hostname", "time", "unheard-of"]
)
_LIMITS = st.one_of(INTEGERS, DECIMALS, st.sampled_from(["1.50", "1E1"]).map(JsonNumber))
_DISTINCT_NAMES = st.lists(NAMES, min_size=1, max_size=3, unique=True)


def schemas(references: bool = True, quirks: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas the meta-schema accepts. ``quirks`` are the validator's own inventions."""
    simple: dict[str, st.SearchStrategy[Any]] = {
        "type": st.one_of(_TYPES, st.lists(_TYPES, min_size=1, max_size=3, unique=True)),
        "enum": st.lists(instances, min_size=1, max_size=3, unique_by=repr),
        "minLength": _SIZES,
        "maxLength": _SIZES,
        "pattern": _PATTERNS,
        "format": _FORMATS,
        "minimum": _LIMITS,
        "maximum": _LIMITS,
        "multipleOf": st.sampled_from([1, 2, 0.5, 3, JsonNumber("0.10")]),
        "minItems": _SIZES,
        "maxItems": _SIZES,
        "uniqueItems": st.booleans(),
        "required": _DISTINCT_NAMES,
        "minProperties": _SIZES,
        "maxProperties": _SIZES,
    }
    if quirks:
        simple |= {
            "exclusiveMinimum": st.booleans(),
            "nullable": st.booleans(),
            "notAllowed": _DISTINCT_NAMES,
            "readOnly": st.one_of(st.booleans(), _DISTINCT_NAMES),
        }
    if references:
        simple["$ref"] = st.sampled_from(
            ["#/definitions/d", "#/definitions/e", "#/definitions/none", "http://example.com/s", "#/properties/a"]
        )
    plain = _some_of(simple)

    def combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        named = st.dictionaries(NAMES, inner, max_size=3)
        some = st.lists(inner, min_size=1, max_size=3)
        more: dict[str, st.SearchStrategy[Any]] = {
            "properties": named,
            "patternProperties": st.dictionaries(_PATTERNS, inner, max_size=2),
            "additionalProperties": st.one_of(st.booleans(), inner),
            "items": st.one_of(inner, some),
            "additionalItems": st.one_of(st.booleans(), inner),
            "dependencies": st.dictionaries(NAMES, st.one_of(inner, _DISTINCT_NAMES), max_size=2),
            "allOf": some,
            "anyOf": some,
            "oneOf": some,
            "not": inner,
        }
        return st.tuples(plain, _some_of(more)).map(lambda parts: {**parts[0], **parts[1]})

    bodies = st.recursive(plain, combined, max_leaves=8)
    if not references:
        return bodies
    return st.tuples(bodies, plain, bodies).map(
        lambda three: {**three[0], "definitions": {"d": three[1], "e": three[2]}}
    )


@st.composite
def _some_of(draw: st.DrawFn, keywords: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(keywords)), max_size=3, unique=True))
    return {name: draw(keywords[name]) for name in names}
