"""The client as the other rooms use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snowetl.ddl.models import Version
from snowetl.errors import ConfigError, RegistryUnavailable
from snowetl.http import Http, HttpError, Request, Response
from snowetl.iglu.client import IgluClient, is_deeper
from snowetl.iglu.config import Repository, ResolverConfig
from snowetl.iglu.failures import ResolutionFailure, describe
from snowetl.iglu.validation import ValidationCrash
from snowetl.jvm.json_number import JsonNumber
from snowetl.load.schemas import NoSchema, RegistrySchemas
from snowetl.model.schema import SchemaKey

_META = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
EVENT = "iglu:com.acme/event/jsonschema/1-0-0"
MISSING = "iglu:com.acme/missing/jsonschema/1-0-0"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    put(tmp_path, EVENT, {"$schema": _META, "type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}})
    return tmp_path


def put(folder: Path, uri: str, schema: Any) -> None:
    file = folder / "schemas" / uri.removeprefix("iglu:")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(schema if isinstance(schema, str) else json.dumps(schema), "utf-8")


def client_of(folder: Path, embedded: bool = False, **options: Any) -> IgluClient:
    place = {"path": str(folder)} if embedded else {"uri": folder.as_uri()}
    return IgluClient(ResolverConfig((Repository("Acme", 5, (), **place),)), now=1_562_598_285_100, **options)


def test_valid_and_invalid(registry: Path) -> None:
    checker = client_of(registry).checker(EVENT)
    assert checker.key == SchemaKey.parse(EVENT) and checker.superseded_by is None
    assert checker.check({"n": 1}) is None
    assert checker.check({"n": 0}) == {
        "error": "ValidationError",
        "dataReports": [
            {
                "message": "$.n: must have a minimum value of 1",
                "path": "$.n",
                "keyword": "minimum",
                "targets": ["1"],
            }
        ],
    }


@pytest.mark.parametrize("embedded", [False, True])
def test_not_found(registry: Path, embedded: bool) -> None:
    error = client_of(registry, embedded).checker(MISSING).check({})
    history = {"errors": [{"error": "NotFound"}], "attempts": 1, "lastAttempt": "2019-07-08T15:04:45.100Z"}
    assert error == {
        "error": "ResolutionError",
        "lookupHistory": [{"repository": "Acme", **history}, {"repository": "Iglu Client Embedded", **history}],
    }
    assert list(error) == ["error", "lookupHistory"]


def test_checkers_are_made_once(registry: Path) -> None:
    client = client_of(registry)
    assert client.checker(EVENT) is client.checker(EVENT)
    assert client.checker(MISSING) is client.checker(MISSING)
    put(registry, MISSING, {})
    assert client.checker(MISSING).check(1) is not None


def test_the_built_in_registry_is_always_there(registry: Path) -> None:
    client = client_of(registry)
    data = {"cacheSize": 1, "repositories": []}
    for version in ("1-0-0", "1-0-1", "1-0-2"):
        uri = f"iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/{version}"
        assert client.checker(uri).check(data) is None
        assert client.checker(uri).check({}) is not None
    instance = client.checker("iglu:com.snowplowanalytics.self-desc/instance-iglu-only/jsonschema/1-0-0")
    assert instance.check({"schema": EVENT, "data": 1}) is None
    assert instance.check({"schema": "x", "data": 1}) is not None


def test_the_offline_default_knows_the_tracker_protocol() -> None:
    client = IgluClient(ResolverConfig.default(), now=0)
    snowplow = "iglu:com.snowplowanalytics.snowplow/"
    context = {"schema": EVENT, "data": {}}
    for uri, data in {
        "payload_data/jsonschema/1-0-4": [{"e": "pv", "p": "web", "tv": "js-1"}],
        "contexts/jsonschema/1-0-0": [context],
        "contexts/jsonschema/1-0-1": [],
        "unstruct_event/jsonschema/1-0-0": context,
        "enrichments/jsonschema/1-0-0": [context],
        "ua_parser_context/jsonschema/1-0-0": None,
    }.items():
        checker = client.checker(snowplow + uri)
        assert (checker.check(data) is None) == (data is not None), uri
        assert checker.check("wrong") is not None
    keys = client.schema_list("com.snowplowanalytics.snowplow", "payload_data", 1)
    assert isinstance(keys, list) and [str(key.version) for key in keys] == [
        "1-0-0",
        "1-0-1",
        "1-0-2",
        "1-0-3",
        "1-0-4",
    ]
    names = {one["repository"] for one in (client.checker(MISSING).check(1) or {})["lookupHistory"]}
    assert names == {"Iglu Client Embedded", "Snowetl Embedded"}


def test_a_schema_that_is_none(registry: Path) -> None:
    put(registry, MISSING, {"type": "strange"})
    error = client_of(registry).checker(MISSING).check({})
    assert error is not None and list(error) == ["error", "schemaIssues"]
    assert [issue["path"] for issue in error["schemaIssues"]] == ["$.type", "$.type"]


def test_a_file_that_is_no_json(registry: Path) -> None:
    put(registry, MISSING, "{")
    for embedded, message in ((True, "ParsingFailure: exhausted input"), (False, "Could not decode server response.")):
        error = client_of(registry, embedded).checker(MISSING).check({})
        assert error is not None and message in error["lookupHistory"][0]["errors"][0]["message"]


def test_a_schema_that_blows_up_while_it_validates(registry: Path) -> None:
    put(registry, MISSING, {"properties": {"a": {"pattern": "(["}, "b": {"$ref": "#/nowhere"}}})
    checker = client_of(registry).checker(MISSING)
    assert checker.check({"c": 1}) is None
    for name in ("a", "b"):
        with pytest.raises(ValidationCrash):
            checker.check({name: 1})


def test_superseding(registry: Path) -> None:
    put(registry, EVENT, {"$supersededBy": "1-0-1"})
    newer = EVENT.replace("1-0-0", "1-0-1")
    put(registry, newer, {"required": ["a"], "$supersededBy": "1-0-2"})
    client = client_of(registry)
    checker = client.checker(EVENT)
    assert checker.key == SchemaKey.parse(EVENT) and checker.superseded_by == SchemaKey.parse(newer)
    assert checker.check({"a": 1}) is None
    error = checker.check({})
    assert error is not None and list(error) == ["supersededBy", "error", "dataReports"]
    assert error["supersededBy"] == "1-0-1"
    assert client.schema(checker.key) == {"$supersededBy": "1-0-1"}
    put(registry, newer, {"type": "strange"})
    error = client_of(registry).checker(EVENT).check({})
    assert error is not None and list(error) == ["supersededBy", "error", "schemaIssues"]


@pytest.mark.parametrize("value", [1, None, "1-0", "0-0-1", "1-0-0"])
def test_superseding_that_leads_nowhere(registry: Path, value: Any) -> None:
    put(registry, EVENT, {"$supersededBy": value})
    error = client_of(registry).checker(EVENT).check({})
    assert error is not None and error["lookupHistory"][0]["errors"][0]["error"] == "ClientFailure"


def test_schemas_and_lists_for_tables(registry: Path) -> None:
    client = client_of(registry)
    key = SchemaKey.parse(EVENT)
    schema = client.schema(key)
    assert not isinstance(schema, ResolutionFailure) and schema["type"] == "object"
    assert client.schema_list("com.acme", "event", 1) == [key]
    missing = client.schema(SchemaKey.parse(MISSING))
    assert isinstance(missing, ResolutionFailure) and missing.is_not_found()
    later = key._replace(version=key.version._replace(addition=1))
    put(registry, later.uri, {})
    assert client.schema_list("com.acme", "event", 1) == [key]
    assert client.schema_list("com.acme", "event", 1, containing=later) == [key, later]
    assert isinstance(client.schema_list("com.acme", "event", 2), ResolutionFailure)


def test_prefetch(registry: Path) -> None:
    client = client_of(registry)
    client.prefetch([EVENT, "iglu:no uri", MISSING])
    (registry / "schemas").rename(registry / "gone")
    assert client.checker(EVENT).check({"n": 1}) is None


def test_numbers_in_schemas_keep_their_text(registry: Path) -> None:
    put(registry, MISSING, '{"minimum": 5.50}')
    error = client_of(registry).checker(MISSING).check(1)
    assert error is not None and error["dataReports"][0]["targets"] == ["5.50"]


@pytest.mark.parametrize("vendor", ["..", "."])
def test_a_vendor_cannot_leave_the_folder(registry: Path, vendor: str) -> None:
    (registry / "x" / "jsonschema").mkdir(parents=True)
    (registry / "x" / "jsonschema" / "1-0-0").write_text("{}")
    for embedded in (True, False):
        client = client_of(registry, embedded)
        assert client.checker(f"iglu:{vendor}/x/jsonschema/1-0-0").check(1) is not None
        assert isinstance(client.schema_list(vendor, "x", 1), ResolutionFailure)


def test_embedded_in_a_package() -> None:
    config = ResolverConfig((Repository("Packaged", 1, (), path="/snowetl/iglu"),))
    client = IgluClient(config, now=0)
    assert client.checker("iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1").check([]) is None


@pytest.mark.parametrize(
    "place",
    [
        {"path": "/no/such/folder"},
        {"path": "no-such-package/x"},
        {"uri": "file:///no/such/folder"},
        {"uri": "file://host/x"},
    ],
    ids=str,
)
def test_a_folder_that_is_not_there(place: dict[str, str]) -> None:
    config = ResolverConfig((Repository("Acme", 1, (), **place),))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="'Acme': there is no folder"):
        IgluClient(config, now=0)


# --- outages ------------------------------------------------------------------------------------------------------

_TWO = ResolverConfig(
    (
        Repository("Down", 1, (), uri="http://down.acme.com/api", apikey="secret"),
        Repository("Up", 2, (), uri="http://up.acme.com"),
    )
)


def _over(transport: Any) -> Http:
    return Http(transport=transport, sleep=lambda seconds: None)


def _fetch(request: Request) -> Response:
    url = request.url
    if "down" in url:
        raise HttpError("connection refused")
    return Response(200, {}, b'{"type":"object"}') if "event" in url else Response(404, {}, b"")


def test_an_outage_fails_the_job() -> None:
    client = IgluClient(_TWO, now=0, http=_over(_fetch))
    assert client.checker(EVENT).check({}) is None
    for ask in (
        lambda: client.checker(MISSING),
        lambda: client.schema(SchemaKey.parse(MISSING)),
        lambda: client.schema_list("com.acme", "missing", 1),
        lambda: client.prefetch([MISSING]),
    ):
        with pytest.raises(RegistryUnavailable) as caught:
            ask()
        text = str(caught.value)
        assert "'Down' does not answer" in text and "http://down.acme.com/api/schemas/com.acme/missing" in text
        assert "connection refused" in text and "--on-registry-failure bad-rows" in text and "secret" not in text


def test_an_outage_makes_bad_rows() -> None:
    client = IgluClient(_TWO, now=0, on_registry_failure="bad-rows", http=_over(_fetch))
    error = client.checker(MISSING).check({})
    assert error is not None
    errors = {one["repository"]: one["errors"] for one in error["lookupHistory"]}
    assert errors["Down"] == [{"error": "ClientFailure", "message": "connection refused"}]
    assert errors["Up"] == [{"error": "NotFound"}]


def test_one_fetch_per_schema_even_without_cache() -> None:
    asked: list[str] = []

    def fetch(request: Request) -> Response:
        url = request.url
        asked.append(url)
        return _fetch(request)

    config = ResolverConfig((Repository("Up", 2, (), uri="http://up.acme.com"),), cache_size=0)
    client = IgluClient(config, now=0, http=_over(fetch))
    for _ in range(3):
        client.checker(EVENT)
        client.checker(MISSING)
    assert len(asked) == 2


def test_with_a_clock_schemas_expire_and_missing_ones_are_asked_for_again() -> None:
    now = [0]
    answers: dict[str, Response] = {}
    asked: list[str] = []

    def fetch(request: Request) -> Response:
        url = request.url
        asked.append(url)
        return answers.get(url.rpartition("/jsonschema/")[0].rpartition("/")[2], Response(404, {}, b""))

    config = ResolverConfig((Repository("Up", 2, (), uri="http://up.acme.com"),), cache_size=10, cache_ttl=60)
    client = IgluClient(config, now=0, http=_over(fetch), clock=lambda: now[0])
    assert client.checker(EVENT).check(1) is not None
    answers["event"] = Response(200, {}, b'{"type":"object"}')
    assert client.checker(EVENT).check({}) is not None
    now[0] += 600
    first = client.checker(EVENT)
    assert first.check({}) is None and client.checker(EVENT) is first
    answers["event"] = Response(200, {}, b'{"type":"string"}')
    now[0] += 59_000
    assert client.checker(EVENT) is first
    now[0] += 1_000
    assert client.checker(EVENT).check("x") is None
    assert len(asked) == 3


# --- depth --------------------------------------------------------------------------------------------------------


def test_depth() -> None:
    assert not is_deeper(1, 1) and is_deeper([1], 1) and not is_deeper([], 1) and not is_deeper({"a": [1]}, 3)
    assert is_deeper({"a": [1]}, 2)


def test_a_depth_limit(registry: Path) -> None:
    put(registry, MISSING, {})
    client = client_of(registry, max_json_depth=3)
    assert client.checker(MISSING).check([[1]]) is None
    report = {"message": "Maximum allowed JSON depth exceeded", "path": "/", "keyword": None, "targets": []}
    assert client.checker(MISSING).check([[[1]]]) == {"error": "ValidationError", "dataReports": [report]}
    error = client.checker(EVENT).check(1)
    assert error == {
        "error": "ValidationError",
        "schemaIssues": [{"path": "/", "message": "Maximum allowed JSON depth exceeded"}],
    }


# --- texts --------------------------------------------------------------------------------------------------------


def test_errors_as_text(registry: Path) -> None:
    client = client_of(registry)
    missing = client.checker(MISSING).check(1)
    assert missing is not None and describe(missing) == (
        "Schema cannot be resolved in following repositories:\n"
        "* Acme due [NotFound] after 1 attempt\n* Iglu Client Embedded due [NotFound] after 1 attempt"
    )
    invalid = client.checker(EVENT).check({"n": JsonNumber("0.0")})
    assert invalid is not None and describe(invalid) == (
        "Instance is not valid against its schema:\n* At $.n:\n  - $.n: must have a minimum value of 1\n"
        "  - $.n: number found, integer expected"
    )
    put(registry, "iglu:com.acme/bad/jsonschema/1-0-0", {"enum": []})
    bad = client.checker("iglu:com.acme/bad/jsonschema/1-0-0").check(1)
    assert bad is not None and describe(bad) == (
        "Resolved schema cannot be used to validate an instance. Following issues found:\n"
        "* [$.enum: there must be a minimum of 1 items in the array] (at $.enum)"
    )


def test_L13_a_schema_with_a_top_level_key_error_is_a_schema(registry: Path) -> None:
    odd = "iglu:com.acme/odd/jsonschema/1-0-0"
    schema = {"$schema": _META, "error": "NotFound", "type": "object", "properties": {"n": {"type": "integer"}}}
    put(registry, odd, schema)
    client = client_of(registry)
    assert client.schema(SchemaKey.parse(odd)) == schema
    assert client.checker(odd).check({"n": 1}) is None
    (version,) = RegistrySchemas(client).versions("com.acme", "odd", 1)
    assert isinstance(version, Version) and version.key == SchemaKey.parse(odd)
    missing = RegistrySchemas(client).versions("com.acme", "missing", 1)
    assert isinstance(missing, NoSchema)
    assert "ResolutionFailure(" not in missing.reason and "LookupHistory(" not in missing.reason


def test_long_names_that_events_make_up_are_not_kept(registry: Path) -> None:
    client = client_of(registry)
    for number in range(20):
        uri = f"iglu:com.acme/{'x' * 100_000}{number}/jsonschema/1-0-0"
        assert client.checker(uri).check({})["error"] == "ResolutionError"  # type: ignore[index]
    assert not client._missing
    assert not client._resolver._schemas._stored
