"""Local files on their way to Spark's workers, under names that no other file of the session has.

Of a path only the last name survives the way, and a session does not take two files of one name. A folder travels as a
zip archive, in which it has its name.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import zipfile
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
    names = {path: unique_name(Path(path)) for path in paths}
    for path, name in names.items():
        if (context.applicationId, name) in _shipped:
            continue
        renamed = _folder() / name
        if not renamed.exists():
            _bring(Path(path), renamed)
        context.addFile(str(renamed))
        _shipped.add((context.applicationId, name))
    return names


def _bring(path: Path, target: Path) -> None:
    """A second name for the file (Spark looks through symbolic links), or a copy if the folder is on another disk."""
    if path.is_dir():
        _pack(path, target)
        return
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def _pack(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1, strict_timestamps=False) as packed:
        packed.mkdir(folder.name)
        for path in _files_of(folder):
            packed.write(path, Path(folder.name, path.relative_to(folder)))


def _files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def unique_name(path: Path) -> str:
    """The file's name, and what tells it from others of that name: where it lies and when it was written."""
    written = hashlib.sha256(f"{path.absolute()} {path.stat().st_mtime_ns}".encode())
    if not path.is_dir():
        return f"{written.hexdigest()[:12]}-{path.name}"
    for file in _files_of(path):
        found = file.stat()
        written.update(f"{file} {found.st_size} {found.st_mtime_ns}".encode("utf-8", "surrogateescape"))
    return f"{written.hexdigest()[:12]}-{path.name}.zip"


@cache
def _folder() -> Path:
    folder = make_scratch_folder()
    atexit.register(folder.cleanup)
    return Path(folder.name)
