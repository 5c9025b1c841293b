"""campaign_attribution: which query parameter gives which column."""

from __future__ import annotations

import pytest

from snowetl.errors import ConfigError
from tests.enrich.enrichments.support import after, conf, draft, step

FIELDS = {
    "mktMedium": ["utm_medium", "medium"],
    "mktSource": ["utm_source", "source"],
    "mktTerm": ["utm_term"],
    "mktContent": [],
    "mktCampaign": ["utm_campaign", "cid"],
}
COLUMNS = ("mkt_medium", "mkt_source", "mkt_term", "mkt_content", "mkt_campaign", "mkt_clickid", "mkt_network")


def of(query: str, **click_ids: str) -> tuple[str | None, ...]:
    one = step("campaign_attribution", fields=FIELDS | {"mktClickId": click_ids})
    return after(one, *COLUMNS, page_url=f"https://shop.example.com/?{query}")


def test_the_first_configured_name_wins() -> None:
    assert of("source=b&utm_source=a&cid=c&medium=m")[:5] == ("m", "a", None, None, "c")
    assert of("utm_source=&source=a")[1] is None
    assert of("UTM_SOURCE=a")[1] is None


def test_values_are_decoded_once_and_safe() -> None:
    assert of("utm_source=a+b%20%C3%A9%09c%0A")[1] == "a b é    c"
    assert of("utm_term=%2525")[2] == "%25"
    assert of("utm_term=one&utm_term=two")[2] == "two"


def test_click_ids() -> None:
    assert of("gclid=1")[5:] == ("1", "Google")
    assert of("dclid=D&msclkid=M")[5:] == ("M", "Microsoft")
    assert of("gclid=1", gclid="Ours")[5:] == ("1", "Ours")
    assert of("gclid=")[5:] == (None, "Google")


def test_five_and_more_click_ids_follow_the_order_of_the_references_map() -> None:
    made = conf("campaign_attribution", fields=FIELDS | {"mktClickId": {"fbclid": "Meta", "ttclid": "TikTok"}})
    assert [name for name, _ in made.networks] == ["ttclid", "fbclid", "dclid", "gclid", "msclkid"]  # type: ignore[attr-defined]
    assert of("gclid=G&fbclid=F", fbclid="Meta", ttclid="TikTok")[5:] == ("F", "Meta")


def test_without_a_page_uri_the_columns_are_left_alone() -> None:
    one = step("campaign_attribution", fields=FIELDS)
    made = draft()
    made.event["mkt_medium"] = "kept"
    one(made)
    assert made.event["mkt_medium"] == "kept"
    made = draft(page_url="https://shop.example.com/")
    made.event["mkt_medium"] = "gone"
    one(made)
    assert made.event["mkt_medium"] is None


def test_bad_parameters_are_named_together() -> None:
    with pytest.raises(ConfigError) as error:
        conf("campaign_attribution", fields={"mktMedium": "utm_medium", "mktSource": [1], "mktClickId": []})
    text = str(error.value)
    for name in ("mktMedium", "mktSource", "mktTerm", "mktContent", "mktCampaign", "mktClickId"):
        assert f"parameters.fields.{name} as " in text
