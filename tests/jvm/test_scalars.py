from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm import scalars
from snowetl.jvm.floats import java_double


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("5", "5"), ("+5", "5"), ("-5", "-5"), ("007", "7"), ("-0", "0"), ("0", "0"), ("５", "5"), ("٣", "3"),
        ("2147483647", "2147483647"), ("2147483648", None), ("-2147483648", "-2147483648"), ("-2147483649", None),
        ("9" * 5000, None), ("0" * 5000 + "1", "1"),
        ("", None), ("+", None), ("-", None), ("--1", None), ("1e3", None), ("0x10", None), (" 5", None), ("1_0", None),
        ("5\x00", None), ("−5", None), ("²", None), ("true", None),
    ],
)  # fmt: skip
def test_integers_as_java_reads_them(text: str, printed: str | None) -> None:
    assert scalars.integer(text) == printed


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("37", "37.0"), ("-122.40770", "-122.4077"), ("1e3", "1000.0"), ("10000000", "1.0E7"), ("9999999", "9999999.0"),
        ("0.0001", "1.0E-4"), ("0.001", "0.001"), ("-0", "-0.0"), ("1.", "1.0"), (".5", "0.5"), ("+1.5", "1.5"),
        (" 1.5 ", "1.5"), ("\x001.5", "1.5"), ("1d", "1.0"), ("1F", "1.0"), ("0x1.8p1", "3.0"), ("0X.8P1", "1.0"),
        ("1e400", "Infinity"), ("-1e400", "-Infinity"), ("0x1p9999", "Infinity"), ("1e-400", "0.0"),
        ("NaN", "NaN"), ("-NaN", "NaN"), ("Infinity", "Infinity"), ("-Infinity", "-Infinity"),
        ("123456789012345678", "1.2345678901234568E17"), ("1.5e300", "1.5E300"), ("2e-44", "2.0E-44"),
        ("5e-324", "4.9E-324"),
        ("", None), (".", None), ("e5", None), ("0x10", None), ("1,5", None), ("1.5\xa0", None), ("nan", None),
        ("inf", None), ("1_0", None), ("1dd", None), ("١", None),
    ],
)  # fmt: skip
def test_doubles_as_java_reads_and_prints_them(text: str, printed: str | None) -> None:
    assert scalars.double(text) == printed


@given(st.floats(allow_nan=False))
def test_what_is_printed_reads_back(number: float) -> None:
    text = java_double(number)
    if math.isinf(number):
        assert text.endswith("Infinity")
    else:
        assert float(text.replace("E", "e")) == number
        assert "." in text
        assert scalars.double(text) == text


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
    assert scalars.uuid(text) == printed
