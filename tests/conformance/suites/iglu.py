"""``iglu.jsonl``: identifiers, resolver, cache, registries, errors, and every keyword of the validator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from snowetl.errors import ConfigError
from snowetl.http import Response
from snowetl.iglu import failures, schema_list
from snowetl.iglu.cache import better
from snowetl.iglu.config import BUILT_IN, Repository, ResolverConfig
from snowetl.iglu.failures import LookupHistory, RegistryError, ResolutionFailure
from snowetl.iglu.http import interpret, list_url, schema_url
from snowetl.iglu.resolver import Resolver, SchemaItem, backoff
from snowetl.iglu.validation import Report, ValidationCrash, compile_schema
from snowetl.iglu.validation.report import hash_map_order
from snowetl.jvm import jsontext
from snowetl.jvm.map_order import map_order
from snowetl.model.schema import ParseError, SchemaCriterion, SchemaKey, SchemaVer, self_describing
from tests.conformance.compare import differences, exact_json
from tests.conformance.runner import Mismatch, Unsupported

FILES = "iglu.jsonl"

Case = dict[str, Any]
_CLASSES = {"inmemory": 1, "embedded": 2, "http": 100}


def run(case: Case, vectors: Path) -> list[Mismatch] | Unsupported:
    kind = case["kind"]
    if kind not in _KINDS:
        return Unsupported(f"kind {kind}")
    return _KINDS[kind](case)


def _compare(expected: Any, got: Any, field: str = "expect") -> list[Mismatch]:
    return list(differences(field, exact_json(jsontext.dumps(expected)), exact_json(jsontext.dumps(got))))


# --- identifiers --------------------------------------------------------------------------------------------------


def _key_json(key: SchemaKey) -> dict[str, str]:
    return {"vendor": key.vendor, "name": key.name, "format": key.format, "version": str(key.version)}


def _schema_uri(case: Case, prefix: str = "") -> list[Mismatch]:
    try:
        got: Any = {"ok": _key_json(SchemaKey.parse(prefix + case["input"]))}
    except ParseError as error:
        got = {"error": error.code}
    return _compare(case["expect"], got)


def _criterion(text: str) -> SchemaCriterion | None:
    try:
        return SchemaCriterion.parse(text)
    except ValueError:
        return None


def _partial(text: str) -> SchemaCriterion | None:
    """A partial key means what a criterion means; only its wildcard is written otherwise."""
    return None if "*" in text else _criterion(text.replace("?", "*"))


def _schema_ver(case: Case) -> list[Mismatch]:
    if "partial" in case["expect"]:
        partial = _partial(f"iglu:a/b/jsonschema/{case['input']}")
        return _compare(case["expect"], {"partial": None if partial is None else list(partial[3:])})
    try:
        return _compare(case["expect"], {"full": list(SchemaVer.parse(case["input"]))})
    except ParseError:
        return _compare(case["expect"], {"full": None})


def _partial_uri(case: Case) -> list[Mismatch]:
    partial = _partial(case["input"])
    if partial is None:
        return [] if "ok" not in case["expect"] else [Mismatch("expect", case["expect"], None)]
    version = "-".join("?" if group is None else str(group) for group in partial[3:])
    got = {"vendor": partial.vendor, "name": partial.name, "format": partial.format, "version": version}
    return _compare(case["expect"], {"ok": got})


def _schema_order(case: Case) -> list[Mismatch]:
    return _compare(case["expect"], [key.uri for key in sorted(map(SchemaKey.parse, case["input"]))])


def _criterion_parse(case: Case) -> list[Mismatch]:
    found = _criterion(case["input"])
    if found is not None and str(found) != case["input"]:
        return [Mismatch("text", case["input"], str(found))]
    return _compare(case["expect"], None if found is None else {"version": list(found[3:])})


def _criterion_match(case: Case) -> list[Mismatch]:
    return _compare(case["expect"], SchemaCriterion.parse(case["criterion"]).matches(SchemaKey.parse(case["key"])))


def _schema_list(case: Case) -> list[Mismatch]:
    try:
        got: Any = {"ok": [key.uri for key in schema_list.parse_schema_list(case["input"])]}
    except schema_list.SchemaListError as error:
        got = {"error": str(error)}
    return _compare(case["expect"], got)


def _self_describing(case: Case) -> list[Mismatch]:
    try:
        key, data = self_describing(case["input"])
    except ParseError as error:
        return _compare(case["expect"], {"error": error.code})
    return _compare(case["expect"], {"ok": {"schema": key.uri, "data": data}})


# --- resolver -----------------------------------------------------------------------------------------------------


def _resolver_config(case: Case) -> list[Mismatch]:
    expect = case["expect"]
    try:
        config = ResolverConfig.parse(case["input"])
    except ConfigError as error:
        if expect.get("error") is True or ("error_contains" in expect and expect["error_contains"] in str(error)):
            return []
        return [Mismatch("expect", expect, str(error))]
    got = {"cacheSize": config.cache_size, "cacheTtl": config.cache_ttl}
    return _compare(expect, {"ok": {**got, "repositories": [_repository_json(one) for one in config.repositories]}})


def _repository_json(one: Repository) -> dict[str, Any]:
    common = {"name": one.name, "priority": one.priority, "vendorPrefixes": list(one.vendor_prefixes)}
    if one.path is not None:
        return {**common, "type": "embedded", "path": one.path}
    return {**common, "type": "http", "uri": one.uri, "apikey": one.apikey}


class _Scripted:
    """A registry that answers what the case says."""

    def __init__(self, repository: Repository, answer: Callable[[SchemaKey], Any], class_priority: int) -> None:
        self.repository = repository
        self.class_priority = class_priority
        self.remote = class_priority == _CLASSES["http"]
        self.requests = 0
        self._answer = answer

    def schema(self, key: SchemaKey) -> Any:
        self.requests += 1
        return self._answer(key)

    def schema_list(self, vendor: str, name: str, model: int) -> list[SchemaKey] | RegistryError:
        return failures.NOT_FOUND


def _built_in() -> _Scripted:
    return _Scripted(BUILT_IN, lambda key: failures.NOT_FOUND, _CLASSES["embedded"])


def _lookup_order(case: Case) -> list[Mismatch]:
    registries = [_built_in()]
    for one in case["repositories"]:
        repository = Repository(one["name"], one["priority"], tuple(one["vendorPrefixes"]))
        registries.append(_Scripted(repository, lambda key: None, _CLASSES[one["type"]]))
    resolver = Resolver(registries, 10, None, lambda: 0)
    return _compare(case["expect"], [one.repository.name for one in resolver.prioritized(case["vendor"])])


def _url(case: Case) -> list[Mismatch]:
    if "key" in case:
        return _compare(case["expect"], schema_url(case["uri"], SchemaKey.parse(case["key"])))
    return _compare(case["expect"], list_url(case["uri"], case["vendor"], case["name"], case["model"]))


def _list_response(case: Case) -> list[Mismatch]:
    body = interpret(Response(case["status"], {}, jsontext.dumps(case["body"]).encode()), "http://registry")
    if isinstance(body, RegistryError):
        return _compare(case["expect"], body.to_dict())
    return _schema_list({"input": body, "expect": case["expect"]})


def _http_status(case: Case) -> list[Mismatch]:
    """We answer as the streaming client does."""
    answer = interpret(Response(case["status"], {}, case["body"].encode()), "http://registry")
    got = answer.to_dict() if isinstance(answer, RegistryError) else {"ok": answer}
    return _compare(case["expect"], got, field=case["client"])


def _backoff(case: Case) -> list[Mismatch]:
    return _compare(case["expect_ms"], backoff(case["attempts"]))


def _resolver_sequence(case: Case) -> list[Mismatch]:
    """The clock of the original counts milliseconds as seconds too, so ours is slowed where a TTL matters."""
    now = [1_000_000_000]
    server: dict[str, Any] = {}
    names = [name.removesuffix(" (http)") for name in case["repositories"]]

    def answer_of(name: str) -> Callable[[SchemaKey], Any]:
        return lambda key: _scripted_answer(server["now"], name)

    registries = [_built_in()]
    registries += [_Scripted(Repository(name, 1, ()), answer_of(name), _CLASSES["http"]) for name in names]
    ttl = case["cache_ttl"] and case["cache_ttl"] / 1000
    resolver = Resolver(registries, case["cache_size"], cast("int | None", ttl), lambda: now[0])
    found: list[Mismatch] = []
    key = SchemaKey.parse("iglu:com.snowplowanalytics.iglu-test/mock_schema/jsonschema/1-0-0")
    for place, step in enumerate(case["steps"]):
        if step["op"] == "wait_ms":
            now[0] += step["ms"]
            continue
        server["now"] = step["server"]
        result = resolver.schema(key)
        if "expect" in step:
            found += _step_differences(f"steps.{place}", step["expect"], result)
    requests = sum(registry.requests for registry in registries[1:])
    return found + _compare(case["expect_requests"], requests, "requests")


def _scripted_answer(server: Any, name: str) -> Any:
    if server is None:
        raise AssertionError("no request was expected")
    if "schema" in server:
        return server["schema"]
    if "error" in server:
        return RegistryError(server["error"], server.get("message"))
    return RegistryError("RepoFailure", server[name])


def _step_differences(field: str, expect: Any, result: SchemaItem | ResolutionFailure) -> list[Mismatch]:
    if isinstance(result, SchemaItem):
        return _compare(expect, {"ok": result.schema}, field)
    if "failure" not in expect:
        return [Mismatch(field, expect, repr(result))]
    wanted = expect["failure"]
    by_name = {name: _history_json(one) for name, one in result.history.items()}
    if "attempts" in wanted:
        one = next(value for name, value in by_name.items() if name != BUILT_IN.name)
        return _compare(wanted, {name: one[name] for name in wanted}, field)
    got = {name: {part: one[part] for part in wanted[name]} for name, one in by_name.items()}
    for one in wanted.values():
        one["errors"] = [_error_json(error) for error in one["errors"]]
    return _compare(wanted, got, field)


def _history_json(one: LookupHistory) -> dict[str, Any]:
    return {"errors": [error.to_dict() for error in one.errors], "attempts": one.attempts}


def _error_json(error: Any) -> Any:
    return error if isinstance(error, dict) else {"error": "RepoFailure", "message": error}


def _cache_put(case: Case) -> list[Mismatch]:
    result = better(_cached(case["cached"]), _cached(case["fresh"]))
    if not isinstance(result, ResolutionFailure):
        return _compare(case["expect"], {"ok": result[0]})
    got = {
        name: {
            "errors": [error.kind + (f": {error.message}" if error.message else "") for error in one.errors],
            "attempts": one.attempts,
            "lastAttempt_ms": one.last_attempt,
        }
        for name, one in result.history.items()
    }
    return _compare(case["expect"], {"failure": got})


def _cached(value: Any) -> Any:
    if "ok" in value:
        return (value["ok"],)
    histories = {}
    for name, one in value["failure"].items():
        errors = [
            RegistryError(kind, message or None) for kind, _, message in (e.partition(": ") for e in one["errors"])
        ]
        histories[name] = LookupHistory(tuple(errors), one["attempts"], one["lastAttempt_ms"])
    return ResolutionFailure(histories)


# --- errors -------------------------------------------------------------------------------------------------------


def _client_error(case: Case) -> list[Mismatch]:
    (kind, error), *_ = case["error"].items()
    if kind == "InvalidSchema":
        got = failures.invalid_schema([{"path": path, "message": message} for path, message in error])
    elif kind == "ValidationError":
        reports = [
            Report(message, path, keyword, tuple(targets), "") for message, path, targets, keyword in error["reports"]
        ]
        got = failures.invalid_data(reports, error.get("supersededBy"))
    else:
        got = ResolutionFailure({name: _error_history(one) for name, one in error.items()}).to_json()
    text, wanted = jsontext.dumps(got), jsontext.dumps(case["expect"])
    return [] if text == wanted else [Mismatch("text", wanted, text)]


def _error_history(one: dict[str, Any]) -> LookupHistory:
    errors = []
    for error in one["errors"]:
        kind, message = (error, None) if isinstance(error, str) else next(iter(error.items()))
        errors.append(RegistryError(kind, message))
    return LookupHistory(tuple(errors), one["attempts"], one["lastAttempt_ms"])


def _superseding(case: Case) -> list[Mismatch]:
    if "registry" not in case:
        return _superseding_in_enrich(case)
    answers = {SchemaKey.parse(uri): schema for uri, schema in case["registry"].items()}
    registry = _Scripted(
        Repository("test", 0, ()), lambda key: answers.get(key, failures.NOT_FOUND), _CLASSES["embedded"]
    )
    found = Resolver([registry], 10, None, lambda: 0).schema(SchemaKey.parse(case["schema"]), superseding=True)
    if isinstance(found, ResolutionFailure):
        return _compare(case["expect"], {"registry_error": found.history["test"].errors[0].to_dict()})
    validator = compile_schema(found.schema)
    assert not isinstance(validator, list)
    version = found.superseded_by and str(found.superseded_by)
    if validator.fits(case["data"]):
        return _compare(case["expect"], {"ok": version})
    return _compare(case["expect"], {"error": failures.invalid_data(validator.reports(case["data"]), version)})


def _superseding_in_enrich(case: Case) -> list[Mismatch]:
    """What enrich does with a superseded event: its unstruct_event column and its notes."""
    from snowetl.enrich.self_describing import Column, check_unstruct_event

    key = SchemaKey.parse(case["schema"])
    newer = key._replace(version=SchemaVer.parse(case["superseded_by"]))
    data = {"schema": key.uri, "data": {}}
    value = {"schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0", "data": data}
    column = check_unstruct_event(_Superseded(newer), value, jsontext.dumps(value))
    assert isinstance(column, Column)
    got = {
        "sdj_schema_in_event": jsontext.loads(column.text)["data"]["schema"],
        "derived_context": jsontext.loads(column.notes[0].json),
    }
    return _compare(case["expect"], got)


class _Superseded:
    """Every schema but envelopes is superseded by one key, and everything is valid."""

    def __init__(self, newer: SchemaKey) -> None:
        self._newer = newer

    def known(self, uri: str) -> None:
        return None

    def checker(self, uri: str) -> Any:
        self.key = SchemaKey.parse(uri)
        self.superseded_by = None if self.key.name == "unstruct_event" else self._newer
        return self

    def check(self, data: Any) -> None:
        return None


# --- validation ---------------------------------------------------------------------------------------------------


def _validation(case: Case) -> list[Mismatch]:
    instance = jsontext.loads(case["instance"])
    compiled = compile_schema(jsontext.loads_exact(case["schema"]))
    expect = dict(case["expect"])
    expect.pop("schemaIssues_class", None)
    if isinstance(compiled, list):
        wanted = [{"path": issue["path"], "message": issue["message"]} for issue in expect.get("schemaIssues", [])]
        return _compare(wanted, compiled, "schemaIssues")
    try:
        fits, reports = compiled.fits(instance), compiled.reports(instance)
    except ValidationCrash as crash:
        if "exception" not in expect:
            return [Mismatch("expect", expect, str(crash))]
        return _compare(expect["exception"], str(crash), "exception")
    if fits == bool(reports):
        return [Mismatch("predicate", not reports, fits)]
    return _compare(expect, {"dataReports": [report.to_dict() for report in reports]})


def _order_hash_trie(case: Case) -> list[Mismatch]:
    return _compare(case["expect"], map_order(case.get("keys") or case["keys_sorted"]))


def _order_properties(case: Case) -> list[Mismatch]:
    return _compare(case["expect"], hash_map_order(map_order(case["property_names"])))


_KINDS: dict[str, Callable[[Case], list[Mismatch]]] = {
    "schema_uri": _schema_uri,
    "schema_ver": _schema_ver,
    "partial_uri": _partial_uri,
    "schema_path": lambda case: _schema_uri(case, "iglu:"),
    "schema_order": _schema_order,
    "criterion_parse": _criterion_parse,
    "criterion_match": _criterion_match,
    "schema_list": _schema_list,
    "self_describing_parse": _self_describing,
    "resolver_config": _resolver_config,
    "lookup_order": _lookup_order,
    "url": _url,
    "list_response": _list_response,
    "http_status": _http_status,
    "backoff": _backoff,
    "resolver_sequence": _resolver_sequence,
    "cache_put": _cache_put,
    "error_json": _client_error,
    "superseding": _superseding,
    "validation": _validation,
    "meta_schema": _validation,
    "order_hash_trie": _order_hash_trie,
    "order_properties": _order_properties,
}
