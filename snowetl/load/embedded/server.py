"""An embedded server: start and stop, by a process that holds the lock of its folder."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from snowetl.errors import ConfigError, LoadError
from snowetl.load.embedded.folder import DATABASE_USER
from snowetl.load.embedded.owner import Owner
from snowetl.load.embedded.programs import cause, run

if TYPE_CHECKING:
    import psutil


READER = "snowetl_reader"
"""Who reads the warehouse over the network of this machine, by a password (:func:`served`)."""
_PORT = 5432
_LOCALHOST = "127.0.0.1"
_START_SECONDS = 120
_LONGEST_SOCKET_FOLDER = 88
"""A socket's path has 107 bytes; ``/.s.PGSQL.5432`` and more is the server's part."""
_HBA, _IDENT = "snowetl_hba.conf", "snowetl_ident.conf"
_SOCKET_PREFIX = "snowetl-pg-"


@dataclass(frozen=True, slots=True)
class Server:
    """Start and stop, by a process that holds the lock of the folder."""

    folder: Path
    programs: Path
    owner: Owner

    def started(self, port: int | None = None) -> str:
        """The URL of the running server; one that is not running is started. Raises ``ConfigError`` for one that runs
        and does not listen on ``port``."""
        socket_folder = self._running()
        if socket_folder is None:
            self._tidy()
            self._write_rules(port)
            socket_folder = self._socket_folder()
            self._start(socket_folder, port)
        elif port is not None and self._status()[3:6:2] != [str(port), _LOCALHOST]:
            raise ConfigError(
                f"the server in {self.folder} is at work for another process and does not listen on port {port}: try "
                "again when that is done"
            )
        number = self._status()[3]
        own_port = "" if number == str(_PORT) else f"&port={number}"
        return f"postgresql://{DATABASE_USER}@/postgres?host={quote(socket_folder, safe='')}{own_port}"

    def stop(self) -> None:
        socket_folder = self._running()
        command = ["-w", "-t", str(_START_SECONDS), "-m", "fast", "-D", str(self.folder), "stop"]
        with suppress(LoadError):  # it has died by itself
            run([*self.owner.prefix(), str(self.programs / "pg_ctl"), *command], f"the server in {self.folder} stop")
        if socket_folder is not None:
            self._remove_socket_folder(socket_folder)

    def _status(self) -> list[str]:
        """The server's file about itself: process, folder, start, port, socket folder, address, memory, state."""
        try:
            return [line.strip() for line in (self.folder / "postmaster.pid").read_text("utf-8").split("\n")]
        except FileNotFoundError:
            return []

    def _running(self) -> str | None:
        """The socket folder of a server that is ready on this very folder."""
        end = time.monotonic() + _START_SECONDS
        while True:
            status = self._status()
            if len(status) < 8 or not status[0].isdigit() or not _is_server(int(status[0]), self.folder):
                return None
            if status[7].startswith("ready"):
                return status[4]
            if time.monotonic() > end:
                raise LoadError(f"the embedded PostgreSQL in {self.folder} is not ready; see {self.folder / 'log'}")
            time.sleep(0.2)

    def _tidy(self) -> None:
        """Remove what a server that died has left: its files about itself, whose number may be another process's now.

        PostgreSQL takes a dead server for a running one as long as nobody has reaped its process, which in a container
        without init is for ever.
        """
        status = self._status()
        if not (status and status[0].isdigit() and _is_server(int(status[0]), self.folder)):
            self._wait_for_sessions()
            for stale in (self.folder / "postmaster.pid", *self.folder.glob(".s.PGSQL.*.lock")):
                stale.unlink(missing_ok=True)
        if len(status) > 4:
            self._remove_socket_folder(status[4])

    def _wait_for_sessions(self) -> None:
        """Sessions outlive a server that was killed, until their statement ends; two servers would spoil the data."""
        import psutil

        alive = list(psutil.process_iter(["name"]))
        end = time.monotonic() + _START_SECONDS
        while (alive := [each for each in alive if _is_session(each, self.folder)]) and time.monotonic() < end:
            time.sleep(0.05)
        if alive:
            numbers = ", ".join(str(process.pid) for process in alive)
            raise LoadError(
                f"sessions of a server that died still work in {self.folder}: end the processes {numbers}, "
                "then start again"
            )

    def _remove_socket_folder(self, socket_folder: str) -> None:
        if Path(socket_folder).name.startswith(_SOCKET_PREFIX):
            shutil.rmtree(socket_folder, ignore_errors=True)

    def _write_rules(self, port: int | None) -> None:
        """Who may connect: the owner of the server and root, as the operating system knows them; and the reader."""
        reader = "" if port is None else f"host all {READER} {_LOCALHOST}/32 scram-sha-256\n"
        self._write(_HBA, f"local all {DATABASE_USER} peer map=snowetl\n{reader}")
        names = dict.fromkeys((self.owner.name, pwd.getpwuid(0).pw_name))
        self._write(_IDENT, "".join(f'snowetl "{name}" {DATABASE_USER}\n' for name in names))

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text, "utf-8")
        path.chmod(0o600)
        os.chown(path, self.owner.uid, self.owner.gid)

    def _socket_folder(self) -> str:
        """The data folder, which only its owner enters; where its path is too long, a folder made for the purpose."""
        own = str(self.folder)
        if len(os.fsencode(own)) <= _LONGEST_SOCKET_FOLDER and not set(own) & set(",\"' "):
            self.folder.chmod(0o700)
            return own
        made = tempfile.mkdtemp(prefix=_SOCKET_PREFIX)
        os.chown(made, self.owner.uid, self.owner.gid)
        return made

    def _start(self, socket_folder: str, port: int | None) -> None:
        settings = {
            "listen_addresses": "" if port is None else _LOCALHOST,
            "port": str(port or _PORT),
            "unix_socket_directories": socket_folder,
            "unix_socket_permissions": "0700",
            "hba_file": str(self.folder / _HBA),
            "ident_file": str(self.folder / _IDENT),
        }
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
        log = self.folder / "log"
        already = log.stat().st_size if log.exists() else 0
        command = ["-w", "-t", str(_START_SECONDS), "-l", str(log), "-o", options, "-D", str(self.folder), "start"]
        try:
            run([*self.owner.prefix(), str(self.programs / "pg_ctl"), *command], "start")
        except LoadError:
            with suppress(OSError), log.open("rb") as file:
                file.seek(already)
                error = LoadError(cause(file.read().decode("utf-8", "replace")))
            self._remove_socket_folder(socket_folder)
            raise LoadError(f"the embedded PostgreSQL in {self.folder} does not start ({error}); see {log}") from None


def _is_server(pid: int, folder: Path) -> bool:
    """Whether a process is the PostgreSQL server of ``folder``."""
    import psutil

    try:
        process = psutil.Process(pid)
        return "postgres" in process.name() and str(folder) in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _is_session(process: psutil.Process, folder: Path) -> bool:
    """Whether a process is a session or helper of a server of ``folder``, which it works in."""
    import psutil

    try:
        return "postgres" in process.info["name"] and process.cwd() == str(folder.resolve())
    except psutil.Error:
        return False
