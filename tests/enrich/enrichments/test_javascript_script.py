"""javascript_script: what a script sees, what it changes, what it returns, and how it fails."""

from __future__ import annotations

import base64
import json
import logging
import os
import pickle
import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import javascript_script
from snowetl.enrich.enrichments.base import Enrichment, Step
from snowetl.enrich.enrichments.javascript_engine import Limits, Script
from snowetl.enrich.enrichments.javascript_script import JavascriptScript
from snowetl.errors import ConfigError
from snowetl.model.event import EMPTY
from snowetl.model.fields import FIELDS, INDEX
from snowetl.testing import enrich, hit
from tests.enrich.enrichments.support import conf, draft, opened, step
from tests.growth import Work, assert_linear

NAME = "javascript_script_config"
ANYTHING = "iglu:com.acme/any/jsonschema/1-0-0"
HOSTILE = int(os.environ.get("SNOWETL_HOSTILE_SCRIPTS", "300"))
"""How many mutated scripts are tried; 10,000 where there is time."""


def encoded(script: str) -> str:
    return base64.b64encode(script.encode()).decode()


def configured(script: str, **more: Any) -> Enrichment:
    return conf(NAME, script=encoded(script), **more)


def body(code: str) -> str:
    return f"function process(event, params, headers) {{\n{code}\n}}"


def run(code: str, headers: Sequence[str] = (), entities: Sequence[Entity] = (), **columns: str) -> Draft:
    """The event with ``columns`` after a ``process`` of that body."""
    made = draft(headers=headers, **columns)
    made.add(*entities)
    step(NAME, script=encoded(body(code)))(made)
    return made


def value(expression: str, **columns: str) -> Any:
    """What an expression gives, as JSON."""
    made = run(f"return [{{schema: '{ANYTHING}', data: {expression}}}];", **columns)
    assert not made.failures, made.failures
    (entity,) = made.entities
    return json.loads(entity.json)["data"]


def error(made: Draft) -> str:
    (failure,) = made.failures
    assert failure["enrichment"] == {
        "schemaKey": "iglu:com.snowplowanalytics.snowplow/javascript_script_config/jsonschema/1-0-0",
        "identifier": "Javascript enrichment",
    }
    assert set(failure["message"]) == {"error"}
    return str(failure["message"]["error"])


def limited(code: str, **limits: Any) -> Step:
    return JavascriptScript(Script(code, limits=Limits(**limits)), "iglu:a/b/jsonschema/1-0-0")


# --- what a script sees -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_each_column_is_read_by_its_type_and_its_text_survives_a_setter(field: Any) -> None:
    text, kind = {
        "str": ("Ü\U0001f600", "string"),
        "ts": ("2026-03-01 10:00:00.000", "string"),
        "json": ('{"a":1.10}', "string"),
        "int": ("17", "number"),
        "txn": ("17", "number"),
        "bool": ("1", "number"),
        "float": ("51.5142", "number"),
        "dec": ("1.10", "object"),
    }[field.type]
    suffix = field.name.capitalize()
    made = draft(**{field.name: text})
    code = body(
        f"if (typeof event.get{suffix}() !== '{kind}' || typeof event.{field.name} !== '{kind}') throw 'type';"
        f"var before = event.get{suffix}(); event.set{suffix}(null);"
        f"if (event.get{suffix}() !== null) throw 'null'; event.{field.name} = before;"
    )
    step(NAME, script=encoded(code))(made)
    assert not made.failures
    assert made.event[field.name] == text


def test_a_column_that_is_null_and_one_that_is_empty() -> None:
    assert value("[event.getUser_id(), event.app_id, event.platform]", app_id="", platform="web") == [None, "", "web"]


def test_numbers_keep_what_java_would_show() -> None:
    made = run(
        f"return [{{schema: '{ANYTHING}', data: {{dec: event.getSe_value(), float: event.geo_latitude, "
        "sum: event.getSe_value().add(1).toString(), "
        "text: event.se_value + ' ' + String(event.se_value), half: event.se_value / 2}}];",
        se_value="1.10",
        geo_latitude="0.1",
    )
    assert (
        '{"dec":1.10,"float":0.10000000149011612,"sum":"2.10","text":"1.1 1.10","half":0.55}' in made.entities[0].json
    )


def test_entities_so_far_params_and_headers() -> None:
    entity = Entity(ANYTHING, f'{{"schema":"{ANYTHING}","data":{{"n":1.10}}}}')
    made = run("event.setApp_id(event.getDerived_contexts() + headers[0]);", ["A: b"], [entity])
    assert made.event["app_id"] is not None
    assert made.event["app_id"].endswith('[{"schema":"iglu:com.acme/any/jsonschema/1-0-0","data":{"n":1.10}}]}A: b')
    made = draft()
    script = body("event.setApp_id(params.names[1]); event.setUser_id(event[params.column]);")
    with opened(configured(script, config={"names": ["a", "ß"], "column": "derived_contexts"})) as one:
        one(made)
    assert made.event["app_id"] == "ß" and not made.failures


def test_the_bad_row_of_an_event_that_fails_shows_the_entities_so_far() -> None:
    entity = Entity(ANYTHING, f'{{"schema":"{ANYTHING}","data":{{}}}}')
    made = run("throw 'no';", entities=[entity])
    assert made.failures and json.loads(made.event["derived_contexts"] or "")["data"] == [json.loads(entity.json)]
    assert run("throw 'no';").event["derived_contexts"] is None


def test_a_column_asked_for_by_a_name_put_together_is_an_error_and_never_null() -> None:
    made = run("event['get' + 'Con' + 'texts']();", contexts="{}")
    assert 'write "contexts" anywhere in the script' in error(made)
    assert run("event['get' + 'Con' + 'texts']();").failures == []


def test_global_state_lives_on_between_events() -> None:
    script = step(NAME, script=encoded("var n = 0; const process = event => { event.setApp_id(String(++n)); };"))
    drafts = [draft(), draft()]
    for made in drafts:
        script(made)
    assert [made.event["app_id"] for made in drafts] == ["1", "2"]


# --- what it changes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "column", "text"),
    [
        ("event.setApp_id(5)", "app_id", "5"),
        ("event.setApp_id(true)", "app_id", "true"),
        ("event.setApp_id('a\\tb\\r\\nc')", "app_id", "a    bc"),
        ("event.setApp_id('\\ud800')", "app_id", "\ud800"),
        ("event.setBr_viewwidth(12.7)", "br_viewwidth", "12"),
        ("event.setBr_viewwidth('12')", "br_viewwidth", "12"),
        ("event.setBr_viewwidth(-0)", "br_viewwidth", "0"),
        ("event.setDvce_ismobile(true)", "dvce_ismobile", "1"),
        ("event.setGeo_latitude(51)", "geo_latitude", "51.0"),
        ("event.setGeo_latitude(0.1)", "geo_latitude", "0.1"),
        ("event.setSe_value(new java.math.BigDecimal('1.50'))", "se_value", "1.50"),
        ("event.setSe_value(1e21)", "se_value", "1000000000000000000000"),
        ("event.setSe_value('2.10')", "se_value", "2.10"),
        ("event.app_id = 'bean'", "app_id", "bean"),
        ("event.setApp_id(null)", "app_id", None),
    ],
)
def test_a_setter_writes_what_one_of_java_would(code: str, column: str, text: str | None) -> None:
    made = run(code, app_id="before")
    assert made.failures == []
    assert made.event[column] == text


def test_empty_text_is_not_null() -> None:
    assert run("event.setApp_id('')").values[INDEX["app_id"]] is EMPTY


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("event.setBr_viewwidth('abc')", "br_viewwidth takes a number, not abc"),
        ("event.setBr_viewwidth(1e10)", "br_viewwidth takes an integer of 32 bits, not 10000000000"),
        ("event.setDvce_ismobile(7)", "dvce_ismobile takes 1 or 0, not 7"),
        ("event.setSe_value('1e1000000')", "se_value takes a number, not 1e1000000"),
        ("event.setSe_value(new java.math.BigDecimal('1e1000000'))", "se_value cannot be 1e1000000"),
        ("event.setGeo_latitude(1e300)", "geo_latitude takes a float of 32 bits, not 1e+300"),
        ("event.setAppId('x')", "not a function"),
    ],
)
def test_what_no_column_takes_fails_the_event(code: str, text: str) -> None:
    assert text in error(run(code))


def test_columns_a_script_leaves_alone_are_the_same_objects() -> None:
    made = draft(contexts='{"n":1.10}', se_value="1.10", user_id="u", app_id="a")
    before = list(made.values)
    step(NAME, script=encoded(body("JSON.parse(event.getContexts()); event.getSe_value(); event.app_id = 'b';")))(made)
    changed = [at for at, text in enumerate(made.values) if text is not before[at]]
    assert changed == [INDEX["app_id"]]


def test_setters_act_even_if_the_script_fails_later() -> None:
    made = run("event.setUser_id('set');\nthrow 'late';")
    assert made.event["user_id"] == "set"
    assert error(made) == "Error during execution of JavaScript function: [late]"


def test_drop_and_erase() -> None:
    entity = Entity(ANYTHING, f'{{"schema":"{ANYTHING}","data":{{}}}}')
    assert run("event.drop();").dropped == "dropped by the JavaScript enrichment"
    made = run(f"event.eraseDerived_contexts(); return [{{schema: '{ANYTHING}', data: {{own: 1}}}}];", (), [entity])
    assert [json.loads(one.json)["data"] for one in made.entities] == [{"own": 1}]
    made = run("event.eraseDerived_contexts(); if (event.getDerived_contexts() !== null) throw 'x';", (), [entity])
    assert made.entities == [] and made.failures == []


# --- what it returns ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("result", ["undefined", "null", "[]", "function () {}", "Symbol()"])
def test_nothing_to_add(result: str) -> None:
    made = run(f"return {result};")
    assert (made.entities, made.failures) == ([], [])


def test_entities_in_array_order_in_front_of_earlier_ones() -> None:
    earlier = Entity(ANYTHING, f'{{"schema":"{ANYTHING}","data":{{}}}}')
    code = f"return [1, 2].map(i => ({{data: {{i, big: 1e21, neg: -0, half: 0.5}}, schema: '{ANYTHING}'}}));"
    made = run(code, (), [earlier])
    assert [entity.json for entity in made.entities] == [
        f'{{"schema":"{ANYTHING}","data":{{"i":1,"big":1e+21,"neg":0,"half":0.5}}}}',
        f'{{"schema":"{ANYTHING}","data":{{"i":2,"big":1e+21,"neg":0,"half":0.5}}}}',
        earlier.json,
    ]


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (
            "{foo: 'bar', n: [1, {}]}",
            'Output of JavaScript function [{\n  "foo" : "bar",\n  "n" : [\n    1,\n    {}\n  ]\n}] could be parsed as '
            "JSON but is not read as an array",
        ),
        ("42", "Output of JavaScript function [42] could be parsed as JSON but is not read as an array"),
        (
            "[{foo: 'bar'}, {schema: 'iglu:nope', data: {}}, 7]",
            "Resulting contexts are not self-desribing. Error(s): "
            '[error code:[INVALID_DATA_PAYLOAD],json:[{"foo":"bar"}];'
            'error code:[INVALID_IGLUURI],json:[{"schema":"iglu:nope","data":{}}];'
            "error code:[INVALID_DATA_PAYLOAD],json:[7]]",
        ),
    ],
)
def test_results_that_are_no_entities(result: str, text: str) -> None:
    made = run(f"return {result};")
    assert error(made) == text
    assert made.entities == []


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("throw new Error('no');", "Error: no (line 2, column"),
        ("\nmissing.field;", "ReferenceError: missing is not defined (line 3, column 1)"),
        ("throw {code: 7};", '{"code":7}'),
        ("throw null;", "[null]"),
        ("throw {get message() { throw 1; }, toJSON() { throw 2; }};", "something that cannot be printed"),
        ("return [{get schema() { throw new TypeError('lazy'); }}];", "TypeError: lazy (line 2, column"),
    ],
)
def test_thrown_values(code: str, text: str) -> None:
    assert text in error(run(code))


# --- limits -------------------------------------------------------------------------------------------------------

BOMBS = {
    "loop": "for (;;);",
    "loop that catches": "for (;;) try { for (;;); } catch (e) {} finally { for (;;); }",
    "recursion": "(function f() { f(); })();",
    "recursion by text": "var o = {toString() { return '' + this; }}; '' + o;",
    "memory": "var a = []; for (;;) a.push('x'.repeat(100000));",
    "memory that catches": "var a = []; for (;;) try { for (;;) a.push(new Array(1000).fill(1)); } catch (e) {}",
    "string": "var s = 'x'; for (;;) s += s;",
    "regex": "/(a+)+$/.test('a'.repeat(50) + 'b');",
    "long join": "new Array(2 ** 32 - 1).join('x');",
    "long search in a list": "new Array(2 ** 32 - 1).indexOf(1);",
    "long search in a text": "'a'.repeat(1 << 24).indexOf('a'.repeat(1 << 22) + 'b');",
    "long array-like": "Array.prototype.fill.call({length: 2 ** 40}, 1);",
    "a length that grows": "var n = 0; [].indexOf.call({get length() { return n++ ? 2 ** 50 : 1; }}, 1);",
    "set of holes": "new Set(new Array(2 ** 32 - 1));",
    "flat": "var a = []; for (var i = 0; i < 60; i++) a = [a, a]; a.flat(Infinity);",
    "many searches": "var s = 'x'.repeat(1000000); for (var i = 0; ; i++) s.indexOf('y' + i);",
    "many matches": "var s = 'a'.repeat(100000); for (;;) s.replace(/b/g, '');",
    "deep json": "JSON.parse('['.repeat(1000000));",
    "cycle": "var a = []; a[0] = a; a.join();",
    "waiting": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);",
    "replaced globals": "JSON.stringify = JSON.parse = Array.prototype.push = null; Object.prototype.x = 1; for (;;);",
}


@pytest.mark.slow
@pytest.mark.parametrize("code", BOMBS.values(), ids=BOMBS)
def test_a_script_out_of_bounds_fails_its_event_and_the_next_one_works(code: str) -> None:
    script = f"function process(event) {{ if (event.getApp_id() === 'bomb') {{ {code} }} event.setUser_id('ok'); }}"
    one = limited(script, seconds=0.2, memory=16 * 1024 * 1024)
    bad, good = draft(app_id="bomb"), draft(app_id="fine")
    for made in (good, bad, good):
        one(made)
        good.values[INDEX["user_id"]] = "" if made is bad else good.values[INDEX["user_id"]]
    assert len(bad.failures) == 1
    assert good.event["user_id"] == "ok" and good.failures == []


@pytest.mark.parametrize(
    ("code", "text"),
    [("for (;;);", "it ran longer than 0.1 s"), ("var a = []; for (;;) a.push('x'.repeat(1e5));", "more than 16 MiB")],
)
def test_the_message_names_the_limit(code: str, text: str) -> None:
    made = draft()
    limited(body(code), seconds=0.1, memory=16 * 1024 * 1024)(made)
    assert text in made.failures[0]["message"]["error"]


def test_output_that_is_too_long() -> None:
    made = draft()
    limited(body("event.setApp_id('x'.repeat(2000)); event.setUser_id('u');"), output=1000)(made)
    assert "longer than 1000 characters" in made.failures[0]["message"]["error"]
    assert made.event["user_id"] is None


def test_a_script_that_forgets_nothing_starts_anew_when_memory_is_full() -> None:
    script = "var kept = []; function process(event) { kept.push('x'.repeat(1 << 20)); }"
    one = limited(script, memory=8 * 1024 * 1024)
    drafts = [draft() for _ in range(40)]
    for made in drafts:
        one(made)
    failed = [bool(made.failures) for made in drafts]
    assert 0 < sum(failed) < 20
    assert not any(a and b for a, b in pairwise(failed))


def test_a_script_whose_first_lines_fail_when_it_starts_anew_fails_its_events() -> None:
    one = Script("function process(event) { for (;;); }", limits=Limits(seconds=0.05))
    values = [""] * len(FIELDS)
    assert "longer" in str(one.call(values, []).error)
    one._source = "throw 'gone';"  # as one that goes by the clock or by chance
    assert [one.call(values, []).error for _ in range(2)] == ["gone", "gone"]


@pytest.mark.parametrize(
    "told",
    [
        "5",
        "[['x', 1], 1, 2, 3, 4, 5, 6]",
        "[[999, 'x'], false, false, null, null, null, null]",
        "[[0, {}], false, false, null, null, null, null]",
        "[[], false, false, 7, null, null, null]",
    ],
)
def test_a_script_that_replaces_what_carries_its_output_fails_its_event(told: str) -> None:
    code = f"Array.prototype.toJSON = function () {{ delete Array.prototype.toJSON; return {told}; }};"
    assert "it replaced built-ins of JavaScript" in error(run(f"{code} event.setApp_id('x');"))


@pytest.mark.parametrize("last", ["Symbol('x')", "10n ** 30n", "(function* () {})()", "new Uint8Array(3)", "// x"])
def test_the_value_of_a_script_is_nothing_to_us(last: str) -> None:
    assert Script(f"function process(event) {{}}\n{last}").call([""] * len(FIELDS), []).error is None


def test_a_long_error_is_cut() -> None:
    assert len(error(run("throw 'x'.repeat(1000000);"))) < 2_200


PIECES = (
    *(f"try {{ {code} }} catch (e) {{}}" for code in BOMBS.values()),
    *("event.setApp_id('a\\tb\\n');", "event.setUser_id({});", "event.setSe_value(NaN);", "event.contexts = '[';"),
    *("return [{schema: 1}];", "return event;", "throw event;", "delete event.app_id;", "event.getContexts = 1;"),
    *("return [1].concat(event);", "process = null;", "globalThis.JSON = null;", "Object.freeze(Object.prototype);"),
    *("Array.prototype.push = function () { throw 1; };", "event.__proto__ = null;", "print('x'.repeat(1e7));"),
    *("Object.defineProperty(Array.prototype, '0', {set() { throw 1; }});", "return {toJSON() { return '\\ud800'; }};"),
    *("Object.prototype.toJSON = function () { return this; };", "String.prototype.toString = null;", "label: {"),
    *("Function.prototype.call = Function.prototype.apply = null;", "class A extends Array {}; return new A(5);"),
    *("return Java.type('java.util.UUID').randomUUID();", "return new Array(1e7);", "event.drop();", "} {", "`", "/*"),
    *("Error.prototype.name = {};", "throw Object.create(null);", "throw Symbol('x');", "Error = null; null.x;", "}"),
    *("Symbol.iterator in String; String.prototype[Symbol.iterator] = null;", "return Promise.resolve([]);", "yield"),
)
"""Lines that hostile scripts are put together from."""


def mutated(rng: random.Random) -> str:
    script = body("\n".join(rng.choices(PIECES, k=rng.randint(1, 6))))
    for _ in range(rng.choice((0, 0, 0, 1, 3))):
        at = rng.randrange(len(script))
        script = script[:at] + rng.choice(("", "(", "}", "'", "\\", "0", "\0", "\ud800", "=>", "/")) + script[at + 1 :]
    return script


@pytest.mark.slow
def test_hostile_scripts_fail_their_events_and_nothing_else() -> None:
    rng = random.Random(14)
    ran = 0
    for number in range(HOSTILE):
        script = mutated(rng)
        try:
            one = limited(script, seconds=0.05, memory=8 * 1024 * 1024)
        except Exception as fault:
            assert type(fault).__name__ == "ScriptFault", (number, script, fault)
            continue
        ran += 1
        for _ in range(2):
            made = draft(app_id="a", contexts='{"schema":"x","data":[]}')
            one(made)
            line = made.event.to_tsv()
            assert line.count("\t") == len(FIELDS) - 1 and "\n" not in line and "\r" not in line, script
    assert ran > HOSTILE / 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [
        "var d = JSON.parse(event.getContexts()).data; event.setContexts(JSON.stringify({data: d}));",
        "event.setPage_url(event.getContexts().replace(/a/g, 'b').split('\"').join('-'));",
        "return JSON.parse(event.getContexts()).data.map(one => ({schema: 'x', data: one}));",
    ],
)
def test_time_grows_with_the_event(code: str) -> None:
    one = limited(body(code), seconds=60, output=10**9, memory=10**9)

    def prepare(size: int) -> Work:
        text = json.dumps({"data": [{"a": "aaaa", "n": number} for number in range(size)]})
        made = draft(contexts=text)
        return lambda: one(made)

    assert_linear(prepare, 20_000, code)


# --- configuration ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("function process(event) {\n  return [ ; }", "line 2, column 12: SyntaxError: unexpected token"),
        ("function other(event) {}", "the script has no function process"),
        ("var process = 5;", "the script has no function process"),
        ("\nmissing();\nfunction process(event) {}", "line 2, column 1: ReferenceError"),
        ("async function process(event) {}", "process must be a plain function"),
        ("function process(e) {\n new java.net.URL('http://x') }", "line 2: java.net.URL is not there: .*api_request"),
        ("var T = Java.type('java.sql.DriverManager'); function process(e) {}", "java.sql.DriverManager .*sql_query"),
        ("function process(e) { for each (var x in e) {} }", "line 1: `for each"),
        ("for (;;); function process(e) {}", "interrupted"),
        ("  ", "Provided script for JS enrichment is empty"),
    ],
)
def test_a_script_that_cannot_be_used_stops_the_job_before_any_event(script: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        configured(script)


def test_all_missing_classes_are_told_at_once() -> None:
    script = "// java.io.File\nvar a = 'java.io.Reader';\nnew java.net.Socket(); new Packages.com.acme.Thing();"
    with pytest.raises(ConfigError) as told:
        configured(script + "\nfunction process(e) {}")
    assert "java.net.Socket" in str(told.value) and "com.acme.Thing" in str(told.value)
    assert "java.io" not in str(told.value)


@pytest.mark.parametrize("argument", ["'.'", '"a|b"', "x"])
def test_replace_all_with_a_text_is_warned_about(argument: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "snowetl"):
        configured(f"function process(e) {{\n var x = ''; e.app_id.replaceAll({argument}, '-'); }}")
    assert "line 2 of the script: replaceAll takes a text as a regular expression" in caplog.text


def test_no_warning_where_both_readings_agree(caplog: pytest.LogCaptureFixture) -> None:
    configured("function process(e) { ''.replaceAll('-', '+').replaceAll(/./g, ''); /* x.replaceAll('.', '') */ }")
    assert caplog.text == ""


def test_base64_of_either_alphabet_and_without_padding() -> None:
    script = "function process(event) { event.setApp_id('???>>>'); }"
    text = base64.urlsafe_b64encode(script.encode()).decode().rstrip("=")
    assert conf(NAME, script=text) == configured(script)
    with pytest.raises(ConfigError, match="could not base64 decode"):
        conf(NAME, script=base64.b64encode(b"\xff\xfe").decode())


def test_a_configuration_is_picklable() -> None:
    one = configured(body("return [];"), config={"a": 1})
    assert pickle.loads(pickle.dumps(one)) == one


def test_several_scripts_run_in_the_order_of_the_files(tmp_path: Path) -> None:
    for number, letter in enumerate("ab"):
        script = encoded(f"function process(event) {{ event.app_id += '{letter}'; }}")
        data = {"vendor": "v", "name": "n", "enabled": True, "parameters": {"script": script, "config": {}}}
        key = "iglu:com.snowplowanalytics.snowplow/javascript_script_config/jsonschema/1-0-1"
        (tmp_path / f"{number}.json").write_text(json.dumps({"schema": key, "data": data}), "utf-8")
    result = enrich(hit({"e": "pv", "p": "web", "aid": "x"}), enrichments=str(tmp_path))
    assert [event["app_id"] for event in result.events] == ["xab"]


def test_the_classes_that_are_used_are_listed() -> None:
    review = javascript_script.check(
        "var D = Java.type('java.security.MessageDigest');\nfunction process(e) { return java.util.UUID.randomUUID(); }"
    )
    assert [(use.name, use.line) for use in review.classes] == [
        ("java.security.MessageDigest", 1),
        ("java.util.UUID", 2),
    ]
