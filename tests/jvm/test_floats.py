"""Floats and doubles as Java prints them (values of a JVM 17)."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm.floats import java_double, java_float


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
def test_texts(number: float, text: str) -> None:
    assert java_float(number) == text


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_the_text_is_the_number(number: float) -> None:
    text = java_float(number)
    assert struct.pack(">f", float(text)) == struct.pack(">f", number)
    mantissa = text.lstrip("-").partition("E")[0]
    assert len(mantissa.replace(".", "").strip("0")) <= 9


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (12.23, "12.23"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (-123456789.5, "-1.234567895E8"),
        (5e-324, "4.9E-324"),
        (2.2250738585072014e-308, "2.2250738585072014E-308"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (1e23, "9.999999999999999E22"),
        (922337203685477580.8, "9.2233720368547763E17"),
        (2.0**63, "9.223372036854776E18"),
        (float("inf"), "Infinity"),
        (float("nan"), "NaN"),
    ],
)
def test_F7_doubles_as_java_prints_them(number: float, text: str) -> None:
    assert java_double(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_reads_back(number: float) -> None:
    assert struct.pack(">d", float(java_double(number))) == struct.pack(">d", number)
