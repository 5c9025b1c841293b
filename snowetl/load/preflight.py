"""A look at the target before any work: driver, address, role, database, rights, data folder, disk space."""

from __future__ import annotations

import shutil
from pathlib import Path

from snowetl.errors import ConfigError, TargetError
from snowetl.load import embedded
from snowetl.load.retries import Retries
from snowetl.load.target import Target
from snowetl.load.warehouse import Say

_FREE_BYTES = 200 << 20
"""Of the disk of an embedded server: a new data folder takes 40 MB, its journal 80 MB."""
_QUICK = Retries(attempts=2, backoff=1.0, cumulative_bound=10.0)


def check_target(target: Target, say: Say = lambda text: None) -> None:
    """Raises ``ConfigError`` (exit code 2) with all that would stop a load into ``target``. Writes nothing.

    A server that does not answer is asked again for some seconds: it may be starting.
    """
    target.check()
    if target.database is None and target.capabilities.embedded:
        _check_data_folder(target.data_folder)
        if not (target.data_folder / "PG_VERSION").exists():
            return  # a new server has all rights
    found = _QUICK.call(lambda: _problems(target, say), _is_passing, say)
    if found:
        raise TargetError(f"{target} cannot be loaded into: {'; '.join(found)}")


def _problems(target: Target, say: Say) -> list[str]:
    with target.open(say) as warehouse:
        return warehouse.preflight()


def _is_passing(error: Exception) -> bool:
    return isinstance(error, TargetError) and error.transient


def _check_data_folder(folder: Path) -> None:
    embedded.check_installed()
    embedded.check_folder(folder)
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
