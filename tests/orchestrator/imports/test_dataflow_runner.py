"""Clusters and playbooks of Dataflow Runner, and their templates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from snowetl.cli.main import main
from snowetl.errors import ConfigError
from snowetl.orchestrator.imports.dataflow_runner import convert, files, requests, write
from snowetl.orchestrator.imports.dataflow_runner.layouts import formatted
from snowetl.orchestrator.imports.dataflow_runner.template import Template, TemplateError, variables
from snowetl.orchestrator.imports.found import Cluster, Instances, Script, Volume
from snowetl.orchestrator.settings import RunSettings
from snowetl.steps.settings import LoadSettings, TransformSettings
from tests.orchestrator.imports.support import FILES, cluster, imported, settings


@pytest.fixture(autouse=True)
def _in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FILES)
    monkeypatch.setenv("LARKSPUR_SUBNET", "subnet-1")


def test_a_playbook_of_the_transformer_becomes_transform_and_load(tmp_path: Path) -> None:
    assert imported(tmp_path, "dataflow-runner", "cluster.json", "playbook.json", "--vars", "environment,live") == 0
    transform = TransformSettings(**settings(tmp_path, "transform"))
    assert transform.input_folder == "s3://larkspur-etl/enriched/archive/"
    assert transform.output_folder == "s3://larkspur-etl/transformed/"
    assert (transform.synthetic, transform.cardinality, transform.compression) == ("JOIN", 5, "none")
    assert transform.json == ("iglu:com.example/legacy/jsonschema/1-*-*",)
    assert transform.rows_for == "redshift"
    assert transform.iglu_config == "resolver.json"
    assert transform.announcement is not None
    assert LoadSettings(**settings(tmp_path, "load")).input_folder == "s3://larkspur-etl/transformed/"


def test_the_cluster_is_carried(tmp_path: Path) -> None:
    assert imported(tmp_path, "dataflow-runner", "cluster.json", "--vars", "environment,live") == 0
    found = cluster(tmp_path)
    assert (found.name, found.subnet, found.release_label) == ("larkspur live", "subnet-1", "emr-7.13.0")
    assert found.core == Instances("r5.xlarge", 2, None, (Volume(64, "gp3", None, 2),), True)
    assert found.task is None
    assert found.configurations == {"spark-defaults": {"spark.sql.shuffle.partitions": "200"}}


def test_a_playbook_of_the_batch_pipeline_becomes_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert imported(tmp_path, "dataflow-runner", "playbook_batch.json") == 0
    run = RunSettings(**settings(tmp_path, "run"))
    assert run.input_folder == ("s3://larkspur-collector/web/",)
    assert run.enriched_folder == "s3://larkspur-etl/enriched/"
    assert run.bad_folder == "s3://larkspur-etl/bad/"
    assert (run.warehouse, run.input_format) == ("redshift", "thrift")
    written = (tmp_path / "snowetl.yml").read_text() + "".join(capsys.readouterr())
    assert "AKIAIOSFODNN7EXAMPLE" not in written
    assert "EXAMPLEKEY" not in written


def test_steps_of_others_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert imported(tmp_path, "dataflow-runner", "playbook.json") == 0
    said = capsys.readouterr().out
    assert "playbook.json, step 3 (Count): it is not a step of Snowplow known here" in said
    assert "step 1 (Stage enriched events): it moves files from s3://larkspur-etl/enriched/stream/" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope.json"], "open nope.json: no such file or directory"),
        (["cluster.json"], 'map has no entry for key "environment"'),
        (["cluster.json", "--vars", "a"], "--vars must have an even number of keys and values"),
    ],
)
def test_what_cannot_be_read_is_said_as_it_was(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import-config", "dataflow-runner", *arguments, "--into", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


# --- templates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("a{{.x}}b", "a1b"),
        ("{{ .x | base64 }}", "MQ=="),
        ('{{ base64 `a"b` }}', "YSJi"),
        ('{{ "{{" }}', "{{"),
        ("a {{- .x -}} b", "a1b"),
        ("a{{/* none */}}b", "ab"),
        ("{{ base64 .x }}", "MQ=="),
        ('{{timeWithFormat "0" "2006-01-02T15:04:05Z07:00"}}', "1970-01-01T00:00:00Z"),
        ('{{nowWithFormat "20060102"}}', "20260305"),
    ],
)
def test_templates_are_filled_in(text: str, filled: str) -> None:
    now = datetime(2026, 3, 5, tzinfo=UTC).timestamp()
    assert Template({"x": "1"}, {}, clock=lambda: now).fill(text) == filled


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{if .x}}{{end}}", "template: t:1: {{if}} is not read here: write the file without it"),
        ("\n{{}}", "template: t:2: missing value for command"),
        ("{{.x", "template: t:1: unclosed action"),
        ("{{base64}}", 'template: t:1:2: executing "t" at <base64>: wrong number of args for base64: want 1 got 0'),
        (
            '{{timeWithFormat "99999999999999999999" "2006"}}',
            'template: t:1:2: executing "t" at <timeWithFormat "99999999999999999999" "2006">: error calling '
            'timeWithFormat: strconv.ParseInt: parsing "99999999999999999999": value out of range',
        ),
        ("{{.x .x}}", "template: t:1: can't give argument to non-function .x"),
    ],
)
def test_templates_that_cannot_be_filled_in(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        Template({"x": "1"}, {}).fill(text, "t")
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("2006-01-02-15-04-05", "2026-03-05-14-07-09"),
        ("Mon Jan _2 3:04PM 06", "Thu Mar  5 2:07PM 26"),
        ("Monday, January 2 2006 15:04:05.000 -0700", "Thursday, March 5 2026 14:07:09.012 +0130"),
        ("05.999999 002 Z07:00", "09.0123 064 +01:30"),
        ("Z0700 -07 pm", "+0130 +01 pm"),
    ],
)
def test_layouts_of_go(layout: str, text: str) -> None:
    zone = timezone(timedelta(hours=1, minutes=30))
    assert formatted(datetime(2026, 3, 5, 14, 7, 9, 12_300, zone), layout) == text


def test_a_comma_in_vars_separates() -> None:
    assert variables("a,b,c,d") == {"a": "b", "c": "d"}


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_cluster_of_ours_is_read_back() -> None:
    ours = Cluster(
        "n",
        "7.13.0",
        "eu-west-1",
        Instances("m7i.xlarge"),
        Instances("c7i.2xlarge", 2, None, (Volume(64, "gp3"),), True),
        Instances("c7i.2xlarge", 3, "0.2"),
        zone="eu-west-1a",
        key_name="k",
        service_role="s",
        instance_profile="p",
        security_configuration="sec",
        log_uri="s3://l/",
        bootstrap=(Script("b", "s3://b.sh", ("1",)),),
        configurations={"spark": {"a": "1"}},
        tags={"t": "1"},
    )
    assert convert.cluster_of(files.RunnerFile("x", write.cluster_file(ours)["data"])) == ours


def test_a_cluster_without_a_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="x is not a cluster: the key 'ec2' is missing"):
        convert.cluster_of(files.RunnerFile("x", {"name": "n"}))


def test_iops_are_dropped_for_gp3() -> None:
    device = {"volumesPerInstance": 1, "volumeSpecification": {"iops": 9, "sizeInGB": 1, "volumeType": "gp3"}}
    groups = requests.instance_groups(
        {"master": {"type": "m", "ebsConfiguration": {"ebsBlockDeviceConfigs": [device]}}}
    )
    assert groups[0]["EbsConfiguration"]["EbsBlockDeviceConfigs"][0]["VolumeSpecification"] == {
        "SizeInGB": 1,
        "VolumeType": "gp3",
    }
