"""What lies in the input of a pipeline, beside what its ledger knows: which files are new, and what is odd. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from snowetl.orchestrator.ledger import Taken
from snowetl.storage import FileInfo

_NAMED = 20
"""So many files of a kind are named, the others are counted."""


@dataclass(slots=True)
class Some:
    """Files of one kind: how many, how many bytes, and the first of them by name."""

    files: int = 0
    bytes: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, file: FileInfo | Taken) -> None:
        self.files += 1
        self.bytes += file.size
        if len(self.names) < _NAMED:
            self.names.append(file.url)

    def extend(self, others: Some) -> None:
        self.files += others.files
        self.bytes += others.bytes
        self.names += others.names[: _NAMED - len(self.names)]

    def __bool__(self) -> bool:
        return self.files > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which new files are taken: those that were written from ``since`` to before ``until`` (epoch ms), and of them so
    many, by address, that they have no more than ``max_bytes`` together (one is always taken).
    """

    since: int | None = None
    until: int | None = None
    max_bytes: int | None = None


@dataclass(slots=True)
class Inventory:
    """The files of the input, by what is to become of them."""

    new: Some = field(default_factory=Some)
    """Taken now."""
    late: Some = field(default_factory=Some)
    """Of the new ones, those that stand before files of their folder that earlier runs took: they came after their
    time."""
    taken: Some = field(default_factory=Some)
    """Taken by earlier runs, and the same since."""
    replaced: Some = field(default_factory=Some)
    """Taken by earlier runs, but with other content: left alone, because their events would come twice."""
    vanished: Some = field(default_factory=Some)
    """Files that earlier runs took and that are gone. Raw data may be archived after a run, so this is not an error."""
    too_young: Some = field(default_factory=Some)
    too_old: Some = field(default_factory=Some)
    too_many: Some = field(default_factory=Some)
    """Beyond ``max_bytes``: the next run takes them."""
    runs: dict[str, int] = field(default_factory=dict)
    """How many of the files that are taken each run has."""


def compare(
    listed: Iterable[FileInfo],
    taken: Iterable[Taken],
    window: Window,
    within: Callable[[str], bool] = lambda url: True,
    *,
    again: bool = False,
) -> Iterator[tuple[str, FileInfo | Taken]]:
    """(kind, file) of each file, in the order of addresses; both inputs come in that order. Kinds are fields of
    :class:`Inventory`.

    An address that is listed twice counts once. ``within`` says whether an address lies in the input: one that was
    taken from elsewhere is not missed. With ``again``, files that were taken are new.
    """
    known = groupby(taken, key=attrgetter("url"))
    ahead = next(known, None)
    room = window.max_bytes
    any_new = False
    for _, [file, *_] in groupby(listed, key=attrgetter("url")):
        while ahead is not None and ahead[0] < file.url:
            yield from _vanished(ahead[1], within)
            ahead = next(known, None)
        if ahead is not None and ahead[0] == file.url:
            before = list(ahead[1])
            ahead = next(known, None)
            same = next((one for one in reversed(before) if (one.size, one.etag) == (file.size, file.etag)), None)
            if not again:
                yield ("replaced", file) if same is None else ("taken", same)
                continue
        if window.until is not None and file.modified >= window.until:
            yield "too_young", file
        elif window.since is not None and file.modified < window.since:
            yield "too_old", file
        elif room is not None and file.size > room and any_new:
            room = 0
            yield "too_many", file
        else:
            room = None if room is None else max(room - file.size, 0)
            any_new = True
            yield "new", file
    while ahead is not None:
        yield from _vanished(ahead[1], within)
        ahead = next(known, None)


def _vanished(group: Iterable[Taken], within: Callable[[str], bool]) -> Iterator[tuple[str, Taken]]:
    last = list(group)[-1]
    if within(last.url):
        yield "vanished", last


def count(found: Iterable[tuple[str, FileInfo | Taken]], inventory: Inventory) -> Iterator[FileInfo]:
    """The new files of ``found``, as they come; ``inventory`` counts all."""
    ahead = Some()
    """New files of one folder behind which no file was seen yet that an earlier run took."""
    folder = ""
    for kind, file in found:
        getattr(inventory, kind).add(file)
        if file.url.rpartition("/")[0] != folder:
            folder, ahead = file.url.rpartition("/")[0], Some()
        if isinstance(file, Taken) or kind == "replaced":
            inventory.late.extend(ahead)
            ahead = Some()
        if isinstance(file, Taken):
            if kind == "taken":
                inventory.runs[file.run] = inventory.runs.get(file.run, 0) + 1
        elif kind == "new":
            ahead.add(file)
            yield file
