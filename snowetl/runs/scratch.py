"""Temporary folders of this process, and the sweeping of those that killed processes left."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snowetl.runs.holder import namespace_of_this_process, process_exists, start_of_process

_NAME = re.compile(r"snowetl-tmp-(\d*)-(\d+)-(\d*)-.*")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder that is gone afterwards. Those of this machine's dead processes go first."""
    sweep()
    with tempfile.TemporaryDirectory(prefix=_prefix(os.getpid())) as folder:
        yield Path(folder)


def make_scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for as long as the process lives: whoever asks for it cleans it up."""
    return tempfile.TemporaryDirectory(prefix=_prefix(os.getpid()))


def sweep() -> None:
    """Delete the folders of processes that are known to be dead; those of other containers cannot be judged."""
    ours = _namespace()
    for folder in Path(tempfile.gettempdir()).glob("snowetl-tmp-*"):
        match = _NAME.fullmatch(folder.name)
        if match is None or match[1] != ours:
            continue
        pid, started = int(match[2]), match[3]
        if not process_exists(pid) or start_of_process(pid) != started:
            shutil.rmtree(folder, ignore_errors=True)


def _prefix(pid: int) -> str:
    return f"snowetl-tmp-{_namespace()}-{pid}-{start_of_process(pid)}-"


def _namespace() -> str:
    return re.sub(r"\D", "", namespace_of_this_process())
