"""The two renderings of a schema say the same, and where the standard is meant, what other validators say."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import strategies as st

from snowetl.iglu.validation import ValidationCrash, Validator, compile_schema
from tests.examples import examples
from tests.iglu.validation.strategies import instances, schemas

_SETTINGS = examples(1.5, suppress_health_check=list(HealthCheck))


@_SETTINGS
@given(schemas(), st.lists(instances, min_size=1, max_size=8))
def test_test_and_reports_agree(schema: dict[str, Any], values: list[Any]) -> None:
    compiled = compile_schema(schema)
    if isinstance(compiled, list):
        return
    for value in values:
        try:
            reports = compiled.reports(value)
        except ValidationCrash:
            assert not _passes(compiled, value), value
        else:
            assert compiled.fits(value) == (not reports), value


def _passes(compiled: Validator, value: Any) -> bool:
    """The test stops at the first fault, so it need not come to where the reports crash; but it must not pass."""
    try:
        return compiled.fits(value)
    except ValidationCrash:
        return False


def _as_plain(value: Any) -> Any:
    """What standard validators disagree on is taken out: decimals become integers or halves."""
    if isinstance(value, float):
        return 1.5 if abs(value) < 100 else 2.5
    if isinstance(value, dict):
        return {name.lstrip("#"): _as_plain(item) for name, item in value.items()}
    return [_as_plain(item) for item in value] if isinstance(value, list) else value


_NOT_STANDARD = ("format", "pattern", "patternProperties", "uniqueItems", "enum", "multipleOf")


def _mentions_quirk(schema: Any) -> bool:
    if isinstance(schema, dict):
        return any(name in _NOT_STANDARD or _mentions_quirk(item) for name, item in schema.items())
    return isinstance(schema, list) and any(map(_mentions_quirk, schema))


@pytest.mark.slow
@_SETTINGS
@given(
    schemas(references=False, quirks=False).map(_as_plain), st.lists(instances.map(_as_plain), min_size=1, max_size=8)
)
def test_agrees_with_jsonschema_on_the_common_part(schema: dict[str, Any], values: list[Any]) -> None:
    assume(not _mentions_quirk(schema))
    compiled = compile_schema(schema)
    assume(not isinstance(compiled, list))
    assert not isinstance(compiled, list)
    other = jsonschema.Draft4Validator(schema)
    for value in values:
        assert compiled.fits(value) == other.is_valid(value), value


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "a", [], {}, [[]], {"a": {}}])
def test_an_empty_schema_fits_all(value: Any) -> None:
    compiled = compile_schema({})
    assert not isinstance(compiled, list)
    assert compiled.fits(value) and compiled.reports(value) == []
