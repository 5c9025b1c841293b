from __future__ import annotations

import pytest

from snowetl.adapters.rewrite import (
    camelize,
    clean_event,
    date_of_seconds,
    date_of_spaced,
    deep_merge,
    long_of,
)
from snowetl.jvm.json_number import JsonNumber
from snowetl.jvm.scala_maps import as_map, product_hash


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-03-02 08:00:00", "2026-03-02T08:00:00.000Z"),
        ("2026-3-2 8:0:0", "2026-03-02T08:00:00.000Z"),
        ("26-03-02 08:00:00", "0026-03-02T08:00:00.000Z"),
        ("-1-03-02 08:00:00", "-0001-03-02T08:00:00.000Z"),
        ("+12026-03-02 08:00:00", "12026-03-02T08:00:00.000Z"),
        ("2024-02-29 00:00:00", "2024-02-29T00:00:00.000Z"),
    ],
)
def test_spaced_dates(text, date):
    assert date_of_spaced(text) == date


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-02",
        "2026-03-02T08:00:00",
        "2026-03-02 08:00",
        "2026-03-02 08:00:00 ",
        "2026-03-02 24:00:00",
        "2026-13-02 08:00:00",
        "2026-02-29 08:00:00",
        "2026-00-01 08:00:00",
        "2026-01-00 08:00:00",
        "2026-03-02 08:60:00",
        "300000000-03-02 08:00:00",
        "٢٠٢٦-03-02 08:00:00",
    ],
)
def test_what_is_no_spaced_date_stays(text):
    assert date_of_spaced(text) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.000Z"),
        ("+1", "1970-01-01T00:00:01.000Z"),
        (253402300800, "10000-01-01T00:00:00.000Z"),
        (JsonNumber("1e1"), "1970-01-01T00:00:10.000Z"),
        (JsonNumber("1.5"), 1.5),
        ("1.0", "1.0"),
        ("", ""),
        (True, True),
        (None, None),
        (2**63, 2**63),
        ("9223372036854775808", "9223372036854775808"),
    ],
)
def test_epoch_seconds(value, expected):
    assert date_of_seconds(value) == expected


@pytest.mark.parametrize(
    ("value", "number"),
    [("7", 7), ("7.0", 7), ("7e2", 700), ("07", None), ("+7", None), ("", None), (7.5, None), ([], None), ("0e999", 0)],
)
def test_longs_in_json(value, number):
    assert long_of(value) == number


@pytest.mark.parametrize(("text", "number"), [("0.0e999999999999999999999", 0), ("1e999999999999999999999", None)])
def test_an_exponent_of_twenty_digits_is_no_crash(text, number):
    assert long_of(JsonNumber(text)) == number


def test_numbers_keep_all_their_digits():
    assert long_of(JsonNumber("9223372036854775807.0")) == 9223372036854775807


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("X-Mailgun-Sid", "xMailgunSid"),
        ("my-var-2", "myVar2"),
        ("a__b", "a_b"),
        ("data.json", "data.json"),
        ("1234", "1234"),
        ("a-", "a-"),
        ("_a", "A"),
        ("a_é", "a_é"),
        ("", ""),
        ("Éa_b", "éaB"),
    ],
)
def test_camel_case(key, expected):
    assert camelize([{key: {key: 1}}]) == [{expected: {expected: 1}}]


def test_of_colliding_keys_the_last_wins_at_the_first_place():
    assert list(camelize({"a_b": 1, "c": 2, "a-b": 3}).items()) == [("aB", 3), ("c", 2)]


def test_rewritten_objects_come_in_the_order_of_a_map():
    small = clean_event({"d": 1, "b": 2, "event": "x", "a": 4}, "event", "x", ("ts",))
    assert list(small) == ["d", "b", "a"]
    large = clean_event(dict.fromkeys("fedcba", 1) | {"event": "x"}, "event", "x", ("ts",))
    assert list(large) == [key for key in as_map(dict.fromkeys([*"fedcba", "event"])) if key != "event"]


def test_huge_objects_keep_their_order():
    huge = {f"key-{number}": number for number in range(5000)}
    assert list(as_map(huge)) == list(huge)


def test_trees_of_any_depth():
    deep: dict = {}
    node = deep
    for _ in range(50_000):
        node["a_b"] = {}
        node = node["a_b"]
    assert clean_event(camelize(deep), "event", "x", ("ts",)) is deep
    assert list(deep) == ["aB"]
    while deep:  # taking it apart here keeps the interpreter from recursing
        deep = deep.popitem()[1]


def test_deep_merge():
    below = {"a": {"x": 1, "y": {"p": 1}}, "b": 1, "c": 1}
    above = {"d": 1, "a": {"y": {"q": 2}, "z": 3}, "b": {"n": 1}}
    assert deep_merge(below, above) == {"d": 1, "a": {"y": {"q": 2, "p": 1}, "z": 3, "x": 1}, "b": {"n": 1}, "c": 1}
    assert list(above) == ["d", "a", "b", "c"]


def test_hash_of_a_case_class():
    assert product_hash(1, 0, 0) != product_hash(0, 0, 1)
    assert 0 <= product_hash(97) < 2**32
