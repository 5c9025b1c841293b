"""Lines of text: ``\\n``, ``\\r\\n`` and a lone ``\\r`` end one, as in Hadoop's text input."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from snowetl.storage.pieces import Pieces
from snowetl.storage.records import MAX_DAMAGE_BYTES, MAX_RECORD_BYTES, Damage, Record

_BOM = b"\xef\xbb\xbf"
NO_STOP = 1 << 100
"""Beyond every number."""


def read_lines(
    pieces: Pieces,
    url: str,
    convert: Callable[[bytes], bytes | str | None],
    *,
    skip_first: bool = False,
    stop: int = NO_STOP,
) -> Iterator[Record | Damage]:
    """Every line of ``pieces``, without its end, as ``convert`` makes it (``None``: left out).

    For parts of a file: ``skip_first`` leaves out what comes before the first line end, which belongs to the part
    before; lines that start at a number up to and including ``stop`` belong to this part. So each line is read
    exactly once, wherever the borders fall. A part that starts the file drops a byte order mark.
    At a gap the cut line goes into the :class:`Damage`; what follows the gap is read as if a line began there, so
    that the rest of a cut line comes as a (bad) record and nothing vanishes. A line longer than 64 MiB is one
    :class:`Damage` and never held in memory.
    """
    tail = _Tail()
    skipping = skip_first
    at_start = not skip_first
    after_cr = False
    for piece in pieces:
        if isinstance(piece, Damage):
            yield piece._replace(data=tail.take()[:MAX_DAMAGE_BYTES])
            skipping = after_cr = False
            continue
        number, data = piece
        start = _beginning(data, at_start, after_cr)
        at_start = after_cr = False
        if skipping:
            start = _end_of_line(data, start)
            if start < 0:
                continue
            skipping = False
            after_cr = start == len(data) and data.endswith(b"\r")
        if start == len(data):
            continue
        number += start
        if not tail.size and number > stop:
            return
        if start:
            data = data[start:]
        carriage_returns = b"\r" in data
        after_cr = carriage_returns and data.endswith(b"\r")
        raw_lines, rest = _cut(data, carriage_returns)
        for raw in raw_lines:
            if carriage_returns:
                line = raw[:-2] if raw.endswith(b"\r\n") else raw[:-1]
                following = number + len(raw)
            else:
                line = raw
                following = number + len(raw) + 1
            if tail.size:
                number = tail.number
                line = tail.take() + line
            elif number > stop:
                return
            value = convert(line)
            if value is not None:
                yield Record(value, number)
            number = following
        if rest:
            if not tail.size and number > stop:
                return
            tail.add(rest, number)
            if tail.size > MAX_RECORD_BYTES:
                yield _too_long(url, tail)
                skipping = True
    if tail.size:
        number = tail.number
        value = convert(tail.take())
        if value is not None:
            yield Record(value, number)


class _Tail:
    """The beginning of a line whose end has not come yet."""

    def __init__(self) -> None:
        self.size = 0
        self.number = 0
        self._parts: list[bytes] = []

    def add(self, data: bytes, number: int) -> None:
        if not self.size:
            self.number = number
        self.size += len(data)
        self._parts.append(data)

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        self.size = 0
        return data


def _beginning(data: bytes, at_start: bool, after_cr: bool) -> int:
    """Where the lines of a piece begin: behind a byte order mark of the file, or the rest of a line end."""
    if at_start:
        return len(_BOM) if data.startswith(_BOM) else 0
    return 1 if after_cr and data.startswith(b"\n") else 0


def _cut(data: bytes, carriage_returns: bool) -> tuple[list[bytes], bytes]:
    """The whole lines of a piece, and the beginning of the next one. Lines keep their ends if some end in ``\\r``."""
    if not carriage_returns:
        lines = data.split(b"\n")
        return lines, lines.pop()
    lines = data.splitlines(keepends=True)
    return lines, b"" if lines[-1].endswith((b"\n", b"\r")) else lines.pop()


def _too_long(url: str, tail: _Tail) -> Damage:
    reason = f"a line longer than {MAX_RECORD_BYTES >> 20} MiB (at {tail.number} of the content) is left out"
    return Damage(url, tail.number, reason, tail.take()[:MAX_DAMAGE_BYTES])


def _end_of_line(data: bytes, start: int) -> int:
    """Where the line after the one at ``start`` begins; -1 if the line does not end here."""
    newline = data.find(b"\n", start)
    carriage_return = data.find(b"\r", start, newline if newline >= 0 else len(data))
    if carriage_return < 0:
        return newline + 1 if newline >= 0 else -1
    return carriage_return + (2 if newline == carriage_return + 1 else 1)
