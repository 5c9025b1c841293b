"""Request paths."""

from __future__ import annotations

import pytest

from snowetl.collector.path import SNOWPLOW_TP1, is_ice_request, parse_path


@pytest.mark.parametrize("path", ["/i", "/ice.png", "/ice.png?a=1", "/ice.pngs", "/i?e=pv"])
def test_the_pixel(path: str) -> None:
    assert parse_path(path) == SNOWPLOW_TP1
    assert is_ice_request(path)


@pytest.mark.parametrize(
    ("path", "api"),
    [
        ("/com.acme/v1", ("com.acme", "v1")),
        ("com.acme/v1/", ("com.acme", "v1")),
        ("/ice.png/v1", ("ice.png", "v1")),
        ("/i/?", ("i", "?")),
        ("/é %41/v\n", ("é %41", "v\n")),
    ],
)
def test_vendor_and_version(path: str, api: tuple[str, str]) -> None:
    assert parse_path(path) == api
    assert parse_path(path) == api  # from the cache


@pytest.mark.parametrize("path", ["", "/", "i", "/i/", "//v1", "/a//b", "/a/b/c", "/robots.txt", "/a/b?c=/d"])
def test_faults(path: str) -> None:
    assert parse_path(path) == {
        "payloadField": "path",
        "value": path,
        "expectation": "path does not match (/)vendor/version(/) nor is a legacy /i(ce.png) request",
    }
