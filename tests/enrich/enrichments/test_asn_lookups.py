"""asn_lookups: which autonomous systems are marked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snowetl.enrich.draft import Entity
from snowetl.enrich.enrichments.asn_lookups import ASN, MARKED
from snowetl.errors import AssetError, ConfigError
from tests.enrich.enrichments.support import conf, draft, step

LISTED = "number,name\n64500,Cloud One\nAS64501,\n"


def marked(number: int, platform: str = "web", **parameters: Any) -> list[tuple[str, Any]]:
    made = draft(platform=platform)
    made.add(Entity(ASN, json.dumps({"schema": ASN, "data": {"number": number, "organization": "x"}})), OTHER)
    step("asn_lookups", **parameters)(made)
    assert made.entities[1] is OTHER
    return [(one.schema, json.loads(one.json)["data"]) for one in made.entities[:1]]


OTHER = Entity("iglu:com.acme/x/jsonschema/1-0-0", "{}")
PLAIN = (ASN, {"number": 64500, "organization": "x"})
BOT = (MARKED, {"number": 64500, "organization": "x", "likelyBot": True})


def file(folder: Path, content: str) -> dict[str, str]:
    (folder / "asns.csv").write_text(content, "utf-8")
    return {"uri": str(folder), "database": "asns.csv"}


def test_systems_of_the_list_and_of_the_file(tmp_path: Path) -> None:
    assert marked(64500, botAsns=[{"asn": 64500, "name": "Cloud"}]) == [BOT]
    assert marked(64500, botAsnsFile=file(tmp_path, LISTED)) == [BOT]
    assert marked(64501, botAsnsFile=file(tmp_path, LISTED))[0][0] == MARKED
    assert marked(64500, botAsns=[{"asn": 1}]) == [PLAIN]
    assert marked(64500) == [PLAIN]


def test_bypassed_platforms() -> None:
    assert marked(64500, "srv", botAsns=[{"asn": 64500}], bypassPlatforms=["srv", "iot"]) == [PLAIN]


def test_an_event_without_the_entity_is_left_alone() -> None:
    made = draft()
    step("asn_lookups", botAsns=[{"asn": 1}])(made)
    assert made.entities == made.failures == []


@pytest.mark.parametrize(
    ("content", "fault"),
    [("a,b\n1,2\n", "no column 'number'"), ("number\nmany\n", "line 2: 'many'"), ("", "no column")],
)
def test_files_that_cannot_be_read(tmp_path: Path, content: str, fault: str) -> None:
    with pytest.raises(AssetError, match=fault):
        step("asn_lookups", botAsnsFile=file(tmp_path, content))


def test_a_broken_configuration() -> None:
    with pytest.raises(ConfigError, match=r"parameters\.botAsns"):
        conf("asn_lookups", botAsns=[1])
