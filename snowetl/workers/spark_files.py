"""Local files on their way to Spark's workers, under names that no other file of the session has.

Of a path only the last name survives the way, and a session does not take two files of one name.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from snowetl.runs.scratch import make_scratch_folder

if TYPE_CHECKING:
    from pyspark import SparkContext

_shipped: set[tuple[str, str]] = set()


def ship(context: SparkContext, paths: Iterable[str]) -> dict[str, str]:
    """Add ``paths`` to the session; gives the name under which workers find each (``SparkFiles.get``)."""
    names = {path: _unique_name(Path(path)) for path in paths}
    for path, name in names.items():
        if (context.applicationId, name) in _shipped:
            continue
        renamed = _folder() / name
        if not renamed.exists():
            _link(Path(path), renamed)
        context.addFile(str(renamed))
        _shipped.add((context.applicationId, name))
    return names


def _link(path: Path, target: Path) -> None:
    """A second name for the file (Spark looks through symbolic links), or a copy if the folder is on another disk."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def _unique_name(path: Path) -> str:
    """The file's name, and what tells it from others of that name: where it lies and when it was written."""
    written = path.stat().st_mtime_ns
    return f"{hashlib.sha256(f'{path.absolute()} {written}'.encode()).hexdigest()[:12]}-{path.name}"


@cache
def _folder() -> Path:
    folder = make_scratch_folder()
    atexit.register(folder.cleanup)
    return Path(folder.name)
