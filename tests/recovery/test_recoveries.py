"""Bad rows mended by a configuration of Event Recovery."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from snowetl.cli.main import main
from snowetl.collector import loader_for
from snowetl.errors import ConfigError
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.payload import CollectorPayload
from snowetl.recovery import Recoveries
from tests.integration.support import ROOT

ORIGIN = Origin("snowetl", "0.1.0", 1_772_668_800_000)
SCHEMA = "iglu:com.snowplowanalytics.snowplow/recoveries/jsonschema/4-0-0"
VENDOR = "iglu:com.snowplowanalytics.snowplow.badrows"
VIOLATIONS = f"{VENDOR}/schema_violations/jsonschema/2-0-*"


def configuration(**flows: Any) -> dict[str, Any]:
    return {"schema": SCHEMA, "data": {f"{VENDOR}/{kind}/jsonschema/*-*-*": given for kind, given in flows.items()}}


def flow(*steps: dict[str, Any], conditions: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"name": "main", "conditions": list(conditions), "steps": list(steps)}


def test(path: str, **matcher: Any) -> dict[str, Any]:
    return {"op": "Test", "path": path, "value": matcher}


test.__test__ = False  # type: ignore[attr-defined]


def replace(path: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"op": "Replace", "path": path, "value": value, **more}


def violation(**parameters: str) -> str:
    """A bad row of an event with these parameters."""
    raw = {
        "vendor": "com.snowplowanalytics.snowplow",
        "version": "tp2",
        "parameters": [{"name": name, "value": value} for name, value in parameters.items()],
        "contentType": None,
        "loaderName": "ssc",
        "encoding": "UTF-8",
        "hostname": None,
        "timestamp": "2026-03-05T10:00:00.000Z",
        "ipAddress": None,
        "useragent": None,
        "refererUri": None,
        "headers": [],
        "userId": None,
    }
    data = {
        "processor": {"artifact": "snowetl", "version": "0.1.0"},
        "failure": {},
        "payload": {"enriched": {}, "raw": raw},
    }
    return json.dumps({"schema": f"{VENDOR}/schema_violations/jsonschema/2-0-1", "data": data})


def mended(line: str, document: dict[str, Any]) -> Any:
    recoveries = pickle.loads(pickle.dumps(Recoveries.load(document)))  # as workers get it
    return loader_for("bad-rows", ORIGIN, recoveries=recoveries).load(line)


def parameters(line: str, *steps: dict[str, Any]) -> dict[str, str | None]:
    payload = mended(line, configuration(schema_violations=[flow(*steps)]))
    assert isinstance(payload, CollectorPayload), payload
    return dict(payload.querystring)


def test_parameters_are_found_by_name() -> None:
    found = parameters(violation(e="pv", aid="x"), replace("$.raw.parameters.aid", "shop"))
    assert found == {"e": "pv", "aid": "shop"}


def test_what_is_json_in_disguise_is_changed_within() -> None:
    event = json.dumps({"schema": "iglu:a/b/jsonschema/1-0-0", "data": {"schema": "s", "data": {"total": "12"}}})
    cast = {"op": "Cast", "path": "$.raw.parameters.ue_pr.data.data.total", "from": "String", "to": "Numeric"}
    assert json.loads(parameters(violation(ue_pr=event), cast)["ue_pr"] or "")["data"]["data"] == {"total": 12.0}
    filtered = replace("$.raw.parameters.[?(@.name=~ue_pr)].value.data.data.total", "7", match="^.*$")
    assert json.loads(parameters(violation(ue_pr=event), filtered)["ue_pr"] or "")["data"]["data"] == {"total": "7"}


def test_all_flows_whose_conditions_hold_are_joined() -> None:
    document = configuration(
        schema_violations=[
            flow(replace("$.raw.parameters.aid", "a"), conditions=(test("$.payload.raw.parameters.e", value="pv"),)),
            flow(replace("$.raw.parameters.p", "web"), conditions=(test("$.payload.raw.vendor", regex="snowplow"),)),
            flow(replace("$.raw.parameters.p", "no"), conditions=(test("$.payload.raw.parameters.x", value=""),)),
        ]
    )
    assert dict(mended(violation(e="pv", aid="", p="?"), document).querystring) == {"e": "pv", "aid": "a", "p": "web"}


def test_what_no_flow_is_for_stays_a_bad_row_that_can_be_tried_again() -> None:
    line = violation(e="pv")
    document = configuration(adapter_failures=[flow()])
    [row] = mended(line, document)
    assert isinstance(row, BadRow) and row.type == "recovery_error"
    assert row.data["failure"]["error"].startswith("Failed to load recovery configuration for URI.")
    assert row.data["payload"] == json.loads(line) and row.data["recoveries"] == 1
    [again] = mended(row.to_json(), document)
    assert again.data["payload"] == json.loads(line) and again.data["recoveries"] == 2
    assert dict(mended(row.to_json(), configuration(schema_violations=[flow()])).querystring) == {"e": "pv"}


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (replace("$.raw.parameters.aid", "x"), "Failed to find aid in"),
        (replace("$.raw.parameters.cx.data", "x"), "Failed to properly transform to/from Base64 string: !."),
        (
            {"op": "Cast", "path": "$.raw.parameters.e", "from": "Numeric", "to": "Boolean"},
            'Failed to cast "pv" from Numeric to Boolean',
        ),
    ],
)
def test_a_step_that_fails_says_why(step: dict[str, Any], error: str) -> None:
    [row] = mended(violation(e="pv", cx="!"), configuration(schema_violations=[flow(step)]))
    assert row.data["failure"]["error"].startswith(error)


@pytest.mark.slow
def test_a_search_that_would_run_long_is_given_up() -> None:
    step = replace("$.raw.parameters.e", "x", match="^(a|aa)+$")
    [row] = mended(violation(e="a" * 60 + "!"), configuration(schema_violations=[flow(step)]))
    assert "takes too long" in row.data["failure"]["error"]


def test_a_record_with_a_broken_query_string_is_read_again() -> None:
    from snowetl.collector import thrift_reader
    from snowetl.collector.thrift_writer import SCHEMA as THRIFT
    from snowetl.collector.thrift_writer import write_struct
    from snowetl.model import badrow

    record = write_struct(
        {
            thrift_reader.ENCODING: "UTF-8",
            thrift_reader.COLLECTOR: "ssc",
            thrift_reader.PATH: "/i",
            thrift_reader.QUERYSTRING: "e=pv&page={title}",
            thrift_reader.TIMESTAMP: 0,
            thrift_reader.SCHEMA: THRIFT,
        }
    )
    row = badrow.format_violation(ORIGIN, "thrift", badrow.simple_error("x"), record)
    payload = mended(row.to_json(), configuration(collector_payload_format_violation=[flow()]))
    assert isinstance(payload, CollectorPayload) and dict(payload.querystring)["e"] == "pv"


def test_all_mistakes_are_told_at_once() -> None:
    document = {
        "schema": SCHEMA,
        "data": {
            "schema_violations": [],
            VIOLATIONS: [
                {"name": "no blanks", "steps": []},
                flow(
                    {"op": "Delete"},
                    {"op": "Replace", "path": "$..x", "value": 1},
                    conditions=(test("$.a", regex="("),),
                ),
            ],
        },
    }
    with pytest.raises(ConfigError) as raised:
        Recoveries.load(document)
    told = str(raised.value)
    for each in (
        "schema_violations is not a schema",
        "needs a name",
        "must be an object whose op",
        "$..x is not a path",
        "(",
    ):
        assert each in told
    with pytest.raises(ConfigError, match="not a configuration of Event Recovery"):
        Recoveries.load({"schema": "iglu:x/y/jsonschema/1-0-0", "data": {}})


def test_explain_shows_what_becomes_of_a_bad_row_that_is_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row, document = tmp_path / "row.json", tmp_path / "recoveries.json"
    row.write_text(violation(e="pv", p="web", tv="js", aid="x") + "\n")
    document.write_text(json.dumps(configuration(schema_violations=[flow(replace("$.raw.parameters.aid", "shop"))])))
    given = ["explain", str(row), "-f", "bad-rows/thrift", "--recoveries", str(document)]
    assert main([*given, "--iglu-config", str(ROOT / "fixtures" / "resolver.json")]) == 0
    told = capsys.readouterr().out
    assert "is mended (--recoveries)" in told and "shop   ← aid" in told and "✓ event page_view" in told


def test_variables_and_names_of_groups_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP", "eu")
    step = replace("$.raw.parameters.aid", "${SHOP}-$${n}-$1", match="(?<n>[0-9]+)")
    assert parameters(violation(aid="a12"), step)["aid"] == "aeu-12-12"
