"""What later releases of the reference changed: each switch alone, and by its era; and what is always on."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from snowetl.enrich.compatibility import CHECK, DEFAULT_ERA, ERAS, SKIP, SWITCHES, Compatibility
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments.base import Place
from snowetl.enrich.event_id import Place as Where
from snowetl.enrich.event_id import RecordPlace
from snowetl.enrich.manager import EnrichmentManager
from snowetl.enrich.self_describing import EntityValidator
from snowetl.enrich.steps import PlacedStep
from snowetl.errors import ConfigError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import Repository, ResolverConfig
from snowetl.model.badrow import Origin
from snowetl.model.event import EnrichedEvent
from snowetl.model.payload import CollectorPayload, RawEvent
from snowetl.steps.settings import EnrichSettings, ExplainSettings
from snowetl.testing import Result, enrich, entity, event, hit, tp2
from snowetl.testing.requests import record

IAB = "iglu:com.iab.snowplow/spiders_and_robots/jsonschema"
ANYTHING: dict[str, Any] = {"type": "object"}
ALTERNATIVES: dict[str, Any] = {
    "atomic_limits": "6",
    "webhook_schemas": "6",
    "violations": "one-bad-row",
    "max_json_depth": 3,
    "iab_unknown_clients": SKIP,
}
"""For each switch a value that is not its default."""


def registry(folder: Path, *uris: str, schema: dict[str, Any] | None = None) -> Path:
    """A static registry whose schemas take any object."""
    for uri in uris:
        vendor, name, format_, version = uri.removeprefix("iglu:").split("/")
        described = {"self": {"vendor": vendor, "name": name, "format": format_, "version": version}}
        path = folder / "schemas" / vendor / name / format_ / version
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**described, **(ANYTHING if schema is None else schema)}))
    return folder


# --- eras and switches ------------------------------------------------------------------------------------------------


def test_every_switch_has_a_value_in_every_era_and_a_setting() -> None:
    for switch in SWITCHES:
        assert set(switch.values) == set(ERAS)
        assert not switch.choices or set(switch.values.values()) <= set(switch.choices)
        assert EnrichSettings.option(switch.name).shapes_output
        assert ExplainSettings.option(switch.name)
    assert [switch.name for switch in SWITCHES] == [field.name for field in fields(Compatibility)] == [*ALTERNATIVES]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
def test_a_switch_beats_the_era_and_leaves_the_others(switch: Any, era: str) -> None:
    of_era = Compatibility.of(era)
    assert getattr(of_era, switch.name) == switch.values[era]
    changed = Compatibility.of(era, **{switch.name: ALTERNATIVES[switch.name]})
    assert changed == replace(of_era, **{switch.name: ALTERNATIVES[switch.name]})


@pytest.mark.parametrize(
    ("era", "given", "told"),
    [
        ("4", {}, "compatibility is '4'; it must be 3.9 or 6"),
        ("6", {"iab": CHECK}, "there is no switch iab; there are atomic_limits"),
        ("6", {"iab_unknown_clients": "maybe"}, "iab_unknown_clients is 'maybe'; it must be check or skip"),
        ("6", {"max_json_depth": True}, "max_json_depth is True; it must be a whole number, 1 or more"),
    ],
)
def test_what_is_no_era_and_no_switch_is_refused(era: str, given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Compatibility.of(era, **given)


def test_settings_take_an_era_and_switches_as_files_write_them() -> None:
    def eras(**given: Any) -> Compatibility:
        values = {key.replace("_", "-"): value for key, value in given.items()}
        return ExplainSettings.from_mapping(
            {"record": "-", "iglu-config": "{}", "input-format": "thrift", **values}
        ).eras

    assert eras() == Compatibility.of(DEFAULT_ERA)
    assert eras(compatibility=6) == Compatibility.of("6")  # a number in YAML
    assert eras(compatibility=3.9, atomic_limits=6) == Compatibility.of("3.9", atomic_limits="6")
    assert eras(compatibility="6", max_json_depth=100) == Compatibility.of("6", max_json_depth=100)
    assert eras(compatibility="6", atomic_limits='{"page_url": 9000}') == Compatibility.of("6")


@pytest.mark.parametrize("name", ["compatibility", *ALTERNATIVES])
def test_the_fingerprint_knows_each_switch(name: str) -> None:
    made = EnrichSettings(
        input_folder="in", output_folder="out", bad_folder="bad", iglu_config={}, input_format="thrift"
    )
    changed = replace(made, **{name: {**ALTERNATIVES, "compatibility": "6"}[name]})
    assert made.fingerprint().differences(changed.fingerprint()) == [name.replace("_", "-")]


# --- each switch through the corridor ---------------------------------------------------------------------------------


def both(name: str, older: Any, later: Any) -> list[Any]:
    """(configuration, whether it is like later releases) by era, and by the switch against its era."""
    return [
        pytest.param(Compatibility.of("3.9"), False, id="era 3.9"),
        pytest.param(Compatibility.of("6"), True, id="era 6"),
        pytest.param(Compatibility.of("3.9", **{name: later}), True, id="3.9 with the switch"),
        pytest.param(Compatibility.of("6", **{name: older}), False, id="6 without"),
    ]


@pytest.mark.parametrize(("era", "is_later"), both("atomic_limits", "3.9", "6"))
def test_atomic_limits(era: Compatibility, is_later: bool) -> None:
    def long(length: int, **options: Any) -> Result:
        return enrich(hit({"e": "pv", "url": "https://a.io/?" + "x" * (length - 14)}), compatibility=era, **options)

    longer = long(4_097)
    assert len(longer.events) == is_later
    if not is_later:
        assert "Field page_url longer than maximum allowed size 4096" in "".join(longer.reasons())
    else:
        assert "Field page_url longer than maximum allowed size 10000" in "".join(long(10_001).reasons())
    assert long(4_096).reasons() == []
    assert long(5_000, atomic_limits={"page_url": 5_000}).reasons() == []  # one's own come on top


@pytest.mark.parametrize(("era", "is_later"), both("webhook_schemas", "3.9", "6"))
def test_webhook_schemas(tmp_path: Path, era: Compatibility, is_later: bool) -> None:
    versions = {
        "message_delayed": ("1-0-1", "1-0-2"),
        "message_opened": ("1-0-1", "1-0-3"),
        "message_sent": ("1-0-0", "1-0-1"),
        "message_delivered": ("1-0-0",),
    }
    uris = [f"iglu:com.mandrill/{name}/jsonschema/{one}" for name, every in versions.items() for one in every]

    def mandrill(*types: str) -> Result:
        body = "mandrill_events=" + quote(json.dumps([{"event": type_, "_id": "i"} for type_ in types]))
        request = record(path="/com.mandrill/v1", body=body, content_type="application/x-www-form-urlencoded")
        return enrich(request, schemas=registry(tmp_path, *uris), compatibility=era)

    got = [(one["event_name"], one["event_version"]) for one in mandrill("deferral", "open", "send").events]
    assert got == [(name, versions[name][is_later]) for name in ("message_delayed", "message_opened", "message_sent")]
    delivered = mandrill("delivered")
    assert [one["event_name"] for one in delivered.events] == (["message_delivered"] if is_later else [])
    assert [row.type for row in delivered.bad_rows] == ([] if is_later else ["adapter_failures"])


def test_a_schema_of_later_releases_may_be_named_in_any_era(tmp_path: Path) -> None:
    uri = "iglu:com.acme/delivered/jsonschema/1-0-0"
    body = "mandrill_events=" + quote(json.dumps([{"event": "delivered"}]))
    request = record(path="/com.mandrill/v1", body=body, content_type="application/x-www-form-urlencoded")
    result = enrich(request, schemas=registry(tmp_path, uri), adapter_schemas={"mandrill": {"message_delivered": uri}})
    assert [one["event_name"] for one in result.events] == ["delivered"]


def nested(levels: int) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for _ in range(levels - 1):
        data = {"a": data}
    return data


@pytest.mark.parametrize("where", ["unstruct_event", "contexts"])
@pytest.mark.parametrize(("era", "is_later"), both("max_json_depth", 10_240, 40))
def test_max_json_depth(tmp_path: Path, era: Compatibility, is_later: bool, where: str) -> None:
    uri = "iglu:com.acme/deep/jsonschema/1-0-0"
    folder = registry(tmp_path, uri)

    def deep(levels: int) -> Result:
        if where == "contexts":  # {"data": [{"data": …}]}
            return enrich(tp2(event(uri, {}, [entity(uri, nested(levels - 3))])), schemas=folder, compatibility=era)
        return enrich(tp2(event(uri, nested(levels - 2))), schemas=folder, compatibility=era)

    assert deep(40).reasons() == []
    deeper = deep(41)
    assert [row.type for row in deeper.bad_rows] == (["schema_violations"] if is_later else [])
    if is_later:
        [message] = deeper.bad_rows[0].data["failure"]["messages"]
        assert message["field"] == where and message["error"] == "Maximum allowed JSON depth exceeded"


@pytest.mark.parametrize(("era", "is_later"), both("violations", "by-kind", "one-bad-row"))
def test_violations(era: Compatibility, is_later: bool) -> None:
    faulty = {"e": "ue", "p": "web", "tid": "x", "ue_pr": "{}"}
    [row] = enrich(hit(faulty), compatibility=era).bad_rows
    assert row.type == ("schema_violations" if is_later else "enrichment_failures")
    told = json.dumps(row.data["failure"])
    assert ("txn_id" if is_later else "tid") in told and ("INVALID_DATA_PAYLOAD" in told) == is_later
    [row] = enrich(hit({"e": "pv", "p": "web", "tv": "x" * 101}), compatibility=era).bad_rows
    assert row.type == ("schema_violations" if is_later else "enrichment_failures")


INCLUDED, EXCLUDED = "Kettle|1|0", "bot|1||0|2|0"


@pytest.fixture
def iab(tmp_path: Path) -> dict[str, Any]:
    files = {
        "ipFile": ("ip_exclude_current_cidr.txt", "198.51.100.7"),
        "includeUseragentFile": ("include_current.txt", INCLUDED),
        "excludeUseragentFile": ("exclude_current.txt", EXCLUDED),
    }
    parameters: dict[str, Any] = {}
    for kind, (database, content) in files.items():
        (tmp_path / database).write_text(content)
        parameters[kind] = {"uri": tmp_path.as_uri(), "database": database}
    parameters |= {"includeUseragents": ["friend"], "excludeUseragents": ["foe"]}
    data = {
        "vendor": "com.snowplowanalytics.snowplow.enrichments",
        "name": "iab_spiders_and_robots_enrichment",
        "enabled": True,
        "parameters": parameters,
    }
    name = "iab_spiders_and_robots_enrichment"
    return {"schema": f"iglu:com.snowplowanalytics.snowplow.enrichments/{name}/jsonschema/1-0-1", "data": data}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("value", [None, CHECK, SKIP])
@pytest.mark.parametrize(
    ("ip", "agent", "found"),
    [
        ("unknown", "Kettle/1", "PASSED_ALL"),
        ("", "Kettle bot", "FAILED_UA_EXCLUDE"),
        ("host.example", "Mozilla", "FAILED_UA_INCLUDE"),
        ("unknown", "foe of Kettle", "FAILED_UA_EXCLUDE"),
        ("unknown", "a friendly bot", "PASSED_ALL"),
        ("198.51.100.7", None, "FAILED_IP_EXCLUDE"),
        ("192.0.2.1", None, "PASSED_ALL"),
        ("192.0.2.1", "  ", "PASSED_ALL"),
        ("unknown", None, "PASSED_ALL"),
    ],
)
def test_iab_unknown_clients(
    iab: dict[str, Any], ip: str, agent: str | None, found: str, value: str | None, era: str
) -> None:
    compatibility = Compatibility.of(era, iab_unknown_clients=value)
    result = enrich(hit(ip=ip, useragent=agent), enrichments=[iab], compatibility=compatibility)
    [one] = result.events
    reasons = [each.data["reason"] for each in one.entities(f"{IAB}/1-*-*")]
    assert reasons == ([] if value == SKIP else [found])


def test_a_known_client_is_judged_as_ever(iab: dict[str, Any]) -> None:
    for value in (CHECK, SKIP):
        compatibility = Compatibility.of(iab_unknown_clients=value)
        [one] = enrich(hit(useragent="Kettle/1"), enrichments=[iab], compatibility=compatibility).events
        assert [each.data["reason"] for each in one.entities(f"{IAB}/1-*-*")] == ["PASSED_ALL"]


# --- always on --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("era", ERAS)
def test_headset_is_a_platform(era: str) -> None:
    [one] = enrich(hit({"e": "pv", "p": "headset"}), compatibility=era).events
    assert one["platform"] == "headset"


@pytest.mark.parametrize("era", ERAS)
def test_cookies_are_found_in_headers_of_any_case(era: str) -> None:
    name = "cookie_extractor_config"
    data = {
        "vendor": "com.snowplowanalytics.snowplow",
        "name": name,
        "enabled": True,
        "parameters": {"cookies": ["sp"]},
    }
    config = {"schema": f"iglu:com.snowplowanalytics.snowplow/{name}/jsonschema/1-0-0", "data": data}
    headers = ["cookie: sp=1; a=b", "Cookie: sp=2"]
    [one] = enrich(hit(headers=headers), enrichments=[config], compatibility=era).events
    cookies = [each.data["value"] for each in one.entities("iglu:org.ietf/http_cookie/jsonschema/1-*-*")]
    assert cookies == ["1", "2"]


def test_an_entity_of_an_enrichment_whose_schema_is_superseded_is_noted(tmp_path: Path) -> None:
    uri, newer = "iglu:com.acme/found/jsonschema/1-0-0", "iglu:com.acme/found/jsonschema/1-0-1"
    folder = registry(tmp_path, newer)
    registry(folder, uri, schema={"type": "string", "$supersededBy": "1-0-1"})
    repository = Repository("test", 0, (), uri=folder.as_uri())
    client = IgluClient(ResolverConfig((*ResolverConfig.default().repositories, repository)), now=0)
    invalid, notes = EntityValidator(client).check([Entity(uri, json.dumps({"schema": uri, "data": {}}))] * 2)
    assert invalid == []
    note = {"originalSchema": uri, "validatedWith": "1-0-1"}
    assert [json.loads(one.json)["data"] for one in notes] == [note, note]

    def add(draft: Draft) -> None:
        draft.add(*[Entity(uri, json.dumps({"schema": uri, "data": {"n": n}})) for n in range(2)])

    manager = EnrichmentManager(client, Origin("a", "1", 0), [PlacedStep("finder", Place(115), add)])
    payload = CollectorPayload("v", "v", [], None, None, "c", "UTF-8", None, 0, None, None, None)
    base, faults = manager.set_up(payload)
    [one] = manager.enrich(RawEvent(payload, {"e": "pv", "p": "web"}), base, faults, Where(RecordPlace(b"")))
    assert isinstance(one, EnrichedEvent)
    found = [(each.schema.name, each.data) for each in one.entities()]
    assert found == [("found", {"n": 0}), ("found", {"n": 1}), ("validation_info", note)]


def test_the_page_of_the_docs_tells_every_switch() -> None:
    page = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text("utf-8")
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `--")}
    assert list(rows) == [EnrichSettings.option(switch.name).flag for switch in SWITCHES]
    for switch, row in zip(SWITCHES, rows.values(), strict=True):
        assert row.endswith(" | ".join(f"`{switch.values[era]}`" for era in ERAS) + " |")
        assert f"| {switch.release} |" in row
