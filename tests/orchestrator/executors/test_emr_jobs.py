"""Steps as jobs: names, documents that go along, and secrets that do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from snowetl.cli.main import cli
from snowetl.errors import ConfigError
from snowetl.orchestrator.executors import emr_jobs
from snowetl.orchestrator.planner import PlannedStep
from snowetl.orchestrator.settings import RunSettings
from tests.integration.support import RESOLVER, write_json

RUN = "2026-03-05-00-00-03"
FOLDER = f"s3://lake/out/runs/run={RUN}"
SECRET = {
    "name": "mine",
    "priority": 1,
    "vendorPrefixes": [],
    "connection": {"http": {"uri": "http://x", "apikey": "k3y"}},
}


def settings(**more: Any) -> RunSettings:
    given: dict[str, Any] = {
        "input_folder": ("s3://lake/raw",),
        "input_format": "thrift",
        "output_folder": "s3://lake/out",
        "iglu_config": RESOLVER,
        "database": "postgresql://loader@db/x",
        "emr_package": "s3://lake/snowetl/",
        "master": "local[2]",
        "workers": 4,
        **more,
    }
    return RunSettings(**given)


def prepared(name: str, **more: Any) -> emr_jobs.Prepared:
    given = settings(**more)
    own, outputs = given.step(name, RUN, f"{FOLDER}/inputs.jsonl.gz")
    return emr_jobs.prepare(PlannedStep(name=name, settings=own, outputs=outputs, why=""), given, FOLDER, "t0ken")


def with_secret() -> dict[str, Any]:
    data = RESOLVER["data"]
    return {**RESOLVER, "data": {**data, "repositories": [*data["repositories"], SECRET]}}


def option(arguments: tuple[str, ...], flag: str) -> str:
    return arguments[arguments.index(flag) + 1]


def test_names_are_those_that_alerts_look_for() -> None:
    names = [prepared(name).job.name for name in ("enrich", "transform", "load")]
    assert names == [
        "[enrich] spark: Enrich Raw Events",
        "[shred] spark: Shred Enriched Events",
        "[rdb_load] Load postgres atomic Storage Target",
    ]


@pytest.mark.parametrize("name", ["enrich", "transform", "load"])
def test_a_job_reads_its_arguments_as_the_step_was_planned(name: str) -> None:
    job = prepared(name).job
    assert job.entry_point == f"s3://lake/snowetl/{name}.py"
    assert job.conf["spark.snowetl.token"] == "t0ken"
    assert "--master" not in job.arguments and "--workers" not in job.arguments, "spark-submit knows where it works"
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    read = command.make_context(name, list(job.arguments)).params
    planned, _ = settings().step(name, RUN, f"{FOLDER}/inputs.jsonl.gz")
    given = {key: value for key, value in read.items() if value is not None and hasattr(planned, key)}
    moved = {"iglu_config": f"{FOLDER}/config/{name}/iglu-config.json"}
    expected = {key: moved.get(key, getattr(planned, key)) for key in given}
    assert {key: value for key, value in given.items() if value not in (False, ())} == {
        key: value for key, value in expected.items() if given[key] not in (False, ())
    }


def test_documents_are_named_by_where_they_are_brought(tmp_path: Path) -> None:
    folder = tmp_path / "enrichments"
    folder.mkdir()
    ua = {"schema": "iglu:com.snowplowanalytics.snowplow/ua_parser_config/jsonschema/1-0-1", "data": {"enabled": False}}
    write_json(folder / "a.json", ua)
    write_json(folder / "b.json", {"schema": "…/enrichments/…", "data": [ua, ua]})
    made = prepared("enrich", enrichments=str(folder), iglu_config=str(write_json(tmp_path / "r.json", RESOLVER)))
    place = f"{FOLDER}/config/enrich"
    assert option(made.job.arguments, "--iglu-config") == f"{place}/iglu-config.json"
    assert option(made.job.arguments, "--enrichments") == f"{place}/enrichments.json"
    assert json.loads(made.uploads[f"{place}/iglu-config.json"]) == RESOLVER
    assert json.loads(made.uploads[f"{place}/enrichments.json"])["data"] == [ua, ua, ua]


def test_documents_that_are_elsewhere_stay_there() -> None:
    made = prepared("enrich", iglu_config="s3://private/resolver.json")
    assert option(made.job.arguments, "--iglu-config") == "s3://private/resolver.json" and made.uploads == {}


def test_variables_are_read_here_and_references_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "iglu.example.com")
    repository = {**SECRET, "connection": {"http": {"uri": "http://${HOST}", "apikey": "${ssm:/key}", "note": "$${A}"}}}
    resolver = {**RESOLVER, "data": {**RESOLVER["data"], "repositories": [repository]}}
    [(_, content)] = prepared("enrich", iglu_config=resolver).uploads.items()
    http = json.loads(content)["data"]["repositories"][0]["connection"]["http"]
    assert http == {"uri": "http://iglu.example.com", "apikey": "${ssm:/key}", "note": "$${A}"}


def test_a_secret_in_a_document_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError, match=r"--iglu-config: it holds a secret \(apikey\)") as caught:
        emr_jobs.check(settings(iglu_config=with_secret()))
    assert "k3y" not in str(caught.value) and "${secretsmanager:NAME}" in str(caught.value)


@pytest.mark.parametrize(
    "database", ["postgresql://loader:pa55@db/x", "host=db password=pa55", "postgresql://l:${ssm:a}pa55@db/x"]
)
def test_a_password_is_refused_and_not_shown(database: str) -> None:
    with pytest.raises(ConfigError, match="--database: its secret would stand in the arguments") as caught:
        emr_jobs.check(settings(database=database))
    assert "pa55" not in str(caught.value)


@pytest.mark.parametrize("database", ["postgresql://loader@db/x", "postgresql://l:${secretsmanager:db#password}@db/x"])
def test_an_address_without_a_password_goes_along(database: str) -> None:
    assert option(prepared("load", database=database).job.arguments, "--database") == database


def test_the_manifest_of_duplicates_goes_along() -> None:
    document = {
        "schema": "iglu:com.snowplowanalytics.snowplow.storage/amazon_dynamodb_config/jsonschema/2-0-0",
        "data": {"name": "d", "id": "5c6a8dbb-4d71-4d9c-9b1f-5d8f1f6d5b1e", "awsRegion": "eu-west-1",
                 "dynamodbTable": "t", "purpose": "DUPLICATE_TRACKING"},
    }  # fmt: skip
    made = prepared("transform", duplicate_storage=document)
    url = f"{FOLDER}/config/transform/duplicate-storage.json"
    assert option(made.job.arguments, "--duplicate-storage") == url and json.loads(made.uploads[url]) == document


def test_all_that_a_cluster_cannot_use_is_told_at_once() -> None:
    wrong = settings(input_folder=("logs",), output_folder="out", database=None, emr_package=None, local=True)
    with pytest.raises(ConfigError) as caught:
        emr_jobs.check(wrong)
    for each in (
        "--emr-package is missing",
        "--input-folder: logs",
        "--output-folder:",
        "--database is missing",
        "--local",
    ):
        assert each in str(caught.value)


def test_properties_of_spark_are_the_users_last_word() -> None:
    conf = prepared("load", emr_conf=("spark.driver.memory=8g", "spark.x=a=b")).job.conf
    assert (conf["spark.driver.memory"], conf["spark.x"], conf["spark.executor.instances"]) == ("8g", "a=b", "1")
