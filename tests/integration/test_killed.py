"""``snowetl run`` over a growing folder, killed at moments of chance: what is loaded in the end is what an undisturbed
schedule loads, nothing twice, and nothing is left behind.

``SNOWETL_KILLS=20 pytest tests/integration/test_killed.py`` kills as often as that (CONTRIBUTING.md).
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import psycopg
import pytest

from snowetl.load.embedded import embedded_postgres
from tests.crash.victim import Victim, end_all, workers_left
from tests.integration.test_growing import arguments, runs, write

pytestmark = pytest.mark.long
KILLS = int(os.environ.get("SNOWETL_KILLS", "3"))
MARK = f"killed-test-{os.getpid()}"


def snowetl(place: Path, given: list[str], at: int | None = None) -> int:
    """The exit code of a verb, which is killed before its operation ``at`` on files below ``place``."""
    journal = place / "journal"
    journal.touch()
    env = {"SNOWETL_CRASH_PLACE": str(place / "out"), "SNOWETL_CRASH_JOURNAL": str(journal)}
    if at is not None:
        env |= {"SNOWETL_CRASH_AT": str(at), "SNOWETL_CRASH_HOW": "kill"}
    return Victim(given, place, MARK, env | {"TMPDIR": str(place / "tmp")}).wait()


def operations(place: Path) -> int:
    """Operations on files of the verb that ran last."""
    lines = (place / "journal").read_text().splitlines()
    (place / "journal").unlink()
    return sum('"operation"' in line for line in lines)


@pytest.mark.parametrize("seed", [int(os.environ.get("SNOWETL_SEED", "7"))])
def test_killed_at_random_moments(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    tmp_path.chmod(0o755)  # the database server runs as another user where we are root
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o777)
    resume = ["resume", "--output-folder", str(tmp_path / "out")]
    moments: list[str] = []
    written = 0

    def next_hour() -> None:
        nonlocal written
        numbers = range(written, written + dice.randint(1, 4))
        written += len(numbers)
        write(tmp_path, f"{numbers[0]:05d}.log", *numbers)

    try:
        next_hour()
        assert snowetl(tmp_path, arguments(tmp_path)) == 0
        most = operations(tmp_path)
        assert most > 20
        while len(moments) < KILLS:
            next_hour()
            for _ in range(dice.choice((1, 1, 1, 2))):
                at = dice.randint(1, most)
                given = arguments(tmp_path) if not moments or dice.random() < 0.7 else resume
                moments.append(f"{given[0]} op:{at} -> exit {snowetl(tmp_path, given, at)}")
                assert workers_left(MARK, 20) == [], moments
            if dice.random() < 0.5:
                moments[-1] += f", resume -> exit {snowetl(tmp_path, resume)}"
        while (code := snowetl(tmp_path, arguments(tmp_path))) == 0 and len(runs(tmp_path)) > 1:
            pass
        assert code == 3, moments
        end_all(MARK)
        with embedded_postgres(tmp_path / "out" / "warehouse") as url, psycopg.connect(url) as connection:
            rows = connection.execute("SELECT event_id FROM atomic.events").fetchall()
            loads = connection.execute("SELECT count(*) FROM atomic.manifest").fetchone()
        assert sorted(int(str(row[0])[-12:]) for row in rows) == list(range(written)), moments
        assert loads == (len(runs(tmp_path)),), moments
        assert all((run / "report.json").exists() for run in runs(tmp_path)), moments
        output = (path for path in (tmp_path / "out").rglob("*") if "warehouse" not in path.parts)
        left = [path.name for path in output if path.name.startswith((".", "_lock", "_lease"))]
        assert left == [], moments
        assert [path.name for path in (tmp_path / "tmp").iterdir()] == [], moments
    finally:
        end_all(MARK)
    if os.environ.get("SNOWETL_KILLS"):
        print(*moments, sep="\n")
