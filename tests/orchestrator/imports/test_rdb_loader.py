"""HOCON of RDB Loader and of its transformers, as ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from snowetl.orchestrator.imports import rdb_loader
from snowetl.steps.settings import LoadSettings, TransformSettings
from tests.orchestrator.imports.support import FILES, imported, settings


@pytest.fixture(autouse=True)
def _in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FILES)


def test_loader_and_transformer_become_transform_and_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LARKSPUR_PASSWORD", "topsecret")
    assert imported(tmp_path, "rdb-loader", "loader.hocon", "transformer.hocon", "-r", "resolver.json") == 0
    environment = {"LARKSPUR_PASSWORD": "p", "LARKSPUR_WAREHOUSE": "w.example"}
    load = LoadSettings(**settings(tmp_path, "load", **environment))
    assert load.database == "redshift://loader:p@w.example:5439/analytics"
    assert (load.assume_role_arn, load.region, load.max_error) == (
        "arn:aws:iam::123456789012:role/Lent",
        "eu-west-1",
        3,
    )
    assert load.input_folder == "s3://larkspur-etl/transformed/"
    transform = TransformSettings(**settings(tmp_path, "transform", **environment))
    assert transform.rows_for == "redshift"
    assert transform.json == ()  # a load here would refuse them
    said = "".join(capsys.readouterr()) + (tmp_path / "snowetl.yml").read_text()
    assert "topsecret" not in said
    assert "loader.hocon: monitoring.webhook" in said
    assert "transformer.hocon: formats.json: all entities are loaded as TSV" in said


def test_rows_for_rdb_loader_may_stay_json(tmp_path: Path) -> None:
    assert imported(tmp_path, "rdb-loader", "transformer.hocon", "-r", "resolver.json") == 0
    assert settings(tmp_path, "transform")["json"] == ("iglu:com.example/legacy/jsonschema/1-*-*",)


def test_a_file_of_r35_holds_both() -> None:
    config = rdb_loader.parse(
        """{schema = "iglu:x", data = {name = "a", region = "eu-west-1", storage = {type = "redshift", host = "h",
        database = "d", username = "u", password = {ec2ParameterStore = {parameterName = "a.b"}}, schema = "s",
        roleArn = "r"}, shredder = {input = "s3://i/", output = {path = "s3://o/", compression = "GZIP"}},
        formats = {default = "JSON"}}}""",
        "c.hocon",
    )
    found = rdb_loader.found([(config, "c.hocon")], "r.json")
    assert found.settings["database"].value == "redshift://u:${ssm:a.b}@h:5439/d"
    assert found.verbs["transform"]["input-folder"].value == "s3://i/"
    assert "default-format" not in found.verbs["transform"]


@pytest.mark.parametrize("kind", ["snowflake", "databricks"])
def test_warehouses_we_do_not_load_are_left(kind: str) -> None:
    config = rdb_loader.parse(f'storage = {{type = "{kind}"}}\ninput = "s3://i/"\noutput.path = "s3://o/"\n'
                              "formats = {transformationType = widerow}", "c")  # fmt: skip
    found = rdb_loader.found([(config, "c")])
    assert found.verbs["transform"]["transformation"].value == "widerow-json"
    assert f"{kind} is not a warehouse known here" in [each.why for each in found.left]


def test_text_in_quotes_is_no_variable() -> None:
    assert rdb_loader.parse('a = "${HOME}", b = ${HOME}/x', "c") == {"a": "$${HOME}", "b": "${HOME}/x"}


def test_a_file_that_is_no_hocon_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.hocon").write_text("a = {")
    assert imported(tmp_path, "rdb-loader", str(tmp_path / "bad.hocon")) == 2
    assert "bad.hocon" in capsys.readouterr().err
