"""Bare Thrift structs one after another: what writers that copy a stream to files make of raw collector records.

The S3 loader's gzip format puts ``\\n`` behind each record, Amazon Data Firehose puts nothing; a topic whose messages
are compressed has a gzip or Zstandard member where the struct would be, and after a change of set-up all of this stands
in one file. Records are not escaped and hold line ends themselves, so each struct is walked to its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from snowetl.storage.base64_lines import decode_base64_line
from snowetl.storage.codecs import GZIP, ZSTD, Codec
from snowetl.storage.pieces import CHUNK, Piece, PieceBuffer, Pieces
from snowetl.storage.records import MAX_DAMAGE_BYTES, MAX_RECORD_BYTES, Damage, Record
from snowetl.storage.thrift_walk import TYPES, Effort, Incomplete, Malformed, struct_end

MESSAGE_STARTS = (b"\x1f", b"\x28")
"""What compressed messages begin with: gzip, Zstandard."""
MEMBER_SHIFT = 26
"""Numbers of records inside a compressed message: the message's own, shifted left, plus the place in its content."""

_LINE_FEED, _RETURN = 10, 13
_STRING, _I64, _LIST, _STRUCT = 11, 10, 15, 12


def _head(kind: int, field: int) -> bytes:
    return bytes([kind]) + field.to_bytes(2, "big")


# Fields of the two structs there are, CollectorPayload and SnowplowRawEvent: (type, id), as one begins.
_HEADS = frozenset(
    [_head(_STRING, field) for field in (100, 210, 220, 300, 310, 320, 330, 340, 360, 400, 410, 31337)]
    + [_head(_STRING, field) for field in (20, 30, 40, 45, 50, 60, 80)]
    + [_head(_I64, 200), _head(_I64, 1), _head(_LIST, 350), _head(_LIST, 70), _head(_STRUCT, 41)]
)
_BASE64_HEADS = (b"CwBk", b"CgDI", b"CgAB", b"C3pp")
"""How a base64 line of a struct begins that begins with one of the usual first fields."""

_BORDER = re.compile(
    # behind the end of a record: a field that records begin with, or after a line end any field
    rb"(?<=[\x00\n])(?:\x0b\x00\x64|\x0a\x00\xc8|\x0a\x00\x01|\x0b\x7a\x69)"
    rb"|(?<=\x00\n)[\x02-\x04\x06\x08\x0a-\x0f]"
    rb"|(?<=\n)(?:CwBk|CgDI|CgAB|C3pp)"
    rb"|\x1f\x8b\x08[\x00-\x1f].{4}[\x00\x02\x04][\x00-\x0d\xff]|\x28\xb5\x2f\xfd",
    re.DOTALL,
)
_LONGEST_BORDER = 10
_LENGTH = 4
"""Bytes of the length that some writers put before each record."""
_ALWAYS_UNPACKED = 256 << 20
_MAX_RATIO = 1100
"""Beyond those 256 MiB a message may grow so many times when it is unpacked, as far as gzip goes: time stays linear."""
_CREDIT = 1_000_000
"""Steps that searches for the next record may cost beyond one for each byte: so time stays linear whatever is read."""


def read_records(pieces: Pieces, url: str, *, members: bool = True) -> Iterator[Record | Damage]:
    """The structs of ``pieces``, without line ends between them or lengths before them; lines of base64 and (with
    ``members``) compressed messages among them are unpacked.

    Bytes that are not a struct come as one record up to the next place where one begins, so that they end as a bad row
    and nothing vanishes. More than 64 MiB of them are :class:`Damage`.
    """
    buffer = PieceBuffer(pieces)
    reader = _Reader(buffer, members)
    while True:
        end = reader.end_at_once()
        if end:
            yield Record(buffer.data[buffer.pos : end], buffer.number())
            buffer.pos = end + (buffer.data[end] == _LINE_FEED and buffer.data[end : end + 3] not in _HEADS)
            continue
        length = reader.length_before()
        if length:
            start = buffer.pos + _LENGTH
            yield Record(buffer.data[start : start + length], buffer.number())
            buffer.pos = start + length
            continue
        reader.skip_line_ends()
        number = buffer.number()
        found = reader.next() if buffer.need(1) else None
        if found is not None:
            buffer.pos += found.length
            if found.codec is not None:
                content = read_records(_decompressed(found.data, found.codec), url, members=False)
                yield from _numbered(content, number << MEMBER_SHIFT)
                continue
            if found.content is None:
                yield from _as_record(found.data, number, url)
                continue
            yield from unpacked(found.content, number, url)
            if found.cut_off:
                yield Damage(url, number, f"the compressed message (at {number} of the content) is cut off")
            continue
        left = buffer.rest()
        gap = buffer.cross_gap()
        if gap is not None:
            yield gap._replace(data=left[:MAX_DAMAGE_BYTES])
        elif left:
            yield from _as_record(left, number, url)
        else:
            return


def unpacked(content: bytes, number: int, url: str, *, members: bool = False) -> Iterator[Record | Damage]:
    """The records in the content of the message ``number``, numbered by it and by their place in it."""
    items = read_records(iter([Piece(0, content)]), url, members=members)
    yield from _numbered(items, number << (MEMBER_SHIFT << members))


def _numbered(items: Iterator[Record | Damage], first: int) -> Iterator[Record | Damage]:
    for item in items:
        yield item._replace(number=first + item.number) if isinstance(item, Record) else item


def _decompressed(message: bytes, codec: Codec) -> Iterator[Piece]:
    """The content of a compressed message that is whole, piece by piece."""
    decompressor, place = codec.careful(), 0
    for start in range(0, len(message), CHUNK):
        for data in codec.feed(decompressor, message[start : start + CHUNK]):
            if data:
                yield Piece(place, data)
                place += len(data)


def begins_records(head: bytes) -> bool:
    """Whether content that begins with ``head`` looks like structs: one is there at once, or a usual one further on."""
    if member_codec(head) is not None or head.startswith(_BASE64_HEADS):
        return True
    if _looks_whole(head, 0):
        return True
    return any(_looks_whole(head, match.start()) for match in _BORDER.finditer(head) if _is_usual(head, match.start()))


def resumes(head: bytes) -> int | None:
    """Where, behind line ends, a bare record or a compressed message begins; ``None`` if none does."""
    for place, byte in enumerate(head):
        if head[place : place + 3] in _HEADS or member_codec(head[place:]) is not None:
            return place
        if byte not in (_LINE_FEED, _RETURN):
            break
    return None


def member_codec(data: bytes) -> Codec | None:
    """What a message that begins with ``data`` is compressed with, if it is."""
    return next((codec for codec in (GZIP, ZSTD) if codec.member.match(data)), None)


def _is_usual(data: bytes, pos: int) -> bool:
    return data[pos : pos + 3] in _HEADS


def _looks_whole(head: bytes, pos: int) -> bool:
    try:
        struct_end(head, pos)
    except Malformed:
        return False
    except Incomplete:
        return head[pos : pos + 1] != b"" and head[pos] in TYPES
    return True


def _as_record(data: bytes, number: int, url: str) -> Iterator[Record | Damage]:
    if len(data) <= MAX_RECORD_BYTES:
        yield Record(data, number)
    else:
        reason = f"{len(data)} bytes (at {number} of the content) that are not a Thrift record"
        yield Damage(url, number, reason, data[:MAX_DAMAGE_BYTES])


class _Found(NamedTuple):
    """A record (or bytes that are none) of ``length`` bytes in the content; ``content`` of a compressed message, as
    far as there is any. ``codec``: ``data`` is a compressed message whose content is too much to hold at once."""

    data: bytes
    length: int
    content: bytes | None = None
    cut_off: bool = False
    codec: Codec | None = None


class _Reader:
    """Finds where the record at ``buffer.pos`` ends. Offsets count from there."""

    def __init__(self, buffer: PieceBuffer, members: bool) -> None:
        self._buffer = buffer
        self._members = members
        self._credit = _CREDIT
        self._effort = Effort()
        self._reached = 0

    def end_at_once(self) -> int:
        """Where in ``buffer.data`` a usual record ends that lies there whole, with what follows it; else 0."""
        data, pos = self._buffer.data, self._buffer.pos
        if data[pos : pos + 3] not in _HEADS:
            return 0
        try:
            end = struct_end(data, pos, self._effort)
        except (Malformed, Incomplete):
            return 0
        if end + 3 > len(data) or (data[end] != _LINE_FEED and data[end : end + 3] not in _HEADS):
            return 0
        return end if end - pos <= MAX_RECORD_BYTES else 0

    def length_before(self) -> int:
        """The length that stands before a usual record that has just that length; else 0."""
        buffer = self._buffer
        if self._credit < 0 or not buffer.need(_LENGTH + 3) or buffer.data[buffer.pos] or not self._is_head(_LENGTH):
            return 0
        length = int.from_bytes(buffer.data[buffer.pos : buffer.pos + _LENGTH], "big")
        if length > MAX_RECORD_BYTES or not buffer.need(_LENGTH + length):
            return 0
        start = buffer.pos + _LENGTH
        try:
            if struct_end(buffer.data[start : start + length]) == length:
                return length
        except (Malformed, Incomplete):
            pass
        self._credit -= length
        return 0

    def skip_line_ends(self) -> None:
        """Pass over line ends before a record; a line feed is also what the usual field of type i64 begins with."""
        buffer = self._buffer
        while buffer.need(1) and buffer.data[buffer.pos] in (_LINE_FEED, _RETURN) and not self._is_head(0):
            buffer.pos += 1

    def next(self) -> _Found | None:
        """What begins here; ``None`` if nothing says where it ends before a gap or the end of the content."""
        buffer = self._buffer
        usual = self._is_head(0)
        end = self._struct_end(0) if usual or buffer.data[buffer.pos] in TYPES else None
        if end is not None:
            if self._is_border(end):
                return self._bytes(end)
            if usual:  # the struct of a damaged record may end within the next record
                inner = self._next_border(end)
                return self._bytes(end) if inner is None else self._damaged(inner)
        found = self._base64_line() or (self._member() if self._members else None)
        if found is not None:
            return found
        border = self._next_border(None)
        return None if border is None else self._damaged(border)

    def _bytes(self, length: int) -> _Found:
        start = self._buffer.pos
        return _Found(self._buffer.data[start : start + length], length)

    def _damaged(self, length: int) -> _Found:
        """Bytes up to a border, without the line end before it."""
        found = self._bytes(length)
        return found._replace(data=found.data.removesuffix(b"\n") or found.data)

    def _is_head(self, offset: int) -> bool:
        """Whether a field of a collector's struct begins there."""
        buffer = self._buffer
        buffer.need(offset + 3)
        at = buffer.pos + offset
        return buffer.data[at : at + 3] in _HEADS

    def _is_border(self, offset: int) -> bool:
        """Whether a record may end there: the content does, a line ends, or a record begins."""
        buffer = self._buffer
        if not buffer.need(offset + 1):
            return True
        at = buffer.pos + offset
        if buffer.data[at] in (_LINE_FEED, _RETURN) or self._is_head(offset):
            return True
        return member_codec(buffer.data[at : at + _LONGEST_BORDER]) is not None

    def _struct_end(self, offset: int) -> int | None:
        """Where the struct at ``offset`` ends; ``None`` if none is there, or none that ends before a gap."""
        buffer = self._buffer
        effort = Effort()
        try:
            while True:
                try:
                    return struct_end(buffer.data, buffer.pos + offset, effort) - buffer.pos
                except Malformed:
                    return None
                except Incomplete:
                    if len(buffer.data) - buffer.pos - offset > MAX_RECORD_BYTES or not self._grow():
                        return None
        finally:
            self._credit -= effort.steps
            self._reached = effort.reached - buffer.pos

    def _next_border(self, inside: int | None) -> int | None:
        """The first place behind ``pos`` where a record begins that is whole.

        ``inside``: only within the struct that ends there, and only where a record begins that ends behind it.
        """
        buffer = self._buffer
        searched = 1
        if self._credit < 0:  # costly bytes: go on behind what was looked at
            searched = max(searched, self._reached)
        while True:
            start = buffer.pos + searched
            stop = len(buffer.data) if inside is None else buffer.pos + inside
            match = _BORDER.search(buffer.data, start, stop)
            if match is None:
                if inside is not None:
                    return None
                searched = max(len(buffer.data) - buffer.pos - _LONGEST_BORDER, searched)
                if searched > MAX_RECORD_BYTES:
                    self._earn(searched)
                    return searched
                if not self._grow():
                    return None
                continue
            place = match.start() - buffer.pos
            if self._begins_record(place, match.group(), inside or 0):
                self._earn(place)
                return place
            searched = place + 1
            if self._credit < 0:
                if inside is not None:
                    return None
                searched = max(searched, self._reached)
                if searched < len(buffer.data) - buffer.pos:
                    self._earn(searched)
                    return searched

    def _begins_record(self, place: int, mark: bytes, beyond: int) -> bool:
        if mark[:1] in (b"C", b"\x1f", b"\x28"):
            return True
        end = self._struct_end(place)
        if end is None or end <= beyond:
            return False
        return (len(mark) == 3 and not beyond) or self._is_border(end)

    def _earn(self, length: int) -> None:
        self._credit = min(self._credit + length, _CREDIT)

    def _base64_line(self) -> _Found | None:
        buffer = self._buffer
        buffer.need(4)
        if not buffer.data.startswith(_BASE64_HEADS, buffer.pos):
            return None
        searched = 0
        while (end := buffer.data.find(b"\n", buffer.pos + searched)) < 0:
            searched = len(buffer.data) - buffer.pos
            if searched > MAX_RECORD_BYTES:
                return None
            if not self._grow():
                end = len(buffer.data)
                break
        line = buffer.data[buffer.pos : end]
        record = decode_base64_line(line)
        if record is None or record == line:
            return None
        return _Found(record, len(line))

    def _member(self) -> _Found | None:
        """A compressed message; ``None`` for one that is broken, or whose content is beyond all measure."""
        buffer = self._buffer
        buffer.need(_LONGEST_BORDER)
        codec = member_codec(buffer.data[buffer.pos : buffer.pos + _LONGEST_BORDER])
        if codec is None:
            return None
        decompressor, fed, size = codec.careful(), 0, 0
        content: list[bytes] = []
        try:
            while not decompressor.eof:
                if fed == len(buffer.data) - buffer.pos and not self._grow():
                    if hasattr(decompressor, "flush"):
                        content.append(decompressor.flush())
                    whole = any(content) and size <= MAX_RECORD_BYTES
                    return _Found(b"", fed, b"".join(content), cut_off=True) if whole else None
                chunk = buffer.data[buffer.pos + fed : buffer.pos + fed + CHUNK]
                for data in codec.feed(decompressor, chunk):
                    size += len(data)
                    if size <= MAX_RECORD_BYTES:
                        content.append(data)
                    else:
                        content.clear()
                        if size > _MAX_RATIO * (fed + len(chunk)) + _ALWAYS_UNPACKED:
                            return None
                fed += len(chunk)
        except codec.errors:
            return None
        finally:
            self._credit -= (fed + size) >> 4
            self._reached = fed
        length = fed - len(decompressor.unused_data)
        if size > MAX_RECORD_BYTES:
            return self._bytes(length)._replace(codec=codec)
        return _Found(b"", length, b"".join(content))

    def _grow(self) -> bool:
        """Double the buffer; ``False`` at the end of the file."""
        buffer = self._buffer
        before = len(buffer.data) - buffer.pos
        buffer.need(max(2 * before, CHUNK))
        return len(buffer.data) - buffer.pos > before
