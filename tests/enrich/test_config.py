"""EnrichConfig: where it is read from, what is refused and how, what it gives to workers."""

from __future__ import annotations

import base64
import json
import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.enrichments.base import Step
from snowetl.errors import AssetError, ConfigError, RegistryUnavailable, SnowetlError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from tests.enrich.enrichments.support import FIXTURES, draft

SNOWPLOW = "com.snowplowanalytics.snowplow"


def config(name: str, version: str = "1-0-0", vendor: str = SNOWPLOW, enabled: Any = True, **parameters: Any) -> Any:
    data = {"vendor": vendor, "name": name, "enabled": enabled, "parameters": parameters}
    return {"schema": f"iglu:{vendor}/{name}/jsonschema/{version}", "data": data}


def container(*configs: Any, version: str = "1-0-0") -> Any:
    return {"schema": f"iglu:{SNOWPLOW}/enrichments/jsonschema/{version}", "data": list(configs)}


ANON_IP = config("anon_ip", anonOctets=2)
UA_UTILS = config("user_agent_utils_config")


def load(enrichments: Any, **options: Any) -> EnrichConfig:
    return EnrichConfig.load(enrichments=enrichments, input_format="thrift", etl_tstamp=0, **options)


def names(enrichments: Any, **options: Any) -> list[str]:
    return [conf.criterion.name for conf in load(enrichments, **options).enrichments]


def anything(folder: Path, *uris: str) -> Any:
    """A resolver that accepts any data under ``uris``."""
    for uri in uris:
        path = folder / "schemas" / uri.removeprefix("iglu:")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    repository = {"name": "Any", "priority": 0, "vendorPrefixes": [], "connection": {"embedded": {"path": str(folder)}}}
    schema = "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1"
    return {"schema": schema, "data": {"cacheSize": 9, "repositories": [repository]}}


# --- sources ------------------------------------------------------------------------------------------------------


def test_sources(tmp_path: Path) -> None:
    both = ["anon_ip", "user_agent_utils_config"]
    text = json.dumps(container(ANON_IP, UA_UTILS))
    url_safe = base64.urlsafe_b64encode(text.encode()).decode()
    file = tmp_path / "all.json"
    file.write_text(text)
    folder = tmp_path / "enrichments"
    folder.mkdir()
    (folder / "b.json").write_text(json.dumps(UA_UTILS))
    (folder / "a.json").write_text(json.dumps(ANON_IP))
    (folder / "README.md").write_text("not read")
    (folder / "deeper").mkdir()
    (folder / "deeper" / "c.json").write_text("not read")
    for source in (
        [ANON_IP, UA_UTILS],
        container(ANON_IP, UA_UTILS),
        text,
        json.dumps([ANON_IP, UA_UTILS]),
        f"\n {text}",
        url_safe,
        url_safe.rstrip("="),
        base64.b64encode(text.encode()).decode(),
        file,
        str(file),
        folder,
        str(folder),
        [container(ANON_IP), UA_UTILS],
    ):
        assert names(source) == both
    assert names(ANON_IP) == ["anon_ip"]
    assert names(None) == names([]) == names(container()) == []


def test_the_fixtures() -> None:
    loaded = load(str(FIXTURES / "enrichments"), resolver=str(FIXTURES / "resolver.json"))
    assert len(loaded.enrichments) == 7
    assert isinstance(loaded.resolver, ResolverConfig)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: str(folder / "nowhere"), ["the enrichments", "no file or folder", "nowhere"]),
        (lambda folder: folder / "nowhere.json", ["nowhere.json", "cannot be read"]),
        (lambda folder: folder, ["has no file *.json"]),
        (lambda folder: "", ["empty"]),
        (lambda folder: 7, ["nothing is given"]),
        (lambda folder: "{", ["the enrichments, line 1, column 2 is not JSON"]),
        (lambda folder: base64.b64encode(b'{"a":').decode(), ["the enrichments in base64, line 1, column 6 is not"]),
        (lambda folder: [7], ["the enrichments, enrichment 1", "INVALID_DATA_PAYLOAD", "anon_ip/jsonschema/1-0-0"]),
        (lambda folder: {"data": {}}, ["INVALID_DATA_PAYLOAD"]),
        (lambda folder: [ANON_IP | {"schema": "iglu:x"}], ["INVALID_IGLUURI"]),
        (lambda folder: [ANON_IP | {"schema": "iglu:a/b/jsonschema/0-0-1"}], ["INVALID_SCHEMAVER"]),
    ],
)
def test_unreadable_sources(tmp_path: Path, make: Any, words: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        load(make(tmp_path))
    assert all(word in str(error.value) for word in words), str(error.value)


def test_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(ANON_IP))
    (tmp_path / "b.json").write_text(json.dumps(config("anon_ip", anonOctets=9)))
    with pytest.raises(ConfigError) as error:
        load(tmp_path)
    assert str(error.value).startswith(f"{tmp_path / 'b.json'}, line 1: anon_ip: parameters.anonOctets: ")
    (tmp_path / "b.json").write_text("{\n]")
    with pytest.raises(ConfigError, match=r"b\.json, line 2, column 1 is not JSON"):
        load(tmp_path)
    (tmp_path / "b.json").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"b\.json, line 1: it is not UTF-8 text"):
        load(tmp_path)


def test_hocon_of_the_ecosystem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIND", "anon_ip")
    (tmp_path / "anon.hocon").write_text(
        f'''schema = "iglu:{SNOWPLOW}/anon_ip/jsonschema/1-0-0"  // comments are allowed
        data {{ vendor = "{SNOWPLOW}", name = ${{KIND}}, enabled = true, parameters.anonOctets = 3 }}'''
    )
    assert load(tmp_path).enrichments[0].octets == 3  # type: ignore[attr-defined]
    (tmp_path / "anon.hocon").write_text("schema = {{")
    with pytest.raises(ConfigError, match=r"anon\.hocon.* is not HOCON"):
        load(tmp_path)


# --- checks -------------------------------------------------------------------------------------------------------


def test_B8_all_problems_are_told_at_once_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(config("anon_ip", annonOctets=2), indent=2))
    (tmp_path / "b.json").write_text(json.dumps(config("anonip", anonOctets=2), indent=2))
    (tmp_path / "c.json").write_text(json.dumps(config("event_fingerprint_config", excludeParameters=[1])))
    (tmp_path / "d.json").write_text("{")
    (tmp_path / "e.json").write_text('{"a":\n1]')
    with pytest.raises(ConfigError) as error:
        load(tmp_path)
    assert str(error.value) == (
        "2 problems in the configuration:\n"
        f"  - {tmp_path}/d.json, line 1, column 2 is not JSON: exhausted input\n"
        f"  - {tmp_path}/e.json, line 2, column 2 is not JSON: expected }} or , got ']' (line 2, column 2)"
    )
    (tmp_path / "e.json").write_text(json.dumps(UA_UTILS))
    (tmp_path / "d.json").unlink()
    with pytest.raises(ConfigError) as error:
        load(tmp_path, on_registry_failure="perhaps", resolver={"schema": "x"})
    text = str(error.value)
    for problem in (
        f"{tmp_path}/a.json, line 8: anon_ip: parameters.annonOctets is unknown; did you mean anonOctets",
        f"{tmp_path}/a.json, line 7: anon_ip: parameters.anonOctets is missing",
        f"{tmp_path}/b.json, line 2: there is no enrichment anonip; did you mean anon_ip",
        f"{tmp_path}/c.json, line 1: event_fingerprint_config: parameters.hashAlgorithm is missing",
        f"{tmp_path}/c.json, line 1: event_fingerprint_config: parameters.excludeParameters[0]: integer found, string",
        "The resolver configuration is not self-describing",
        "on_registry_failure is 'perhaps'",
    ):
        assert problem in text, text
    assert '"error"' not in text


def test_B8_disabled_ones_never_block(caplog: pytest.LogCaptureFixture) -> None:
    wrong = config("anon_ip", enabled=False, anonOctets="many")
    later = config("sql_query_enrichment_config", enabled=False)
    unknown = config("from_the_future", "1-0-0", "com.acme", enabled=False)
    old = config("ip_lookups", "1-0-0", enabled=False)
    for source in ([wrong, UA_UTILS, later, unknown, old], container(UA_UTILS, wrong, later, unknown, old)):
        caplog.clear()
        assert names(source) == ["user_agent_utils_config"]
        assert "parameters.anonOctets: string found" in caplog.text


def test_schema_that_no_registry_has() -> None:
    newer = config("anon_ip", "1-0-77", anonOctets=2)
    with pytest.raises(ConfigError, match="no registry has the schema iglu:.*/anon_ip/jsonschema/1-0-77"):
        load([newer])


def test_misspelt_schema_name() -> None:
    with pytest.raises(ConfigError, match="enrichment 1: there is no enrichment anon_ipp; did you mean anon_ip$"):
        load([config("anon_ipp")])


def test_schemas_of_configurations_come_with_the_package(tmp_path: Path) -> None:
    assert names([ANON_IP], resolver=anything(tmp_path, "iglu:com.acme/other/jsonschema/1-0-0")) == ["anon_ip"]


@pytest.mark.slow
def test_registry_that_does_not_answer() -> None:
    http = {"uri": "http://127.0.0.1:9/"}
    repository = {"name": "Down", "priority": 0, "vendorPrefixes": [], "connection": {"http": http}}
    schema = "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1"
    resolver = {"schema": schema, "data": {"cacheSize": 9, "repositories": [repository]}}
    for answer in ("fail", "bad-rows"):
        with pytest.raises(RegistryUnavailable, match="Down.*or correct its address") as error:
            load([ANON_IP], resolver=resolver, on_registry_failure=answer)
        assert "--on-registry-failure" not in str(error.value)


def test_container_version(tmp_path: Path) -> None:
    resolver = anything(tmp_path, container(version="1-1-0")["schema"])
    with pytest.raises(ConfigError, match=r"Schema criterion .*/1-0-\* does not match schema .*/1-1-0"):
        load(container(ANON_IP, version="1-1-0"), resolver=resolver)
    with pytest.raises(ConfigError, match="object found, array expected"):
        load(container() | {"data": {}})


def test_unsupported_version(tmp_path: Path) -> None:
    lookups = config("ip_lookups", "1-0-0")
    resolver = anything(tmp_path, lookups["schema"])
    with pytest.raises(ConfigError) as error:
        load([lookups], resolver=resolver)
    assert (
        f"Schema key iglu:{SNOWPLOW}/ip_lookups/jsonschema/1-0-0 is not supported. A 'ip_lookups' enrichment must have "
        f"schema iglu:{SNOWPLOW}/ip_lookups/jsonschema/2-0-*."
    ) in str(error.value)
    disabled = config("ip_lookups", "1-0-0", enabled=False)
    assert names([disabled], resolver=resolver) == []


def test_an_enrichment_of_an_unknown_name() -> None:
    with pytest.raises(ConfigError) as error:
        load([UA_UTILS, config("yauaa_enrichment_confg"), config("from_the_future")])
    assert "enrichment 2: there is no enrichment yauaa_enrichment_confg; did you mean yauaa_" in str(error.value)
    assert "enrichment 3: there is no enrichment from_the_future" in str(error.value)


def test_of_two_of_one_kind_the_last_counts(caplog: pytest.LogCaptureFixture) -> None:
    loaded = load([config("anon_ip", anonOctets=1), UA_UTILS, config("anon_ip", anonOctets=3)])
    assert [conf.criterion.name for conf in loaded.enrichments] == ["anon_ip", "user_agent_utils_config"]
    assert loaded.enrichments[0].octets == 3  # type: ignore[attr-defined]
    assert "another configuration of anon_ip came before" in caplog.text


def test_parameters_that_pass_the_schema_only() -> None:
    with pytest.raises(ConfigError, match="Could not extract parameters.anonOctets as integer"):
        load([config("anon_ip", anonOctets=2.5)])


# --- files --------------------------------------------------------------------------------------------------------


@contextmanager
def steps_of(loaded: EnrichConfig) -> Iterator[dict[str, Step]]:
    with loaded.open(IgluClient(loaded.resolver, now=0)) as placed:
        yield {one.name: one.step for one in placed}


def geo(folder: Path, prefix: str = "file:") -> Any:
    return config("ip_lookups", "2-0-0", geo={"database": "GeoIP2-City.mmdb", "uri": f"{prefix}{folder}"})


def test_a_local_file_that_cannot_be_used_fails_at_once(tmp_path: Path) -> None:
    (tmp_path / "GeoIP2-City.mmdb").write_bytes(b"no database")
    with pytest.raises(AssetError, match="is not a MaxMind database"):
        load([geo(tmp_path)])


@pytest.mark.parametrize("prefix", ["file:", "file://", "FILE://"])
def test_local_files(prefix: str) -> None:
    loaded = load([geo(FIXTURES / "maxmind", prefix)])
    made = draft(user_ipaddress="198.18.0.7")
    with steps_of(loaded) as steps:
        steps["ip_lookups"](made)
    assert made.event["geo_city"] == "London"


def test_missing_files_and_files_from_elsewhere(tmp_path: Path) -> None:
    loaded = load([geo(tmp_path / "gone")])
    path = f"{tmp_path}/gone/GeoIP2-City.mmdb"
    uri = f"file:{path}"
    assert loaded.assets() == [(uri, "ip_geo")]
    missing = pytest.raises(AssetError, match=f"there is no file {path}, which the enrichment ip_lookups needs")
    with missing, steps_of(loaded):
        pass
    bound = loaded.with_assets({uri: FIXTURES / "maxmind" / "GeoIP2-City.mmdb"})
    assert bound.files == {uri: str(FIXTURES / "maxmind" / "GeoIP2-City.mmdb")}
    assert loaded.files == {}
    with steps_of(bound) as steps:
        assert list(steps) == ["ip_lookups"]


# --- options ------------------------------------------------------------------------------------------------------


def test_it_travels() -> None:
    loaded = load(FIXTURES / "enrichments", atomic_limits={"page_title": 10}, accept_invalid=True)
    assert pickle.loads(pickle.dumps(loaded)) == loaded
    with pytest.raises(AttributeError):
        loaded.etl_tstamp = 1  # type: ignore[misc]


def test_time() -> None:
    def millis(given: Any) -> int:
        return EnrichConfig.load(input_format="thrift", etl_tstamp=given).etl_tstamp

    assert millis(5) == 5
    assert millis(datetime(1970, 1, 1, 0, 0, 1, 234_000, tzinfo=UTC)) == 1234
    assert millis(datetime(1970, 1, 1, 0, 0, 1)) == 1000
    assert millis(datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == 0
    assert abs(millis(None) - time.time() * 1000) < 60_000


def test_defaults() -> None:
    loaded = EnrichConfig.load(input_format="thrift")
    assert loaded.resolver == ResolverConfig.default()
    assert loaded.processor[0] == "snowetl"
    assert (loaded.accept_invalid, loaded.legacy_enrichment_order, loaded.try_base64) == (False, False, False)
    with pytest.raises(ConfigError, match="on_registry_failure is 'perhaps'"):
        load(None, on_registry_failure="perhaps")


def test_any_text_as_source() -> None:
    for text in ("x", "\0", "a" * 10_000, "s3://bucket/enrichments", "[", "{}", "[[]]", "e30=", "W10="):
        try:
            load(text)
        except SnowetlError as error:
            assert len(str(error)) < 2_000
