"""cookie_extractor: which cookies become entities."""

from __future__ import annotations

import json

import pytest

from snowetl.errors import ConfigError
from tests.enrich.enrichments.support import conf, draft, step


def cookies(*headers: str, names: tuple[str, ...] = ("sid", "lang")) -> list[tuple[str, str | None]]:
    made = draft(headers=headers)
    step("cookie_extractor_config", cookies=list(names))(made)
    found = [json.loads(entity.json) for entity in made.entities]
    assert {entity["schema"] for entity in found} <= {"iglu:org.ietf/http_cookie/jsonschema/1-0-0"}
    return [(entity["data"]["name"], entity["data"]["value"]) for entity in found]


def test_configured_cookies_in_the_order_of_the_headers() -> None:
    assert cookies("Cookie: lang=de; other=1; sid=a1", "Host: tea.example", "Cookie:sid=b2") == [
        ("lang", "de"),
        ("sid", "a1"),
        ("sid", "b2"),
    ]


def test_names_match_exactly() -> None:
    assert cookies("Cookie: SID=a; sid2=b; xsid=c") == []


def test_the_header_is_found_in_any_case_and_as_often_as_it_is_there() -> None:
    assert cookies("cookie: sid=a", "COOKIE: sid=b", "Cookie: sid=c") == [("sid", "a"), ("sid", "b"), ("sid", "c")]


def test_other_headers_are_no_cookies() -> None:
    assert cookies("Cookie : sid=a", "Set-Cookie: sid=a", "Cookie", "cookies: sid=a") == []


def test_a_cookie_without_a_value() -> None:
    assert cookies("Cookie: sid; lang=") == [("sid", None), ("lang", "")]


def test_a_configuration_without_cookies_is_refused() -> None:
    with pytest.raises(ConfigError, match="cookies"):
        conf("cookie_extractor_config", names=["sid"])
