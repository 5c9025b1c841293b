"""UUIDs as the JVM reads them."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm.uuid import parse_uuid


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1B4E28BA-2FA1-11D2-883F-0016D3CCA427", "1b4e28ba-2fa1-11d2-883f-0016d3cca427"),
        ("1-2-3-4-5", "00000001-0002-0003-0004-000000000005"),
        ("123456789-1-1-1-1", "23456789-0001-0001-0001-000000000001"),
        ("1-12345-1-1-1234567890abcd", "00000001-2345-0001-0001-34567890abcd"),
        ("+1-2-3-4-5", "00000001-0002-0003-0004-000000000005"),
        ("1-٣-Ａ-ｆ-5", "00000001-0003-000a-000f-000000000005"),
    ],
)
def test_lenient_forms(text: str, canonical: str) -> None:
    assert parse_uuid(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "----",
        "1-2-3-4",
        "1-2-3-4-5-6",
        "1-2--4-5",
        "1-2-3-4-g",
        "1-2-3-4-+",
        "ffffffffffffffff-1-1-1-1",
        "1b4e28ba2fa111d2883f0016d3cca427",
        "1b4e28ba-2fa1-11d2-883f-0016d3cca4277",
        "1b4e28ba-2fa1-11d2-883f-0016d3cca427\n",
    ],
)
def test_no_uuid(text: str) -> None:
    assert parse_uuid(text) is None


@given(st.uuids())
def test_canonical_ones_stay(value: uuid.UUID) -> None:
    assert parse_uuid(str(value)) == parse_uuid(str(value).upper()) == str(value)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("C6EF3124-B53A-4B13-A233-0088F79DCBCB", "c6ef3124-b53a-4b13-a233-0088f79dcbcb"),
        ("1-1-1-1-1", "00000001-0001-0001-0001-000000000001"),
        ("fffffffff-1-1-1-1", "ffffffff-0001-0001-0001-000000000001"),
        ("١-1-1-1-1", "00000001-0001-0001-0001-000000000001"),
        ("Ｆ-+1-1-1-1", "0000000f-0001-0001-0001-000000000001"),
        ("c6ef3124-b53a-4b13-a233", None),
        ("{c6ef3124-b53a-4b13-a233-0088f79dcbcb}", None),
        ("1--1-1-1", None),
        ("g-1-1-1-1", None),
        ("1-1-1-1-1-1", None),
        ("ffffffffffffffff-1-1-1-1", None),
        ("", None),
    ],
)
def test_uuids_as_java_reads_them(text: str, printed: str | None) -> None:
    assert parse_uuid(text) == printed
