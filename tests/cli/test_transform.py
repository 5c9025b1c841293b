"""``snowetl transform``: a whole job from the command line, and mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snowetl.cli.main import main
from tests.steps.transform_support import RUN, enriched, lines_of, write_registry, write_run

Transform = Callable[..., int]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_run(tmp_path / "enriched", [[enriched(1), enriched(2), enriched(2), "x"]])
    (tmp_path / "resolver.json").write_text(json.dumps(write_registry(tmp_path / "registry")))
    return tmp_path


@pytest.fixture
def transform(folder: Path) -> Transform:
    """Runs the command; returns its exit code."""

    def run(*more: str, **options: Any) -> int:
        given = {
            "--input-folder": str(folder / "enriched"),
            "--output-folder": str(folder / "out"),
            "--iglu-config": str(folder / "resolver.json"),
            "--master": "none",
        } | {f"--{name.replace('_', '-')}": str(value) for name, value in options.items()}
        return main(["transform", *(part for option in given.items() for part in option), *more])

    return run


def test_a_run(transform: Transform, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert transform() == 0
    shown = capsys.readouterr().out
    assert shown.startswith("run=2026-01-02-03-04-05\n")
    counts = {line.rsplit(None, 1)[0].strip(): line.rsplit(None, 1)[1] for line in shown.splitlines()[1:8]}
    assert counts["lines"] == "4"
    assert counts["events"] == "2"
    assert counts["duplicates"] == "1"
    assert counts["bad rows"] == "1"
    assert str(folder / "out" / RUN) in shown


def test_done_already(transform: Transform, capsys: pytest.CaptureFixture[str]) -> None:
    assert transform() == 0
    capsys.readouterr()
    assert transform() == 0
    captured = capsys.readouterr()
    assert "run=2026-01-02-03-04-05 is done already" in captured.err + captured.out


def test_a_dry_run_writes_nothing(transform: Transform, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert transform("--dry-run") == 0
    assert "dry run: nothing is written" in capsys.readouterr().out
    assert not (folder / "out").exists()


@pytest.mark.parametrize("kind", ["widerow-json", "widerow-parquet"])
def test_wide_rows(kind: str, transform: Transform, folder: Path) -> None:
    assert transform(transformation=kind) == 0
    parts = list((folder / "out" / RUN / "output=good").glob("part-*"))
    assert [path.suffix for path in parts] == [".parquet" if kind.endswith("parquet") else ".gz"]


def test_options_reach_the_job(transform: Transform, folder: Path) -> None:
    assert transform("--no-natural", "--legacy-message-format", synthetic="NONE", default_format="JSON") == 0
    message = json.loads((folder / "out" / RUN / "shredding_complete.json").read_text())
    assert message["schema"].endswith("/shredding_complete/jsonschema/1-0-1")
    rows = lines_of(folder / "out" / RUN / "output=good/vendor=com.acme/name=click/format=json/model=1")
    assert len(rows) == 3


def test_old_events_are_bad_rows(transform: Transform, capsys: pytest.CaptureFixture[str]) -> None:
    assert transform(minimum_timestamp="2022-01-01T00:00:00Z") == 0
    assert "generic_error" in capsys.readouterr().out


def test_a_configuration_file(transform: Transform, folder: Path) -> None:
    (folder / "snowetl.yml").write_text("transform:\n  transformation: widerow-json\n")
    assert transform(config=folder / "snowetl.yml") == 0
    assert list((folder / "out" / RUN / "output=good").glob("part-*"))


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ({"input_folder": "/nowhere"}, 2, "there is no file or folder /nowhere"),
        ({"iglu_config": "/nowhere.json"}, 2, "/nowhere.json"),
        ({"since_timestamp": "yesterday"}, 2, "run_interval.since_timestamp: 'yesterday' is not a time"),
        ({"since_age": "long"}, 2, "'long' is not a duration"),
        ({"minimum_timestamp": "soon"}, 2, "--minimum-timestamp: 'soon' is not a time"),
        ({"tsv": "iglu:com.acme"}, 2, "iglu:com.acme"),
        ({"duplicate_storage": "{}"}, 2, "not self-describing"),
        ({"queue": "arn:aws:sqs:eu-west-1:1:x"}, 2, "is not an SNS topic"),
        ({"since_timestamp": "2027-01-01-00-00-00"}, 3, "there is nothing to transform"),
    ],
)
def test_mistakes(
    options: dict[str, str], code: int, message: str, transform: Transform, capsys: pytest.CaptureFixture[str]
) -> None:
    assert transform(**options) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
