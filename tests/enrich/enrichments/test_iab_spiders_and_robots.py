"""iab_spiders_and_robots: browsers and robots by the lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snowetl.enrich.enrichments.iab_lists import read_date
from tests.enrich.enrichments.support import draft, step

NOON = "2026-03-02 12:00:00.000"
ADDRESSES = """\
198.51.100.7
203.0.113.77/24

2001:db8:0:0:0:0:0:1
2001:db8:aaaa::/48
"""
INCLUDES = """\
# pattern|active|at the start|inactive since
Kettle/|1|1
teapot|1|0
Samovar|0|0|03/02/2026
mug\u00a0|1|0
"""
EXCLUDES = """\
bot|1|robotics,cubot|0|2|0
crawl|1||0|0|1
sleepy|0||0|1|0|03/02/2026
never|0||0|1|0
"tea|leaf"|1||0|1|0
odd|1||0|7|0
"""


def outcome(tmp_path: Path, agent: str, address: str = "192.0.2.1", derived: str = NOON, **own: Any) -> Any:
    files = {"ipFile": ADDRESSES, "excludeUseragentFile": EXCLUDES, "includeUseragentFile": INCLUDES}
    given: dict[str, Any] = dict(own)
    for name, content in files.items():
        (tmp_path / name).write_text(content, "iso-8859-1")
        given[name] = {"uri": str(tmp_path), "database": name}
    made = draft(useragent=agent, user_ipaddress=address, derived_tstamp=derived)
    step("iab_spiders_and_robots_enrichment", **given)(made)
    if made.failures:
        return made.failures
    return [json.loads(entity.json)["data"] for entity in made.entities]


def reason(tmp_path: Path, agent: str, address: str = "192.0.2.1", derived: str = NOON) -> str | None:
    found = outcome(tmp_path, agent, address, derived)
    return found[0]["reason"] if found else None


def test_a_browser_passes(tmp_path: Path) -> None:
    assert outcome(tmp_path, "Kettle/1.0") == [
        {"spiderOrRobot": False, "category": "BROWSER", "reason": "PASSED_ALL", "primaryImpact": "NONE"}
    ]
    assert reason(tmp_path, "The TEAPOT browser") == "PASSED_ALL"


def test_a_no_break_space_is_part_of_a_pattern(tmp_path: Path) -> None:
    assert reason(tmp_path, "mug\u00a01.0") == "PASSED_ALL"
    assert reason(tmp_path, "mug 1.0") == "FAILED_UA_INCLUDE"


def test_an_unknown_agent_is_a_robot(tmp_path: Path) -> None:
    assert outcome(tmp_path, "my Kettle/1.0") == [
        {
            "spiderOrRobot": True,
            "category": "SPIDER_OR_ROBOT",
            "reason": "FAILED_UA_INCLUDE",
            "primaryImpact": "UNKNOWN",
        }
    ]


@pytest.mark.parametrize(
    ("address", "listed"),
    [
        ("198.51.100.7", True),
        ("198.51.100.7:8080", True),
        ("198.51.100.8", False),
        ("203.0.113.1", True),
        ("2001:db8::1", True),
        ("[2001:db8::1]:443", True),
        ("2001:db8:aaaa:1::5", True),
        ("2001:db8:bbbb::5", False),
        ("198.51.100.7/32", True),
    ],
)
def test_addresses(tmp_path: Path, address: str, listed: bool) -> None:
    assert reason(tmp_path, "Kettle/1.0", address) == ("FAILED_IP_EXCLUDE" if listed else "PASSED_ALL")


@pytest.mark.parametrize("address", ["", "localhost", "198.51.100.7/99", "tea.example"])
def test_without_an_address_the_agent_decides(tmp_path: Path, address: str) -> None:
    assert reason(tmp_path, "Kettle/1.0", address) == "PASSED_ALL"
    assert reason(tmp_path, "my Kettle/1.0", address) == "FAILED_UA_INCLUDE"


@pytest.mark.parametrize("agent", ["", " ", "\0"])
def test_without_an_agent_the_address_decides(tmp_path: Path, agent: str) -> None:
    assert reason(tmp_path, agent) == "PASSED_ALL"
    assert reason(tmp_path, agent, "198.51.100.7") == "FAILED_IP_EXCLUDE"


def test_without_a_time_nothing_is_said(tmp_path: Path) -> None:
    assert outcome(tmp_path, "Kettle/1.0", derived="") == []


def test_excluded_agents(tmp_path: Path) -> None:
    assert outcome(tmp_path, "teapot bot")[0] == {
        "spiderOrRobot": True,
        "category": "ACTIVE_SPIDER_OR_ROBOT",
        "reason": "FAILED_UA_EXCLUDE",
        "primaryImpact": "PAGE_AND_AD_IMPRESSIONS",
    }
    assert reason(tmp_path, "teapot bot of robotics") == "PASSED_ALL"
    assert reason(tmp_path, "crawl teapot") == "FAILED_UA_EXCLUDE"
    assert reason(tmp_path, "teapot crawl") == "PASSED_ALL"
    assert reason(tmp_path, "teapot never") == "PASSED_ALL"
    assert reason(tmp_path, "teapot tea|leaf") == "FAILED_UA_EXCLUDE"


def test_dates_are_compared_with_the_event(tmp_path: Path) -> None:
    assert reason(tmp_path, "samovar", derived="2026-03-01 23:59:59.999") == "PASSED_ALL"
    assert reason(tmp_path, "samovar", derived="2026-03-02 00:00:00.000") == "FAILED_UA_INCLUDE"
    before = outcome(tmp_path, "sleepy teapot", derived="2026-03-01 23:59:59.999")[0]
    after = outcome(tmp_path, "sleepy teapot", derived="2026-03-02 00:00:00.000")[0]
    assert (before["category"], after["category"]) == ("ACTIVE_SPIDER_OR_ROBOT", "INACTIVE_SPIDER_OR_ROBOT")


def test_a_broken_flag_fails_the_event(tmp_path: Path) -> None:
    [failure] = outcome(tmp_path, "odd teapot")
    assert failure["enrichment"]["identifier"] == "iab-spiders-and-robots"
    assert failure["message"] == {"error": "Invalid value of impression flag: '7'"}


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("03/23/2017", "2017-03-23 00:00:00.000"),
        ("3/1/2017 and more", "2017-03-01 00:00:00.000"),
        ("13/01/2017", "2018-01-01 00:00:00.000"),
        ("02/30/2017", "2017-03-02 00:00:00.000"),
        ("12/31/99999", "~"),
        ("", None),
        ("2017-03-23", None),
    ],
)
def test_lenient_dates(text: str, date: str | None) -> None:
    assert read_date(text) == date


def test_lists_of_ones_own_come_first(tmp_path: Path) -> None:
    own = {"includeUseragents": ["Office Crawl"], "excludeUseragents": ["kettle/0", "office"]}
    listed = "198.51.100.7"
    assert outcome(tmp_path, "our OFFICE CRAWLer", listed, **own)[0]["reason"] == "PASSED_ALL"
    assert outcome(tmp_path, "Kettle/0.9", **own)[0] == {
        "spiderOrRobot": True,
        "category": "SPIDER_OR_ROBOT",
        "reason": "FAILED_UA_EXCLUDE",
        "primaryImpact": "UNKNOWN",
    }
    assert outcome(tmp_path, "Kettle/1.0", listed, **own)[0]["reason"] == "FAILED_IP_EXCLUDE"
