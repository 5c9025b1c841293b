"""The pool that is this process: one split after the other, no machinery."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from snowetl.dedupe.decide import Decided, KeyRow, Request
from snowetl.workers import gathering
from snowetl.workers.base import Advance, R, SplitProgress, Task
from snowetl.workers.work import Work


class InProcess:
    """Runs every split here."""

    def run(self, task: Task[R], work: Sequence[Work], advance: Advance) -> Iterator[R]:
        files = {name: Path(path) for name, path in task.files.items()}
        for split, size in work:
            progress = SplitProgress(advance, size)
            yield task.run(split, files, progress)
            progress.finish()

    def distinct(self, task: Task[Iterable[str]], work: Sequence[Work], advance: Advance) -> Iterator[str]:
        return gathering.distinct(self, task, work, advance)

    def deduplicate(
        self, task: Task[Iterator[KeyRow]], work: Sequence[Work], request: Request, advance: Advance
    ) -> Decided:
        return gathering.deduplicate(self, task, work, request, advance)
