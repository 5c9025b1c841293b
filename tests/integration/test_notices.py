"""``snowetl run --notify``: who is told what, and that nobody is waited for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snowetl.cli.main import main
from tests.integration.support import ROOT
from tests.integration.test_growing import arguments, write
from tests.orchestrator.test_notify import web_server


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def told(got: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(document["event"], document["run"]) for _, document in got]


def test_a_run_that_is_done_and_one_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.log", 1, 2)
    with web_server() as (host, got):
        monkeypatch.setenv("SNOWETL_NOTIFY", f"http://{host}/x prometheus:{tmp_path}/m.prom")
        assert main(arguments(tmp_path)) == 0
        [run] = [path.name for path in (tmp_path / "out/runs").glob("run=*")]
        assert told(got) == [("run-started", run[4:]), ("run-finished", run[4:])]
        done = got[-1][1]
        assert (done["counts"]["events"], done["counts"]["rows"], done["counts"]["files"]) == (2, 2, 1)
        assert done["link"].endswith(f"{run}/report.html") and Path(done["link"]).exists()
        assert [step["state"] for step in done["steps"]] == ["done"] * 3
        assert main(arguments(tmp_path)) == 0, "done already: nobody is told again"
        assert len(got) == 2
        (tmp_path / "raw" / "b.log").write_text("not a line\n" * 5)
        assert main(arguments(tmp_path, "--max-bad", "10%")) == 1
        assert [event for event, _ in told(got)[2:]] == ["run-started", "run-failed"]
        assert "bad rows" in got[-1][1]["reason"]
        assert got[-1][1]["steps"][0]["state"] == "failed"
    assert "snowetl_run_state" in (tmp_path / "m.prom").read_text()


def test_a_notifier_that_fails_fails_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "a.log", 1)
    assert main(arguments(tmp_path, "--notify", "http://127.0.0.1:9/secret-path")) == 0
    error = " ".join(capsys.readouterr().err.split())
    assert "--notify http://127.0.0.1:9/… was not told of run-finished" in error
    assert "secret-path" not in error


def test_what_fails_before_it_is_a_run_is_told_too(tmp_path: Path) -> None:
    write(tmp_path, "a.log", 1)
    with web_server() as (host, got):
        given = arguments(tmp_path, "--database", "postgresql://127.0.0.1:9/x", "--notify", f"http://{host}/")
        assert main(given) == 2
    [(event, run)] = told(got)
    assert (event, run) == ("run-failed", "")
