"""``snowetl run --also-load``: a run in several databases, each with its own manifest, each tried again by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from snowetl.cli.main import main
from snowetl.errors import ConfigError
from snowetl.load.embedded import embedded_postgres
from snowetl.orchestrator.after.also_load import AlsoLoad
from snowetl.orchestrator.settings import RunSettings
from tests.integration.support import ROOT
from tests.integration.test_growing import arguments, rows, write

RUN = "2026-03-05-12-00-00"


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    tmp_path.chmod(0o755)
    write(tmp_path, "a.log", 1, 2, 3)


def counts(url: str, schema: str = "atomic") -> list[int]:
    """Events, and runs of the manifest."""
    with psycopg.connect(url) as connection:
        found = [connection.execute(f"SELECT count(*) FROM {schema}.{table}") for table in ("events", "manifest")]
        return [cursor.fetchone()[0] for cursor in found]  # type: ignore[index]


def parts(folder: Path) -> list[tuple[str, str, int]]:
    document: dict[str, Any] = json.loads((folder / f"out/runs/run={RUN}/also-load.json").read_text())
    return [(part["name"].rpartition(", ")[2], part["status"], part["rows"]) for part in document["parts"]]


def test_one_that_fails_holds_up_nobody_and_is_tried_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with embedded_postgres(tmp_path / "other") as url:
        nowhere = "postgresql://me@127.0.0.1:1/nowhere"
        given = arguments(tmp_path, "--run-id", RUN, "--also-load", nowhere, "--also-load", url)
        assert main(given) == 1
        told = capsys.readouterr().err
        assert "1 database of 2 not loaded" in told and "127.0.0.1:1" in told
        assert counts(url) == [3, 1] and rows(tmp_path) == 3
        assert parts(tmp_path) == [("schema atomic", "loaded", 3)]

        again = arguments(tmp_path, "--run-id", RUN, "--also-load", f"{url}#mart", "--also-load", url)
        assert main(again) == 0
        assert parts(tmp_path) == [("schema atomic", "loaded", 3), ("schema mart", "loaded", 3)]
        assert counts(url) == [3, 1] and counts(url, "mart") == [3, 1]
        report = json.loads((tmp_path / f"out/runs/run={RUN}/report.json").read_text())
        assert [step["step"] for step in report["after"]] == ["also-load"]
        assert report["steps"][-1]["target"].startswith("postgres embedded in"), "the run's own load keeps its report"

        write(tmp_path, "b.log", 4)
        assert main(arguments(tmp_path, "--also-load", url)) == 0
        assert counts(url) == [4, 2] and rows(tmp_path) == 4


def test_a_run_that_is_loaded_there_already_is_not_loaded_twice(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path / "other") as url:
        assert main(arguments(tmp_path, "--run-id", RUN, "--skip", "also-load", "--also-load", url)) == 0
        folder = str(tmp_path / f"out/transformed/run={RUN}")
        assert main(["load", "-i", folder, "--iglu-config", "fixtures/resolver.json", "--database", url]) == 0
        assert main(arguments(tmp_path, "--run-id", RUN, "--also-load", url)) == 0
        assert parts(tmp_path) == [("schema atomic", "already loaded", 0)]
        assert counts(url) == [3, 1]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--also-load", "mysql://me@h/db"), "MySQL is not a warehouse"),
        (("--also-load", "delta=file:///lake"), "--also-load: --database cannot be read"),
        (
            ("--also-load", "postgresql://me@h/a", "--also-load", "postgresql://me@h/a"),
            "is a database of the run already",
        ),
        (
            (
                *("--also-load", "redshift://me:x@h/a", "--role-arn", "arn:aws:iam::123456789012:role/x"),
                *("--region", "eu-west-1"),
            ),
            "reads rows from s3",
        ),
    ],
)
def test_databases_that_cannot_be_are_refused_before_work_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], told: str
) -> None:
    assert main(arguments(tmp_path, *more)) == 2
    assert told in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_wide_rows_beside_shredded_ones_are_made_for_who_loads_them(tmp_path: Path) -> None:
    """Two transforms, two manifests, two tries: where the second fails, the first is left alone."""
    duckdb = pytest.importorskip("duckdb")
    file, taken = tmp_path / "wide.duckdb", tmp_path / "out" / "transformed-widerow-parquet"
    given = arguments(tmp_path, "--run-id", RUN, "--also-load", f"duckdb:///{file}")
    file.mkdir()  # it cannot be opened
    assert main(given) == 1
    assert rows(tmp_path) == 3
    done = (taken / f"run={RUN}" / "shredding_complete.json").stat().st_mtime_ns
    file.rmdir()
    for _ in range(2):
        assert main(given) in (0, 3)
        with duckdb.connect(str(file), read_only=True) as connection:
            assert connection.execute("SELECT count(*) FROM atomic.events").fetchone() == (3,)
            assert connection.execute("SELECT count(*) FROM atomic.manifest").fetchone() == (1,)
        assert rows(tmp_path) == 3
    assert (taken / f"run={RUN}" / "shredding_complete.json").stat().st_mtime_ns == done, "it is transformed once"
    assert parts(tmp_path)[0][1:] == ("loaded", 3)


def test_on_a_cluster_no_second_transform_is_done(tmp_path: Path) -> None:
    settings = RunSettings(
        input_folder=(str(tmp_path / "raw"),),
        input_format="cloudfront",
        output_folder="s3://bucket/out",
        iglu_config="fixtures/resolver.json",
        database="postgresql://me@h/a",
        also_load=("duckdb:///tmp/x.duckdb", "postgresql://me@h/b"),
        executor="emr-serverless",
    )
    with pytest.raises(ConfigError, match="where no second transform is done"):
        AlsoLoad().check(settings)
