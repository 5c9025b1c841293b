"""Doubles and floats as Java reads and prints them."""

from __future__ import annotations

import math
import struct
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm.doubles import double_text, float_text, json_double, parse_double
from tests.growth import assert_linear


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("37", "37.0"), ("-122.40770", "-122.4077"), ("1e3", "1000.0"), ("10000000", "1.0E7"), ("9999999", "9999999.0"),
        ("0.0001", "1.0E-4"), ("0.001", "0.001"), ("-0", "-0.0"), ("1.", "1.0"), (".5", "0.5"), ("+1.5", "1.5"),
        (" 1.5 ", "1.5"), ("\x001.5", "1.5"), ("1d", "1.0"), ("1F", "1.0"), ("0x1.8p1", "3.0"), ("0X.8P1", "1.0"),
        ("1e400", "Infinity"), ("-1e400", "-Infinity"), ("0x1p9999", "Infinity"), ("1e-400", "0.0"),
        ("NaN", "NaN"), ("-NaN", "NaN"), ("Infinity", "Infinity"), ("-Infinity", "-Infinity"),
        ("123456789012345678", "1.2345678901234568E17"), ("1.5e300", "1.5E300"), ("2e-44", "2.0E-44"),
        ("", None), (".", None), ("e5", None), ("0x10", None), ("1,5", None), ("1.5\xa0", None), ("nan", None),
        ("inf", None), ("1_0", None), ("1dd", None), ("١", None),
    ],
)  # fmt: skip
def test_doubles_as_java_reads_and_prints_them(text: str, printed: str | None) -> None:
    number = parse_double(text)
    assert (None if number is None else double_text(number)) == printed


@given(st.floats(allow_nan=False))
def test_what_is_printed_reads_back(number: float) -> None:
    text = double_text(number)
    if math.isinf(number):
        assert text.endswith("Infinity")
    else:
        assert float(text.replace("E", "e")) == number
        assert "." in text
        assert parse_double(text) == number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (12.23, "12.23"),
        (0.0001, "1.0E-4"),
        (-123456789.5, "-1.234567895E8"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (5e-324, "4.9E-324"),
        (2e23, "1.9999999999999998E23"),
        (1e23, "9.999999999999999E22"),
        (2.0**63 * 0.1, "9.2233720368547763E17"),
        (2.0**-44, "5.6843418860808015E-14"),
        (float(2**62), "4.6116860184273879E18"),
    ],
)
def test_F7_doubles_have_the_digits_java_gives_them(number: float, text: str) -> None:
    assert double_text(number) == text


def test_json_has_no_number_for_what_is_not_finite() -> None:
    assert json_double(math.inf) is None
    assert json_double(math.nan) is None
    assert json_double(1e10).text == "1.0E10"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (-122.3149, "-122.3149"),
        (43.88, "43.88"),
        (100.0, "100.0"),
        (0.001, "0.001"),
        (0.0009, "9.0E-4"),
        (1e-4, "1.0E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (16777216.0, "1.6777216E7"),
        (33554432.0, "3.3554432E7"),
        (2.0**30, "1.07374182E9"),
        (1e10, "1.0E10"),
        (3.4028235e38, "3.4028235E38"),
        (1.17549435e-38, "1.17549435E-38"),
        (1.4e-45, "1.4E-45"),
        (1e39, "Infinity"),
        (-1e39, "-Infinity"),
        (float("nan"), "NaN"),
        (139.75309, "139.7531"),
        (179.99999, "179.99998"),
    ],
)
def test_floats_as_java_prints_them(number: float, text: str) -> None:
    assert float_text(number) == text


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_the_text_is_the_float(number: float) -> None:
    text = float_text(number)
    assert struct.pack(">f", float(text)) == struct.pack(">f", number)
    mantissa = text.lstrip("-").partition("E")[0]
    assert len(mantissa.replace(".", "").strip("0")) <= 9


@pytest.mark.parametrize(("start", "piece", "end"), [("", "1", "x"), ("", "0", "."), ("1e", "9", "x"), ("0x", "f", "")])
def test_long_texts_take_linear_time(start: str, piece: str, end: str) -> None:
    assert_linear(lambda size: partial(parse_double, start + piece * size + end), 400_000)
