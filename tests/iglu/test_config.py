"""Resolver configurations: every source, every fault named."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import ConfigError
from snowetl.iglu.config import Repository, ResolverConfig

_SCHEMA = "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3"


def _config(*repositories: Any, schema: str = _SCHEMA, **data: Any) -> dict[str, Any]:
    return {"schema": schema, "data": {"cacheSize": 500, "repositories": list(repositories), **data}}


def _http(name: str = "Central", uri: Any = "http://iglucentral.com", **more: Any) -> dict[str, Any]:
    return {"name": name, "priority": 0, "vendorPrefixes": ["com.acme"], "connection": {"http": {"uri": uri}}, **more}


_PARSED = ResolverConfig((Repository("Central", 0, ("com.acme",), uri="http://iglucentral.com"),), 500, None)


def test_sources(tmp_path: Path) -> None:
    obj = _config(_http())
    text = json.dumps(obj)
    file = tmp_path / "resolver.json"
    file.write_text(text, "utf-8")
    encoded = base64.urlsafe_b64encode(text.encode()).decode()
    for source in (obj, text, "  " + text, file, str(file), encoded, encoded.rstrip("="), encoded + "\n", _PARSED):
        assert ResolverConfig.load(source) == _PARSED


def test_hocon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyhocon")
    monkeypatch.setenv("IGLU", "http://iglucentral.com")
    file = tmp_path / "resolver.hocon"
    file.write_text(
        f'''schema = "{_SCHEMA}"  // the one of today
        data {{
          cacheSize = 500
          repositories = [
            {{ name = Central, priority = 0, vendorPrefixes = ["com.acme"], connection.http.uri = ${{IGLU}} }}
          ]
        }}'''
    )
    assert ResolverConfig.load(file) == ResolverConfig.load(str(file)) == _PARSED


def test_it_travels_to_workers() -> None:
    config = ResolverConfig.parse(_config(_http()))
    assert pickle.loads(pickle.dumps(config)) == config


def test_the_key_is_not_shown() -> None:
    http = {"uri": "https://iglu.acme.com/api", "apikey": "very-secret"}
    config = ResolverConfig.parse(_config(_http(connection={"http": http})))
    assert config.repositories[0].apikey == "very-secret"
    assert "very-secret" not in repr(config)


@pytest.mark.parametrize(
    "more", [{"cacheTtl": None}, {"cacheTtl": 10}, {"cacheTtl": 0}, {"cacheSize": 0}, {"unknown": 1}]
)
def test_what_is_accepted(more: dict[str, Any]) -> None:
    config = ResolverConfig.parse(_config(**more))
    assert config.cache_ttl == more.get("cacheTtl")
    assert config.cache_size == more.get("cacheSize", 500)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ([], "INVALID_DATA_PAYLOAD"),
        ({"schema": _SCHEMA}, "INVALID_DATA_PAYLOAD"),
        (_config(schema="iglu:x"), "INVALID_IGLUURI"),
        (_config(schema=_SCHEMA.replace("1-0-3", "01-0-0")), "INVALID_SCHEMAVER"),
        (
            _config(schema=_SCHEMA.replace("1-0-3", "1-1-0")),
            "Schema SchemaKey(com.snowplowanalytics.iglu,resolver-config,jsonschema,Full(1,1,0)) does not match "
            "criterion iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-*",
        ),
        (_config(cacheSize="many"), "data.cacheSize in the resolver configuration must be an integer"),
        (_config(cacheSize=1.5), "data.cacheSize"),
        (_config(cacheSize=None), "data.cacheSize is missing"),
        (_config(cacheTtl=True), "data.cacheTtl"),
        ({"schema": _SCHEMA, "data": []}, "data in the resolver configuration must be an object"),
        (_config(repositories={}), "data.repositories in the resolver configuration must be an array"),
        (_config(1), "data.repositories[0] in the resolver configuration must be an object"),
        (_config({"name": "x"}), "data.repositories[0].priority is missing"),
        (_config(_http(name=5)), "data.repositories[0].name in the resolver configuration must be text"),
        (_config(_http(vendorPrefixes=[1])), "vendorPrefixes in the resolver configuration must be an array of texts"),
        (_config(_http(connection={})), "data.repositories[0].connection.http is missing"),
        (_config(_http(connection={"http": {}})), "connection.http.uri is missing"),
        (_config(_http(uri="http://a b")), "Provided URI string violates RFC 2396: [Illegal character"),
        (_config(_http(uri="iglucentral.com")), "must begin with http://"),
        (
            _config(_http(), _http()),
            "Repository names must be unique, Central encountered List(Central, Central) times",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_faults(config: Any, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ResolverConfig.parse(config)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "missing"),
        (None, "missing"),
        ("no/such/file.json", "there is no file or folder no/such/file.json"),
        ("{", "line 1, column 2 is not JSON: exhausted input"),
        (base64.b64encode(b"not json").decode(), "neither JSON nor JSON in base64"),
        (base64.b64encode(b"{").decode(), "in base64, line 1, column 2 is not JSON"),
        ("x" * 5000, "there is no file or folder xxx"),
    ],
)
def test_sources_that_are_none(source: Any, says: str) -> None:
    with pytest.raises(ConfigError, match="^.*" + says):
        ResolverConfig.load(source)


def test_B8_all_problems_of_a_resolver_are_told_at_once(tmp_path: Path) -> None:
    config = _config(_http(uri="ftp://x"), {"nam": "A", "priority": "high", "vendorPrefixes": [], "connection": {}})
    config["data"]["cachSize"] = config["data"].pop("cacheSize")
    file = tmp_path / "resolver.json"
    file.write_text(json.dumps(config))
    with pytest.raises(ConfigError) as caught:
        ResolverConfig.load(file)
    told = [line.partition(" in the resolver configuration")[0] for line in str(caught.value).splitlines()[1:-1]]
    assert told == [
        f"  - {file}: data.cacheSize is missing",
        f"  - {file}: data.repositories[0].connection.http.uri",
        f"  - {file}: data.repositories[1].name is missing",
        f"  - {file}: data.repositories[1].priority",
        f"  - {file}: data.repositories[1].connection.http is missing",
    ]
    assert "cachSize is unknown; did you mean cacheSize?" in str(caught.value)


def test_a_key_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IGLU_KEY", "8e35f3a2")
    http = {"uri": "http://registry.acme.com/api", "apikey": "${IGLU_KEY}"}
    loaded = ResolverConfig.load(json.dumps(_config(_http(connection={"http": http}))))
    assert loaded.repositories[0].apikey == "8e35f3a2"


def test_a_file_with_a_fault_is_named(tmp_path: Path) -> None:
    file = tmp_path / "resolver.json"
    file.write_text(json.dumps(_config(cacheSize="x")), "utf-8")
    with pytest.raises(ConfigError, match="resolver.json: data.cacheSize"):
        ResolverConfig.load(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="line 1: it is not UTF-8 text"):
        ResolverConfig.load(str(file))
