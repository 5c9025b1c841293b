"""The verbs around a run: plan, status, resume, logs, cancel, unlock."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from snowetl.cli.main import main
from snowetl.errors import LoadError
from snowetl.load.engine import RunLoader
from snowetl.runs.holder import Holder
from tests.integration.support import ROOT
from tests.integration.test_growing import arguments, rows, runs, write


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run whose load failed."""
    write(tmp_path, "a.log", 1, 2)
    with monkeypatch.context() as patch:
        patch.setattr(RunLoader, "load", die)
        assert main(arguments(tmp_path)) == 1
    return tmp_path


def die(*_: object) -> None:
    raise LoadError("the server went away")


def out(folder: Path, verb: str, *more: str) -> int:
    return main([verb, "-o", str(folder / "out"), *more])


def id_of(folder: Path) -> str:
    [run] = runs(folder)
    return run.name.removeprefix("run=")


def test_a_plan_says_what_and_why_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "a.log", 1)
    given = ["plan", *arguments(tmp_path)[1:]]
    assert main(given) == 0
    text = capsys.readouterr().out
    assert "(a new run), executor local" in text
    assert "input  1 file" in text
    assert "do    there are new files" in text
    assert not (tmp_path / "out").exists()
    assert main(arguments(tmp_path)) == 0
    write(tmp_path, "b.log", 2)
    capsys.readouterr()
    assert main([*given, "--as-json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["inputs"]["files"] == 1
    assert document["inventory"]["taken"]["files"] == 1
    assert [step["seconds"] is not None for step in document["steps"]] == [True, True, True]
    assert len(runs(tmp_path)) == 1
    assert main(arguments(tmp_path)) == 0
    assert main(given) == 3


def test_a_plan_tells_time_and_cost_by_the_last_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "a.log", 1)
    price = ("--price-per-hour", "3600")
    given = ["plan", *arguments(tmp_path, *price)[1:]]
    assert main(given) == 0
    assert "cost: unknown, for no earlier run tells" in capsys.readouterr().out
    assert main(arguments(tmp_path, *price)) == 0
    assert "cost, by --price-per-hour" in capsys.readouterr().out
    write(tmp_path, "b.log", 2)
    assert main(given) == 0
    told = capsys.readouterr().out
    assert "by the last runs, cost about" in told and "(at 3,600.00 an hour)" in told
    assert main([*given, "--as-json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["cost"] == pytest.approx(document["seconds"], abs=1e-3)
    assert main(["plan", *arguments(tmp_path)[1:]]) == 0
    told = capsys.readouterr().out
    assert "by the last runs" in told and "cost" not in told


def test_a_run_that_failed_is_shown_and_resumed(failed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert out(failed, "status") == 0
    assert f"run={id_of(failed)}  failed at load  1 file" in capsys.readouterr().out
    assert out(failed, "logs") == 0
    assert "the server went away" in capsys.readouterr().out
    assert out(failed, "resume") == 0
    err = capsys.readouterr().err
    assert "enrich: done already" in err
    assert "transform: done already" in err
    assert rows(failed) == 2
    assert out(failed, "resume") == 3
    assert out(failed, "resume", id_of(failed)) == 0
    assert out(failed, "resume", "2020-01-01-00-00-00") == 2
    capsys.readouterr()
    assert out(failed, "status", "--json") == 0
    [view] = json.loads(capsys.readouterr().out)["runs"]
    assert (view["state"], view["events"], view["loaded"]) == ("done", 2, True)


def test_a_run_that_is_cancelled_gives_its_files_back(failed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = id_of(failed)
    assert out(failed, "cancel", first) == 0
    assert "1 file given back" in capsys.readouterr().out
    assert not (failed / "out" / "enriched" / f"run={first}").exists()
    assert out(failed, "status") == 0
    told = capsys.readouterr().out
    assert "cancelled" in told and ", 0 B" not in told
    assert main(arguments(failed)) == 0
    assert rows(failed) == 2
    assert out(failed, "cancel", runs(failed)[-1].name) == 2


def test_a_run_that_the_warehouse_holds_is_not_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process died between the end of the load and the report of it."""
    load = RunLoader.load

    def die_afterwards(*arguments: Any) -> None:
        load(*arguments)
        raise LoadError("killed")

    write(tmp_path, "a.log", 1, 2)
    with monkeypatch.context() as patch:
        patch.setattr(RunLoader, "load", die_afterwards)
        assert main(arguments(tmp_path)) == 1
    assert out(tmp_path, "cancel", id_of(tmp_path)) == 2
    assert out(tmp_path, "resume") == 0
    assert rows(tmp_path) == 2


def test_counts_are_compared_before_a_load_that_was_interrupted_begins_again(
    failed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A killed process leaves an attempt that nobody has ended: its step is submitted by another way."""
    state = failed / "out" / "runs" / f"run={id_of(failed)}" / "state.json"
    document = json.loads(state.read_text())
    document["steps"][-1]["attempts"][-1] |= {"outcome": "running", "ended": None, "job": None}
    state.write_text(json.dumps(document))
    [report] = (failed / "out" / "transformed").glob("run=*/_report.json")
    report.write_text(json.dumps(json.loads(report.read_text()) | {"records": 99}))
    capsys.readouterr()
    assert out(failed, "resume") == 1
    assert "the counts do not add up" in " ".join(capsys.readouterr().err.split())


def test_no_run_for_too_long_is_an_alarm(tmp_path: Path) -> None:
    assert out(tmp_path, "status") == 3
    write(tmp_path, "a.log", 1)
    assert main(arguments(tmp_path)) == 0
    assert out(tmp_path, "status", "--late-after", "1h") == 0
    report = runs(tmp_path)[0] / "report.json"
    document: dict[str, Any] = json.loads(report.read_text())
    report.write_text(json.dumps(document | {"finished": "2020-01-01T00:00:00.000Z"}))
    assert out(tmp_path, "status", "--late-after", "1h") == 1


def test_a_run_whose_process_died_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(40):
        write(tmp_path, f"{number:03d}.log", *range(number * 200, number * 200 + 200))
    process = subprocess.Popen([sys.executable, "-m", "snowetl", *arguments(tmp_path)], stderr=subprocess.DEVNULL)
    while not list((tmp_path / "out").glob("runs/run=*/state.json")):
        assert process.poll() is None
        time.sleep(0.05)
    assert out(tmp_path, "cancel", id_of(tmp_path)) == 17
    process.send_signal(signal.SIGKILL)
    process.wait()
    capsys.readouterr()
    assert out(tmp_path, "status") == 0
    assert "died" in capsys.readouterr().out
    assert out(tmp_path, "unlock") == 0
    assert out(tmp_path, "unlock") == 3
    assert out(tmp_path, "resume") == 0
    assert rows(tmp_path) == 8000


def test_a_lease_of_the_living_is_not_freed(failed: Path) -> None:
    lock = failed / "out" / "runs" / f"_lock-{id_of(failed)}.json"
    lock.write_bytes(Holder.this_process().content())
    assert os.getpid() == Holder.this_process().pid
    assert out(failed, "unlock") == 17
    assert out(failed, "unlock", "--force") == 0
    assert not lock.exists()
