"""``snowetl.testing``: requests as trackers send them, reasons people can read, the fixture in a project of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from snowetl.errors import ConfigError
from snowetl.testing import Pipeline, enrich, entity, event, hit, tp2

LOGIN = "iglu:com.acme/login/jsonschema/1-0-0"
USER = "7a3f7c1e-5d0b-4c55-9a3f-0d5f6a1b2c3d"
SCHEMA = {
    "self": {"vendor": "com.acme", "name": "login", "format": "jsonschema", "version": "1-0-0"},
    "type": "object",
    "properties": {"user": {"type": "string", "maxLength": 8}},
    "required": ["user"],
    "additionalProperties": False,
}


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    file = tmp_path / "iglu" / "schemas" / "com.acme" / "login" / "jsonschema" / "1-0-0"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(SCHEMA))
    return tmp_path / "iglu"


def test_a_page_view() -> None:
    result = enrich(hit())
    assert result.reasons() == []
    [made] = result.events
    assert (made["event"], made["platform"], made["user_ipaddress"]) == ("page_view", "web", "192.0.2.7")
    assert made["page_url"] is None


def test_a_hit_of_any_context() -> None:
    record = hit({"e": "se", "se_ca": "shop", "se_ac": "pay"}, ip="198.51.100.1", useragent=None, network_userid=USER)
    [made] = enrich(record).events
    assert (made["se_action"], made["user_ipaddress"], made["network_userid"]) == ("pay", "198.51.100.1", USER)


def test_self_describing_events_with_entities(schemas: Path) -> None:
    sent = event(LOGIN, {"user": "jo"}, [entity(LOGIN, {"user": "al"})], url="https://shop.example.com/")
    for record in (hit(sent), tp2(sent)):
        [made] = enrich(record, schemas=schemas).events
        assert made["page_url"] == "https://shop.example.com/"
        found = made.self_describing_event()
        assert found is not None and found.data == {"user": "jo"}
        assert [one.data for one in made.entities("iglu:com.acme/login/jsonschema/1-*-*")] == [{"user": "al"}]


def test_reasons_of_each_kind(schemas: Path) -> None:
    pipeline = Pipeline(schemas=schemas)
    wrong = pipeline.enrich(
        tp2(event(LOGIN, {"user": "somebody else"}), event(LOGIN, {"usr": "jo"}), event(LOGIN, {"user": "jo"}))
    )
    assert len(wrong.events) == 1
    assert wrong.reasons() == [
        f"schema_violations: {LOGIN}: $.user: may only be 8 characters long",
        f"schema_violations: {LOGIN}: $.user: is missing but it is required",
        f"schema_violations: {LOGIN}: $.usr: is not defined in the schema and the schema does not allow additional "
        "properties",
    ]
    [unknown] = pipeline.enrich(hit(event("iglu:com.acme/nothing/jsonschema/1-0-0", {}))).reasons()
    assert unknown.startswith("schema_violations: iglu:com.acme/nothing/jsonschema/1-0-0: ")
    [field] = pipeline.enrich(hit({"e": "tr", "tr_tt": "dear"})).reasons()
    assert field.startswith("enrichment_failures: tr_tt: ")
    [path] = pipeline.enrich(hit(path="/nobody")).reasons()
    assert path.startswith("collector_payload_format_violation: path: ")
    [adapter] = pipeline.enrich(hit(path="/com.nobody/v1")).reasons()
    assert adapter.startswith("adapter_failures: vendor/version: ")
    [body] = pipeline.enrich(tp2(body="{")).reasons()
    assert body.startswith("tracker_protocol_violations: body: ")


def test_size_violations_have_a_reason() -> None:
    [reason] = enrich(hit(), max_record_bytes=10).reasons()
    assert reason.startswith("size_violation: ")


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a static schema registry"):
        Pipeline(schemas=tmp_path)
    with pytest.raises(ConfigError, match="not both"):
        Pipeline(schemas=tmp_path, resolver={})
    with pytest.raises(ConfigError, match="not the URI of a schema"):
        event("login", {})


@pytest.mark.slow
def test_the_fixture_in_a_project_of_its_own(schemas: Path) -> None:
    project = schemas.parent
    (project / "pytest.ini").write_text("[pytest]\nsnowetl_schemas = iglu\n")
    (project / "test_plan.py").write_text(
        "from snowetl.testing import event, tp2\n\n\n"
        "def test_login(snowetl_enrich):\n"
        f"    result = snowetl_enrich(tp2(event('{LOGIN}', {{'user': 'jo'}})))\n"
        "    assert result.reasons() == []\n"
        "    assert result.events[0]['event_name'] == 'login'\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "snowetl.testing.plugin", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # it may be installed, too
    result = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout
