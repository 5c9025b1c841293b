"""``snowetl run`` over the fixtures: the counts, the tables, and every way to run it again."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.questions import QUESTIONS
from snowetl.cli.main import main
from snowetl.errors import LoadError
from snowetl.load.embedded import embedded_postgres
from snowetl.load.engine import RunLoader
from tests.integration.support import ROOT, anon_ip

RUN = "2026-03-05-00-00-02"
EXPECTED: dict[str, dict[str, Any]] = json.loads((ROOT / "fixtures/logs/expected.json").read_text("utf-8"))


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fixtures' configurations name their files from there."""
    monkeypatch.chdir(ROOT)


def arguments(
    folder: Path, *more: str, logs: str = "fixtures/logs/thrift", format_: str = "thrift", master: str = "none"
) -> list[str]:
    return [
        *("run", "--input-folder", logs, "--input-format", format_, "--output-folder", str(folder / "out")),
        *("--enrichments", "fixtures/enrichments", "--iglu-config", "fixtures/resolver.json", "--master", master),
        *more,
    ]


def report(folder: Path, run: str = RUN) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "out" / "runs" / f"run={run}" / "report.json").read_text("utf-8"))
    return document


def runs(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out" / "runs").glob("run=*"))


def query(folder: Path, sql: str) -> list[Any]:
    with embedded_postgres(folder / "out" / "warehouse") as url, psycopg.connect(url) as connection:
        return connection.execute(sql).fetchall()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the output of one run; tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        assert main(arguments(folder, "--run-id", RUN)) == 0
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_every_record_is_accounted_for(done: Path) -> None:
    expected = EXPECTED["thrift"]
    document = report(done)
    assert document["differences"] == []
    enriched, transformed, loaded = document["steps"]
    assert enriched["records"] == expected["records"]
    assert enriched["events"] == transformed["records"] == transformed["events"] == expected["events"]
    assert enriched["badRows"] == expected["badRows"]
    rows = {table["table"]: table["rows"] for table in loaded["tables"]}
    assert rows["atomic.events"] == expected["events"]
    assert rows["atomic.bad_rows"] == sum(expected["badRows"].values())
    for table, count in rows.items():
        assert query(done, f"SELECT count(*) FROM {table}") == [(count,)]
    assert query(done, "SELECT count_good FROM atomic.manifest") == [(expected["events"],)]


def test_events_by_hour_reasons_of_bad_rows_and_splits_are_in_the_report(done: Path) -> None:
    enriched = report(done)["steps"][0]
    by_type = {name: sum(hours.values()) for name, hours in enriched["eventTypes"].items()}
    assert by_type == dict(query(done, "SELECT coalesce(event_name, event), count(*) FROM atomic.events GROUP BY 1"))
    assert sum(by_type.values()) == enriched["events"]
    assert {len(reason["examples"]) for reason in enriched["badReasons"]} <= {1, 2, 3}
    assert {reason["schema"] for reason in enriched["badReasons"]} == enriched["badRowSchemas"].keys()
    assert sum(reason["count"] for reason in enriched["badReasons"]) == sum(enriched["badRows"].values())
    assert sum(enriched["timeline"]["counts"].values()) == enriched["events"]
    assert sum(source["events"] for source in enriched["sources"]) == enriched["events"]
    assert sum(split["records"] for split in enriched["splits"]) == enriched["records"]


def test_each_step_and_the_run_leave_a_page(done: Path) -> None:
    out = done / "out"
    pages = [
        out / "enriched" / f"run={RUN}" / "_report.html",
        out / "transformed" / f"run={RUN}" / "_report.html",
        out / "transformed" / f"run={RUN}" / "_load_report.html",
        out / "runs" / f"run={RUN}" / "report.html",
    ]
    for page in pages:
        assert RUN in page.read_text("utf-8")
        assert page.with_suffix(".json").exists()


def test_the_questions_of_the_demo_have_answers(done: Path) -> None:
    for question, sql in QUESTIONS.items():
        assert query(done, sql), question


def test_a_run_that_is_done_stays_as_it_is(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for more in (["--run-id", RUN], []):  # named, or found by its files
        assert main(arguments(done, *more)) == 0
        captured = capsys.readouterr()
        assert f"run={RUN} is done already" in captured.err
        assert "atomic.events" in captured.out
    assert runs(done) == [f"run={RUN}"]


@pytest.fixture
def small(folder: Path) -> Path:
    """A folder with the output of a small run, to be changed at will."""
    assert main(arguments(folder, "--run-id", RUN, logs="fixtures/logs/webhooks")) == 0
    return folder


@pytest.mark.parametrize("lost", ["runs", "transformed", "enriched"])
def test_whatever_is_lost_is_redone_and_nothing_is_loaded_twice(small: Path, lost: str) -> None:
    """As after a crash: steps without their report are redone; the warehouse remembers what it has."""
    before = report(small)["steps"][2]["tables"]
    shutil.rmtree(small / "out" / "runs" / f"run={RUN}")
    shutil.rmtree(small / "out" / lost, ignore_errors=True)
    assert main(arguments(small, "--run-id", RUN, logs="fixtures/logs/webhooks")) == 0
    document = report(small)
    assert document["differences"] == []
    its_report_is_there = lost != "transformed"  # that of the load itself, which says more
    assert document["steps"][2]["outcome"] == ("loaded" if its_report_is_there else "already loaded")
    rows = {table["table"]: table["rows"] for table in before}
    assert {table["table"]: table["rows"] for table in document["steps"][2]["tables"]} == rows
    assert query(small, "SELECT count(*) FROM atomic.events") == [(EXPECTED["webhooks"]["events"],)]


def test_without_a_name_the_run_that_waits_is_taken_up(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    webhooks = {"logs": "fixtures/logs/webhooks"}
    assert main([*arguments(folder, **webhooks), "--schema", "not a name"]) == 2
    assert not (folder / "out").exists()
    with monkeypatch.context() as patched:
        patched.setattr(RunLoader, "load", die)
        assert main(arguments(folder, **webhooks)) == 1
    assert not list((folder / "out" / "runs").glob("*/report.json"))
    [waiting] = runs(folder)
    capsys.readouterr()
    assert main(arguments(folder, **webhooks)) == 0
    err = capsys.readouterr().err
    assert "enrich: done already" in err
    assert "transform: done already" in err
    assert runs(folder) == [waiting]
    assert main([*arguments(folder, "--database", nowhere, **webhooks), "--dry-run"]) == 2
    assert runs(folder) == [waiting]


def die(*_: object) -> None:
    raise LoadError("the server went away")


def test_files_that_somebody_changed_are_not_loaded(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(small / "out" / "runs")
    shutil.rmtree(small / "out" / "transformed")
    [part] = (small / "out" / "enriched" / f"run={RUN}").glob("part-*.gz")
    part.unlink()
    assert main(arguments(small, "--run-id", RUN, logs="fixtures/logs/webhooks")) == 1
    assert "lines of enriched output, but 0 lines transform read" in capsys.readouterr().err


def test_a_run_of_another_input_is_refused(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(done, "--run-id", RUN, logs="fixtures/logs/webhooks")) == 2
    assert "with other settings: input-folder" in capsys.readouterr().err


def test_only_bad_rows(folder: Path) -> None:
    (folder / "raw").mkdir()
    (folder / "raw" / "log").write_text("nonsense\n" * 3)
    assert main(arguments(folder, "--run-id", RUN, logs=str(folder / "raw"), format_="cloudfront")) == 0
    document = report(folder)
    assert document["steps"][1]["records"] == 0
    load = document["steps"][2]
    assert load["outcome"] == "loaded"
    assert [(table["table"], table["rows"]) for table in load["tables"]] == [("atomic.bad_rows", 3)]


def test_nothing_to_do(folder: Path) -> None:
    (folder / "raw").mkdir()
    assert main(arguments(folder, logs=str(folder / "raw"))) == 3
    assert not (folder / "out").exists()


def test_without_bad_rows(folder: Path) -> None:
    assert main(arguments(folder, "--no-load-bad-rows", "--run-id", RUN, logs="fixtures/logs/webhooks")) == 0
    tables = {table["table"] for table in report(folder)["steps"][2]["tables"]}
    assert "atomic.bad_rows" not in tables
    assert "atomic.events" in tables


def test_bad_rows_that_were_left_out_are_loaded_when_they_are_wanted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(folder, "--no-load-bad-rows", "--run-id", RUN)) == 0
    events = query(folder, "SELECT count(*) FROM atomic.events")
    bad = sum(sum(step["badRows"].values()) for step in report(folder)["steps"][:2])
    for _ in range(2):
        assert main(arguments(folder)) == 0  # found by its files
        assert runs(folder) == [f"run={RUN}"]
        assert query(folder, "SELECT count(*) FROM atomic.bad_rows") == [(bad,)]
    assert "is done already" in capsys.readouterr().err
    assert query(folder, "SELECT count(*) FROM atomic.events") == events
    assert query(folder, "SELECT bad_rows FROM atomic.manifest") == [(bad,)]
    [table] = [table for table in report(folder)["steps"][2]["tables"] if table["table"] == "atomic.bad_rows"]
    assert table["rows"] == bad > 0


def test_load_knows_the_runs_that_run_has_loaded(done: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """From whatever folder, by whatever path."""
    monkeypatch.chdir(done)
    command = ["load", "--input-folder", "out/transformed", "--iglu-config", str(ROOT / "fixtures/resolver.json")]
    assert main([*command, "--data-folder", "out/warehouse"]) == 0
    assert "already loaded" in capsys.readouterr().out


def test_psql_opens_the_warehouse(done: Path, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    warehouse = ["psql", "--data-folder", str(done / "out" / "warehouse")]
    assert main([*warehouse, "-At", "-c", "SELECT count(*) FROM atomic.events"]) == 0
    assert capfd.readouterr().out.strip() == str(EXPECTED["thrift"]["events"])
    assert main([*warehouse, "-c", "SELECT nonsense"]) == 1
    assert main(["psql", "--data-folder", str(folder)]) == 2
    assert "holds no data of an embedded PostgreSQL" in capfd.readouterr().err


def test_the_yaml_of_the_docs_is_a_whole_command(folder: Path) -> None:
    [example, *_] = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "docs" / "run.md").read_text("utf-8"), re.M | re.S)
    (folder / "snowetl.yml").write_text(example)
    command = ["run", "--config", str(folder / "snowetl.yml"), "--output-folder", str(folder / "out")]
    assert main([*command, "--run-id", RUN]) == 0
    assert report(folder)["steps"][0]["events"] == EXPECTED["cloudfront"]["events"]


@pytest.mark.spark
def test_on_spark_the_rows_are_the_same(done: Path, folder: Path) -> None:
    assert main(arguments(folder, "--run-id", RUN, master="local[2]")) == 0
    assert report(folder)["counts"] == report(done)["counts"]
    sql = "SELECT md5(string_agg(e::text, '|' ORDER BY e::text)) FROM atomic.{} e"
    for table in ("events", "com_snowplowanalytics_snowplow_web_page_1"):
        assert query(folder, sql.format(table)) == query(done, sql.format(table))


# --- another configuration ------------------------------------------------------------------------------------------


def with_enrichments(folder: Path, *more: str) -> list[str]:
    """The arguments of a small run, with one enrichment that shows."""
    (folder / "anon_ip.json").write_text(json.dumps(anon_ip(4)))
    given = arguments(folder, *more, logs="fixtures/logs/webhooks")
    given[given.index("--enrichments") + 1] = str(folder / "anon_ip.json")
    return given


def test_L2_the_same_command_with_other_enrichments_is_refused(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for more in (["--run-id", RUN], []):  # named, or found by its files
        assert main(with_enrichments(small, *more)) == 2
        text = " ".join(capsys.readouterr().err.split())
        assert f"run={RUN} is done already with other settings: enrichments." in text
    assert runs(small) == [f"run={RUN}"]
    assert main(with_enrichments(small, "--run-id", RUN, "--redo-from", "enrich")) == 2
    assert "is loaded" in capsys.readouterr().err


def test_L2_a_run_that_is_done_is_loaded_into_another_warehouse_too(small: Path) -> None:
    """Where the rows go does not shape them, so only the load is done, and once for each warehouse."""
    before = query(small, "SELECT count(*) FROM atomic.events")
    for _ in range(2):
        assert main([*arguments(small, "--run-id", RUN, logs="fixtures/logs/webhooks"), "--schema", "other"]) == 0
    assert query(small, "SELECT count(*) FROM other.events") == before
    assert query(small, "SELECT count(*) FROM atomic.events") == before


def test_L2_a_run_that_waits_goes_on_with_its_own_settings_or_is_done_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = arguments(folder, logs="fixtures/logs/webhooks")
    with monkeypatch.context() as patch:
        patch.setattr(RunLoader, "load", die)
        assert main(plain) == 1
    [waits] = runs(folder)
    for more in ([], ["--run-id", waits.removeprefix("run=")]):
        assert main(with_enrichments(folder, *more)) == 2
        text = " ".join(capsys.readouterr().err.split())
        assert f"{waits} was begun, and waits to be finished, with other settings: enrichments." in text
    again = ["--run-id", waits.removeprefix("run="), "--redo-from", "enrich"]
    assert main(with_enrichments(folder, *again)) == 0
    assert runs(folder) == [waits]
    assert query(folder, "SELECT count(*), max(user_ipaddress) FROM atomic.events WHERE user_ipaddress LIKE 'x%'")[0][0]
    assert query(folder, "SELECT count(*) FROM atomic.events WHERE user_ipaddress ~ '[0-9]'") == [(0,)]
    assert main(with_enrichments(folder)) == 0
    assert "is done already" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["widerow-json", "widerow-parquet"])
def test_wide_rows_end_with_the_transform(kind: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = arguments(folder, "--transformation", kind, "--run-id", RUN, logs="fixtures/logs/webhooks")
    assert main(given) == 0
    document = report(folder)
    assert [step["step"] for step in document["steps"]] == ["enrich", "transform"]
    assert document["differences"] == []
    assert not (folder / "out" / "warehouse").exists()
    assert main(given) == 0
    assert "is done already" in capsys.readouterr().err


def test_B9_too_many_bad_rows_are_not_loaded(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "raw").mkdir()
    (folder / "raw" / "log").write_text("nonsense\n" * 3)
    given = arguments(folder, "--run-id", RUN, logs=str(folder / "raw"), format_="cloudfront")
    assert main([*given, "--max-bad", "10%"]) == 1
    assert "more than --max-bad 10%" in " ".join(capsys.readouterr().err.split())
    assert not (folder / "out" / "transformed").exists()
    assert main([*given, "--max-bad", "3"]) == 0
