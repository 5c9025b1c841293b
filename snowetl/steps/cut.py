"""The input of a run, cut into work: which files are read, in which splits, and which are left out.

Kept in temporary files while a step works, and as ``_work.jsonl.gz`` beside the plan of the run: a line of JSON for
each split, then one for each file that is left out. So the plan of a million files is no larger in memory than that of
a thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from snowetl.errors import StorageError
from snowetl.runs import input_list
from snowetl.spool import Spool
from snowetl.storage import FileInfo, splits
from snowetl.storage.records import PLAIN_TEXT, TextForm
from snowetl.storage.splits import Ignored, Split
from snowetl.workers import WorkList


@dataclass(frozen=True, slots=True)
class Cut:
    """``files`` are those that are read (not empty, no indexes, not ignored), by address."""

    files: Sequence[FileInfo] = ()
    work: WorkList = field(default_factory=lambda: WorkList(()))
    ignored: Sequence[Ignored] = ()

    def to_lines(self) -> Iterator[object]:
        """The work and what is left out, as values of JSON: a list for a split, an object for a file."""
        for split in self.work.splits:
            yield split.to_json()
        for left in self.ignored:
            yield {"ignored": list(left)}

    @classmethod
    def of_lines(cls, lines: Iterable[object]) -> Cut:
        """What :meth:`to_lines` gave."""
        ignored: Spool[Ignored] = Spool()

        def cut() -> Iterator[Split]:
            for line in lines:
                if isinstance(line, list):
                    yield Split.from_json(line)
                else:
                    ignored.append(Ignored(*cast("dict[str, Any]", line)["ignored"]))

        return _collected(cut(), ignored)

    @classmethod
    def read(cls, url: str) -> Cut:
        """The cut that is kept with a run. Raises ``StorageError``, ``UsageError`` where it is gone."""
        try:
            return cls.of_lines(input_list.read_lines(url))
        except (KeyError, TypeError, ValueError) as error:
            raise StorageError(f"{url} is not the work of a run: {error}") from None


class OfCut:
    """A plan, or a part of one, whose input is cut."""

    __slots__ = ()
    cut: Cut

    @property
    def files(self) -> Sequence[FileInfo]:
        """Those that are read: not empty, no indexes, not ignored."""
        return self.cut.files

    @property
    def work(self) -> WorkList:
        return self.cut.work

    @property
    def bytes(self) -> int:
        return self.work.bytes

    def work_lines(self) -> Iterator[object]:
        """What is kept of the work with a run."""
        return self.cut.to_lines()


def cut_input(listed: Iterable[FileInfo], *, split_size: int, binary: bool = False, text: TextForm = PLAIN_TEXT) -> Cut:
    """Cut the files that are ``listed``, sorted by address, into splits of ``split_size`` bytes.

    Very large inputs get larger ones (``splits.target_for``). Raises what ``splits.cut`` raises.
    """
    files = listed if isinstance(listed, Sequence) else Spool(listed)
    target = splits.target_for(sum(file.size for file in files), split_size)
    ignored: Spool[Ignored] = Spool()
    return _collected(splits.cut(files, ignored.append, binary=binary, text=text, target_bytes=target), ignored)


def _collected(found: Iterable[Split], ignored: Sequence[Ignored]) -> Cut:
    files: Spool[FileInfo] = Spool()

    def noted() -> Iterator[Split]:
        last = None
        for split in found:
            for piece in split.slices:
                if piece.url != last:
                    files.append(FileInfo(piece.url, piece.size, piece.etag))
                last = piece.url
            yield split

    work = WorkList(noted())
    return Cut(files, work, ignored)
