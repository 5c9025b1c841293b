"""user_agent_utils: names, versions and devices as the old library gives them, right or wrong."""

from __future__ import annotations

import pytest

from snowetl.enrich.enrichments.user_agent_utils import Entry, tables
from tests.enrich.enrichments.support import after, draft, step

BROWSER = ("br_name", "br_family", "br_version", "br_type", "br_renderengine")
SYSTEM = ("os_name", "os_family", "os_manufacturer")
DEVICE = ("dvce_type", "dvce_ismobile")
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


def of(agent: str, *columns: str) -> tuple[str | None, ...]:
    return after(step("user_agent_utils_config"), *columns, useragent=agent)


@pytest.mark.parametrize(
    ("agent", "browser"),
    [
        (f"{WINDOWS} {WEBKIT} Chrome/65.0.1 Safari/537.36", ("Chrome 65", "Chrome", "65.0.1", "Browser", "WEBKIT")),
        (f"{WINDOWS} {WEBKIT} Chrome/120.0 Safari/537.36", ("Chrome 12", "Chrome", "120.0", "Browser", "WEBKIT")),
        (f"{WINDOWS} {WEBKIT} Chrome/7.0 Safari/537.36", ("Chrome", "Chrome", "7.0", "Browser", "WEBKIT")),
        (
            f"{WINDOWS} {WEBKIT} Chrome/64.0.3282.140 Safari/537.36 Edge/17.1",
            ("Microsoft Edge", "Microsoft Edge", "17.1", "Browser", "EDGE_HTML"),
        ),
        ("Mozilla/5.0 (X11; rv:115.0) Gecko/1 Firefox/115.0", ("Firefox 11", "Firefox", "115.0", "Browser", "GECKO")),
        (f"{WINDOWS} {WEBKIT} OPR/51.0.2", ("Opera 51", "Opera", "51.0.2", "Browser", "WEBKIT")),
        ("Opera/9.80 (X11) Version/12.16", ("Opera 12", "Opera", "12.16", "Browser", "PRESTO")),
        ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko",
         ("Internet Explorer 11", "Internet Explorer", "11.0", "Browser", "TRIDENT")),
        ("Mozilla/5.0 AppleWebKit/533.21.1 Safari/533", ("Safari 5", "Safari", "5.0.5", "Browser", "WEBKIT")),
        ("Mozilla/5.0 AppleWebKit/1.2.3 Safari/1", ("Safari", "Safari", None, "Browser", "WEBKIT")),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", ("Robot/Spider", "Robot/Spider", None, "Robot", "OTHER")),
        ("curl/8.0", ("Downloading Tool", "Downloading Tool", None, "Downloading tool", "OTHER")),
        ("nothing known", ("Unknown", "Unknown", None, "unknown", "OTHER")),
        ("", ("Unknown", "Unknown", None, "unknown", "OTHER")),
    ],
)  # fmt: skip
def test_browsers(agent: str, browser: tuple[str | None, ...]) -> None:
    assert of(agent, *BROWSER) == browser


@pytest.mark.parametrize(
    ("agent", "system", "device"),
    [
        (WINDOWS, ("Windows 10", "Windows", "Microsoft Corporation"), ("Computer", "0")),
        ("x (Linux; Android 13; Pixel) Mobile", ("Android 1.x", "Android", "Google Inc."), ("Mobile", "1")),
        ("x (Linux; Android 7.0; Tab)", ("Android 7.x Tablet", "Android", "Google Inc."), ("Tablet", "1")),
        ("x (iPhone; CPU iPhone OS 11_2 like Mac OS X)", ("iOS 11 (iPhone)", "iOS", "Apple Inc."), ("Mobile", "1")),
        (
            "x (SMART-TV; Linux; Tizen 2.3) TV",
            ("Tizen 2 (SmartTV)", "Tizen", "Linux Foundation"),
            ("Digital media receiver", "0"),
        ),
        (
            "x (PLAYSTATION 3)",
            ("Sony Playstation",) * 2 + ("Sony Computer Entertainment, Inc.",),
            ("Game console", "0"),
        ),
        (f"{WINDOWS} bingbot", ("Unknown", "Unknown", "Other"), ("Unknown", "0")),
        ("Googlebot-Mobile (iPhone)", ("Mac OS X (iPhone)", "iOS", "Apple Inc."), ("Mobile", "1")),
    ],
)
def test_systems(agent: str, system: tuple[str, ...], device: tuple[str, ...]) -> None:
    assert of(agent, *SYSTEM, *DEVICE) == (*system, *device)


def test_no_user_agent() -> None:
    made = draft()
    step("user_agent_utils_config")(made)
    assert {made.event[column] for column in (*BROWSER, *SYSTEM, *DEVICE)} == {None}


def count(entries: list[Entry]) -> int:
    return sum(1 + count(entry.children) for entry in entries)


def test_tables_are_whole() -> None:
    read = tables()
    assert (count(read.browsers), count(read.systems)) == (237, 101)
    assert len(read.safari_builds) == 90

    def check(entry: Entry) -> None:
        assert entry.name
        assert entry.kind
        assert entry.maker
        assert all(entry.words)
        assert not entry.version or entry.version in read.versions
        for child in entry.children:
            check(child)

    for entry in read.browsers + read.systems:
        check(entry)
