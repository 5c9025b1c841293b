"""http_header_extractor: which headers become entities."""

from __future__ import annotations

import json

import pytest

from snowetl.errors import ConfigError
from tests.enrich.enrichments.support import conf, draft, step


def headers(pattern: str, *lines: str) -> list[tuple[str, str]]:
    made = draft(headers=lines)
    step("http_header_extractor_config", headersPattern=pattern)(made)
    found = [json.loads(entity.json) for entity in made.entities]
    assert {entity["schema"] for entity in found} <= {"iglu:org.ietf/http_header/jsonschema/1-0-0"}
    return [(entity["data"]["name"], entity["data"]["value"]) for entity in found]


def test_the_pattern_matches_the_whole_name() -> None:
    assert headers("Accept", "Accept: */*", "Accept-Language: de", "X-Accept: 1") == [("Accept", "*/*")]
    assert headers("X-Tea.*|Host", "Host: tea.example", "X-Tea-Cup: blue", "Accept: */*") == [
        ("Host", "tea.example"),
        ("X-Tea-Cup", "blue"),
    ]


def test_case_counts_unless_the_pattern_says_otherwise() -> None:
    assert headers("host", "Host: a") == []
    assert headers("(?i)host", "Host: a", "HOST: b") == [("Host", "a"), ("HOST", "b")]


def test_values_are_trimmed_and_keep_their_colons() -> None:
    assert headers(".*", "Referer:  https://tea.example:8080/a ", "Empty:", "not a header") == [
        ("Referer", "https://tea.example:8080/a"),
        ("Empty", ""),
    ]


def test_the_name_is_matched_before_it_is_trimmed() -> None:
    assert headers("Host", "Host : a", " Host: b") == []
    assert headers(" *Host *", " Host : a") == [("Host", "a")]


def test_a_broken_pattern_is_refused_before_any_event() -> None:
    with pytest.raises(ConfigError, match=r"parameters\.headersPattern is not a regular expression"):
        conf("http_header_extractor_config", headersPattern="X-(")


def test_a_pattern_that_runs_away_holds_up_nobody() -> None:
    assert headers("(a+)+b", f"{'a' * 5_000}: 1", "aab: 2") == [("aab", "2")]
