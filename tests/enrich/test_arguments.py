"""A wrong argument is a message that says what it must be."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from snowetl import EnrichConfig, Enricher
from snowetl.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("etl_tstamp", "2026-03-05"),
        ("etl_tstamp", 1.5),
        ("etl_tstamp", date(2026, 3, 5)),
        ("processor", "my-pipeline"),
        ("processor", ("my-pipeline", 1)),
        ("input_format", None),
        ("input_format", b"thrift"),
        ("accept_invalid", "no"),
        ("try_base64", 1),
        ("legacy_enrichment_order", None),
        ("atomic_limits", [1]),
        ("atomic_limits", {"app_id": "255"}),
        ("max_record_bytes", "10MB"),
        ("max_record_bytes", -1),
        ("max_output_bytes", None),
    ],
)
def test_an_argument_of_the_wrong_type_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is .*; it must be "):
        EnrichConfig.load(**{"input_format": "thrift", name: value})


def test_all_wrong_arguments_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        EnrichConfig.load(input_format=5, etl_tstamp="x", accept_invalid="x")  # type: ignore[arg-type]
    assert all(name in str(caught.value) for name in ("input_format", "etl_tstamp", "accept_invalid"))


@pytest.mark.parametrize("config", [None, {}, "resolver.json"])
def test_an_enricher_is_built_from_a_config(config: Any) -> None:
    with pytest.raises(ConfigError, match=r"EnrichConfig\.load"):
        Enricher(config)
