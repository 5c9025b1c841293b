"""A folder of enrichments of whatever year starts, or one message says all that has to change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snowetl.enrich import configurations
from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.enrichments import registered
from snowetl.errors import ConfigError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.model.schema import SchemaKey
from snowetl.problems import Problems
from tests.enrich.stock import PARAMETERS, configuration, versions

CENTRAL = Path(__file__).parents[3] / "shared" / "iglu-central" / "schemas"
BATCH_FOLDERS = {
    "of 2016": {"ip_lookups": "1-0-0", "referer_parser": "1-0-0", "pii_enrichment_config": "1-0-0"},
    "of 2020": {"ip_lookups": "2-0-0", "referer_parser": "2-0-0", "pii_enrichment_config": "2-0-0"},
}
"""Folders of one year each: the versions in which they differ."""

IP_LOOKUPS = (
    "Schema key iglu:com.snowplowanalytics.snowplow/ip_lookups/jsonschema/1-0-0 is not supported. A 'ip_lookups' "
    "enrichment must have schema iglu:com.snowplowanalytics.snowplow/ip_lookups/jsonschema/2-0-*. Version 1-0-0 names "
    "databases of MaxMind's first format (.dat), which MaxMind no longer makes. Write 2-0-0, with current databases "
    "(.mmdb): geo takes GeoLite2-City.mmdb or GeoIP2-City.mmdb; isp takes GeoIP2-ISP.mmdb; organization goes: isp with "
    "GeoIP2-ISP.mmdb fills ip_organization; domain takes GeoIP2-Domain.mmdb; netspeed is named connectionType and "
    "takes GeoIP2-Connection-Type.mmdb"
)
REFERER_PARSER = (
    "Schema key iglu:com.snowplowanalytics.snowplow/referer_parser/jsonschema/1-0-0 is not supported. A "
    "'referer_parser' enrichment must have schema iglu:com.snowplowanalytics.snowplow/referer_parser/jsonschema/2-0-*. "
    "Version 1-0-0 names no database, and this package brings none. "
    "Write 2-0-0, with 'database' and 'uri' beside internalDomains: "
    '"database": "referers-latest.json", '
    '"uri": "https://s3-eu-west-1.amazonaws.com/snowplow-hosted-assets/third-party/referer-parser/" is the one '
    "Snowplow hosts"
)
TO_CHANGE = {("ip_lookups", "1-0-0"): IP_LOOKUPS, ("referer_parser", "1-0-0"): REFERER_PARSER}


def load(source: Any) -> EnrichConfig:
    return EnrichConfig.load(enrichments=source, input_format="thrift", etl_tstamp=0)


@pytest.mark.parametrize(("vendor", "name", "version"), versions())
def test_each_version_starts_or_says_what_to_change(vendor: str, name: str, version: str) -> None:
    one = configuration(vendor, name, version)
    if (name, version) in TO_CHANGE:
        with pytest.raises(ConfigError) as error:
            load(one)
        assert str(error.value) == f"the enrichments: {TO_CHANGE[name, version]}"
        return
    config = load(one)
    [loaded] = config.enrichments
    assert (loaded.criterion.name, loaded.schema_key) == (name, SchemaKey.parse(one["schema"]))
    needs = loaded.needs()
    if not needs.lookups and all(asset.uri.startswith("file:") for asset in needs.files):
        with config.open(IgluClient(ResolverConfig.default(), now=0)) as steps:
            assert [step.name for step in steps] == [name]


@pytest.mark.shared
@pytest.mark.skipif(not CENTRAL.is_dir(), reason="needs ../shared/iglu-central")
def test_no_published_version_is_forgotten() -> None:
    published = {
        tuple(path.relative_to(CENTRAL).parts[place] for place in (0, 1, 3))
        for vendor, name in PARAMETERS
        for path in (CENTRAL / vendor / name / "jsonschema").iterdir()
    }
    of_enrichments = {path.name for path in (CENTRAL / "com.snowplowanalytics.snowplow.enrichments").iterdir()}
    assert published <= set(versions())
    assert of_enrichments <= {name for _, name in PARAMETERS}
    ours = {"extra_api_request_enrichment_config", "event_specifications"}
    assert set(registered()) - ours <= {name for _, name in PARAMETERS}


@pytest.mark.shared
@pytest.mark.skipif(not CENTRAL.is_dir(), reason="needs ../shared/iglu-central")
def test_each_is_valid_by_the_public_schema() -> None:
    """So that the table above holds what people can have."""
    central = ResolverConfig.load(
        {
            "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-1",
            "data": {
                "cacheSize": 500,
                "repositories": [
                    {
                        "name": "Iglu Central",
                        "priority": 0,
                        "vendorPrefixes": [],
                        "connection": {"embedded": {"path": str(CENTRAL.parent)}},
                    }
                ],
            },
        }
    )
    problems = Problems()
    for vendor, name, version in versions():
        with problems.gathered():
            configurations.load(configuration(vendor, name, version), central, 0)
    with pytest.raises(ConfigError) as error:
        problems.check()
    assert len(error.value.problems) == len(TO_CHANGE), error.value


@pytest.mark.parametrize("year", BATCH_FOLDERS)
def test_a_whole_folder(tmp_path: Path, year: str) -> None:
    chosen = {(vendor, name): BATCH_FOLDERS[year].get(name, min(found)) for (vendor, name), found in PARAMETERS.items()}
    for (vendor, name), version in chosen.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(configuration(vendor, name, version), indent=2))
    to_change = [
        TO_CHANGE[one] for one in ((name, version) for (_, name), version in chosen.items()) if one in TO_CHANGE
    ]
    if not to_change:
        assert len(load(tmp_path).enrichments) == len(PARAMETERS)
        return
    with pytest.raises(ConfigError) as error:
        load(tmp_path)
    assert str(error.value).startswith(f"{len(to_change)} problems in the configuration:\n")
    assert all(f"{text}" in str(error.value) for text in to_change)
    assert f"{tmp_path / 'ip_lookups.json'}, line 2: " in str(error.value)


def test_a_folder_in_hocon_is_the_same(tmp_path: Path) -> None:
    pytest.importorskip("pyhocon")
    for vendor, name in PARAMETERS:
        one = configuration(vendor, name, max(PARAMETERS[vendor, name]))
        for kind, text in (
            ("json", json.dumps(one)),
            ("hocon", f'// {name}\nschema = "{one["schema"]}" # its version\ndata {json.dumps(one["data"], indent=1)}'),
        ):
            (tmp_path / kind).mkdir(exist_ok=True)
            (tmp_path / kind / f"{name}.{kind}").write_text(text)
    loaded = load(tmp_path / "hocon").enrichments
    assert loaded == load(tmp_path / "json").enrichments and len(loaded) == len(PARAMETERS)


def test_disabled_ones_of_old_stop_nothing(tmp_path: Path) -> None:
    for vendor, name, version in versions():
        (tmp_path / f"{name}-{version}.json").write_text(
            json.dumps(configuration(vendor, name, version, enabled=False))
        )
    assert load(tmp_path).enrichments == ()


def test_pii_without_salt_hashes_without_salt(caplog: pytest.LogCaptureFixture) -> None:
    from snowetl.enrich.enrichments.pii_pseudonymization import PiiConf

    [conf] = load(
        configuration("com.snowplowanalytics.snowplow.enrichments", "pii_enrichment_config", "1-0-0")
    ).enrichments
    assert isinstance(conf, PiiConf)
    assert (conf.salt, conf.emits, conf.hash) == ("", False, "SHA-256")
    assert "pii_enrichment_config/jsonschema/1-0-0 is read as" in caplog.text
