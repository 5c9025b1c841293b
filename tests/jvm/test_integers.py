"""Integers as Java reads them."""

from __future__ import annotations

import pytest

from snowetl.jvm.integers import big_integer, parse_int, parse_long, wrap_long
from snowetl.jvm.json_number import JsonNumber


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5), ("+5", 5), ("-5", -5), ("007", 7), ("-0", 0), ("0", 0), ("５", 5), ("٣", 3),
        ("2147483647", 2147483647), ("2147483648", None), ("-2147483648", -2147483648), ("-2147483649", None),
        ("9" * 5000, None), ("0" * 5000 + "1", 1),
        ("", None), ("+", None), ("-", None), ("--1", None), ("1e3", None), ("0x10", None), (" 5", None), ("1_0", None),
        ("5\x00", None), ("−5", None), ("²", None), ("true", None),
    ],
)  # fmt: skip
def test_integers_as_java_reads_them(text: str, number: int | None) -> None:
    assert parse_int(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        ("+7", 7),
        ("-007", -7),
        ("0" * 30, 0),
        ("٣", 3),
        (" 7", None),
        ("", None),
        ("-", None),
        ("9" * 19, None),
    ],
)
def test_parse_longs(text, number):
    assert parse_long(text) == number


def test_digits_beyond_the_first_plane_are_no_digits() -> None:
    assert parse_int("\U0001d7ce") is None
    assert parse_long("1\U0001d7ce") is None
    assert big_integer("\U0001d7ce") is None


def test_integers_of_any_size() -> None:
    assert big_integer("+007") == 7
    assert big_integer("-0") == 0
    assert big_integer("-" + "٣" * 30) == JsonNumber("-" + "3" * 30)
    assert big_integer("1.0") is None


def test_long_arithmetic_overflows() -> None:
    assert wrap_long(2**63) == -(2**63)
    assert wrap_long(-(2**63) - 1) == 2**63 - 1
    assert wrap_long(5) == 5
