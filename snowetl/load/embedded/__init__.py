"""PostgreSQL without installing one: a server from a pip wheel, on a folder of the user's.

Only the wheel's programs are used. Whoever uses the server holds a shared lock on a file in the data folder, which a
killed process lets go by itself; the last one out stops the server. Nobody else on the machine gets at it: it listens
on no port, its socket is in a folder that only its owner enters, and it asks the operating system who is there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from snowetl.load.embedded.folder import MADE, check_folder, check_space, make
from snowetl.load.embedded.owner import owner_of
from snowetl.load.embedded.programs import programs_folder
from snowetl.load.embedded.server import READER, Server

__all__ = [
    "READER",
    "check_folder",
    "check_installed",
    "check_space",
    "embedded_postgres",
    "psql_path",
    "served",
]


_USERS, _LOCK = ".snowetl-users", ".snowetl-lock"


@contextmanager
def embedded_postgres(folder: Path, port: int | None = None) -> Iterator[str]:
    """A running server whose data are in ``folder`` (made if missing); gives its connection URL.

    It is stopped on leaving, unless another process still uses it. With ``port`` it listens there, too, on 127.0.0.1,
    for :data:`READER` alone. Raises :class:`ConfigError` where the wheel is not installed, the folder holds something
    else, or a server that runs already does not listen; and :class:`LoadError` where the server does not start.
    """
    programs = programs_folder()
    folder = folder.resolve()
    check_folder(folder)
    if not (folder / MADE).exists():
        make(folder, programs)
    server = Server(folder, programs, owner_of(folder))
    with _opened(folder / _USERS) as users:
        with _locked(folder / _LOCK):
            fcntl.flock(users, fcntl.LOCK_SH)
            url = server.started(port)
        try:
            yield url
        finally:
            with _locked(folder / _LOCK):
                if _is_last(users):
                    server.stop()


@contextmanager
def served(folder: Path, port: int, password: str) -> Iterator[None]:
    """A server that programs of this machine can read: as :data:`READER`, who may change nothing, by ``password``.

    The password is forgotten when this is left. Raises as :func:`embedded_postgres` does.
    """
    import psycopg
    from psycopg import sql

    with embedded_postgres(folder, port) as url, psycopg.connect(url, autocommit=True) as connection:
        reader = sql.Identifier(READER)
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [READER]).fetchone() is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(reader))
            connection.execute(sql.SQL("GRANT pg_read_all_data TO {}").format(reader))
            connection.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(reader))
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(reader, sql.Literal(password)))
        try:
            yield
        finally:
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD NULL").format(reader))


def psql_path() -> str:
    """The client that comes with the server."""
    return str(programs_folder() / "psql")


def check_installed() -> None:
    """Raises :class:`ConfigError` where the wheel is missing."""
    programs_folder()


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        yield file


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time starts or stops the server of a folder."""
    with _opened(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_last(users: IO[bytes]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
