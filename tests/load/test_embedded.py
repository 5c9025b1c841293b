"""The embedded server: made, started and stopped, whatever died in the middle of it before."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from snowetl.errors import ConfigError
from snowetl.load.embedded import embedded_postgres
from snowetl.load.plan import LoadError

ROOT = Path(__file__).parents[2]


def servers(folder: Path) -> list[int]:
    found = []
    for process in psutil.process_iter(("name", "cmdline")):
        if process.info["name"] == "postgres" and str(folder) in (process.info["cmdline"] or ()):
            found.append(process.pid)
    return found


def works(folder: Path) -> bool:
    with embedded_postgres(folder) as url, psycopg.connect(url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_folder_is_made_and_the_server_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "pg"
    assert works(folder)
    assert servers(folder) == []
    assert works(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["pg"]


def test_what_died_while_it_made_the_folder_is_no_harm(tmp_path: Path) -> None:
    left = tmp_path / f".pg-initdb-{dead_pid()}"
    left.mkdir()
    (left / "PG_VERSION").write_text("18\n")
    (tmp_path / "pg").mkdir()
    assert works(tmp_path / "pg")
    assert not left.exists()


def test_users_that_died_do_not_keep_the_server_running(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    assert works(folder)
    for users in (json.dumps([dead_pid()]), "[12", ""):
        (folder / ".handle_pids.json").write_text(users)
        assert works(folder)
        assert servers(folder) == []


def test_a_process_number_that_is_anothers_now(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    assert works(folder)
    me = psutil.Process().pid
    (folder / "postmaster.pid").write_text(f"{me}\n{folder}\n1\n5432\n{folder}\n\n1 1\nready\n")
    assert works(folder)


def test_a_server_that_outlived_its_user_is_taken_over(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    code = (
        "import os, sys; from pathlib import Path; from snowetl.load.embedded import embedded_postgres\n"
        "with embedded_postgres(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=False)
    assert servers(folder)
    assert works(folder)
    assert servers(folder) == []


def test_a_server_that_was_killed_recovers(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    with embedded_postgres(folder) as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
        family = [psutil.Process(pid) for pid in servers(folder)]
        for process in family + [child for parent in family for child in parent.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # a child that saw its parent die
                process.kill()
        psutil.wait_procs(family, timeout=10)
    with embedded_postgres(folder) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT seven FROM kept").fetchone() == (7,)


def test_another_process_that_leaves_does_not_stop_it(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    with embedded_postgres(folder) as url:
        code = (
            "import sys; from pathlib import Path; from snowetl.load.embedded import embedded_postgres\n"
            "with embedded_postgres(Path(sys.argv[1])) as url: print(url)"
        )
        other = subprocess.check_output([sys.executable, "-c", code, str(folder)], cwd=ROOT, text=True)
        assert other.strip() == url
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert servers(folder) == []


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ConfigError, match="neither empty nor a data folder"), embedded_postgres(tmp_path):
        pass
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_a_server_that_cannot_start_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    assert works(folder)
    (folder / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(LoadError, match="does not start"), embedded_postgres(folder):
        pass
