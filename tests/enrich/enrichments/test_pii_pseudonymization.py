"""pii_pseudonymization: what is hashed, what is told of it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import registered
from snowetl.errors import ConfigError
from snowetl.model.schema import SchemaKey
from tests.enrich.enrichments.support import draft, opened

SALT = "oolong"
ENTITY = "iglu:com.acme/cup/jsonschema/1-2-0"


def conf(*fields: Any, emit: bool = False, version: str = "2-0-0", **more: Any) -> Any:
    key = SchemaKey.parse(f"iglu:com.snowplowanalytics.snowplow.enrichments/pii_enrichment_config/jsonschema/{version}")
    strategy = {"pseudonymize": {"hashFunction": more.pop("function", "SHA-256"), "salt": SALT}}
    data = {"emitEvent": emit, "parameters": {"pii": list(fields), "strategy": strategy}} | more
    return registered()["pii_enrichment_config"].parse(key, data)


def scalar(column: str) -> Any:
    return {"pojo": {"field": column}}


def path(text: str, column: str = "contexts", criterion: str = "iglu:com.acme/cup/jsonschema/1-*-*") -> Any:
    return {"json": {"field": column, "schemaCriterion": criterion, "jsonPath": text}}


def hashed(text: str) -> str:
    return hashlib.sha256((text + SALT).encode()).hexdigest()


def contexts(*entities: tuple[str, str]) -> str:
    inner = ",".join(f'{{"schema":"{schema}","data":{data}}}' for schema, data in entities)
    return f'{{"schema":"iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1","data":[{inner}]}}'


def after(one: Any, made: Draft) -> Draft:
    with opened(one) as step:
        step(made)
    return made


def data_after(text: str, *paths: str) -> Any:
    made = after(conf(*map(path, paths)), draft(contexts=contexts((ENTITY, text))))
    return json.loads(made.event["contexts"] or "")["data"][0]["data"]


def test_scalars_are_salted_and_hashed() -> None:
    made = after(conf(scalar("user_id"), scalar("tr_orderid")), draft(user_id="ada", tr_orderid="7", app_id="shop"))
    assert [made.event[name] for name in ("user_id", "tr_orderid", "app_id")] == [hashed("ada"), hashed("7"), "shop"]


def test_empty_text_is_hashed_and_null_is_not() -> None:
    made = after(conf(scalar("mkt_term"), scalar("se_label")), draft(mkt_term=""))
    assert (made.event["mkt_term"], made.event["se_label"]) == (hashed(""), None)


def test_a_field_listed_twice_is_hashed_twice() -> None:
    assert after(conf(scalar("user_id"), scalar("user_id")), draft(user_id="a")).event["user_id"] == hashed(hashed("a"))


@pytest.mark.parametrize(
    ("function", "digest"),
    [("MD5", "md5"), ("SHA-1", "sha1"), ("SHA-384", "sha384"), ("SHA-512", "sha512")],
)
def test_functions(function: str, digest: str) -> None:
    expected = hashlib.new(digest, b"ada" + SALT.encode()).hexdigest()
    assert after(conf(scalar("user_id"), function=function), draft(user_id="ada")).event["user_id"] == expected


def test_texts_of_properties_and_arrays() -> None:
    assert data_after('{"a":"x","b":1,"c":null,"d":true}', "$.a", "$.b", "$.c", "$.d") == {
        "a": hashed("x"),
        "b": 1,
        "c": None,
        "d": True,
    }
    assert data_after('{"a":["x",1,["y"]]}', "$.a") == {"a": [hashed("x"), 1, ["y"]]}
    assert data_after('{"a":["x",["y"]]}', "$.a[*]") == {"a": ["x", [hashed("y")]]}
    assert data_after('{"a":["x"]}', "$.a[0]") == {"a": ["x"]}


def test_lists_inside_lists_are_hashed_from_the_last_index() -> None:
    """The last is replaced before the list around it is, the first one after: it takes no change any more."""
    assert data_after('{"a":[[[["x"],["y"]]]]}', "$..*") == {"a": [[[["x"], [hashed("y")]]]]}


def test_a_function_changes_what_it_is_asked_of_unless_it_says_null() -> None:
    changed = data_after('{"a":"x","b":["y",1],"c":["z"]}', "$.a.length()", "$.b.length()", "$.c.keys()")
    assert changed == {"a": "x", "b": [hashed("y"), 1], "c": ["z"]}


def test_small_numbers_beside_a_hashed_value_keep_their_exponents() -> None:
    made = after(conf(path("$.a")), draft(contexts=contexts((ENTITY, '{"a":"x","n":[1.5e-7,0.00000010,4.0E-5]}'))))
    assert '"n":[1.5E-7,1E-7,0.00004]' in str(made.event["contexts"])


def test_a_filter_asks_an_object_itself() -> None:
    assert data_after('{"a":{"b":1,"c":"x"}}', "$.a[?(@.b)].c") == {"a": {"b": 1, "c": hashed("x")}}


def test_nothing_is_added() -> None:
    assert data_after('{"a":"x"}', "$.b", "$.a.b", "$['a','c']") == {"a": hashed("x")}


def test_only_entities_of_the_criterion() -> None:
    other = "iglu:com.acme/cup/jsonschema/2-0-0"
    text = contexts((ENTITY, '{"a":"x"}'), (other, '{"a":"x"}'), ("no schema", '{"a":"x"}'))
    made = after(conf(path("$.a")), draft(contexts=text))
    found = [entity["data"]["a"] for entity in json.loads(made.event["contexts"] or "")["data"]]
    assert found == [hashed("x"), "x", "x"]


def test_numbers_keep_their_values() -> None:
    made = after(
        conf(path("$.a")), draft(contexts=contexts((ENTITY, '{"a":"x","n":1.50,"m":1e3}'), ("s", '{"n":1.50}')))
    )
    text = made.event["contexts"] or ""
    assert '"n":1.5,"m":1000' in text
    assert '{"n":1.50}' in text


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"b":', "}")])
def test_json_nested_deeply_is_hashed_too(opening: str, closing: str) -> None:
    deep = opening * 9_000 + "1.50" + closing * 9_000
    text = contexts((ENTITY, f'{{"a":"x","n":{deep}}}'))
    made = after(conf(path("$.a")), draft(contexts=text))
    assert made.event["contexts"] == text.replace('"x"', f'"{hashed("x")}"').replace("1.50", "1.5")


def test_the_change_is_told_when_asked_for() -> None:
    fields = (scalar("user_id"), path("$.a"), path("$.b"))
    given = {"user_id": "ada", "contexts": contexts((ENTITY, '{"a":"x","b":["y","z"]}'))}
    assert after(conf(*fields), draft(**given)).event.pii == ""
    told = json.loads(after(conf(*fields, emit=True), draft(**given)).event.pii)
    assert told["data"]["schema"] == "iglu:com.snowplowanalytics.snowplow/pii_transformation/jsonschema/1-0-0"
    pii = told["data"]["data"]["pii"]
    assert pii["pojo"] == [{"fieldName": "user_id", "originalValue": "ada", "modifiedValue": hashed("ada")}]
    assert [(one["originalValue"], one["jsonPath"]) for one in pii["json"]] == [
        ("z", "$.b"),
        ("y", "$.b"),
        ("x", "$.a"),
    ]
    assert SALT not in json.dumps(told)


def test_nothing_is_told_where_nothing_changed() -> None:
    assert after(conf(scalar("user_id"), emit=True), draft()).event.pii == ""


def test_anonymous_requests_only() -> None:
    one = conf(scalar("user_id"), version="2-0-1", anonymousOnly=True)
    assert after(one, draft(user_id="ada")).event["user_id"] == "ada"
    assert after(one, draft(user_id="ada", headers=["SP-Anonymous: *"])).event["user_id"] == hashed("ada")


def test_all_faults_are_told_at_once_and_never_the_salt() -> None:
    with pytest.raises(ConfigError) as refused:
        conf(scalar("app_id"), path("$.a["), path("$"), path("$.a", criterion="com.acme"), {}, function="SHA-3")
    for part in ("app_id", "$.a[", "whole entity", "com.acme", "Got: [{}]", "SHA-3"):
        assert part in str(refused.value)
    assert SALT not in str(refused.value) + repr(conf(scalar("user_id")))


def test_a_path_that_looks_into_lists_of_the_event_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    text = '{"people":[{"tags":["vip"],"name":"Ada","kind":"a"}]}'
    assert data_after(text, "$.people[?(@.tags contains 'vip')].name") == json.loads(text)
    assert "so it may hash nothing" in caplog.text
    caplog.clear()
    assert data_after(text, "$.people[?(@.kind in ['a', 'b'])].name")["people"][0]["name"] == hashed("Ada")
    assert not caplog.text
