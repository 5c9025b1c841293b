"""Failed events through the command: beside their bad rows, and in tables of their own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from snowetl.cli.main import main
from snowetl.load.embedded import embedded_postgres
from snowetl.model.event import EnrichedEvent
from tests.integration.support import ROOT

RUN = "2026-03-05-00-00-02"
COMMON = ("--iglu-config", "fixtures/resolver.json")
OF_EVENTS = ("schema_violations", "enrichment_failures")


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fixtures' configurations name their files from there."""
    monkeypatch.chdir(ROOT)


def run(folder: Path, *more: str) -> int:
    return main(
        [
            *("run", "--input-folder", "fixtures/logs/thrift", "--input-format", "thrift", "--run-id", RUN, *COMMON),
            *("--enrichments", "fixtures/enrichments", "--master", "none", "--output-folder", str(folder / "out")),
            *more,
        ]
    )


def step(name: str, source: Path, output: Path, *more: str) -> int:
    paths = ("--input-folder", str(source), "--output-folder", str(output))
    return main([name, *paths, *COMMON, "--master", "none", *more])


def load(source: Path, warehouse: Path) -> int:
    return main(["load", "--input-folder", str(source), *COMMON, "--data-folder", str(warehouse)])


def lines(folder: Path) -> list[str]:
    return [
        line
        for file in sorted(folder.glob("**/part-*.gz"))
        for line in gzip.decompress(file.read_bytes()).decode().splitlines()
    ]


def report(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "out/runs" / f"run={RUN}" / "report.json").read_text("utf-8"))
    return document


def query(warehouse: Path, sql: str) -> list[Any]:
    with embedded_postgres(warehouse) as url, psycopg.connect(url) as connection:
        return connection.execute(sql).fetchall()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the output of one run."""
    folder = tmp_path_factory.mktemp("failed")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        assert run(folder, "--failed-events") == 0
    return folder


def test_a_run_counts_them_all(done: Path) -> None:
    document = report(done)
    assert document["differences"] == []
    enriched, transformed, loaded, failed, failed_loaded = document["steps"]
    wanted = sum(enriched["badRows"][kind] for kind in OF_EVENTS)
    assert wanted == enriched["failedEvents"] == failed["records"] == failed["events"] > 5
    assert enriched["output"]["failed"]["lines"] == wanted
    assert transformed["events"] == enriched["events"]
    assert {table["table"]: table["rows"] for table in loaded["tables"]}["atomic.events"] == enriched["events"]
    rows = {table["table"]: table["rows"] for table in failed_loaded["tables"]}
    assert rows["atomic.failed_events"] == wanted and all(table.startswith("atomic.failed_") for table in rows)
    assert ["failed events, beside their bad rows", wanted, 0] in document["counts"]
    page = (done / "out/runs" / f"run={RUN}" / "report.html").read_text("utf-8")
    assert "failed events kept" in page and "load of failed events" in page


def test_every_bad_row_of_an_event_finds_its_failed_event(done: Path) -> None:
    warehouse = done / "out/warehouse"
    bad = query(
        warehouse,
        "SELECT b.type, f.event_id IS NOT NULL FROM atomic.bad_rows b LEFT JOIN atomic.failed_events f "
        "ON f.event_id::text = b.payload->'enriched'->>'event_id' "
        "WHERE b.type IN ('schema_violations', 'enrichment_failures')",
    )
    assert bad and all(found for _, found in bad)
    assert query(
        warehouse,
        "SELECT count(*) FROM atomic.failed_com_snowplowanalytics_snowplow_failure_1 c "
        "LEFT JOIN atomic.failed_events e ON e.event_id = c.root_id AND e.collector_tstamp = c.root_tstamp "
        "WHERE e.event_id IS NULL OR c.component_name <> 'snowetl' OR c.errors IS NULL",
    ) == [(0,)]
    assert query(
        warehouse, "SELECT count(*) FROM atomic.failed_events f JOIN atomic.events e ON e.event_id = f.event_id"
    ) == [(0,)]


def test_nothing_else_changes(done: Path, tmp_path: Path) -> None:
    assert run(tmp_path) == 0
    for kind in ("enriched", "bad", "transformed"):
        assert lines(done / "out" / kind) == lines(tmp_path / "out" / kind)
    assert not (tmp_path / "out/failed").exists()
    assert "failedEvents" not in report(tmp_path)["steps"][0]


def test_a_run_that_is_done_is_not_done_again(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(done, "--failed-events") == 0
    assert "is done already" in capsys.readouterr().err
    assert run(done) == 2
    assert "failed-events" in capsys.readouterr().err


def test_step_by_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed, rows, warehouse = tmp_path / "failed", tmp_path / "rows", tmp_path / "warehouse"
    folders = ("--bad-folder", str(tmp_path / "bad"), "--failed-folder", str(failed), "--run-id", RUN)
    logs = Path("fixtures/logs/thrift")
    assert step("enrich", logs, tmp_path / "enriched", *folders, "--input-format", "thrift") == 0
    count = len(lines(failed))
    assert f"failed    {failed}/run={RUN}" in capsys.readouterr().out
    for line in lines(failed):
        event = EnrichedEvent.from_tsv(line)
        assert event.entities("iglu:com.snowplowanalytics.snowplow/failure/jsonschema/1-*-*")
    assert step("transform", failed, rows) == 2
    assert "give --failed-events" in capsys.readouterr().err
    assert step("transform", tmp_path / "enriched", rows, "--failed-events") == 2
    assert "leave --failed-events out" in capsys.readouterr().err
    assert step("transform", failed, rows, "--failed-events", "--queue", "q") == 2
    assert "RDB Loader" in capsys.readouterr().err
    assert step("transform", failed, rows, "--failed-events", "--transformation", "widerow-json") == 0
    assert load(rows, warehouse) == 0
    assert query(warehouse, "SELECT count(*) FROM atomic.failed_events") == [(count,)]
    assert query(
        warehouse,
        "SELECT count(*) FROM atomic.failed_events "
        "WHERE jsonb_array_length(contexts_com_snowplowanalytics_snowplow_failure_1) > 0",
    ) == [(count,)]
    assert query(warehouse, "SELECT count(*) FROM atomic.events") == [(0,)]
    assert load(rows, warehouse) == 0
    assert "already loaded" in capsys.readouterr().out


def test_the_folder_of_failed_events_is_no_other_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = str(tmp_path / "bad")
    logs = Path("fixtures/logs/thrift")
    assert step("enrich", logs, tmp_path / "o", "--bad-folder", same, "--failed-folder", same, "-f", "thrift") == 2
    assert "the bad folder and the failed folder are the same" in capsys.readouterr().err


def test_explain_shows_the_failed_event(capsys: pytest.CaptureFixture[str]) -> None:
    from tests.integration.support import cloudfront_line

    line = cloudfront_line(0).replace("e=pv&p=web", "e=pv&p=toaster")
    shown = ("explain", line, "--input-format", "cloudfront", *COMMON)
    assert main([*shown]) == 0
    assert "failed event" not in capsys.readouterr().out
    assert main([*shown, "--failed-events"]) == 0
    assert "failure/jsonschema/1-0-0" in capsys.readouterr().out.partition("failed event")[2]
