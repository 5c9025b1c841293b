"""Configurations of EmrEtlRunner of several years, as ours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from snowetl.dedupe.event_manifest import DynamoConfig
from snowetl.errors import ConfigError
from snowetl.orchestrator.executors import emr
from snowetl.orchestrator.imports.emr_etl_runner import command, config, targets
from snowetl.orchestrator.imports.emr_etl_runner.errors import RunnerConfigError
from snowetl.orchestrator.imports.emr_etl_runner.keys import KEYS
from snowetl.orchestrator.imports.emr_etl_runner.options import (
    EQUIVALENTS,
    INCLUDABLE,
    RESUMABLE,
    SKIPPABLE,
    RunOptions,
    duration,
    ours,
)
from snowetl.orchestrator.imports.found import Instances, Volume
from snowetl.orchestrator.settings import RunSettings
from tests.orchestrator.imports.support import FILES, cluster, imported, settings

SECRETS = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "hunter2-in-the-file")


@pytest.fixture(autouse=True)
def _in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FILES)
    monkeypatch.setenv("LARKSPUR_CORES", "3")


def _import(into: Path, *more: str, file: str = "config.yml") -> int:
    return imported(into, "emr-etl-runner", file, *more)


def test_a_configuration_of_1_0_4_becomes_settings_of_a_run(tmp_path: Path) -> None:
    assert _import(tmp_path, "-r", "resolver.json", "-n", "enrichments", "-t", "targets") == 0
    found = settings(tmp_path, "run")
    run = RunSettings(**found)
    assert run.input_folder == ("s3://larkspur-collector/web/", "s3://larkspur-collector/app/")
    assert run.input_format == "thrift"
    assert run.output_folders() == (
        "s3://larkspur-etl/enriched/archive",
        "s3://larkspur-etl/enriched/bad",
        "s3://larkspur-etl/shredded/archive",
    )
    assert run.runs_folder == "s3://larkspur-etl/snowetl/runs"
    assert run.archive == "s3://larkspur-etl/raw/archive/"
    assert run.emr_cluster == f"{tmp_path}/cluster.yml"
    assert run.emr_package == "s3://larkspur-etl/snowetl/package/"
    assert (run.compression, run.warehouse, run.max_error) == ("gzip", "redshift", 1)
    assert run.database == (
        "redshift://loader:${ssm:larkspur.redshift.password}@warehouse.larkspur.example:5439/analytics"
    )
    assert run.target.role_arn == "arn:aws:iam::123456789012:role/LarkspurLoad"
    assert run.event_manifest == DynamoConfig("larkspur-events", "eu-west-1", None, None)
    assert len(run.enrich_config().enrichments) == 2
    emr.check(run)  # raises nothing: the executor takes it


def test_the_cluster_is_carried_and_brought_to_today(tmp_path: Path) -> None:
    assert _import(tmp_path) == 0
    found = cluster(tmp_path)
    assert found.release_label == "emr-7.13.0"
    assert found.core == Instances("m4.large", 3, None, (Volume(100, "gp2"),), False)
    assert found.task == Instances("c7i.2xlarge", 2, "0.015")
    assert (found.subnet, found.zone, found.key_name) == ("subnet-0a1b2c3d", None, "larkspur")
    assert [script.path for script in found.bootstrap] == ["s3://larkspur-etl/bootstrap/agent.sh"]
    assert found.configurations == {"yarn-site": {"yarn.resourcemanager.am.max-attempts": "1"}}
    assert found.tags == {"team": "data", "Cost_Center": "42"}


def test_what_is_not_carried_is_listed_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _import(tmp_path, "-t", "targets") == 0
    said = capsys.readouterr().out
    for place in (
        "config.yml, line 3: aws.access_key_id",
        "config.yml, line 16: aws.s3.buckets.raw.processing",
        "config.yml, line 80: monitoring.snowplow",
        "config.yml: release 5.29.0",
        "targets/elastic.json: Larkspur bad rows",
        "targets/redshift.json: blacklistTabular",
        "enrichments: no enrichments were given",
    ):
        assert place in said
        assert place in (tmp_path / "snowetl.yml").read_text()


@pytest.mark.parametrize("file", ["config.yml", "config_r77.yml", "config_r62.yml"])
def test_no_secret_is_written_or_said(file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _import(tmp_path, "-t", "targets", file=file) == 0
    said = "".join(capsys.readouterr())
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    assert not [secret for secret in SECRETS if secret in said + written]


@pytest.mark.parametrize(
    ("archive", "skip", "told"),
    [
        ("s3://larkspur-etl/raw/archive", "", "raw logs are copied there, and stay in raw.in"),
        ("s3://larkspur-etl/raw/archive", "--skip archive_raw", "--skip archive_raw leaves it out"),
        ("s3://larkspur-collector/web/archive", "", "it lies in s3://larkspur-collector/web/"),
    ],
)
def test_the_archive_of_raw_logs_is_carried_if_runs_can_use_it(
    archive: str, skip: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yml"
    path.write_text((FILES / "config.yml").read_text().replace("s3://larkspur-etl/raw/archive", archive))
    command = f"snowplow-emr-etl-runner run -c {path} -r {FILES}/resolver.json {skip}"
    assert imported(tmp_path / "out", "emr-etl-runner", "--command", command) == 0
    carried = settings(tmp_path / "out", "run").get("archive")
    assert carried == (None if skip or "collector" in archive else f"{archive}/")
    assert told in " ".join(capsys.readouterr().out.split())


def test_keys_of_earlier_releases_are_read_where_they_stood(tmp_path: Path) -> None:
    assert _import(tmp_path, "-r", "resolver.json", file="config_r62.yml") == 0
    run = RunSettings(**settings(tmp_path, "run"))
    assert run.input_folder == ("s3://old-in/",)
    assert run.input_format == "cloudfront"
    assert run.output_folders()[0] == "s3://old-out/enriched/good"
    found = cluster(tmp_path)
    assert (found.name, found.zone) == ("Old ETL", "us-east-1a")
    assert found.core == Instances("c7i.2xlarge", 2)
    assert found.task is None


def test_targets_inside_the_configuration_are_read(tmp_path: Path) -> None:
    assert _import(tmp_path, "-r", "resolver.json", file="config_r77.yml") == 0
    found = settings(tmp_path, "run", REDSHIFT_PASSWORD="p%2F")
    assert found["database"] == "redshift://storageloader:p%2F@larkspur.redshift.example:5439/analytics?ssl=false"
    assert (found["schema"], found["max_error"], found["region"]) == ("atomic", 5, "us-east-1")


def test_a_postgres_target_keeps_its_ssl_mode(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "postgres.json").write_text(
        """{"schema": "iglu:com.snowplowanalytics.snowplow.storage/postgresql_config/jsonschema/2-0-0", "data":
        {"name": "p", "id": "1", "host": "db.example", "database": "a b", "port": 5433, "sslMode": "VERIFY_CA",
         "schema": "atomic", "username": "lo@der", "password": "p${x}", "purpose": "ENRICHED_EVENTS"}}"""
    )
    assert _import(tmp_path, "-t", str(tmp_path / "t")) == 0
    found = settings(tmp_path, "run", POSTGRES_PASSWORD="p")
    assert found["database"] == "postgresql://lo%40der:p@db.example:5433/a%20b?sslmode=verify-ca"
    assert "p$" not in (tmp_path / "snowetl.yml").read_text()


def test_a_run_over_stream_enrich_becomes_a_transform(tmp_path: Path) -> None:
    text = (FILES / "config.yml").read_text()
    text = re.sub(r"      raw:\n(?:        .*\n)+", "", text)
    text = text.replace("      enriched:\n", "      enriched:\n        stream: s3://larkspur-stream/enriched\n")
    path = tmp_path / "stream.yml"
    path.write_text(text.replace("collectors:\n  format: thrift\n", ""))
    assert _import(tmp_path, "-t", "targets", file=str(path)) == 0
    found = settings(tmp_path, "transform")
    assert found["input_folder"] == "s3://larkspur-stream/enriched/"
    assert found["output_folder"] == "s3://larkspur-etl/shredded/archive/"
    assert found["target"] == "redshift"
    assert "run:" not in (tmp_path / "snowetl.yml").read_text()


def test_nothing_is_replaced_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _import(tmp_path) == 0
    assert _import(tmp_path) == 2
    assert "--force" in capsys.readouterr().err
    assert _import(tmp_path, "--force") == 0


# --- what is wrong --------------------------------------------------------------------------------------------------


def _parsed(text: str, **environment: str) -> config.RunnerConfig:
    return config.parse(text, "c.yml", environment)


def _with(old: str, new: str) -> str:
    text = (FILES / "config.yml").read_text()
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("format: thrift", "format: 7", "c.yml, line 64: collectors.format must be a text, not 7"),
        (
            "encrypted: false",
            "encrypted: maybe",
            "line 11: aws.s3.buckets.encrypted must be true or false, not 'maybe'",
        ),
        ("GZIP", "gzip", "line 68: enrich.output_compression must be NONE or GZIP, not 'gzip'"),
        ("volume_type: gp2", "volume_type: gp3", "core_instance_ebs.volume_type must be standard or gp2 or io1"),
        ("volume_size: 100", "volume_size: 0", "core_instance_ebs.volume_size must be a number above 0, not 0"),
        ('max-attempts: "1"', "max-attempts: 1", "aws.emr.configuration must be classifications"),
        ("  tags:\n    team: data\n    Cost_Center: 42", "  tags: [a]", "monitoring.tags must be keys with texts"),
        ("good: s3://larkspur-etl/enriched/good", "good:", "aws.s3.buckets.enriched.good is missing"),
        ("<%= ENV['AWS_SNOWPLOW_ACCESS_KEY'] %>", "<%= `id` %>", "c.yml, line 3: <%= `id` %> is Ruby code"),
        ("<%= ENV['AWS_SNOWPLOW_ACCESS_KEY'] %>", "12", "aws.access_key_id must be a text, not what it is"),
        ("aws:", "\taws:", "is not YAML"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        _parsed(_with(old, new), LARKSPUR_CORES="3")
    assert message in str(raised.value)


def test_all_faults_are_told_at_once() -> None:
    text = _with("GZIP", "gzip").replace("encrypted: false", "encrypted: 1")
    with pytest.raises(ConfigError) as raised:
        _parsed(text)
    assert len(raised.value.problems) == 3  # LARKSPUR_CORES is not set


def test_an_unknown_key_is_told_with_the_nearest() -> None:
    read = _parsed(_with("ec2_key_name", "ec2_keyname"), LARKSPUR_CORES="3")
    assert [each.why for each in read.unknown] == [
        "no release of EmrEtlRunner read this key; did you mean ec2_key_name"
    ]


def test_the_environment_is_read_when_a_run_starts() -> None:
    read = _parsed(_with("s3://larkspur-logs/emr", 's3://${x}/<%= ENV["LOGS"] %>'), LARKSPUR_CORES="3")
    assert read["aws.s3.buckets.log"] == "s3://$${x}/${LOGS}/"
    assert read["aws.access_key_id"] == "${AWS_SNOWPLOW_ACCESS_KEY}"


def test_every_key_is_carried_or_has_a_reason() -> None:
    assert len({key.path for key in KEYS}) == len(KEYS)
    for key in KEYS:
        assert key.left is None or all(key.left)


def test_ids_of_targets_are_unique() -> None:
    with pytest.raises(RunnerConfigError, match=r'Duplicate storage target ids: \["b"\]'):
        targets.check_ids(["a", "b", "b"])


# --- the old command line -------------------------------------------------------------------------------------------


def test_the_command_line_of_cron_is_read() -> None:
    read = command.parse(
        "0 4 * * * AWS_REGION=x /opt/emr-etl-runner run -c c.yml --resolver r.json -n e -t t -x staging,analyze "
        "-i vacuum -d --lock /tmp/l --use-persistent-jobflow --persistent-jobflow-duration 1d12h >> log 2>&1 && echo ok"
    )
    assert (read.config, read.resolver, read.enrichments, read.targets) == ("c.yml", "r.json", "e", "t")
    assert read.options == RunOptions(("staging", "analyze"), None, ("vacuum",))
    assert (read.debug, read.persistent, read.idle_seconds) == (True, True, 129_600)
    assert [each.where for each in read.left] == ["--lock /tmp/l"]


def test_a_persistent_cluster_keeps_its_time(tmp_path: Path) -> None:
    old = "run -c config.yml --use-persistent-jobflow --persistent-jobflow-duration 5h"
    assert imported(tmp_path, "emr-etl-runner", "--command", old) == 0
    assert cluster(tmp_path).idle_seconds == 18_000


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(RunnerConfigError, match="'s' is not one of"):
        duration("90s")


@pytest.mark.parametrize(
    ("options", "skip", "start"),
    [
        (RunOptions(), set(), None),
        (RunOptions(skip=("shred", "analyze")), {"transform"}, None),
        (RunOptions(resume_from="enrich"), set(), "enrich"),
        (RunOptions(resume_from="shred"), set(), "transform"),
        (RunOptions(resume_from="elasticsearch"), set(), "load"),
        (RunOptions(resume_from="rdb_load"), set(), "load"),
        (RunOptions(resume_from="archive_enriched"), {"enrich", "transform", "load"}, None),
        (RunOptions(resume_from="staging_stream_enrich", stream=True), set(), "transform"),
    ],
)
def test_old_steps_mean_steps_of_ours(options: RunOptions, skip: set[str], start: str | None) -> None:
    assert ours(options) == (skip, start)


def test_every_old_name_has_a_meaning() -> None:
    assert set(EQUIVALENTS) == {*RESUMABLE, *SKIPPABLE, *INCLUDABLE}


# --- what the old runner would have done ----------------------------------------------------------------------------


def _steps(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    code = imported(Path(), "emr-etl-runner", *arguments, "--show-steps")
    said = capsys.readouterr()
    return code, re.findall(r"^\d+\. (.*)$", said.out, re.MULTILINE), said.out + said.err


def test_the_old_steps_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code, names, said = _steps(capsys, "config.yml", "-r", "resolver.json", "-n", "enrichments", "-t", "targets")
    assert code == 0
    assert names[0] == "[staging] s3-dist-cp: Raw s3://larkspur-collector/web/ -> Raw Staging S3"
    assert "[rdb_load] Load Larkspur warehouse Storage Target" in names
    assert names[-1] == "[archive_shredded] s3-dist-cp: Shredded S3 -> Shredded Archive S3"
    assert not [secret for secret in SECRETS if secret in said]
    assert "--target (base64)" in said


def test_skipped_and_resumed_steps_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    _, names, _ = _steps(capsys, "--command", "run -c config.yml --resume-from shred")
    assert names[0] == "[shred] s3-dist-cp: Enriched S3 -> HDFS"


def test_options_are_refused_in_the_old_words(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = _steps(capsys, "--command", "run -c config.yml --skip lunch")
    assert code == 2
    assert "Invalid option: skip can be staging, enrich, shred" in said


def test_the_playbook_of_the_generators_holds_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert imported(Path(), "emr-etl-runner", "config.yml", "-r", "resolver.json", "--show-playbook") == 0
    said = capsys.readouterr().out
    assert '"accessKeyId": "default"' in said
    assert "S3DistCp: raw S3 staging -> S3 archive" in said


def _missing(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert imported(Path(), "emr-etl-runner", *arguments) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope.yml"], "Configuration file 'nope.yml' does not exist, or is not a file"),
        ([], "Missing option: config"),
        (["config.yml", "-r", "nope.json"], "Resolver file 'nope.json' does not exist"),
        (["config.yml", "-n", "nope"], "Enrichments directory 'nope' does not exist"),
        (["config.yml", "-t", "nope"], "Targets directory 'nope' does not exist"),
        (["--command", "run -c 'x"], "the old command line cannot be read"),
    ],
)
def test_missing_files_are_named(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in _missing(arguments, capsys)


def test_standard_input_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO((FILES / "config.yml").read_text()))
    assert _import(tmp_path, file="-") == 0
    found: dict[str, Any] = settings(tmp_path, "run")
    assert found["input_format"] == "thrift"
