"""The embedded server: made, started and stopped, whatever died in the middle of it before."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

import psutil
import psycopg
import pytest

from snowetl.errors import ConfigError, LoadError, SnowetlError
from snowetl.load.embedded import check_folder, embedded_postgres
from snowetl.load.embedded.programs import cause
from snowetl.load.preflight import check_target
from snowetl.load.target import Target
from snowetl.runs.writable import check_writable

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


def test_a_process_number_that_is_anothers_now(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    assert works(folder)
    me = psutil.Process().pid
    (folder / "postmaster.pid").write_text(f"{me}\n{folder}\n1\n5432\n{folder}\n\n1 1\nready\n")
    assert works(folder)


def test_a_dead_server_that_nobody_has_reaped(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    assert works(folder)
    user = "nobody" if os.geteuid() == 0 else None
    with subprocess.Popen(["sleep", "60"], user=user) as its_number:
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            (folder / name).write_text(f"{its_number.pid}\n{folder}\n1\n5432\n{folder}\n\n1 1\nready\n")
        assert works(folder)
        its_number.kill()


def test_a_session_that_outlived_its_server_is_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    busy = "SELECT count(*) FROM generate_series(1, 50000000)"
    with embedded_postgres(folder) as url, psycopg.connect(url) as connection, ThreadPoolExecutor(1) as pool:
        session = psutil.Process(connection.info.backend_pid)
        answer = pool.submit(connection.execute, busy)
        (server,) = (psutil.Process(pid) for pid in servers(folder))
        server.kill()
        psutil.wait_procs([server], timeout=10)
        assert works(folder)
        assert not session.is_running() or session.status() == psutil.STATUS_ZOMBIE
        with pytest.raises(psycopg.OperationalError):
            answer.result()
            connection.execute("SELECT 1")


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


def test_of_many_at_once_the_last_stops_it(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    code = (
        "import sys, time, random, psycopg; from pathlib import Path\n"
        "from snowetl.load.embedded import embedded_postgres\n"
        "with embedded_postgres(Path(sys.argv[1])) as url, psycopg.connect(url) as connection:\n"
        "    time.sleep(random.random()); print(connection.execute('SELECT 1').fetchone()[0])"
    )
    users = [
        subprocess.Popen([sys.executable, "-c", code, str(folder)], cwd=ROOT, stdout=subprocess.PIPE) for _ in range(4)
    ]
    assert [user.communicate()[0].strip() for user in users] == [b"1"] * 4
    assert servers(folder) == []


def test_a_data_folder_that_cannot_be_made_names_the_cause_last() -> None:
    output = (
        'The files belonging to this database system will be owned by user "nobody".\n'
        "creating subdirectories ... ok\nselecting default max_connections ... 20\n"
        "running bootstrap script ... 2026-01-01 00:00:00.000 UTC [7] FATAL:  could not write to file "
        '"pg_wal/xlogtemp.7": No space left on device\nchild process exited with exit code 1\n'
        'initdb: removing contents of data directory "/data"\n'
    )
    assert cause(output) == "no space left on the device; free some, or give another --data-folder"
    assert cause('a\ninitdb: error: could not access directory "/x": Permission denied\nb\n').endswith("denied")


# --- H4: nobody else gets in ----------------------------------------------------------------------------------------


def modes(folder: Path) -> dict[Path, int]:
    return {above: stat.S_IMODE(above.stat().st_mode) for above in (folder, *folder.parents)}


def as_another_user(url: str) -> str:
    """What a user of this machine who is neither root nor the server's owner is told."""
    code = f"import psycopg; psycopg.connect({url!r}).execute('SELECT 1'); print('got in')"
    alone = ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups", sys.executable, "-c", code]
    done = subprocess.run(alone, cwd="/", capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", ["short", "l" * 120, "a b,c'd"])
def test_H4_the_socket_is_in_a_folder_only_its_owner_enters(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "pg"
    folder.parent.mkdir(mode=0o700)
    before = modes(folder.parent)
    with embedded_postgres(folder) as url:
        socket_folder = Path(unquote(url.partition("host=")[2]))
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((socket_folder / ".s.PGSQL.5432").stat().st_mode) == 0o700
        assert modes(folder.parent) == before
        with psycopg.connect(url) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        if os.geteuid() == 0:
            assert "got in" not in as_another_user(url)
    assert socket_folder == folder or not socket_folder.exists()
    assert modes(folder.parent) == before
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_H4_the_server_asks_the_system_who_connects() -> None:
    with tempfile.TemporaryDirectory() as above, embedded_postgres(Path(above) / "pg") as url:
        folder = Path(unquote(url.partition("host=")[2]))
        for path in (Path(above), folder, folder / ".s.PGSQL.5432"):  # let others as far as the server itself
            path.chmod(0o777)
        assert 'Peer authentication failed for user "postgres"' in as_another_user(url)


def test_H4_no_user_is_made_and_no_lock_left_in_shared_folders(tmp_path: Path) -> None:
    users, shared = pwd.getpwall(), Path(tempfile.gettempdir()) / ".lockfile"
    before = shared.exists() and shared.stat().st_mtime
    assert works(tmp_path / "pg")
    assert pwd.getpwall() == users
    assert (shared.exists() and shared.stat().st_mtime) == before


def test_H4_a_folder_made_by_an_earlier_release_is_made_private(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    assert works(folder)
    (folder / "pg_hba.conf").write_text("local all all trust\n")
    with embedded_postgres(folder) as url, psycopg.connect(url) as connection:
        rules = connection.execute("SELECT auth_method FROM pg_hba_file_rules").fetchall()
    assert rules == [("peer",)]


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


# --- folders of other users -----------------------------------------------------------------------------------------


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may enter, and only we may write to."""
    folder = Path(tempfile.mkdtemp(prefix="snowetl-test-"))
    folder.chmod(0o755 if os.geteuid() == 0 else 0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def told_to_nobody(call: Callable[[], None]) -> str:
    """What ``call`` raises for a user without rights: in a child that gives up root's, where we are root."""
    if os.geteuid() != 0:
        with pytest.raises(SnowetlError) as caught:
            call()
        return str(caught.value)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        text = "nothing was raised"
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            call()
        except BaseException as error:
            text = f"{error}" if isinstance(error, SnowetlError) else repr(error)
        os.write(writer, text.encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as file:
        return file.read()


def test_B7_a_data_folder_that_cannot_be_made_is_told_before_any_work(public: Path) -> None:
    told = told_to_nobody(lambda: check_target(Target(data_folder=public / "new" / "warehouse")))
    assert f"{public / 'new' / 'warehouse'} cannot be made: {public} cannot be written to by user" in told
    assert "--data-folder" in told


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to have folders of two users")
def test_H4_a_data_folder_of_another_user_is_refused_in_words(public: Path) -> None:
    data = public / "warehouse"
    data.mkdir(mode=0o700)
    assert f"{data} belongs to user root, not to user nobody" in told_to_nobody(lambda: check_folder(data))
    assert f"{data / 'below'} cannot be entered by user nobody" in told_to_nobody(lambda: check_folder(data / "below"))


def test_B7_an_output_that_cannot_be_written_is_told_before_any_work(public: Path) -> None:
    told = told_to_nobody(lambda: check_writable([f"{public}/enriched", f"file://{public}/bad/deep"]))
    assert told == f"{public} cannot be written to by this user"
