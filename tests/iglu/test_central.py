"""The schemas people really use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snowetl.iglu.client import Checker, IgluClient
from snowetl.iglu.config import Repository, ResolverConfig
from snowetl.model.schema import SchemaKey

_CENTRAL = Path(__file__).parents[3] / "shared" / "iglu-central"
pytestmark = [pytest.mark.shared, pytest.mark.skipif(not _CENTRAL.is_dir(), reason="needs ../shared/iglu-central")]
_WRONG: list[Any] = [None, 1, 1.5, "text", True, [], [1], {}, {"a": 1}, {"#a": 1}]


@pytest.fixture(scope="module")
def central() -> IgluClient:
    return IgluClient(ResolverConfig((Repository("Iglu Central", 0, (), uri=_CENTRAL.resolve().as_uri()),)), now=0)


def _keys() -> list[SchemaKey]:
    files = sorted((_CENTRAL / "schemas").glob("*/*/jsonschema/*-*-*"))
    return [SchemaKey.parse(f"iglu:{file.relative_to(_CENTRAL / 'schemas')}") for file in files]


def test_all_compile_and_both_renderings_agree(central: IgluClient) -> None:
    keys = _keys()
    assert len(keys) > 500
    for key in keys:
        checker = central.checker(key.uri)
        assert isinstance(checker, Checker), checker.check(1)
        schema = central.schema(key)
        for value in (*_WRONG, _looks_right(schema), dict.fromkeys(schema.get("properties", ()), 1)):
            reports = checker._validator.reports(value)
            assert (checker.check(value) is None) == (not reports), (key, value)


def _looks_right(schema: Any) -> Any:
    """An instance made of the schema's own words."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: _looks_right(inner) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [_looks_right(schema["items"])] if isinstance(schema.get("items"), dict) else []
    return {"string": "x", "integer": schema.get("minimum", 1), "number": 1.5, "boolean": True}.get(kind)
