"""snowetl.yml: keys, sections, variables, and what is refused, with its line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from snowetl.cli.main import main
from snowetl.cli.verbs import settings_of_all
from snowetl.errors import ConfigError
from snowetl.orchestrator.prices import Price
from snowetl.settings.yml import read_config

SETTINGS = settings_of_all()


def write(folder: Path, text: str) -> Path:
    path = folder / "snowetl.yml"
    path.write_text(text, "utf-8")
    return path


def values(path: Path, verb: str, **environment: str) -> dict[str, Any]:
    return {name: value for name, (value, _) in read_config(path, SETTINGS, verb, environment).items()}


def test_a_section_wins_over_the_top(tmp_path: Path) -> None:
    path = write(tmp_path, "enrich:\n  iglu-config: mine.json\niglu-config: all.json\nworkers: 3\n")
    assert values(path, "enrich") == {"iglu_config": "mine.json", "workers": 3}
    assert values(path, "load") == {"iglu_config": "all.json"}


def test_verbs_about_runs_take_what_they_know_from_the_run(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "run:\n  output-folder: out\n  settle: 5m\n  price-per-hour: 2\n"
        "backfill:\n  run-bytes: 1GB\n  price-per-hour: 3\nstatus:\n  latest: 5\n",
    )
    found = {name: value for name, (value, _) in read_config(path, SETTINGS, "status", {}, base="run").items()}
    assert found == {"output_folder": "out", "latest": 5}
    found = {name: value for name, (value, _) in read_config(path, SETTINGS, "backfill", {}, base="run").items()}
    assert found == {"output_folder": "out", "settle": 300, "run_bytes": 1 << 30, "price_per_hour": Price(hour=3.0)}


@pytest.mark.parametrize("verb", ["status", "resume", "logs", "cancel", "unlock"])
def test_the_file_of_a_pipeline_is_enough_for_the_verbs_about_its_runs(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, f"run:\n  output-folder: {tmp_path}/out\n")
    assert main([verb, "--config", str(path)]) == 3
    assert f"{tmp_path}/out" in capsys.readouterr().err


def test_a_snowetl_yml_that_was_not_named_is_pointed_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["status"]) == 2
    assert "snowetl.yml" not in capsys.readouterr().err
    write(tmp_path, "run:\n  output-folder: out\n")
    assert main(["status"]) == 2
    assert "add --config snowetl.yml if it is meant" in " ".join(capsys.readouterr().err.split())


def test_keys_may_be_written_with_underscores(tmp_path: Path) -> None:
    path = write(tmp_path, "enrich:\n  input_folder: raw\n")
    assert values(path, "enrich") == {"input_folder": ("raw",)}


def test_inline_documents_stay_documents(tmp_path: Path) -> None:
    path = write(tmp_path, "iglu-config: {schema: s, data: {uri: '${U}', repositories: []}}\n")
    assert values(path, "load", U="x") == {"iglu_config": {"schema": "s", "data": {"uri": "x", "repositories": []}}}


def test_lists_and_values_are_read_as_on_the_command_line(tmp_path: Path) -> None:
    text = (
        "split-size: 1.5k\nenrich:\n  input-folder: [a, '${B}']\n  accept-invalid: yes\n  run-id: 2026-01-02-03-04-05\n"
    )
    assert values(write(tmp_path, text), "enrich", B="b") == {
        "split_size": 1536,
        "input_folder": ("a", "b"),
        "accept_invalid": True,
        "run_id": "2026-01-02-03-04-05",
    }


def test_a_time_stays_text(tmp_path: Path) -> None:
    path = write(tmp_path, "minimum-timestamp: 2020-01-01T00:00:00Z\n")
    assert values(path, "transform") == {"minimum_timestamp": "2020-01-01T00:00:00Z"}


@pytest.mark.parametrize("text", ["", "enrich:\n", "# only a comment\n", "\ufeff"])
def test_a_file_may_say_nothing(tmp_path: Path, text: str) -> None:
    assert values(write(tmp_path, text), "enrich") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\ninput-foldr: x\n", "line 2: unknown key 'input-foldr'; did you mean input-folder"),
        (
            "enrich:\n  max-error: x\n",
            "line 2: unknown key 'max-error' under 'enrich'; it is a key of run, backfill and load",
        ),
        ("enrihc:\n  input-folder: x\n", "line 1: unknown key 'enrihc'; did you mean enrich"),
        ("load:\n  databse: x\n", "line 2: unknown key 'databse' under 'load'; did you mean database"),
        ("enrich: [1]\n", "line 1: 'enrich' must hold keys and values, not a list"),
        ("- a\n- b\n", "must hold keys and values, not a list"),
        ("just text\n", "must hold keys and values, not 'just text'"),
        ("a: [1\nb: 2\n", "is not YAML: "),
        ("input-folder: ${NO_SUCH_VARIABLE}\n", "the environment variable NO_SUCH_VARIABLE is not set"),
        ("input-folder: !!python/object/apply:os.system ['true']\n", "is not YAML"),
        ("iglu-config: &a\n  b: *a\n", "line 2, column 6 is not YAML: the value &a holds itself"),
        ("a: " + "[" * 5_000, "line 1, column 103 is not YAML: nested deeper than 100 levels"),
        ("\nsplit-size: 64\n", "line 2: split-size: '64' is 64 bytes; it must be 1KB or more, such as 64MB"),
        ("workers: many\n", "line 1: workers: 'many' is not a valid integer"),
        ("compression: [gzip, zstd]\n", "line 1: compression: it holds one value, not a list of 2"),
        ("workers: 1\nworkers: 2\n", "line 2: 'workers' is given twice (before: line 1)"),
        ("enrich:\n  run-id: a\n  run_id: b\n", "line 3: 'run-id' is given twice (before: line 2)"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        values(path, "enrich")
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_several_unknown_keys_of_snowetl_yml_are_told_all_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "worker: 3\nenrich:\n  input-foldr: x\n  split-size: no\nload:\n  tarjet: y\n")
    with pytest.raises(ConfigError) as error:
        values(path, "enrich")
    message = str(error.value)
    assert f"{path} has 4 mistakes:\n  line 1: unknown key 'worker'; did you mean workers\n  line 3:" in message
    assert all(part in message for part in ("line 4: split-size", "line 6: unknown key 'tarjet' under 'load'"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read .*No such file"):
        values(tmp_path / "none.yml", "enrich")


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "binary.yml"
    path.write_bytes(b"a: \xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        values(path, "enrich")


EMR_ETL_RUNNER = """
aws:
  access_key_id: AKIA
  s3:
    region: eu-west-1
    buckets:
      raw:
        in: [s3://raw-1, s3://raw-2]
        processing: s3://processing
      enriched:
        good: s3://enriched
collectors:
  format: thrift
enrich:
  versions: {spark_enrich: 1.16.0}
"""


@pytest.mark.parametrize("text", [EMR_ETL_RUNNER, re.sub(r"^( *)(\w)", r"\1:\2", EMR_ETL_RUNNER, flags=re.MULTILINE)])
def test_an_EmrEtlRunner_config_yml_as_config(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as error:
        values(write(tmp_path, text), "run")
    assert "is a configuration of EmrEtlRunner" in str(error.value)
    assert f"snowetl import-config emr-etl-runner {tmp_path}" in str(error.value)
    assert "AKIA" not in str(error.value)


def test_a_resolver_as_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="goes to --iglu-config"):
        values(write(tmp_path, '{"schema": "iglu:x", "data": {}}'), "run")


def test_the_schema_for_editors_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["properties"]["enrich"]["properties"]["input-folder"]["description"]


def test_tables_of_pages_are_brought_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Load\n<!-- options: load -->\nstale\n<!-- end of options -->\nrest\n")
    assert main(["config", "tables", str(page)]) == 0
    text = page.read_text()
    assert "stale" not in text
    assert "| `-i`, `--input-folder` | " in text
    assert text.endswith("<!-- end of options -->\nrest\n")
    page.write_text("<!-- options: laod -->\n<!-- end of options -->\n")
    assert main(["config", "tables", str(page)]) == 2
