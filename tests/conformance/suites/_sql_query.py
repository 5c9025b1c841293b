"""Cases of sql_query: inputs, types, keys and rows by themselves, whole look-ups against a real PostgreSQL."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg

from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import registered, sql_inputs, sql_query, sql_values
from snowetl.enrich.services import Schemas, Services
from snowetl.jvm import timestamps
from snowetl.model.schema import SchemaKey
from tests.conformance.compare import differences, exact_json
from tests.conformance.runner import Mismatch
from tests.databases import ADMIN, ADMIN_PASSWORD, postgres_server

_DatabaseOfCase = dict[str, Any]


def run(
    case: dict[str, Any], draft_of: Callable[[dict[str, Any]], Draft], schemas: Schemas, vectors: Path
) -> Iterator[Mismatch]:
    given, expect = case["input"], case["expect"]
    if "decode_input" in given:
        yield from _decoded(given["decode_input"], expect)
    elif "json_value" in given:
        yield from differences("typed", expect["typed"], _shown(sql_inputs.typed(given["json_value"])))
    elif "column_class" in given:
        got = exact_json(json.dumps({"json": _json_of(given)}))
        yield from differences("json", exact_json(json.dumps(expect)), got)
    elif "column_label" in given:
        got = {name: convert(given["column_label"]) for name, convert in sql_values.CASES.items()}
        yield from differences("names", expect, got)
    elif "rows" in given:
        yield from _enveloped(case)
    elif "placeholders" in expect:
        values = _inputs(case).read(draft_of(given))
        got = None if values is None else {str(at): _shown(value) for at, value in enumerate(values, 1)}
        yield from differences("placeholders", expect["placeholders"], got)
    else:
        yield from _looked_up(case, draft_of, schemas, vectors)


def _decoded(given: dict[str, Any], expect: dict[str, Any]) -> Iterator[Mismatch]:
    try:
        sql_query.parse_input(given)
    except ValueError as error:
        if expect["error_contains"] not in str(error):
            yield Mismatch("error", expect["error_contains"], str(error))
    else:
        yield Mismatch("error", expect["error_contains"], None)


def _shown(value: sql_inputs.Value | None) -> dict[str, Any] | None:
    return None if value is None else {value.type: value.value}


def _json_of(given: dict[str, Any]) -> Any:
    if given["value"] is None:
        return None
    ((java_class, value),) = given["value"].items()
    name = java_class.rpartition(".")[2]
    if name == "Date":
        value = timestamps.to_tsv(value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return sql_values.to_json(name, text)


def _inputs(case: dict[str, Any]) -> sql_inputs.Inputs:
    return sql_inputs.Inputs([sql_query.parse_input(one) for one in case["config"]["inputs"]])


def _enveloped(case: dict[str, Any]) -> Iterator[Mismatch]:
    expect, output = case["expect"], case["config"]["output"]
    shape = output["json"]
    made = sql_values.Output(output["expectedRows"], shape["schema"], shape["describes"], shape["propertyNames"])
    try:
        got = [exact_json(entity.json) for entity in made.entities(case["input"]["rows"])]
    except sql_values.RowsFault as fault:
        wanted = [failure["message"]["error"] for failure in expect.get("failures", [])]
        yield from differences("failures", wanted, ["Error while executing the sql lookup", str(fault)])
    else:
        yield from differences("contexts", exact_json(json.dumps(expect.get("contexts"))), got)


def _looked_up(
    case: dict[str, Any], draft_of: Callable[[dict[str, Any]], Draft], schemas: Schemas, vectors: Path
) -> Iterator[Mismatch]:
    given, expect, config = case["input"], case["expect"], dict(case["config"])
    setup = config.pop("assets", {}).get("setup_sql")
    nowhere = {"host": "127.0.0.1", "port": 1, "sslMode": False, "username": "u", "password": "", "database": "d"}
    output = {"schema": "iglu:com.acme/x/jsonschema/1-0-0", "describes": "ALL_ROWS", "propertyNames": "AS_IS"}
    config = {
        "database": {"postgresql": nowhere},
        "query": {"sql": "SELECT 1"},
        "output": {"expectedRows": "AT_MOST_ONE", "json": output},
        "cache": {"size": 1, "ttl": 1},
    } | config
    if setup:
        config["database"] = _filled(config["database"], (vectors / "assets" / setup).read_text("utf-8"))
    kind = registered()["sql_query_enrichment_config"]
    key = SchemaKey.parse(f"iglu:{kind.criterion.vendor}/{kind.criterion.name}/jsonschema/1-0-1")
    with kind.parse(key, {"parameters": config}).open(Services.create(schemas)) as step:
        draft = draft_of(given)
        before = len(draft.entities)
        step(draft)
    texts = [failure["message"]["error"] for failure in draft.failures]
    parts = expect.get("failures_contain", [])
    if len(texts) != len(parts) or any(part not in text for part, text in zip(parts, texts, strict=True)):
        yield Mismatch("failures", parts, texts)
    got = [exact_json(entity.json) for entity in draft.entities[: len(draft.entities) - before]]
    yield from differences("contexts", exact_json(json.dumps(expect.get("contexts", []))), got)


def _filled(database: _DatabaseOfCase, setup: str) -> _DatabaseOfCase:
    """The database of a case, on our server, with the tables the case wants."""
    (at,) = database.values()
    return {"postgresql": at | prepared(at["database"], setup)}


@functools.cache
def prepared(database: str, setup: str) -> dict[str, Any]:
    """A database in which ``setup`` was run; host and port of its server."""
    at = {"host": "127.0.0.1", "port": _server()}
    admin = {"user": ADMIN, "password": ADMIN_PASSWORD, "autocommit": True}
    with psycopg.connect(dbname="postgres", **at, **admin) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone()
        if known is None:
            connection.execute(f'CREATE DATABASE "{database}"')
            connection.execute("CREATE USER enricher PASSWORD 'supersecret1' SUPERUSER")
    with psycopg.connect(dbname=database, **at, **admin) as connection:
        connection.execute(setup)
    return at


@functools.cache
def _server() -> int:
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(postgres_server())
