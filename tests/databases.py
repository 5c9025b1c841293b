"""Real database servers on loopback ports, with users and passwords, for as long as a test needs them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from snowetl.errors import ConfigError
from snowetl.load.embedded.owner import owner_of
from snowetl.load.embedded.programs import programs_folder

ADMIN = "admin"
ADMIN_PASSWORD = "adm1n-pa55"
_START_SECONDS = 60


@contextmanager
def postgres_server() -> Iterator[int]:
    """The port of a PostgreSQL that asks for passwords; ``ADMIN`` is its superuser."""
    try:
        programs = programs_folder()
    except ConfigError:
        pytest.skip("the embedded PostgreSQL is not installed")
    with _folder() as folder:
        owner = owner_of(folder)
        _give(folder, owner.uid, owner.gid)
        secret = folder / "password"
        secret.write_text(ADMIN_PASSWORD)
        _give(secret, owner.uid, owner.gid)
        data = folder / "data"
        arguments = ["--auth=scram-sha-256", f"--pwfile={secret}", "-U", ADMIN, "-E", "utf8", "--no-sync"]
        make = [*owner.prefix(), str(programs / "initdb"), "-D", str(data), *arguments]
        subprocess.run(make, check=True, capture_output=True, cwd="/")
        port = _free_port()
        run = [*owner.prefix(), str(programs / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port)]
        with _running([*run, "-k", str(folder), "-F"], lambda: _postgres_answers(port), signal.SIGINT):
            yield port


@contextmanager
def mariadb_server(*options: str) -> Iterator[int]:
    """The port of a MariaDB; ``ADMIN`` may do everything there. Skips where Debian's package is missing."""
    server, install = shutil.which("mariadbd", path=_PATH), shutil.which("mariadb-install-db", path=_PATH)
    if server is None or install is None:
        pytest.skip("MariaDB is not installed (apt-get install mariadb-server)")
    with _folder() as folder:
        user = ["--user=root"] if os.geteuid() == 0 else []
        common = ["--no-defaults", f"--datadir={folder / 'data'}", *user]
        make = [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(make, check=True, capture_output=True)
        start = folder / "start.sql"
        start.write_text(
            f"CREATE USER {ADMIN}@'127.0.0.1' IDENTIFIED BY '{ADMIN_PASSWORD}';\n"
            f"GRANT ALL ON *.* TO {ADMIN}@'127.0.0.1' WITH GRANT OPTION;\n"
        )
        port = _free_port()
        own = [f"--socket={folder / 's'}", f"--port={port}", "--bind-address=127.0.0.1", f"--init-file={start}"]
        small = ["--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve"]
        with _running([server, *common, *own, *small, *options], lambda: _mariadb_answers(port)):
            yield port


_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="db-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _give(path: Path, uid: int, gid: int) -> None:
    if os.geteuid() == 0:
        os.chown(path, uid, gid)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _postgres_answers(port: int) -> bool:
    import psycopg

    with suppress(psycopg.OperationalError):
        psycopg.connect(host="127.0.0.1", port=port, user=ADMIN, password=ADMIN_PASSWORD, dbname="postgres").close()
        return True
    return False


def _mariadb_answers(port: int) -> bool:
    import pymysql

    with suppress(pymysql.OperationalError):
        pymysql.connect(host="127.0.0.1", port=port, user=ADMIN, password=ADMIN_PASSWORD).close()
        return True
    return False


@contextmanager
def _running(command: list[str], ready: Callable[[], bool], stop: signal.Signals = signal.SIGTERM) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/")
    try:
        give_up = time.monotonic() + _START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > give_up:
                process.kill()
                output = process.communicate()[0].decode(errors="replace")
                raise RuntimeError(f"{command[0]} does not start: {output[-2000:]}")
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(stop)
        try:
            process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
