"""The pool that is this process: one split after the other, no machinery."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from snowetl.workers.base import Advance, R, SplitProgress, Task
from snowetl.workers.gathering import Gathering
from snowetl.workers.work import Work


class InProcess(Gathering):
    """Runs every split here."""

    def run(self, task: Task[R], work: Sequence[Work], advance: Advance) -> Iterator[R]:
        files = {name: Path(path) for name, path in task.files.items()}
        for split, size in work:
            progress = SplitProgress(advance, size)
            yield task.run(split, files, progress)
            progress.finish()
