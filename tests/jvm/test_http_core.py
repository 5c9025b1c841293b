"""Parameters of header values as HttpCore 4.4 splits them."""

from __future__ import annotations

import time

import pytest

from snowetl.jvm.http_core import parse_parameters


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        (" \t ", []),
        ("a", [("a", None)]),
        ("a=", [("a", "")]),
        ("=b", [("", "b")]),
        ("a=1;b=2", [("a", "1"), ("b", "2")]),
        (" a = 1 ; b = 2 ", [("a", "1"), ("b", "2")]),
        ("a b   c = d   e", [("a b c", "d e")]),
        (";a", [("", None), ("a", None)]),
        ("a=1;", [("a", "1")]),
        ("a=b=c", [("a", "b=c")]),
        ("a=1,b=2", [("a", "1")]),
        ("a,b=2", [("a", None)]),
        ('a="1;2,3";b=4', [("a", "1;2,3"), ("b", "4")]),
        (r'a="say \"tea\" \\ \n"', [("a", r'say "tea" \ \n')]),
        ('a="no end; b=1', [("a", "no end; b=1")]),
        ('a=x"y z"w', [("a", "xy zw")]),
        ('"a"=1', [('"a"', "1")]),
        ("a=%20", [("a", "%20")]),
    ],
)
def test_pairs(text: str, pairs: list[tuple[str, str | None]]) -> None:
    assert parse_parameters(text) == pairs


@pytest.mark.parametrize("piece", ["a;", "a b ", '"" ', "=", 'a="'])
def test_time_grows_with_the_text(piece: str) -> None:
    def seconds(times: int) -> float:
        started = time.process_time()
        parse_parameters(piece * times)
        return time.process_time() - started

    assert min(seconds(80_000) for _ in range(3)) <= 6 * min(seconds(20_000) for _ in range(3)) + 0.01
