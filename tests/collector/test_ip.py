"""Client addresses behind proxies."""

from __future__ import annotations

import pytest

from snowetl.collector.ip import from_column, from_headers

FALLBACK = "192.0.2.99"


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ([], FALLBACK),
        (["Host: x"], FALLBACK),
        (["X-Forwarded-For: 192.0.2.1"], "192.0.2.1"),
        (["x-FORWARDED-for: 192.0.2.1, 192.0.2.2"], "192.0.2.1"),
        (["Host: x", "", "X-Forwarded-For: 2001:DB8::1", "Cookie: a"], "2001:db8::1"),
        (['X-Forwarded-For: "[2001:db8::1]:443"'], "2001:db8::1"),
        (["X-Forwarded-For: [192.0.2.1]:80"], "192.0.2.1"),
        (["X-Forwarded-For: 192.0.2.1:80"], "192.0.2.1"),
        (["X-Forwarded-For: 192.0.2.1234"], "192.0.2.123"),
        (["X-Forwarded-For: 1.2.3"], "1.2.3"),
        (["X-Forwarded-For: example"], "e"),
        (["X-Forwarded-For: unknown, 192.0.2.1"], FALLBACK),
        (["X-Forwarded-For:192.0.2.1"], FALLBACK),
        (["X-Forwarded-For:  192.0.2.1"], FALLBACK),
        (["X-Forwarded-For: 192.0.2.1\n"], FALLBACK),
        (["X-Forwarded-For: 192.0.2.1 \u2028"], FALLBACK),
        (["X-Forwarded-For: x", "X-Forwarded-For: 192.0.2.2"], "192.0.2.2"),
        (["Forwarded: for=192.0.2.1"], "192.0.2.1"),
        (['Forwarded: for="[2001:DB8::2]";proto=http'], "2001:db8::2"),
        (["Forwarded: for=192.0.2.1", "Forwarded: for=192.0.2.2"], "192.0.2.2"),
        (["Forwarded: for=192.0.2.1", "Forwarded: by=192.0.2.2"], FALLBACK),
        (["Forwarded: for=192.0.2.1", "Host: x"], FALLBACK),
        (["Forwarded: for=192.0.2.1", "X-Forwarded-For: 192.0.2.2"], "192.0.2.2"),
        (["X-Real-IP: 192.0.2.1"], FALLBACK),
    ],
)
def test_headers(headers: list[str], address: str) -> None:
    assert from_headers(headers, FALLBACK) == address


def test_without_any_address_there_is_none() -> None:
    assert from_headers([], None) is None


@pytest.mark.parametrize(
    ("column", "address"),
    [
        ("-", FALLBACK),
        ("192.0.2.1,%20192.0.2.2", "192.0.2.1"),
        ("2001:DB8::1", "2001:"),
        ("ABCD::1", FALLBACK),
        ("[2001:db8::1]:80", "2001:db8::1"),
    ],
)
def test_column(column: str, address: str) -> None:
    assert from_column(column, FALLBACK) == address
