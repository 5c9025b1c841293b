"""Whatever an event holds: no step raises, and each takes time in proportion."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowetl.enrich.enrichments.base import Step
from snowetl.model.fields import NAMES
from tests.enrich.enrichments.support import FIXTURES, draft, step
from tests.growth import Work, assert_linear

MAXMIND = str(FIXTURES / "maxmind")
WRITTEN = ("geo_", "ip_", "refr_medium", "refr_source", "refr_term", "mkt_", "br_", "os_", "event_fingerprint")
SIZE = 400_000


@pytest.fixture(scope="module")
def all_steps() -> list[Step]:
    fields = {name: ["a", "b"] for name in ("mktMedium", "mktSource", "mktTerm", "mktContent", "mktCampaign")}
    files = {"geo": "City", "isp": "ISP", "domain": "Domain", "connectionType": "Connection-Type"}
    databases = {kind: {"uri": MAXMIND, "database": f"GeoIP2-{file}.mmdb"} for kind, file in files.items()}
    return [
        step("user_agent_utils_config"),
        step("ua_parser_config"),
        step(
            "referer_parser",
            uri=str(FIXTURES / "referers"),
            database="referers.json",
            internalDomains=["a.example"],
        ),
        step("campaign_attribution", fields=fields),
        step("event_fingerprint_config", hashAlgorithm="SHA1", excludeParameters=["stm"]),
        step("ip_lookups", **databases),
        step("anon_ip", anonOctets=2),
    ]


ANY_TEXT = st.text(st.characters(), max_size=80)
ADDRESS_LIKE = st.text("0123456789abcdefx.:[]%/*- ", max_size=50)
URL_LIKE = st.builds(
    "https://{}?{}".format, st.text("abz.-_/:@%41 é", max_size=30), st.text("ab=&;%41+?#/ é", max_size=40)
)
AGENT_LIKE = st.lists(
    st.sampled_from(
        [
            "Mozilla/5.0",
            "(",
            ")",
            ";",
            "Chrome/",
            "1.2",
            "Android 9",
            "Build/",
            "Safari/",
            "rv:",
            "Opera",
            "IE 7",
            "\u0130",
            "\x85",
        ]
    )
).map(" ".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    agent=ANY_TEXT | AGENT_LIKE,
    ip=ANY_TEXT | ADDRESS_LIKE,
    page=ANY_TEXT | URL_LIKE,
    referrer=ANY_TEXT | URL_LIKE,
    parameters=st.dictionaries(ANY_TEXT, st.none() | ANY_TEXT, max_size=5),
)
def test_any_text(
    all_steps: list[Step], agent: str, ip: str, page: str, referrer: str, parameters: dict[str, str | None]
) -> None:
    made = draft(parameters, useragent=agent, user_ipaddress=ip, page_url=page, page_referrer=referrer)
    before = len(made.failures)
    for one in all_steps:
        one(made)
    assert len(made.failures) == before
    assert len(made.entities) == 1
    written = [value for name, value in zip(NAMES, made.values, strict=True) if name.startswith(WRITTEN)]
    assert not any("\t" in value or "\n" in value for value in written)


LONG: dict[str, Callable[[int], str]] = {
    "one word": lambda size: "a" * size,
    "IE": lambda size: "IE " * (size // 3),
    "Trident": lambda size: "Trident/7 rv:" * (size // 13),
    "Android builds": lambda size: "Mozilla/5.0 (Linux; Android 9; " + "Build/" * (size // 6),
    "semicolons": lambda size: "; " * (size // 2),
    "bots": lambda size: "bot/1.0 " * (size // 8),
    "WebKit": lambda size: "AppleWebKit/1.1" * (size // 15) + " Safari/",
    "versions": lambda size: "1." * (size // 2),
    "colons": lambda size: ":" * size,
    "zeros": lambda size: "0" * size,
    "escapes": lambda size: "%41" * (size // 3),
    "pairs": lambda size: "a=b&" * (size // 4),
    "emoji": lambda size: "\U0001f600" * size,
}


@pytest.mark.parametrize("name", LONG)
def test_long_texts_take_linear_time(all_steps: list[Step], name: str) -> None:
    def prepare(size: int, one: Step) -> Work:
        text = LONG[name](size)
        url = f"https://a.example/{text}?{text}"
        made = draft({text: text, "e": text}, useragent=text, user_ipaddress=text, page_url=url, page_referrer=url)
        return partial(one, made)

    for one in all_steps:
        assert_linear(partial(prepare, one=one), SIZE, about=type(one))


def test_many_parts_take_linear_time(all_steps: list[Step]) -> None:
    def prepare(size: int, one: Step) -> Work:
        query = "&".join(f"p{number}={number}" for number in range(size))
        made = draft(
            {f"p{number}": str(number) for number in range(size)},
            page_url=f"https://x.example/?{query}",
            page_referrer=f"https://{'a.' * (size // 2)}example/?{query}",
        )
        return partial(one, made)

    for one in all_steps:
        assert_linear(partial(prepare, one=one), 100_000, about=type(one))
