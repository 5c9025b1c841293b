"""Registries over HTTP, against a real server."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from snowetl.http import Http
from snowetl.iglu import http as module
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import Repository, ResolverConfig
from snowetl.iglu.failures import NOT_FOUND, RegistryError
from snowetl.iglu.http import PATIENT, HttpRegistry, without_secrets
from snowetl.model.schema import SchemaKey
from tests.iglu.server import Answer, Server, dripping, serving, zipped

KEY = SchemaKey.parse("iglu:com.acme/event/jsonschema/1-0-0")
PATH = "/schemas/com.acme/event/jsonschema/1-0-0"
SECRET = "8e35f3a2-0000-4000-8000-c0ffee000000"


def _registry(server: Server, base: str = "", apikey: str | None = None) -> HttpRegistry:
    return HttpRegistry(Repository("Test", 0, (), uri=server.uri + base, apikey=apikey), _hasty())


def _hasty() -> Http:
    return Http(sleep=lambda seconds: None)


def _always(answer: Answer) -> Callable[[str], Answer]:
    return lambda path: answer


def test_a_schema_with_its_number_text() -> None:
    with serving(_always(Answer(body=b'{"minimum":1.50}'))) as server:
        found = _registry(server, "/api/").schema(KEY)
    assert found["minimum"].text == "1.50"
    assert server.paths == ["/api" + PATH]


def test_a_zipped_answer() -> None:
    with serving(_always(zipped(b'{"type":"object"}'))) as server:
        assert _registry(server).schema(KEY) == {"type": "object"}


def test_the_key_is_sent_to_the_registry_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        serving(_always(Answer(body=b"{}"))) as other,
        serving(
            lambda path: (
                Answer(body=b"{}") if path == "/moved" else Answer(302, headers=(("location", other.uri + "/x"),))
            )
        ) as server,
    ):
        registry = _registry(server, apikey=SECRET)
        assert registry.schema(KEY) == {}
        server.answer = lambda path: (
            Answer(307, headers=(("Location", "/moved"),)) if path == PATH else Answer(body=b"[]")
        )
        assert registry.schema(KEY) == []
    assert [headers.get("apikey") for _, headers in server.requests] == [SECRET, SECRET, SECRET]
    assert [headers.get("apikey") for _, headers in other.requests] == [None]
    assert SECRET not in caplog.text and SECRET not in repr(registry.repository)


def test_redirects_end() -> None:
    with serving(_always(Answer(301, headers=(("location", PATH),)))) as server:
        answer = _registry(server).schema(KEY)
    assert isinstance(answer, RegistryError) and "redirects" in answer.outage


def test_404_is_not_found_and_not_asked_twice() -> None:
    with serving(_always(Answer(404, b'{"message":"The schema is not found"}'))) as server:
        assert _registry(server).schema(KEY) == NOT_FOUND
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "message", "requests", "outage"),
    [
        (Answer(500, b"oops"), "RepoFailure", "Unexpected server response: oops", 6, True),
        (Answer(503), "RepoFailure", "Unexpected server response: ", 6, True),
        (Answer(501, b"no"), "RepoFailure", "Unexpected server response: no", 1, True),
        (Answer(429, b"slow"), "ClientFailure", "Unexpected server response: slow", 6, True),
        (Answer(401), "ClientFailure", "Unexpected server response: ", 1, True),
        (Answer(403, b"keep out"), "ClientFailure", "Unexpected server response: keep out", 1, True),
        (Answer(400, b"what?"), "ClientFailure", "Unexpected server response: what?", 1, False),
        (Answer(410, b"gone"), "ClientFailure", "Unexpected server response: gone", 1, False),
        (Answer(304), "ClientFailure", "Unexpected response: ", 1, True),
        (Answer(200, b"<html>"), "ClientFailure", None, 1, True),
        (Answer(203, b"\xef\xbb\xbf\r\n <!doctype html>"), "ClientFailure", None, 1, True),
        (Answer(200, b'{"type": }'), "ClientFailure", None, 1, False),
        (Answer(200, b""), "ClientFailure", "Could not decode server response. exhausted input", 1, False),
    ],
)
def test_other_answers(answer: Answer, kind: str, message: str | None, requests: int, outage: bool) -> None:
    with serving(_always(answer)) as server:
        found = _registry(server).schema(KEY)
    assert isinstance(found, RegistryError)
    assert found.kind == kind and (message is None or found.message == message)
    assert bool(found.outage) == outage
    assert len(server.requests) == requests


def test_what_passes_is_waited_for() -> None:
    waits: list[float] = []
    answers = [Answer(503), Answer(502), Answer(200, b"{}")]
    with serving(lambda path: answers.pop(0)) as server:
        registry = HttpRegistry(Repository("Test", 0, (), uri=server.uri), Http(sleep=waits.append))
        assert registry.schema(KEY) == {}
    assert len(waits) == 2 and 0.1 <= waits[0] <= 0.2 and 0.2 <= waits[1] <= 0.4


def test_a_dead_registry_is_asked_once_until_it_lives() -> None:
    with serving(_always(Answer(500))) as server:
        registry = _registry(server)
        registry.schema(KEY)
        server.requests.clear()
        registry.schema(KEY)
        assert len(server.requests) == 1
        server.answer = _always(Answer(404))
        assert registry.schema(KEY) == NOT_FOUND
        server.answer = _always(Answer(500))
        server.requests.clear()
        registry.schema(KEY)
        assert len(server.requests) == 6


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    repository = Repository("Test", 0, (), uri=f"http://user:pass@127.0.0.1:{port}")
    answer = HttpRegistry(repository, _hasty()).schema(KEY)
    assert isinstance(answer, RegistryError) and answer.kind == "ClientFailure"
    assert f"http://127.0.0.1:{port}/schemas" in answer.outage and "pass" not in answer.outage


def test_an_unknown_host() -> None:
    repository = Repository("Test", 0, (), uri="http://no-such-host.invalid")
    answer = HttpRegistry(repository, _hasty()).schema(KEY)
    assert isinstance(answer, RegistryError) and answer.outage


def test_an_answer_that_breaks_off() -> None:
    with serving(_always(Answer(body=b'{"type":', breaks_off=True))) as server:
        answer = _registry(server).schema(KEY)
    assert isinstance(answer, RegistryError) and answer.outage


@pytest.mark.parametrize("compress", [False, True])
def test_an_answer_that_is_too_large(compress: bool) -> None:
    body = b'"' + b"a" * PATIENT.max_bytes + b'"'
    with serving(_always(zipped(body) if compress else Answer(body=body))) as server:
        answer = _registry(server).schema(KEY)
    assert isinstance(answer, RegistryError) and "larger than" in answer.outage


def _versions(*versions: str) -> Callable[[str], Answer]:
    def answer(path: str) -> Answer:
        return Answer(body=b"{}") if path.rpartition("/")[2] in versions else Answer(404)

    return answer


def _texts(keys: Any) -> Any:
    return [str(key.version) for key in keys] if isinstance(keys, list) else keys


def test_a_list_from_the_registry() -> None:
    body = json.dumps([KEY.uri, KEY.uri.replace("1-0-0", "1-1-0")]).encode()
    with serving(_always(Answer(body=body))) as server:
        assert _texts(_registry(server).schema_list("com.acme", "event", 1)) == ["1-0-0", "1-1-0"]
    assert server.paths == ["/schemas/com.acme/event/jsonschema/1"]


def test_versions_are_tried_where_there_is_no_list() -> None:
    with serving(_versions("2-0-0", "2-0-1", "2-1-0", "2-3-0")) as server:
        assert _texts(_registry(server).schema_list("com.acme", "event", 2)) == ["2-0-0", "2-0-1", "2-1-0"]
    assert [path.rpartition("/")[2] for path in server.paths] == [
        "2",
        "2-0-0",
        "2-0-1",
        "2-0-2",
        "2-1-0",
        "2-1-1",
        "2-2-0",
    ]


def test_no_list_and_no_versions() -> None:
    with serving(_always(Answer(404))) as server:
        assert _registry(server).schema_list("com.acme", "event", 1) == NOT_FOUND


def test_an_outage_while_listing_is_no_short_list() -> None:
    with serving(
        lambda path: Answer(body=b"{}") if path.endswith("-0-0") else Answer(404 if path[-2] == "/" else 500)
    ) as server:
        answer = _registry(server).schema_list("com.acme", "event", 1)
    assert isinstance(answer, RegistryError) and answer.outage


def test_a_bad_list() -> None:
    with serving(_always(Answer(body=b'["iglu:com.acme/event/jsonschema/1-0-1"]'))) as server:
        answer = _registry(server).schema_list("com.acme", "event", 1)
    assert isinstance(answer, RegistryError)
    assert answer.message == (
        "DecodingFailure at : Cannot parse list of strings into SchemaList. "
        "Init schema iglu:com.acme/event/jsonschema/1-0-1 is not 1-0-0"
    )


@pytest.mark.slow
def test_H3_a_registry_that_drips_meets_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = replace(PATIENT, deadline=0.5)
    monkeypatch.setattr(module, "PATIENT", hasty)
    with dripping(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n" + b" " * 100) as uri:
        answer = HttpRegistry(Repository("Test", 0, (), uri=uri), _hasty()).schema(KEY)
    assert isinstance(answer, RegistryError) and "no complete answer within 0.5 seconds" in answer.outage


@pytest.mark.parametrize("part", ["vendor", "name", "format"])
def test_H8_a_key_no_registry_can_hold_is_not_asked_for(part: str, tmp_path: Path) -> None:
    with serving(_always(Answer(body=b"{}"))) as server:
        remote = Repository("Remote", 0, (), uri=server.uri)
        folder = Repository("Folder", 0, (), uri=tmp_path.as_uri())
        client = IgluClient(ResolverConfig((remote, folder)), now=0, http=_hasty())
        for text in ("x" * 129, "x" * 4000):
            missing = KEY._replace(**{part: text})
            assert client.checker(missing.uri).check({})["error"] == "ResolutionError"  # type: ignore[index]
        assert client.checker(KEY._replace(vendor="..").uri).check({})["error"] == "ResolutionError"  # type: ignore[index]
        assert not isinstance(client.schema_list("x" * 129, "event", 1), list)
        assert server.requests == []
        assert client.checker(KEY._replace(**{part: "x" * 128}).uri).check({}) is None


def test_H8_what_is_missing_is_remembered_within_bounds() -> None:
    with serving(_always(Answer(404))) as server:
        config = ResolverConfig((Repository("Remote", 0, (), uri=server.uri),), cache_size=10)
        client = IgluClient(config, now=0, http=_hasty())
        for number in (*range(30), *range(30)):
            client.checker(f"iglu:com.acme/made_up_{number}/jsonschema/1-0-0")
        assert len(server.requests) == 30
        assert len(client._missing) <= client._kept


def test_secrets_are_taken_out_of_urls() -> None:
    assert without_secrets("https://me:word@host:8/p?q") == "https://host:8/p?q"
