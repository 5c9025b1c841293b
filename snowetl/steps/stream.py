"""The loop over the records of a split: slice after slice, with the names of their files, telling how far it is."""

from __future__ import annotations

from collections.abc import Iterator

from snowetl.storage import Damage, Record, splits
from snowetl.storage.records import PLAIN_TEXT, TextForm
from snowetl.storage.splits import Split
from snowetl.workers import Advance

_ADVANCE_EVERY = 2000


def stream(
    split: Split, advance: Advance, *, binary: bool, text: TextForm = PLAIN_TEXT
) -> Iterator[tuple[str, Record | Damage]]:
    """The records of ``split`` in order, each with the name of its file, and what is damaged between them.

    ``binary``: Thrift records, else text in the form ``text``. Raises ``StorageError`` where a file cannot be read.
    """
    since = size = 0

    def consumed(more: int) -> None:
        nonlocal size
        size += more

    for slice_ in split.slices:
        name = slice_.url.rpartition("/")[2]
        for record in splits.read(slice_, binary=binary, text=text, consumed=consumed):
            yield name, record
            since += 1
            if since >= _ADVANCE_EVERY:
                advance(since, size)
                since = size = 0
    advance(since, size)


def describe_damage(damage: Damage) -> str:
    """The words of a bad row that names the file and the place from where its records are lost."""
    return f"{damage.url} is damaged at byte {damage.offset}: {damage.reason}"
