"""The enrich command on local folders without Spark: what it writes, what it counts, when it does nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from snowetl.cli.main import main
from tests.integration.support import (
    RESOLVER,
    ROOT,
    RUN,
    environment,
    files,
    options,
    output_lines,
    report,
    write_json,
    write_logs,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_logs(tmp_path / "raw")
    return tmp_path


def enrich(folder: Path, *extra: str, output: str = "out") -> int:
    return main(options(folder, "--master", "none", *extra, output=output))


def test_every_record_leaves_by_one_door(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert enrich(folder) == 0
    document = report(folder)
    assert document["records"] == 3 * 202
    assert document["discarded"] == {"header or empty line": 6}
    assert document["events"] == 576
    assert document["badRows"] == {"collector_payload_format_violation": 24}
    assert document["records"] == sum(document["discarded"].values()) + document["events"] + 24
    assert len(output_lines(folder / "out" / "good")) == document["events"] == document["output"]["good"]["lines"]
    assert len(output_lines(folder / "out" / "bad")) == 24 == document["output"]["bad"]["lines"]
    shown = capsys.readouterr().out
    assert "576" in shown
    assert "collector_payload_format_violation" in shown


def test_layout(folder: Path) -> None:
    assert enrich(folder) == 0
    part = f"run={RUN}/part-00000-{RUN}.txt.gz"
    assert set(files(folder / "out")) == {
        f"good/{part}",
        f"bad/{part}",
        f"good/run={RUN}/_SUCCESS",
        f"bad/run={RUN}/_SUCCESS",
    }


def test_lines_are_tsv_and_json(folder: Path) -> None:
    enrich(folder)
    assert all(len(line.split("\t")) == 131 for line in output_lines(folder / "out" / "good"))
    row = json.loads(output_lines(folder / "out" / "bad")[0])
    assert row["data"]["failure"]["timestamp"] == "2026-01-02T03:04:05Z"


def test_the_same_again_gives_the_same_bytes(folder: Path) -> None:
    enrich(folder, "--split-size", "1k")
    enrich(folder, "--split-size", "1k", output="again")
    enrich(folder, "--split-size", "1k", "--workers", "2", output="processes")
    assert len(files(folder / "out" / "good")) == 4
    assert files(folder / "out") == files(folder / "again") == files(folder / "processes")


def test_the_size_of_splits_does_not_change_the_lines(folder: Path) -> None:
    enrich(folder)
    enrich(folder, "--split-size", "1k", output="small")
    assert output_lines(folder / "out") == output_lines(folder / "small")


def test_a_run_that_is_done_stays_as_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrich(folder)
    before = files(folder / "out")
    (folder / "out" / "good" / f"run={RUN}" / "marker").write_text("still here")
    for log in (folder / "raw").iterdir():
        log.unlink()
    assert enrich(folder) == 0
    assert "is done already" in capsys.readouterr().err
    assert files(folder / "out") == before | {f"good/run={RUN}/marker": b"still here"}


def test_debris_of_a_dead_run_is_replaced(folder: Path) -> None:
    enrich(folder)
    expected = files(folder / "out")
    good = folder / "out" / "good" / f"run={RUN}"
    (good / "_report.json").unlink()
    (good / "part-00007-old.txt.gz").write_bytes(b"old")
    (good / "._staging-part-00000-x").write_bytes(b"older")
    assert enrich(folder) == 0
    assert files(folder / "out") == expected


def test_a_run_id_of_something_else_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrich(folder)
    before = files(folder / "out")
    write_logs(folder / "other")
    assert enrich(folder, "--input-folder", str(folder / "other")) == 2
    message = capsys.readouterr().err
    assert "is done already, with other settings: input-folder" in " ".join(message.split())
    assert "--run-id" in message
    assert files(folder / "out") == before


def test_run_and_timestamp_follow_from_each_other(folder: Path) -> None:
    arguments = options(folder, "--master", "none")
    at = arguments.index("--run-id")
    del arguments[at : at + 2]
    assert main([*arguments, "--etl-timestamp", "1767323045678"]) == 0
    lines = output_lines(folder / "out" / "good" / f"run={RUN}")
    assert lines[0].split("\t")[2] == "2026-01-02 03:04:05.678"


def test_an_output_may_name_the_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = folder / "out"
    named = ["--output-folder", f"{base}/good/run={RUN}/", "--bad-folder", f"{base}/bad/run={RUN}/"]
    assert enrich(folder, *named) == 0
    assert (base / "good" / f"run={RUN}" / "_SUCCESS").exists()
    assert enrich(folder, *named, "--run-id", "2026-01-02-03-04-06") == 2
    assert "named in two ways" in capsys.readouterr().err


def test_dry_run_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "raw" / "notes.parquet").write_bytes(b"PAR1")
    assert enrich(folder, "--dry-run") == 0
    assert not (folder / "out").exists()
    shown = capsys.readouterr().out
    assert "3" in shown
    assert "notes.parquet: Parquet file" in shown


def test_options_of_the_reference_as_they_stand(folder: Path) -> None:
    """Short options, ``--opt=value``, base64 JSON."""
    import base64

    encode = lambda document: base64.urlsafe_b64encode(json.dumps(document).encode()).decode()  # noqa: E731
    enrichments = {"schema": "iglu:com.snowplowanalytics.snowplow/enrichments/jsonschema/1-0-0", "data": []}
    arguments = [
        "enrich", "-i", str(folder / "raw"), "-f", "cloudfront", "-o", str(folder / "out" / "good"),
        f"--bad-folder={folder / 'out' / 'bad'}", "-e", encode(enrichments), f"--iglu-config={encode(RESOLVER)}",
        "--etl-timestamp", "1767323045000", "--local", "--master", "none",
    ]  # fmt: skip
    assert main(arguments) == 0
    assert report(folder)["events"] == 576


def test_a_configuration_file_holds_all_options(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWETL_TEST_BASE", str(folder))
    config = folder / "snowetl.yml"
    config.write_text(
        f"""
        iglu-config: {json.dumps(RESOLVER)}
        enrich:
          input-folder: ${{SNOWETL_TEST_BASE}}/raw
          input-format: cloudfront
          output_folder: ${{SNOWETL_TEST_BASE}}/elsewhere/good
          bad-folder: ${{SNOWETL_TEST_BASE}}/out/bad
          run-id: {RUN}
          split-size: 1k
          local: true
        """
    )
    assert main(["enrich", "--config", str(config), "--master=none", "-o", str(folder / "out" / "good")]) == 0
    assert report(folder)["input"]["splits"] == 3
    assert not (folder / "elsewhere").exists()


@pytest.mark.parametrize("compression", ["zstd", "none"])
def test_compression(folder: Path, compression: str) -> None:
    assert enrich(folder, "--compression", compression) == 0
    suffix = {"zstd": ".txt.zst", "none": ".txt"}[compression]
    assert (folder / "out" / "good" / f"run={RUN}" / f"part-00000-{RUN}{suffix}").exists()


def test_damage_becomes_a_bad_row_and_the_rest_goes_on(folder: Path) -> None:
    log = folder / "raw" / "E1.2026-01-01-01.gz"
    log.write_bytes(log.read_bytes()[:-200])
    assert enrich(folder) == 0
    document = report(folder)
    assert document["damages"] == 1
    rows = [json.loads(line)["data"] for line in output_lines(folder / "out" / "bad")]
    damage = [row for row in rows if "is damaged at byte" in row["failure"]["message"].get("error", "")]
    assert len(damage) == 1
    assert str(log) in damage[0]["failure"]["message"]["error"]
    assert document["events"] > 2 * 192


def test_the_job_file_is_the_same_command(folder: Path) -> None:
    job = [sys.executable, str(ROOT / "jobs" / "enrich.py"), *options(folder)[1:], "--master", "none"]
    result = subprocess.run(job, capture_output=True, text=True, env=environment(), timeout=600, check=False)
    assert result.returncode == 0, result.stderr
    assert report(folder)["events"] == 576


def test_two_jobs_on_one_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from snowetl.runs.lease import Lease

    with Lease(str(folder / "out" / "good" / f"_lock-{RUN}.json")):
        assert enrich(folder) == 17
        assert "another job works on this run" in capsys.readouterr().err
        assert set(files(folder / "out")) == {f"good/_lock-{RUN}.json"}
    assert enrich(folder) == 0


def test_secrets_are_not_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = "5fb4713d-73ad-4163-93a9-2b82f0177c5b"
    http = {"uri": "http://127.0.0.1:9/api", "apikey": key}
    registry = {"name": "Ours", "priority": 1, "vendorPrefixes": ["com.acme"], "connection": {"http": http}}
    document = {"schema": RESOLVER["schema"], "data": {"cacheSize": 5, "repositories": [registry]}}
    assert enrich(folder, "--iglu-config", str(write_json(folder / "keys.json", document))) == 0
    assert enrich(folder, "--dry-run", "--run-id", "2026-01-02-03-04-07") == 0
    captured = capsys.readouterr()
    assert key not in captured.out + captured.err
    assert key.encode() not in b"".join(path.read_bytes() for path in (folder / "out").rglob("*") if path.is_file())


def test_adapters_have_other_schemas(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    line = json.dumps(
        {"id": "e1", "type": "OPEN", "occurred": "2026-03-05T01:00:00Z", "processed": "2026-03-05T01:00:01Z"}
    )
    (tmp_path / "raw" / "a.json").write_text(line + "\n")
    own = "iglu:com.example.shop/opened/jsonschema/1-0-0"
    adapters = write_json(tmp_path / "adapters.json", {"adaptersSchemas": {"urbanAirship": {"open": own}}})
    format_ = ("--input-format", "ndjson/com.urbanairship.connect/v1")
    assert enrich(tmp_path, *format_, "--adapters", str(adapters)) == 0
    assert own in "".join(output_lines(tmp_path / "out" / "bad"))


def test_long_events_are_size_violations(folder: Path) -> None:
    assert enrich(folder, "--max-record-bytes", "300") == 0
    document = report(folder)
    assert document["events"] == 0
    assert set(document["badRows"]) == {"size_violation"}
