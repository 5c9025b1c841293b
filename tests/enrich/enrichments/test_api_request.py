"""api_request: what is asked of a real server, what becomes of its answers, and how little is asked of it."""

from __future__ import annotations

import json
import logging
import pickle
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments import registered
from snowetl.enrich.enrichments.service_limits import RATE_VARIABLE, CircuitBreaker, SharedRate
from snowetl.errors import ConfigError
from tests.enrich.enrichments.support import conf, draft, opened
from tests.growth import assert_linear
from tests.iglu.server import dripping
from tests.web_server import Answer, Asked, answering

NAME = "api_request_enrichment_config"
USER = "iglu:com.acme/user/jsonschema/1-0-0"
GEO = "iglu:com.acme/geo/jsonschema/1-0-0"
PASSWORD = "s3cret-pa55"


class Api:
    """A server that gives what ``answer`` says, a status and a body, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: Callable[[Asked], tuple[int, bytes]] = lambda asked: (200, b'{"name":"Ann"}')
        self.asked: list[Asked] = []
        self.uri = ""


@contextmanager
def api() -> Iterator[Api]:
    one = Api()

    def reply(asked: Asked) -> Answer:
        one.asked.append(asked)
        status, body = one.answer(asked)
        return Answer(status, body, (("location", "/elsewhere"),) if 300 <= status < 400 else ())

    with answering(reply) as one.uri:
        yield one


@pytest.fixture
def server() -> Iterator[Api]:
    with api() as one:
        yield one


def given(uri: str, **changes: Any) -> dict[str, Any]:
    http = {"method": "GET", "uri": uri, "timeout": 2000, "authentication": {}}
    http |= {name: changes.pop(name) for name in ("method", "timeout", "authentication") if name in changes}
    return {
        "inputs": [{"key": "user", "pojo": {"field": "user_id"}}],
        "api": {"http": http},
        "outputs": [{"schema": USER, "json": {"jsonPath": "$"}}],
        "cache": {"size": 100, "ttl": 60},
    } | changes


def run(uri: str, *events: Draft, monotonic: Callable[[], float] | None = None, **changes: Any) -> list[Draft]:
    options = {} if monotonic is None else {"monotonic": monotonic}
    with opened(conf(NAME, **given(uri, **changes)), **options) as step:
        for event in events:
            step(event)
    return list(events)


def errors(made: Draft) -> list[str]:
    assert all(one["enrichment"]["identifier"] == "api-request" for one in made.failures)
    return [one["message"]["error"] for one in made.failures]


def user(name: str = "ann") -> Draft:
    return draft(user_id=name)


# --- what is asked --------------------------------------------------------------------------------------------------


def test_numbers_of_an_answer_lose_trailing_zeros_and_exponents(server: Api) -> None:
    numbers = "[1e3,100.00,-0.0,-0,4.0E-8,12.3e2,0.10,9007199254740993.0]"
    server.answer = lambda asked: (200, f'{{"a":{numbers}}}'.encode())
    uri = server.uri + "/{{ user }}"
    (made,) = run(uri, user())
    (entity,) = made.entities
    assert entity.json.endswith('"data":{"a":[1000,100,0,0,4E-8,1230,0.1,9007199254740993]}}')
    (made,) = run(uri, user(), outputs=[{"schema": USER, "json": {"jsonPath": "$.b"}}])
    (error,) = errors(made)
    assert error.endswith('in [{"a":[1E+3,100.00,0.0,0,4.0E-8,1.23E+3,0.10,9007199254740993.0]}]')


def test_an_answer_becomes_an_entity(server: Api) -> None:
    server.answer = lambda asked: (200, b'{"name": "Ann", "credit": 1.50}')
    (made,) = run(server.uri + "/users/{{ user }}?format=json", draft(user_id="a b/ü&*~"))
    (entity,) = made.entities
    assert entity == Entity(USER, f'{{"schema":"{USER}","data":{{"name":"Ann","credit":1.5}}}}')
    (asked,) = server.asked
    assert asked.path == "/users/a+b%2F%C3%BC%26*%7E?format=json"
    assert (asked.method, asked.headers["content-type"], asked.headers["accept"]) == ("GET", "application/json", "*/*")
    assert "authorization" not in asked.headers


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_other_methods_send_all_values(server: Api, method: str) -> None:
    inputs = [{"key": "user", "pojo": {"field": "user_id"}}, {"key": "app", "pojo": {"field": "app_id"}}]
    run(server.uri + "/users", draft(user_id="a b", app_id="shop"), method=method, inputs=inputs)
    (asked,) = server.asked
    assert (asked.method, json.loads(asked.body)) == (method, {"user": "a b", "app": "shop"})


def test_basic_authentication(server: Api) -> None:
    run(server.uri, user(), authentication={"httpBasic": {"username": "etl", "password": PASSWORD}})
    assert server.asked[0].headers["authorization"] == "Basic ZXRsOnMzY3JldC1wYTU1"


def test_values_of_entities_and_of_the_event(server: Api) -> None:
    fits = "iglu:com.acme/x/jsonschema/1-*-*"
    inputs = [
        {"key": field, "json": {"field": field, "schemaCriterion": fits, "jsonPath": "$.a[0].b"}}
        for field in ("contexts", "derived_contexts", "unstruct_event")
    ]
    one = '{"schema":"iglu:com.acme/x/jsonschema/1-0-0","data":{"a":[{"b":%s}]}}'
    other = '{"schema":"iglu:com.acme/x/jsonschema/2-0-0","data":{"a":[{"b":"no"}]}}'
    event = draft(
        contexts=f'{{"schema":"iglu:x","data":[{other},{one % "1.0"},{one % "7"}]}}',
        unstruct_event=f'{{"schema":"iglu:x","data":{one % "true"}}}',
    )
    event.add(Entity("iglu:com.acme/x/jsonschema/1-0-3", one % '"text"'))
    run(server.uri + "/{{contexts}}/{{derived_contexts}}/{{unstruct_event}}", event, inputs=inputs)
    assert server.asked[0].path == "/1.0/text/true"


@pytest.mark.parametrize(
    ("event", "uri"),
    [(draft(), "/{{user}}"), (user(), "/{{nobody}}"), (user(), "/{user}/{{user}}")],
    ids=["null column", "key without input", "stray brace"],
)
def test_no_request_without_all_values(server: Api, event: Draft, uri: str) -> None:
    (made,) = run(server.uri + uri, event)
    assert (server.asked, made.entities, made.failures) == ([], [], [])


def test_wrong_inputs_fail_each_event(server: Api) -> None:
    json_input = {"field": "contexts", "schemaCriterion": "iglu:com.acme/x/jsonschema/1-*-*", "jsonPath": "oops"}
    inputs = [{"key": "a", "pojo": {"field": "nothing"}}, {"key": "b", "json": json_input}]
    (made,) = run(server.uri, user(), inputs=inputs)
    exception = "java.lang.NoSuchMethodException: com.snowplowanalytics.snowplow.enrich.common.outputs.EnrichedEvent"
    assert errors(made) == [
        f"Error accessing POJO input field [a]: [{exception}.nothing()]",
        "'$' expected but 'o' found",
    ]


# --- what becomes of the answers ------------------------------------------------------------------------------------


def test_each_output_takes_its_part_of_one_answer(server: Api) -> None:
    server.answer = lambda asked: (200, b'{"u":{"id":1},"g":[{"c":"x"},{"c":"y"}]}')
    outputs = [{"schema": USER, "json": {"jsonPath": "$.u"}}, {"schema": GEO, "json": {"jsonPath": "$.g[*].c"}}]
    (made,) = run(server.uri, user(), outputs=outputs)
    assert [json.loads(entity.json)["data"] for entity in made.entities] == [{"id": 1}, ["x", "y"]]
    assert len(server.asked) == 1


def test_one_output_without_value_fails_the_event(server: Api) -> None:
    outputs = [{"schema": USER, "json": {"jsonPath": "$.name"}}, {"schema": GEO, "json": {"jsonPath": "$.geo"}}]
    (made,) = run(server.uri, user(), outputs=outputs)
    assert made.entities == []
    assert errors(made) == [
        'API Request enrichment:Value not found Error: no values were found by JSON Path [$.geo] in [{"name":"Ann"}]'
    ]


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (404, b"", "Request failed with status 404"),
        (302, b"", "Request failed with status 302"),
        (401, b"", "Request failed with status 401"),
        (200, b"<html>", "expected json value got '<html>' (line 1, column 1)"),
        (200, b"", "exhausted input"),
        (200, b'"' + b"x" * (1 << 20) + b'"', "larger than 1,048,576 bytes"),
    ],
)
def test_answers_that_fail(server: Api, status: int, body: bytes, text: str) -> None:
    server.answer = lambda asked: (status, body)
    failed, ignored = run(server.uri, user(), user()), run(server.uri, user(), ignoreOnError=True)
    assert [text in errors(made)[0] for made in failed] == [True, True]
    assert (ignored[0].entities, ignored[0].failures) == ([], [])


def test_without_answer_each_output_fails(server: Api) -> None:
    server.answer = lambda asked: (404, b"")
    outputs = [{"schema": USER, "json": {"jsonPath": "$"}}, {"schema": GEO, "json": {"jsonPath": "$"}}]
    (made,) = run(server.uri, user(), outputs=outputs)
    assert errors(made) == ["Request failed with status 404"] * 2


def test_nobody_answers() -> None:
    (made,) = run("http://127.0.0.1:1", user())
    assert "Connection refused" in errors(made)[0]


def test_an_address_that_is_none(server: Api) -> None:
    (made,) = run("http://h/a b", user())
    assert errors(made) == ["uri [http://h/a b] is not valid: Invalid URI"]


@pytest.mark.slow
def test_slow_and_dripping_answers_end_in_time() -> None:
    body = b'{"name":"Ann"}'
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    with dripping(answer, pause=0.2) as uri:
        (made,) = run(uri, user(), timeout=300)
    assert "no complete answer within 0.3 seconds" in errors(made)[0]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        (made,) = run(f"http://127.0.0.1:{silent.getsockname()[1]}", user(), timeout=200)
    assert "within 0.2 seconds" in errors(made)[0]


def test_a_broken_off_answer_is_asked_for_again(server: Api) -> None:
    answers = iter([(503, b""), (200, b'{"name":"Ann"}')])
    server.answer = lambda asked: next(answers)
    (made,) = run(server.uri, user())
    assert (len(made.entities), len(server.asked)) == (1, 2)


# --- how little is asked --------------------------------------------------------------------------------------------


def test_equal_requests_share_an_answer_as_long_as_it_is_fresh(server: Api) -> None:
    now = [0.0]
    with opened(conf(NAME, **given(server.uri + "/{{user}}")), monotonic=lambda: now[0]) as step:
        for now[0], name in ((0.0, "ann"), (60.0, "ann"), (60.0, "bob"), (61.0, "ann")):
            step(user(name))
    assert [asked.path for asked in server.asked] == ["/ann", "/bob", "/ann"]


def test_failures_are_kept_a_tenth_of_the_time(server: Api) -> None:
    now = [0.0]
    server.answer = lambda asked: (404, b"")
    with opened(conf(NAME, **given(server.uri)), monotonic=lambda: now[0]) as step:
        for now[0] in (0.0, 6.0, 6.5):
            step(user())
    assert len(server.asked) == 2


def test_without_cache_each_event_asks(server: Api) -> None:
    run(server.uri, user(), user(), cache={"size": 0, "ttl": 0})
    assert len(server.asked) == 2


def test_a_service_that_is_down_is_left_alone_for_a_while() -> None:
    breaker_says = "No request was sent: the last 20 requests in a row failed, at last: "
    events = [user(str(number)) for number in range(25)]
    run("http://127.0.0.1:1/{{user}}", *events, timeout=20)
    assert [errors(made)[0].startswith(breaker_says) for made in events] == [False] * 20 + [True] * 5


def test_circuit_breaker() -> None:
    now = 0.0
    breaker = CircuitBreaker(lambda: now, failures=2, pause=10)
    breaker.failed("down")
    breaker.answered()
    breaker.failed("down")
    assert breaker.refusal() is None
    breaker.failed("slow")
    assert breaker.refusal() == "No request was sent: the last 2 requests in a row failed, at last: slow"
    now = 10.0
    assert breaker.refusal() is None
    breaker.failed("slow")
    assert breaker.refusal() is not None
    now = 20.0
    breaker.answered()
    assert breaker.refusal() is None


def test_workers_share_a_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, pauses = 1_000.0, []
    monkeypatch.setattr("snowetl.enrich.enrichments.service_limits.time.time", lambda: now)
    one, other = (SharedRate("h:1", 4, str(tmp_path), pauses.append) for _ in range(2))
    for rate in (one, other, one):
        rate.wait()
    now = 2_000.0
    other.wait()
    assert pauses == [0.25, 0.5]
    now = 1.0  # the clock was set back
    one.wait()
    assert len(pauses) == 2
    for rate in (one, other):
        rate.close()


def test_a_rate_where_no_file_can_be_made(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pauses: list[float] = []
    rate = SharedRate("h:1", 1, str(tmp_path / "missing"), pauses.append)
    for _ in range(3):
        rate.wait()
    assert [round(pause) for pause in pauses] == [1, 2]
    assert "for each worker alone" in caplog.text


def test_the_rate_is_a_setting_of_the_environment(server: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(RATE_VARIABLE, "200")
    monkeypatch.setattr("snowetl.enrich.enrichments.service_limits.tempfile.gettempdir", lambda: str(tmp_path))
    slept: list[float] = []
    monkeypatch.setattr("snowetl.enrich.enrichments.service_limits.time.time", lambda: 0.0)
    monkeypatch.setattr(SharedRate.__init__, "__defaults__", (None, slept.append))
    run(server.uri + "/{{user}}", user("a"), user("b"), user("a"), user("c"))
    assert slept == [0.005, 0.01]
    monkeypatch.setenv(RATE_VARIABLE, "0")
    with pytest.raises(ConfigError, match=f"{RATE_VARIABLE} is '0', not a number above 0"):
        conf(NAME, **given(server.uri))


# --- configuration --------------------------------------------------------------------------------------------------


def test_no_password_is_told(server: Api) -> None:
    server.answer = lambda asked: (200, json.dumps({"you": PASSWORD}).encode())
    secret = {"httpBasic": {"username": "etl", "password": PASSWORD}}
    outputs = [{"schema": USER, "json": {"jsonPath": "$.nothing"}}]
    (made,) = run(server.uri, user(), authentication=secret, outputs=outputs)
    assert 'in [{"you":"***"}]' in errors(made)[0]
    address = f"http://etl:{PASSWORD}@127.0.0.1:1/?api_key=k3y"
    (made,) = run(address, user())
    one = conf(NAME, **given(address, authentication=secret))
    assert PASSWORD not in repr(one) + errors(made)[0]
    assert "k3y" not in repr(one) + errors(made)[0]
    assert one.needs().network == ("127.0.0.1:1",)
    assert pickle.loads(pickle.dumps(one)) == one


def test_faults_are_told_at_once() -> None:
    broken = given("http://h", method="HEAD", inputs=[{"key": "a"}], outputs=[], ignoreOnError="yes")
    with pytest.raises(ConfigError) as refused:
        conf(NAME, **broken)
    for part in ("HEAD is not one of GET, POST, PUT", "Either json or pojo input", "outputs", "ignoreOnError"):
        assert part in str(refused.value)


def test_a_key_no_input_gives_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "snowetl"):
        conf(NAME, **given("http://h/{{user}}/{{ uesr }}"))
    assert "the uri asks for uesr, which no input gives" in caplog.text


@pytest.mark.parametrize("version", ["1-0-0", "1-0-1", "1-0-2"])
def test_published_versions(version: str) -> None:
    load(container(NAME, version, "http://h"))
    with pytest.raises(ConfigError):
        load(container(NAME, version, "http://h", cache={"size": -1, "ttl": 1}))


def test_several_run_in_file_order(server: Api) -> None:
    configs = [
        container(name, "1-0-0", server.uri + path) for name, path in ((NAME, "/1"), (NAME, "/2"), (EXTRA, "/3"))
    ]
    loaded = load(*configs)
    assert [type(one) for one in loaded.enrichments] == [registered()[name] for name in (NAME, NAME, EXTRA)]
    made = user()
    for one in loaded.enrichments:
        with opened(one) as step:
            step(made)
    assert [asked.path for asked in server.asked] == ["/1", "/2", "/3"]
    assert len(made.entities) == 3


EXTRA = "extra_api_request_enrichment_config"


def container(name: str, version: str, uri: str, **changes: Any) -> dict[str, Any]:
    vendor = "com.snowplowanalytics.snowplow.enrichments"
    data = {"vendor": vendor, "name": name, "enabled": True, "parameters": given(uri, **changes)}
    return {"schema": f"iglu:{vendor}/{name}/jsonschema/{version}", "data": data}


def load(*configs: dict[str, Any]) -> EnrichConfig:
    return EnrichConfig.load(enrichments=list(configs), input_format="thrift", etl_tstamp=0)


def test_time_grows_with_what_an_event_sends(server: Api) -> None:
    source = {"field": "contexts", "schemaCriterion": "iglu:com.acme/x/jsonschema/1-*-*", "jsonPath": "$.a"}
    one = conf(NAME, **given("http://h/{{k}}/{", inputs=[{"key": "k", "json": source}]))
    with opened(one) as step:

        def prepare(size: int) -> Callable[[], None]:
            entity = f'{{"schema":"iglu:com.acme/x/jsonschema/1-0-0","data":{{"a":[{",".join(["1"] * size)}]}}}}'
            event = draft(contexts=f'{{"schema":"iglu:x","data":[{entity}]}}')
            return lambda: step(event)

        assert_linear(prepare, 2_000)
        deep = "[" * 9_000 + "]" * 9_000
        entity = f'{{"schema":"iglu:com.acme/x/jsonschema/1-0-0","data":{{"a":{deep}}}}}'
        made = draft(contexts=f'{{"schema":"iglu:x","data":[{entity}]}}')
        step(made)
        assert made.failures == []
