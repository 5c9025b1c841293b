"""The data folder of an embedded server: whether it can be used, and how it is made."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from snowetl.errors import ConfigError
from snowetl.load.embedded.owner import name_of, owner_of, us
from snowetl.load.embedded.programs import run
from snowetl.runs.holder import process_exists

DATABASE_USER = "postgres"
MADE = "PG_VERSION"


_FREE_BYTES = 200 << 20
"""Of the disk: a new data folder takes 40 MB, its journal 80 MB."""
_ANOTHER = "Run snowetl as another user, or give another --data-folder"


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
                raise ConfigError(f"{folder} cannot be made: {above} cannot be written to by {us()}. {_ANOTHER}")
    except PermissionError as error:
        raise ConfigError(f"{error.filename or folder} cannot be entered by {us()}. {_ANOTHER}") from None


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
        raise ConfigError(f"{folder} belongs to {name_of(owner)}, not to {us()}. {_ANOTHER}")
    if not (folder / MADE).exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is neither empty nor a data folder of PostgreSQL: give another --data-folder")


def make(folder: Path, programs: Path) -> None:
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
        owner = owner_of(new)
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
        run([*owner.prefix(), str(programs / "initdb"), *arguments], f"a data folder in {folder}")
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
