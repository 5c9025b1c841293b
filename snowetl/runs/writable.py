"""Whether the folders of a run can be written to, asked before any work."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from snowetl.errors import UsageError
from snowetl.storage import filesystem
from snowetl.storage.base import scheme_of


def check_writable(folders: Iterable[str]) -> None:
    """Raises ``UsageError`` that names all folders of this machine which this user cannot write to, else what another
    storage says. There a file is put and deleted again.
    """
    problems = []
    for folder in folders:
        if scheme_of(folder) == "file":
            problem = _local_problem(Path(folder.removeprefix("file://")))
            problems += [problem] if problem else []
        else:
            probe = f"{folder}/_snowetl-probe-{os.getpid()}"
            filesystem(folder).put(probe, b"")
            filesystem(folder).delete_tree(probe)
    if problems:
        raise UsageError("; ".join(dict.fromkeys(problems)))


def _local_problem(folder: Path) -> str | None:
    try:
        above = next(path for path in (folder, *folder.parents) if path.exists())
    except PermissionError as error:
        return f"{error.filename} cannot be entered by this user"
    if not above.is_dir():
        return f"{above} is a file: give another folder than {folder}"
    if not os.access(above, os.W_OK | os.X_OK):
        return f"{above} cannot be written to by this user"
    return None
