"""The command as a whole: verbs, exit codes, and no stack traces for mistakes of users."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from snowetl.cli import main as main_module
from snowetl.cli.main import cli, main
from snowetl.cli.verbs import VERBS
from snowetl.errors import ConfigError, NothingToDo, OutputExists, RegistryUnavailable, StorageError
from snowetl.version import description

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snowetl", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)


def test_version() -> None:
    result = run("--version")
    assert (result.returncode, result.stdout) == (0, f"{description()}\n")


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    output = capsys.readouterr().out
    assert all(verb in output for verb in VERBS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["enrihc"], "No such command 'enrihc'"),
        (["enrich", "--inptu-folder", "x"], "No such option '--inptu-folder'"),
        (["enrich"], "Missing option"),
        (["enrich", "--split-size", "many"], "'many' is not a size, such as 64MB"),
        (["enrich", "--etl-timestamp", "soon"], "'soon' is not a valid integer"),
        (["enrich", "--config", "/none/snowetl.yml"], "cannot read /none/snowetl.yml"),
        (["explain"], "Missing argument"),
    ],
)
def test_wrong_usage_is_told_in_a_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_no_stack_trace() -> None:
    result = run("enrich", "--compression", "lz4")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "Error: Invalid value for '--compression'" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("what"), 2),
        (OutputExists("what"), 2),
        (NothingToDo("what"), 3),
        (StorageError("what"), 1),
        (RegistryUnavailable("what"), 1),
        (KeyboardInterrupt(), 130),
        (MemoryError(), 1),
    ],
)
def test_errors_become_exit_codes(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(cli, "main", fail)
    assert main_module.main(["enrich"]) == code
    assert capsys.readouterr().err.startswith("Error: ")


def test_errors_of_the_machine_are_told_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(28, "No space left on device", "/tmp/x")

    monkeypatch.setattr(cli, "main", fail)
    assert main_module.main(["enrich"]) == 1
    assert capsys.readouterr().err == "Error: /tmp/x: No space left on device\n"


@pytest.mark.slow
def test_closed_standard_streams_stop_nothing(tmp_path: Path) -> None:
    """``snowetl … >&- 2>&-``, as some schedulers start programs; no output file may take the place of a stream."""
    config = tmp_path / "snowetl.yml"
    config.write_text("unknown: 1\n")
    command = f"exec {sys.executable} -m snowetl config schema <&- 2>&-"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert (result.returncode, result.stdout[:1]) == (0, "{")
    command = f"exec {sys.executable} -m snowetl enrich --config {config} <&- >&- 2>&-"
    assert subprocess.run(["bash", "-c", command], cwd=ROOT, timeout=300).returncode == 2


@pytest.mark.slow
def test_the_command_line_starts_fast() -> None:
    """Neither Spark nor a client library is loaded to print help."""
    code = "import sys, snowetl.cli.main as m; m.main(['--help']); print(sorted(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert result.returncode == 0
    assert not any(f"'{name}'" in result.stdout for name in ("pyspark", "boto3", "pyarrow", "jsonschema", "rich"))
