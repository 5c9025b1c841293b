"""Cases of api_request, asked of a real local server that answers what the case says."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import api_template, event_inputs, registered
from snowetl.enrich.services import Schemas, Services
from snowetl.http import Http, HttpError, Request, Response
from snowetl.http_transport import PooledTransport
from snowetl.model.schema import SchemaKey
from tests import web_server
from tests.conformance.compare import differences, exact_json
from tests.conformance.runner import Mismatch

_HTTP = {"method": "GET", "uri": "http://h/x", "timeout": 1000, "authentication": {}}
_OUTPUT = {"schema": "iglu:com.acme/user/jsonschema/1-0-0", "json": {"jsonPath": "$"}}
_DEFAULTS: dict[str, Any] = {"inputs": [], "outputs": [_OUTPUT], "cache": {"size": 3000, "ttl": 60}}


def run(case: dict[str, Any], draft_of: Callable[[dict[str, Any]], Draft], schemas: Schemas) -> Iterator[Mismatch]:
    given, expect, config = case["input"], case["expect"], case["config"]
    context = given.get("template_context", {})
    if "url" in expect:
        got = api_template.UrlTemplate(config["api"]["http"]["uri"]).fill(context)
        yield from differences("url", expect["url"], got)
    elif "body" in expect:
        body = api_template.body(config["api"]["http"]["method"], context)
        yield from differences("body", expect["body"], None if body is None else json.loads(body))
    elif "template_context" in expect:
        inputs = api_template.Inputs([(one["key"], event_inputs.parse_source(one)) for one in config["inputs"]])
        yield from differences("template_context", expect["template_context"], inputs.read(draft_of(given)))
    else:
        yield from _asked(case, draft_of, schemas)


def _asked(case: dict[str, Any], draft_of: Callable[[dict[str, Any]], Draft], schemas: Schemas) -> Iterator[Mismatch]:
    given, expect = case["input"], case["expect"]
    stub = given.get("stub") or {"status": 200, "response": given.get("response", "{}")}
    config = _DEFAULTS | case["config"]
    config["api"] = {"http": _HTTP | config.get("api", {}).get("http", {})}
    kind = registered()["api_request_enrichment_config"]
    key = SchemaKey.parse(f"iglu:{kind.criterion.vendor}/{kind.criterion.name}/jsonschema/1-0-0")
    with _answering(stub) as (transport, seen):
        services = Services.create(schemas, http=Http(transport=transport))
        with kind.parse(key, {"parameters": config}).open(services) as step:
            for _ in range(given.get("repeat", 1)):
                draft = draft_of(given)
                before = len(draft.entities)
                step(draft)
    for request in seen:
        for name in ("url", "method"):
            if name in stub:
                yield from differences(name, stub[name], request[name])
        if stub.get("body") is not None:
            yield from differences("body", stub["body"], json.loads(request["body"]))
        if "headers" in expect:
            sent = {name: request["headers"].get(name) for name in ("authorization", "content-type", "accept")}
            yield from differences("headers", expect["headers"], {name: text for name, text in sent.items() if text})
    if "calls" in stub or stub.get("no_request"):
        yield from differences("calls", stub.get("calls", 0), len(seen))
    if "contexts" in expect:
        added = draft.entities[: len(draft.entities) - before]
        wanted = exact_json(json.dumps(expect["contexts"]))
        yield from differences("contexts", wanted, [exact_json(entity.json) for entity in added])
    texts = [failure["message"]["error"] for failure in draft.failures]
    if "failures_contain" in expect:
        wanted = expect["failures_contain"]
        if len(texts) != len(wanted) or any(part not in text for part, text in zip(wanted, texts, strict=True)):
            yield Mismatch("failures", wanted, texts)
    elif "error" in expect:
        yield from differences("failures", [expect["error"]], texts)
    elif case.get("match") == "prefix":
        wanted = [failure["message"]["error"] for failure in expect["failures"]]
        if len(texts) != len(wanted) or not texts[0].startswith(wanted[0]):
            yield Mismatch("failures", wanted, texts)
    else:
        yield from differences("failures", expect.get("failures", []), draft.failures)


@contextlib.contextmanager
def _answering(stub: dict[str, Any]) -> Iterator[tuple[Callable[[Request], Response], list[dict[str, Any]]]]:
    """A transport that takes each request, whatever its host, to a local server; and the requests so far."""
    seen: list[dict[str, Any]] = []
    local = PooledTransport(1)
    with answering(stub.get("status", 200), stub.get("response", "").encode(), seen) as address:

        def transport(request: Request) -> Response:
            if "exception" in stub:
                raise HttpError(stub["exception"])
            parts = urlsplit(request.url)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            answer = local(request._replace(url=address + path))
            seen[-1]["url"] = request.url
            return answer

        yield transport, seen
    local.close()


@contextlib.contextmanager
def answering(status: int, body: bytes, seen: list[dict[str, Any]]) -> Iterator[str]:
    """A server that gives one answer to everything, and its address; ``seen`` gets the requests."""

    def reply(asked: web_server.Asked) -> web_server.Answer:
        seen.append(asked._asdict())
        return web_server.Answer(status, body)

    with web_server.answering(reply) as address:
        yield address
