"""Decimals as Java reads them."""

from __future__ import annotations

import math

import pytest

from snowetl.jvm.big_decimal import stripped, to_double, to_string


@pytest.mark.parametrize(
    ("text", "plain", "cents"),
    [
        ("12.345", 12.345, 12.34),
        ("12.355", 12.355, 12.36),
        ("1e2", 100.0, 100.0),
        ("-.5", -0.5, -0.5),
        ("0.001", 0.001, 0.0),
        ("1e500", math.inf, math.inf),
        ("1e-500", 0.0, 0.0),
        ("1,5", None, None),
        ("", None, None),
        ("e5", None, None),
        ("1e99999999999", None, None),
    ],
)
def test_the_double_next_to_a_decimal(text: str, plain: float | None, cents: float | None) -> None:
    assert to_double(text) == plain
    assert to_double(text, cents=True) == cents


def test_decimals_know_no_negative_zero_but_doubles_too_small_for_one_do() -> None:
    assert str(to_double("-0.0")) == "0.0"
    assert str(to_double("-1e-500")) == "-0.0"
    assert str(to_double("-1e-500", cents=True)) == "0.0"


@pytest.mark.parametrize("text", ["1e999999999999999999999", "-1.50E-999999999999999999999"])
def test_numbers_whose_exponent_nothing_holds_stay(text: str) -> None:
    assert to_string(text) == stripped(text) == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("1.50", "1.5"),
        ("100.00", "100"),
        ("1e3", "1000"),
        ("-0.0", "0"),
        ("0e-8", "0"),
        ("4.0E-5", "0.00004"),
        ("4.0E-8", "4E-8"),
        ("0.0000001", "1E-7"),
        ("123456789.1234567890123450", "123456789.123456789012345"),
        ("12345678901234567890123456789.50", "12345678901234567890123456789.5"),
        ("1e99999999999999999999", "1e99999999999999999999"),
    ],
)
def test_numbers_on_their_way_through_jackson(text: str, printed: str) -> None:
    assert stripped(text) == printed
