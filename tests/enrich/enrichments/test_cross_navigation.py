"""cross_navigation: the parts of the extended link."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.enrich.enrichments.support import draft, step

SESSION = "1c1e5b8e-0d5a-4b2f-9d0e-3f2a8d0c4b11"


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def entity(linker: str) -> Any:
    made = draft(page_url=f"https://tea.example/?_sp={linker}")
    step("cross_navigation_config")(made)
    assert made.failures == []
    return [json.loads(one.json)["data"] for one in made.entities]


def test_all_parts() -> None:
    linker = f"ada.1772438400000.{SESSION}.{encoded('u:1')}.{encoded('shöp')}.web.{encoded('banner?>')}"
    assert entity(linker) == [
        {
            "domain_user_id": "ada",
            "timestamp": "2026-03-02T08:00:00.000Z",
            "session_id": SESSION,
            "user_id": "u:1",
            "source_id": "shöp",
            "source_platform": "web",
            "reason": "banner?>",
        }
    ]


def test_the_short_link_gives_the_required_parts() -> None:
    assert entity("ada.1772438400000") == [{"domain_user_id": "ada", "timestamp": "2026-03-02T08:00:00.000Z"}]


@pytest.mark.parametrize("linker", ["", "ada", "ada.", ".1772438400000", ".", "ada.noon", "ada.99999999999999999999"])
def test_without_user_or_time_there_is_no_entity(linker: str) -> None:
    assert entity(linker) == []


def test_parts_that_cannot_be_read_are_left_out() -> None:
    (found,) = entity("ada.1772438400000.not-a-uuid...teapot.")
    assert set(found) == {"domain_user_id", "timestamp"}


def test_text_that_is_not_base64_stays() -> None:
    (found,) = entity(f"ada.1772438400000.{SESSION}.u!")
    assert found["user_id"] == "u!"
