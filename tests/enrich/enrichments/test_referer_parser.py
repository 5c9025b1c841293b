"""referer_parser: media, sources and search terms; databases that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snowetl.enrich.enrichments import registered
from snowetl.enrich.enrichments.base import Step
from snowetl.enrich.enrichments.referer_parser import read_database
from snowetl.errors import AssetError, ConfigError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.model.schema import SchemaKey
from tests.enrich.enrichments.support import after, conf, draft, opened, step

DATABASE: dict[str, Any] = {
    "search": {
        "Finder": {"domains": ["finder.example", "www.finder.example/images"], "parameters": ["q", "s"]},
        "Mute": {"domains": ["mute.example"]},
    },
    "social": {"Chat\tter": {"domains": ["chat.example", "com.chat.app"]}},
    "email": {"Mail": {"domains": ["mail.finder.example"]}},
    "paid": {"Ads": {"domains": ["ads.example"], "parameters": None}},
    "unknown": {"Finder": {"domains": ["help.finder.example"]}},
    "chatbot": {"Botty": {"domains": ["botty.example"]}},
}
COLUMNS = ("refr_medium", "refr_source", "refr_term")


def write(folder: Path, database: object) -> Path:
    path = folder / "referers.json"
    path.write_text(json.dumps(database), "utf-8")
    return path


@pytest.fixture(scope="module")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Step:
    folder = tmp_path_factory.mktemp("referers")
    write(folder, DATABASE)
    domains = ["inner.example", " padded.example "]
    return step("referer_parser", uri=str(folder), database="referers.json", internalDomains=domains)


@pytest.mark.parametrize(
    ("referrer", "expected"),
    [
        ("https://finder.example/?q=green+tea", ("search", "Finder", "green tea")),
        ("https://deep.sub.finder.example/x?a=1&s=first&q=second", ("search", "Finder", "first")),
        ("https://finder.example/?%71=%C3%A9t%09e%0A", ("search", "Finder", "ét    e")),
        ("https://finder.example/?q=&s=second", ("search", "Finder", None)),
        ("https://finder.example/?q", ("search", "Finder", None)),
        ("https://finder.example/?=q", ("search", "Finder", None)),
        ("https://finder.example", ("search", "Finder", None)),
        ("https://mute.example/?q=x", ("search", "Mute", None)),
        ("https://www.finder.example/%69mages/1", ("search", "Finder", None)),
        ("https://chat.example/a/b", ("social", "Chat    ter", None)),
        ("android-app://com.chat.app/", ("social", "Chat    ter", None)),
        ("http://mail.finder.example", ("email", "Mail", None)),
        ("http://ads.example/?q=x", ("paid", "Ads", None)),
        ("http://help.finder.example/", ("unknown", None, None)),
        ("https://botty.example", ("chatbot", "Botty", None)),
        ("https://other.example/", ("unknown", None, None)),
        ("https://FINDER.example/", ("unknown", None, None)),
        ("https://finder.example./", ("search", "Finder", None)),
        ("https://inner.example/", ("internal", None, None)),
        ("https://padded.example/", ("internal", None, None)),
        ("https://sub.inner.example/", ("unknown", None, None)),
        ("https://shop.example.com/", ("internal", None, None)),
        ("ftp://finder.example/", (None, None, None)),
        ("HTTPS://finder.example/", (None, None, None)),
        ("https://no_host.example/", (None, None, None)),
        ("mailto:finder.example", (None, None, None)),
        ("finder.example", (None, None, None)),
    ],
)
def test_referrers(parser: Step, referrer: str, expected: tuple[str | None, ...]) -> None:
    for _ in range(2):
        given = {"page_referrer": referrer, "page_url": "https://shop.example.com/"}
        assert after(parser, *COLUMNS, **given) == expected


def test_without_page_or_referrer(parser: Step) -> None:
    assert after(parser, *COLUMNS, page_referrer="https://finder.example/")[0] == "search"
    assert after(parser, *COLUMNS, page_url="https://finder.example/") == (None, None, None)


def test_of_two_sources_with_one_domain_the_later_in_map_order_counts(tmp_path: Path) -> None:
    database = {"search": {name: {"domains": ["same.example"]} for name in ("A", "B", "C", "D")}}
    assert read_database(write(tmp_path, database)).by_domain["same.example"].name == "D"
    database["search"] |= {name: {"domains": ["same.example"]} for name in ("E", "F")}
    assert read_database(write(tmp_path, database)).by_domain["same.example"].name == "D"
    five = {medium: {"S": {"domains": ["same.example"]}} for medium in ("paid", "email", "social", "unknown", "search")}
    assert read_database(write(tmp_path, five)).by_domain["same.example"].medium == "unknown"


@pytest.mark.parametrize(
    ("database", "fault"),
    [
        ([], "Referers json must be an object"),
        ({"fax": {}}, "Unrecognized medium: 'fax'"),
        ({"search": []}, "Medium 'search' not an object"),
        ({"search": {"A": {}}}, "'domains' of 'A' is not a list of strings"),
        ({"search": {"A": {"domains": [1]}}}, "'domains' of 'A'"),
        ({"search": {"A": {"domains": [], "parameters": "q"}}}, "'parameters' of 'A'"),
        ({"search": {"A": 1}}, "'A' of medium 'search' is not an object"),
    ],
)
def test_no_database(tmp_path: Path, database: object, fault: str) -> None:
    path = write(tmp_path, database)
    with pytest.raises(AssetError) as error:
        read_database(path)
    assert fault in str(error.value)
    assert str(path) in str(error.value)


def test_no_json_and_no_file(tmp_path: Path) -> None:
    path = tmp_path / "referers.json"
    for content in (b"<html>", b"\xff\xfe", b""):
        path.write_bytes(content)
        with pytest.raises(AssetError, match="is not a referer database"):
            read_database(path)
    with pytest.raises(AssetError, match="cannot be read: No such file"):
        read_database(tmp_path / "none.json")


def test_bad_parameters() -> None:
    with pytest.raises(ConfigError, match="parameters.internalDomains.*parameters.uri.*parameters.database"):
        conf("referer_parser")
    with pytest.raises(ConfigError, match="could not be parsed"):
        conf("referer_parser", uri="file://a:{b}/", database="x", internalDomains=[])


@pytest.mark.slow
def test_the_cache_is_bounded(parser: Step) -> None:
    for number in range(17_000):
        parser(draft(page_referrer=f"https://finder.example/{number}"))
    parser(draft(page_referrer="https://finder.example/" + "x" * 100_000))
    cache = parser._known  # type: ignore[attr-defined]
    assert len(cache) <= 16_384
    assert max(len(uri.text) for uri, _ in cache) <= 2_048


def test_referrers_of_ones_own_win(tmp_path: Path) -> None:
    path = write(tmp_path, DATABASE)
    own = {"social": {"Our club": {"domains": ["finder.example", "club.example"]}}}
    one = step("referer_parser", uri=str(path.parent), database=path.name, internalDomains=[], referrers=own)
    given = {"page_url": "https://tea.example/"}
    assert after(one, *COLUMNS, page_referrer="https://finder.example/?q=tea", **given) == ("social", "Our club", None)
    assert after(one, *COLUMNS, page_referrer="https://club.example/a", **given)[:2] == ("social", "Our club")
    assert after(one, *COLUMNS, page_referrer="https://mute.example/", **given)[:2] == ("search", "Mute")


def test_a_fault_in_ones_own_referrers_stops_the_job() -> None:
    with pytest.raises(ConfigError, match="Unrecognized medium: 'radio'"):
        conf("referer_parser", uri="/x", database="y", internalDomains=[], referrers={"radio": {}})


# --- the source that utm_source names (2-0-2) ---------------------------------------------------------------------

NAMED = {
    "chatbot": {"Botty": {"domains": ["botty.example"], "utm_sources": ["botty.example", "botty"]}},
    "social": {"Club": {"domains": ["club.example"], "utm_sources": None}},
}
OWN = {"search": {"Own": {"domains": ["own.example"], "utm_sources": ["botty"]}}}
UTM_REFERRER = "iglu:com.snowplowanalytics.snowplow/utm_referrer/jsonschema/1-0-0"


def of_version(version: str, folder: Path, **parameters: Any) -> Step:
    """The step of a configuration of that version, on the database ``NAMED``."""
    key = SchemaKey.parse(f"iglu:com.snowplowanalytics.snowplow/referer_parser/jsonschema/{version}")
    path = write(folder, NAMED)
    given = {"internalDomains": [], "uri": str(folder), "database": path.name, **parameters}
    with opened(registered()["referer_parser"].parse(key, {"parameters": given})) as one:
        return one


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("utm_source=botty.example", {"source": "Botty", "medium": "chatbot"}),
        ("a=1&utm%5Fsource=botty%2Eexample&b=2", {"source": "Botty", "medium": "chatbot"}),
        ("utm_source=x&utm_source=botty.example", {"source": "Botty", "medium": "chatbot"}),
        ("utm_source=botty", {"source": "Own", "medium": "search"}),
        ("utm_source=Botty.example", None),
        ("utm_source=botty.example%20", None),
        ("utm_source=club.example", None),
        ("utm_source=", None),
        ("utm_medium=botty.example", None),
        ("", None),
    ],
)
def test_utm_source_names_a_referrer(tmp_path: Path, query: str, expected: dict[str, str] | None) -> None:
    one = of_version("2-0-2", tmp_path, referrers=OWN)
    event = draft(page_url=f"https://shop.example.com/?{query}")
    one(event)
    found = [json.loads(entity.json) for entity in event.entities]
    assert found == ([] if expected is None else [{"schema": UTM_REFERRER, "data": expected}])
    assert event.event["refr_medium"] is None
    checker = IgluClient(ResolverConfig.default(), now=0).checker(UTM_REFERRER)
    assert all(checker.check(entity["data"]) is None for entity in found)


def test_the_header_and_utm_source_may_disagree(tmp_path: Path) -> None:
    one = of_version("2-0-2", tmp_path)
    event = draft(
        page_url="https://shop.example.com/?utm_source=botty", page_referrer="https://club.example/", mkt_source="x"
    )
    one(event)
    assert (event.event["refr_medium"], event.event["refr_source"]) == ("social", "Club")
    assert [entity.schema for entity in event.entities] == [UTM_REFERRER]


@pytest.mark.parametrize("version", ["2-0-0", "2-0-1"])
def test_earlier_versions_add_no_entity(tmp_path: Path, version: str) -> None:
    event = draft(page_url="https://shop.example.com/?utm_source=botty")
    of_version(version, tmp_path)(event)
    assert event.entities == []


def test_a_database_in_yaml(tmp_path: Path) -> None:
    path = tmp_path / "referers.yml"
    path.write_text("search:\n  126:\n    parameters: [q]\n    domains:\n      - find.example  # a comment\n")
    assert read_database(path).by_domain["find.example"] == ("search", "126", frozenset({"q"}))
