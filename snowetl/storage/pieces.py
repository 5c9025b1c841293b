"""The stream between containers and framings: numbered pieces of decompressed content, and gaps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from snowetl.errors import StorageError
from snowetl.storage.records import Damage

_PADDING = b"\0\r\n"

CHUNK = 1 << 18
"""Bytes asked of a file at a time."""


class Piece(NamedTuple):
    """Decompressed bytes. ``number`` is that of the first one; within a piece numbers count the bytes."""

    number: int
    data: bytes


class Remark(NamedTuple):
    """Content that is complete but may be wrong, as a checksum says: no gap, yet to be reported."""

    damage: Damage


Pieces = Iterator[Piece | Damage]
"""A :class:`Damage` between two pieces says that content is missing there."""

RemarkedPieces = Iterator[Piece | Damage | Remark]


def set_remarks_aside(pieces: RemarkedPieces, remarks: list[Damage]) -> Pieces:
    """``pieces`` without the remarks, which are collected in ``remarks``."""
    for piece in pieces:
        if isinstance(piece, Remark):
            remarks.append(piece.damage)
        else:
            yield piece


class Source:
    """A file read forward in chunks, with a look ahead. ``offset`` is the place of the next byte.

    ``reopen(offset)`` gives the file again from any offset, for the rare second look at a broken place.
    """

    def __init__(self, url: str, reopen: Callable[[int], BinaryIO], start: int = 0) -> None:
        self.url = url
        self.offset = start
        self.consumed: Callable[[int], None] | None = None
        """Hears how many bytes each reading of the file gave."""
        self._reopen = reopen
        self._stream: BinaryIO | None = None
        self._ahead = b""
        self._used = 0
        """How much of ``_ahead`` has been taken: the rest is not copied for each block."""

    def next(self) -> bytes:
        """The next chunk, ``b""`` at the end of the file."""
        chunk = self._take_ahead() or self._read(CHUNK)
        self.offset += len(chunk)
        return chunk

    def unread(self, data: bytes) -> None:
        """Give back the last bytes taken."""
        self._ahead = data + self._take_ahead()
        self.offset -= len(data)

    def peek(self, size: int) -> bytes:
        """The next ``size`` bytes (fewer only at the end of the file), which stay to be read."""
        length = len(self._ahead) - self._used
        if length < size:
            pieces = [self._take_ahead()]
            while length < size and (chunk := self._read(max(size - length, CHUNK))):
                pieces.append(chunk)
                length += len(chunk)
            self._ahead = b"".join(pieces)
        return self._ahead[self._used : self._used + size]

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes; fewer only at the end of the file."""
        data = self.peek(size)
        self._used += len(data)
        self.offset += len(data)
        return data

    def seek(self, offset: int) -> None:
        """Go on at ``offset``, which opens the file again."""
        self.close()
        self.offset = offset
        self._take_ahead()

    def skip_to(self, pattern: re.Pattern[bytes], longest: int) -> bool:
        """Skip at least one byte, up to a match of ``pattern`` (of at most ``longest`` bytes) or the end of the file.

        Says whether all that was skipped was padding: zero bytes and line ends.
        """
        padding = not self.take(1).strip(_PADDING)
        while window := self.peek(CHUNK + longest):
            match = pattern.search(window)
            if match is not None:
                length = match.start()
            elif len(window) < CHUNK + longest:
                length = len(window)
            else:
                length = CHUNK
            padding = not self.take(length).strip(_PADDING) and padding
            if match is not None:
                break
        return padding

    def close(self) -> None:
        """Let go of the file; reading on opens it again."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _take_ahead(self) -> bytes:
        """All that was read and not taken."""
        rest = self._ahead[self._used :]
        self._ahead, self._used = b"", 0
        return rest

    def _read(self, size: int) -> bytes:
        try:
            if self._stream is None:
                self._stream = self._reopen(self.offset)
            data = self._stream.read(size)
        except OSError as error:
            raise StorageError(f"reading {self.url} failed: {error}; check the disk and run again") from error
        if self.consumed is not None:
            self.consumed(len(data))
        return data


class PieceBuffer:
    """Bytes of a piece stream for parsers that pull: ``data[pos:]`` is what was not used yet.

    It never joins what lies before and behind a gap: there, and at the end, ``need`` answers ``False`` until
    ``cross_gap`` is called.
    """

    def __init__(self, pieces: Pieces) -> None:
        self.data = b""
        self.pos = 0
        self._pieces = pieces
        self._segments: list[tuple[int, int]] = []  # (place in data, number) where pieces begin
        self._gap: Damage | None = None
        self._ended = False

    def need(self, size: int) -> bool:
        """Make ``size`` bytes available; ``False`` if a gap or the end comes first."""
        have = len(self.data) - self.pos
        if have >= size:
            return True
        if self._ended or self._gap is not None:
            return False
        self._compact()
        parts = [self.data]
        while have < size:
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
                break
            if isinstance(piece, Damage):
                self._gap = piece
                break
            self._segments.append((have, piece.number))
            parts.append(piece.data)
            have += len(piece.data)
        self.data = b"".join(parts)
        return have >= size

    def more(self) -> bool:
        """Fetch at least one byte more than there is now."""
        return self.need(len(self.data) - self.pos + 1)

    def number(self) -> int:
        """Number of the byte at ``pos``."""
        place, number = 0, 0
        for segment in self._segments:
            if segment[0] > self.pos:
                break
            place, number = segment
        return number + self.pos - place

    def rest(self) -> bytes:
        """All bytes up to the gap or the end that are here already; they are used up by this."""
        data = self.data[self.pos :]
        self.pos = len(self.data)
        return data

    def cross_gap(self) -> Damage | None:
        """Go on behind a gap and return it; ``None`` at the end of the content. What was left before it is dropped."""
        gap, self._gap = self._gap, None
        self.data, self.pos = b"", 0
        self._segments.clear()
        return gap

    def _compact(self) -> None:
        if not self.pos:
            return
        used = self.pos
        kept = [(place - used, number) for place, number in self._segments if place > used]
        if len(kept) < len(self._segments):
            place, number = self._segments[len(self._segments) - len(kept) - 1]
            kept.insert(0, (0, number + used - place))
        self._segments = kept
        self.data = self.data[used:]
        self.pos = 0
