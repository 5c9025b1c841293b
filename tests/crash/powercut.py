"""What a power cut takes from local folders, by the rules of POSIX.

Only what was synced is sure to be there: the bytes of a file by ``fsync`` of the file, a name in a folder (a new file,
a renamed one, a new folder with all it holds) by ``fsync`` of that folder. The journal (``hook/sitecustomize.py``) has
both. Everything else is kept or lost by the dice: names vanish, files end early. Not simulated: deleted or replaced
files that come back, torn sectors, and what PostgreSQL does with its own files (its whole folder is one name here).
"""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

WHOLE = ("warehouse",)
"""Folders of others' programs: looked at from outside only."""


def cut(place: Path, journal: Path, dice: random.Random) -> list[str]:
    """Lose what was not made durable below ``place``; what was lost, in words. What was there before stays."""
    files: dict[int, tuple[int, int]] = {}
    names: dict[str, dict[str, int]] = {}
    for line in journal.read_text().splitlines():
        kind, *what = json.loads(line)
        if kind == "file":
            files[what[0]] = (what[1], what[2])
        elif kind == "folder":
            names.setdefault(what[0], {}).update(dict(what[1]))
    share = dice.choice((0.0, 0.3, 1.0))
    lost: list[str] = []
    _cut(place, files, names, lambda: dice.random() < share, dice, lost)
    return lost


def note_what_is_there(place: Path, journal: Path) -> None:
    """Everything that is there now counts as durable."""
    with journal.open("a") as out:
        for folder, _, found in os.walk(place):
            with os.scandir(folder) as entries:
                out.write(json.dumps(["folder", folder, [[entry.name, entry.inode()] for entry in entries]]) + "\n")
            for name in found:
                status = Path(folder, name).stat()
                out.write(json.dumps(["file", status.st_ino, status.st_size, status.st_mtime_ns]) + "\n")


def _cut(folder, files, names, loses, dice, lost) -> None:  # type: ignore[no-untyped-def]
    known = names.get(str(folder), {})
    for path in sorted(folder.iterdir()):
        status = path.lstat()
        if known.get(path.name) is None and loses():
            lost.append(f"name {path}")
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        elif path.is_dir():
            if path.name not in WHOLE:
                _cut(path, files, names, loses, dice, lost)
        elif files.get(status.st_ino) != (status.st_size, status.st_mtime_ns) and status.st_size and loses():
            size = dice.choice((0, dice.randrange(status.st_size)))
            lost.append(f"bytes {path} from {size} on")
            os.truncate(path, size)
