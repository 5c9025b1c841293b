"""``snowetl run`` again and again over a folder that grows: each file once, nobody moves one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from snowetl.cli.main import main
from snowetl.load.embedded import embedded_postgres
from snowetl.storage import FileInfo
from snowetl.storage.local import LocalFileSystem
from tests.integration.support import ROOT


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def hit(number: int) -> str:
    """A line of a CloudFront log with one page view."""
    query = f"e=pv&amp;p=web&amp;tv=js-3.0&amp;eid=00000000-0000-4000-8000-{number:012d}".replace("&amp;", "&")
    return (
        f"2026-03-05\t10:00:{number % 60:02d}\tFRA2\t480\t192.0.2.{number % 250}\tGET\tx.cloudfront.net\t/i\t200\t"
        f"https://example.com/\tMozilla/5.0\t{query}\n"
    )


def write(folder: Path, name: str, *numbers: int) -> None:
    path = folder / "raw" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(map(hit, numbers)))


def arguments(folder: Path, *more: str) -> list[str]:
    return [
        *("run", "--input-folder", str(folder / "raw"), "--input-format", "cloudfront", "--master", "none"),
        *("--output-folder", str(folder / "out"), "--iglu-config", "fixtures/resolver.json", *more),
    ]


def rows(folder: Path) -> int:
    with embedded_postgres(folder / "out" / "warehouse") as url, psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*), count(DISTINCT event_id) FROM atomic.events").fetchone()
    assert found is not None
    assert found[0] == found[1]
    return int(found[0])


def runs(folder: Path) -> list[Path]:
    return sorted((folder / "out" / "runs").glob("run=*"))


def test_each_run_takes_what_is_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for hour, expected in ((1, 2), (2, 4), (3, 6)):
        write(tmp_path, f"2026-03-05-{hour:02d}.log", 2 * hour, 2 * hour + 1)
        assert main(arguments(tmp_path)) == 0
        assert rows(tmp_path) == expected
        assert len(runs(tmp_path)) == hour
    capsys.readouterr()
    assert main(arguments(tmp_path)) == 3
    assert "there is nothing new in" in capsys.readouterr().err
    assert main(arguments(tmp_path, "--no-data-exit-code", "0")) == 0
    assert main(arguments(tmp_path, "--run-id", "2026-03-05-12-00-00")) == 3
    write(tmp_path, "2026-03-05-00.log", 100)  # late: its name stands before the others
    assert main(arguments(tmp_path, "--run-id", "2026-03-05-12-00-00")) == 0
    assert rows(tmp_path) == 7
    assert len(runs(tmp_path)) == 4


@contextmanager
def hidden(monkeypatch: pytest.MonkeyPatch, part: str) -> Iterator[None]:
    """Listings as S3 gave them when it was not consistent: they do not show files yet whose address has ``part``."""
    walk = LocalFileSystem.walk

    def shown(self: LocalFileSystem, pattern: str) -> Iterator[FileInfo]:
        return (file for file in walk(self, pattern) if part not in file.url)

    with monkeypatch.context() as patch:
        patch.setattr(LocalFileSystem, "walk", shown)
        yield


def test_complaint_15_what_a_listing_shows_late_is_taken_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reference 09 §4: files that S3 did not list yet were archived as processed, and never enriched."""
    write(tmp_path, "a.log", 1, 2)
    write(tmp_path, "b.log", 3)
    with hidden(monkeypatch, "b.log"):
        assert main(arguments(tmp_path)) == 0
    assert rows(tmp_path) == 2
    assert main(arguments(tmp_path)) == 0
    assert rows(tmp_path) == 3


def test_complaint_15_no_step_reads_less_than_the_one_before_has_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reference 09 §4: a copy or a load that listed too early lost rows in silence."""
    write(tmp_path, "a.log", 1, 2)
    with hidden(monkeypatch, "enriched/run="):
        assert main(arguments(tmp_path)) == 1
    told = capsys.readouterr().err
    assert "the counts do not add up (2 lines of enriched output, but 0 lines transform read)" in told
    [run] = runs(tmp_path)
    again = ("--run-id", run.name.removeprefix("run="), "--redo-from", "enrich")
    assert " ".join(again) in told
    assert main(arguments(tmp_path, *again)) == 0
    assert rows(tmp_path) == 2


def test_a_file_that_changed_is_named_and_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "a.log", 1)
    assert main(arguments(tmp_path)) == 0
    write(tmp_path, "a.log", 1, 2)
    write(tmp_path, "b.log", 3)
    capsys.readouterr()
    assert main(arguments(tmp_path)) == 0
    assert "1 file changed since a run took them" in " ".join(capsys.readouterr().err.split())
    assert rows(tmp_path) == 2
    assert main(arguments(tmp_path)) == 3


def test_young_files_wait(tmp_path: Path) -> None:
    write(tmp_path, "a.log", 1)
    assert main(arguments(tmp_path, "--settle", "1h")) == 3
    os.utime(tmp_path / "raw" / "a.log", (1_700_000_000, 1_700_000_000))
    write(tmp_path, "b.log", 2)
    assert main(arguments(tmp_path, "--settle", "1h")) == 0
    assert rows(tmp_path) == 1
    assert main(arguments(tmp_path)) == 0
    assert rows(tmp_path) == 2


def test_a_large_folder_is_taken_piece_by_piece(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path, f"{number}.log", number)
    size = str((tmp_path / "raw" / "0.log").stat().st_size * 2)
    taken = []
    while main(arguments(tmp_path, "--max-bytes", size)) == 0:
        plan = json.loads((runs(tmp_path)[-1] / "plan.json").read_text())
        taken.append(plan["files"])
    assert taken == [2, 2, 1]
    assert rows(tmp_path) == 5


def test_the_input_may_be_spelled_in_other_ways(tmp_path: Path) -> None:
    write(tmp_path, "a.log", 1)
    assert main(arguments(tmp_path)) == 0
    (tmp_path / "link").symlink_to(tmp_path / "raw")
    given = arguments(tmp_path)
    for spelling in (f"file://{tmp_path}/raw", str(tmp_path / "link"), os.path.relpath(tmp_path / "raw")):
        given[2] = spelling
        assert main(given) in (0, 3)
        assert rows(tmp_path) == 1


def test_two_at_once_take_each_file_once(tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path, f"{number}.log", number)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "snowetl", *arguments(tmp_path)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    ended = [(process.communicate()[1].decode(), process.returncode) for process in processes]
    assert {code for _, code in ended} <= {0, 3, 17}, ended
    assert 0 in {code for _, code in ended}
    while main(arguments(tmp_path)) == 0 and len(runs(tmp_path)) > 1:
        pass
    assert rows(tmp_path) == 6
