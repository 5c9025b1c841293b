"""Floats as Java prints them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.jvm.floats import java_float


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
