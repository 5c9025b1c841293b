"""``snowetl export``: from an imported configuration to files for other schedulers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest

from snowetl.cli.main import main
from snowetl.cli.run import command as run
from tests.orchestrator.exports.support import refused
from tests.orchestrator.imports.support import FILES, imported

PACKAGE = "s3://larkspur-etl/snowetl/package"
APPLICATION = ("--emr-application-id", "00f", "--emr-job-role", "arn:aws:iam::123456789012:role/job")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an imported configuration."""
    monkeypatch.chdir(FILES)
    monkeypatch.setenv("LARKSPUR_CORES", "3")
    files = ("-r", "resolver.json", "-n", "enrichments", "-t", "targets")
    assert imported(tmp_path, "emr-etl-runner", "config.yml", *files) == 0
    return tmp_path


def _export(kind: str, settings: Path, *more: str) -> int:
    """Export to ``out``, on the imported cluster, unless ``more`` says where."""
    if "--emr-application-id" in more or "--emr-cluster-id" in more:
        text = (settings / "snowetl.yml").read_text()
        (settings / "snowetl.yml").write_text(re.sub(r"\n  emr-cluster: .*", "", text))
    into = ("--into", str(settings / "out"))
    return main(["export", kind, "--config", str(settings / "snowetl.yml"), *into, *more])


def _requests(settings: Path) -> list[dict[str, object]]:
    calls: list[dict[str, object]] = json.loads((settings / "out" / "requests.json").read_text())["calls"]
    return calls


def test_an_imported_cluster_is_exported(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _export("boto3", settings, "--run-id", "2026-03-05-02-00-00") == 0
    [call] = _requests(settings)
    request = call["parameters"]
    assert isinstance(request, dict)
    assert refused("emr", "RunJobFlow", request) == ""
    assert request["Name"] == "Larkspur ETL 2026-03-05-02-00-00"
    said = capsys.readouterr().out
    assert f"snowetl package {PACKAGE}\n" in said
    assert f"aws s3 cp config.zip {PACKAGE}/config.zip" in said


def test_the_arguments_are_those_of_run(settings: Path) -> None:
    assert _export("boto3", settings, *APPLICATION, "--master", "none", "--workers", "3") == 0
    [call] = _requests(settings)
    submit = call["parameters"]["jobDriver"]["sparkSubmit"]  # type: ignore[index]
    context = run.make_context("run", list(submit["entryPointArguments"]))
    assert isinstance(context, click.Context)
    assert context.params["iglu_config"] == "config/resolver.json"
    assert context.params["duplicate_storage"] == "config/duplicate-storage.json"
    assert (context.params["master"], context.params["workers"]) == (None, None)  # those of spark-submit
    assert context.params["no_data_exit_code"] == 0  # schedulers take 3 for a failure
    assert context.params["database"].startswith("redshift://loader:${ssm:larkspur.redshift.password}@")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("airflow", ["snowetl_dag.py"]),
        ("step-functions", ["schedule.json", "state_machine.json"]),
        ("boto3", ["requests.json"]),
    ],
)
def test_every_kind_writes_its_files(kind: str, names: list[str], settings: Path) -> None:
    assert _export(kind, settings, *APPLICATION) == 0
    assert sorted(path.name for path in (settings / "out").iterdir()) == names
    assert _export(kind, settings, *APPLICATION) == 2
    assert _export(kind, settings, *APPLICATION, "--force") == 0


def test_a_playbook_needs_a_cluster(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _export("playbook", settings) == 0
    assert _export("playbook", settings, *APPLICATION, "--force") == 2
    assert "Dataflow Runner knows no EMR Serverless" in capsys.readouterr().err


def test_one_place_is_needed(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _export("boto3", settings, *APPLICATION, "--emr-cluster", str(settings / "cluster.yml")) == 2
    assert _export("boto3", settings, *APPLICATION, "--emr-cluster-id", "j-1") == 2
    assert capsys.readouterr().err.count("where does the run work?") == 2
    assert _export("boto3", settings, "--emr-application-id", "00f") == 2
    assert "--emr-job-role" in capsys.readouterr().err


def test_the_package_is_needed(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (settings / "snowetl.yml").read_text()
    (settings / "snowetl.yml").write_text(re.sub(r"\n  emr-package: .*", "", text))
    assert _export("boto3", settings) == 2
    assert "--emr-package is missing" in capsys.readouterr().err


def test_what_a_cluster_cannot_use_is_refused_at_once(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (settings / "snowetl.yml").read_text()
    text = text.replace("s3://larkspur-collector/web/", "logs").replace(
        "${ssm:larkspur.redshift.password}", "secret-word"
    )
    (settings / "snowetl.yml").write_text(text)
    assert _export("boto3", settings, *APPLICATION, "--atomic-limits", '{"page_url": 1}') == 2
    said = capsys.readouterr().err
    assert "3 problems" in said
    assert "--input-folder: logs is a folder of this machine" in said
    assert "--database: its password would stand in the arguments" in said
    assert "--atomic-limits: it is written in the settings" in said
    assert "secret-word" not in said


def test_a_wrong_cluster_file_is_told_with_its_lines(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = settings / "cluster.yml"
    path.write_text(path.read_text().replace("region:", "regoin:").replace("  count: 3", "  count: three"))
    assert _export("boto3", settings) == 2
    said = capsys.readouterr().err
    assert "unknown key regoin; did you mean region" in said
    assert "count must be a whole number" in said
