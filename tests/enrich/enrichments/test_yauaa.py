"""yauaa: keys of agents and hints, the step on a table, the real library where Java and its jars are to be had."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snowetl.enrich.enrichments import yauaa_jars, yauaa_library
from snowetl.enrich.enrichments.yauaa import Agents, key_of, schema_of
from snowetl.enrich.enrichments.yauaa_jars import JARS_VARIABLE
from snowetl.errors import ConfigError, LookupFailed
from snowetl.jvm import jsontext
from snowetl.model.event import EMPTY
from snowetl.model.schema import SchemaKey
from tests.enrich.enrichments.support import conf, draft, opened, services

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/106.0.0.0 Safari/537.36"
)
VERSIONS = 'Sec-CH-UA-Full-Version-List: "Chromium";v="106.0.5249.119", "Google Chrome";v="106.0.5249.119"'
OVERLONG = "/" * 2049


def hints(key: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(key.partition("\n")[2] or "{}")
    return found


# --- keys -----------------------------------------------------------------------------------------------------------


def test_a_key_is_the_agent_and_its_hints() -> None:
    headers = ["Host: shop.example", "sec-ch-ua-MOBILE:   ?0", VERSIONS, "Sec-CH-UA-Arch:x86", "Sec-CH-Prefers: dark"]
    key = key_of(CHROME, headers)
    assert key.partition("\n")[0] == CHROME
    assert hints(key) == {"sec-ch-ua-mobile": "?0", "sec-ch-ua-full-version-list": VERSIONS.partition(": ")[2]}
    assert key == key_of(CHROME, headers[::-1])
    assert key_of(CHROME, ["Host: x", "User-Agent: other"]) == CHROME


@pytest.mark.parametrize("agent", ["", EMPTY])
def test_without_an_agent_hints_do_not_count(agent: str) -> None:
    assert key_of(agent, [VERSIONS]) == ""


def test_of_equal_names_the_last_counts() -> None:
    assert hints(key_of("a", ["Sec-CH-UA: 1", "Sec-CH-UA: 2"])) == {"sec-ch-ua": "2"}
    assert hints(key_of("a", ["Sec-CH-UA: 1", "sec-ch-ua: 2", "Sec-CH-UA: 3"])) == {"sec-ch-ua": "2"}


def test_names_that_differ_by_case_come_in_the_order_of_a_scala_map() -> None:
    assert key_of("column", ["user-agent: header"]) == "column"
    assert key_of("column", ["User-Agent: x", "user-agent: header"]) == "header"
    many = [f"h{number}: x" for number in range(8)]
    assert key_of("column", [*many, "user-agent: header"]) == key_of("column", ["user-agent: header", *many])


def test_keys_are_short_whatever_an_event_holds() -> None:
    assert key_of("x" * 2048, []) == "x" * 2048
    assert key_of("x" * 1_000_000, []) == OVERLONG
    assert key_of(CHROME, [f"Sec-CH-UA: {'x' * 1025}", f"Sec-CH-UA-Model: {'x' * 1024}"]).count("x") < 1100
    assert key_of("/a" * 33, []) == OVERLONG
    assert key_of("a/1 " * 200, []) == "a/1 " * 200


def test_the_useragent_column_is_asked_for() -> None:
    assert Agents().key(draft(headers=[VERSIONS], useragent="a")) == key_of("a", [VERSIONS])
    assert Agents().columns == ("useragent",)


# --- configuration and step -----------------------------------------------------------------------------------------


def test_parameters_are_optional() -> None:
    assert conf("yauaa_enrichment_config").cache_size is None  # type: ignore[attr-defined]
    assert conf("yauaa_enrichment_config", cacheSize=5).cache_size == 5  # type: ignore[attr-defined]
    kind = type(conf("yauaa_enrichment_config"))
    assert kind.parse(SchemaKey.parse("iglu:a/b/jsonschema/1-0-0"), {}).needs().extras == (("yauaa", "py4j"),)
    with pytest.raises(ConfigError, match="cacheSize as integer"):
        conf("yauaa_enrichment_config", cacheSize="many")


def test_the_step_adds_what_the_table_says() -> None:
    text = '{"schema":"iglu:nl.basjes/yauaa_context/jsonschema/1-0-4","data":{"deviceClass":"Phone"}}'
    with opened(conf("yauaa_enrichment_config"), lookups={"yauaa": {"Agent": text}.get}) as step:
        made = draft(useragent="Agent")
        step(made)
        assert [tuple(entity) for entity in made.entities] == [(json.loads(text)["schema"], text)]
        unknown = draft(useragent="Other")
        step(unknown)
        assert "not among those" in str(unknown.failures)


def test_the_schema_follows_the_library() -> None:
    assert schema_of("7.11.0").uri.endswith("/1-0-4")
    assert len(schema_of("7.11.0").keys) == 58
    for version in ("7.12.0", "7.30.0", "8.0-SNAPSHOT"):
        assert schema_of(version).uri.endswith("/1-0-5")
    assert len(schema_of("7.30.0").keys) == 59
    for version, name in (("7.11.0", "1-0-4"), ("7.30.0", "1-0-5")):
        schema = services().iglu.checker(schema_of(version).uri)
        assert schema.check(dict.fromkeys(schema_of(version).keys.values(), "Unknown")) is None, name
        assert schema.check({"deviceClass": "Unknown", "other": ""}) is not None


# --- Java and jars --------------------------------------------------------------------------------------------------


def test_what_is_missing_is_told_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho no JVM today >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.delenv(JARS_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match=f"Set {JARS_VARIABLE} to the coordinate"):
        Agents().check()
    monkeypatch.setenv(JARS_VARIABLE, str(tmp_path / "jars"))
    with pytest.raises(ConfigError, match="there is no file or folder"):
        Agents().check()
    (tmp_path / "jars").mkdir()
    with pytest.raises(ConfigError, match="there is no yauaa jar in"):
        Agents().check()
    (tmp_path / "jars" / "yauaa-7.11.0.jar").write_bytes(b"no jar")
    Agents().check()
    with Agents().open() as resolve, pytest.raises(LookupFailed, match="Java does not start: no JVM today"):
        list(resolve(["agent"]))
    monkeypatch.setenv(JARS_VARIABLE, yauaa_jars.COORDINATE)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"there is no Maven \(mvn\) here"):
        Agents().check()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="there is no bin/java in it"):
        Agents().check()


# --- the real library -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def library() -> Iterator[yauaa_library.Library]:
    try:
        yauaa_library.check()
    except ConfigError as error:
        pytest.skip(str(error))
    with yauaa_library.library() as one:
        yield one


def resolved(*keys: str) -> list[dict[str, Any]]:
    with Agents().open() as resolve:
        pairs = list(resolve(keys))
    assert [key for key, _ in pairs] == list(keys)
    return [jsontext.loads(text) for _, text in pairs]


@pytest.mark.spark
def test_agents_and_hints(library: yauaa_library.Library) -> None:
    none, plain, hinted = resolved("", CHROME, key_of(CHROME, [VERSIONS]))
    assert none["data"] == {"deviceClass": "Unknown"}
    assert plain["data"]["agentNameVersion"] == "Chrome 106"
    assert hinted["data"]["agentNameVersion"] == "Chrome 106.0.5249.119"
    assert len({one["schema"] for one in (none, plain, hinted)}) == 1
    assert not {name for one in (plain, hinted) for name in one["data"]} - set(schema_of("7.30.0").keys.values())


@pytest.mark.spark
def test_any_text_is_an_agent(library: yauaa_library.Library) -> None:
    agents = [
        *(
            "x",
            " ",
            "\x00\x01",
            "lone \ud800 surrogate",
            "😀" * 1024,
            "(" * 2048,
            "%41" * 600,
            '"\\',
            "\r\t",
            "ü=1",
            OVERLONG,
        ),
        *("x" * 2048, "'; DROP TABLE", "a/1 " * 500, "\u2028"),
    ]
    for entity in resolved(*agents):
        checker = services().iglu.checker(entity["schema"])
        assert checker.check(entity["data"]) is None, entity
    [overlong] = resolved(OVERLONG)
    assert overlong["data"]["hackerAttackVector"] == "Buffer overflow"
    [surrogate] = resolved(key_of("Mozilla/5.0 \ud800 Chrome/80.0", [VERSIONS]))
    assert surrogate["data"]["deviceClass"]


@pytest.mark.spark
def test_an_agent_that_takes_too_long_is_an_overlong_one(
    library: yauaa_library.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.close()
    monkeypatch.setattr(yauaa_library, "_SECONDS_PER_AGENT", 5)
    slow = "/a" * 1024
    [entity, next_one] = resolved(slow, CHROME)
    assert entity == resolved(OVERLONG)[0]
    assert next_one["data"]["agentName"] == "Chrome"
    library.close()


@pytest.mark.spark
def test_the_jvm_ends_with_the_last_who_has_it_open(
    library: yauaa_library.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yauaa_library, "_shared", yauaa_library.Library())
    monkeypatch.setattr(yauaa_library, "_users", 0)
    with yauaa_library.library() as one:
        with Agents().open() as resolve:
            list(resolve(["a"]))
        jvm = one._jvm
        assert jvm is not None and jvm._process.poll() is None
    assert jvm._process.poll() is not None


@pytest.mark.spark
def test_jars_that_are_none(library: yauaa_library.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "yauaa-1.jar").write_bytes(b"no jar")
    monkeypatch.setenv(JARS_VARIABLE, os.pathsep.join([str(tmp_path), str(tmp_path / "yauaa-1.jar")]))
    library.close()
    with Agents().open() as resolve, pytest.raises(LookupFailed, match="jars of yauaa cannot be used"):
        list(resolve(["agent"]))
