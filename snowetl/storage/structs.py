"""Bare Thrift structs, each followed by ``\\n``: what the S3 loader's gzip format makes of raw collector records.

The records are not escaped and hold line ends themselves, so they are told apart by walking each struct to its end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from snowetl.storage.pieces import CHUNK, PieceBuffer, Pieces
from snowetl.storage.records import MAX_DAMAGE_BYTES, MAX_RECORD_BYTES, Damage, Record

_FIXED_SIZES = {2: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8}
_STRING, _STRUCT, _MAP, _SET, _LIST = 11, 12, 13, 14, 15
TYPES = frozenset({*_FIXED_SIZES, _STRING, _STRUCT, _MAP, _SET, _LIST})
_MAX_DEPTH = 64
_MAX_ELEMENTS = 1_000_000
_MAX_TRIES = 1000
_MAX_LOOK_AHEAD = 4 << 20
_END = b"\0\n"
_LINE_FEED = 10

_i32 = struct.Struct(">i").unpack_from
_field = struct.Struct(">bhi").unpack_from


class Malformed(ValueError):
    """These bytes begin no struct."""


class Incomplete(ValueError):
    """The struct goes on behind the bytes there are."""


def struct_end(data: bytes, start: int = 0) -> int:
    """Where the struct at ``start`` ends. Raises :class:`Malformed` or :class:`Incomplete`."""
    try:
        return _skip_struct(data, start, 0)
    except (IndexError, struct.error):
        raise Incomplete from None


def _skip_struct(data: bytes, pos: int, depth: int) -> int:
    if depth > _MAX_DEPTH:
        raise Malformed
    size = len(data)
    while kind := data[pos]:
        if kind == _STRING:
            length = _field(data, pos)[2]
            if not 0 <= length <= MAX_RECORD_BYTES:
                raise Malformed
            pos += 7 + length
        else:
            pos = _skip_value(data, pos + 3, kind, depth)
        if pos >= size:
            raise Incomplete
    return pos + 1


def _skip_value(data: bytes, pos: int, kind: int, depth: int) -> int:
    fixed = _FIXED_SIZES.get(kind)
    if fixed is not None:
        return pos + fixed
    if kind == _STRING:
        length = _i32(data, pos)[0]
        if not 0 <= length <= MAX_RECORD_BYTES:
            raise Malformed
        return pos + 4 + int(length)
    if kind == _STRUCT:
        return _skip_struct(data, pos, depth + 1)
    if kind in (_LIST, _SET):
        return _skip_elements(data, pos + 5, (data[pos],), _i32(data, pos + 1)[0], depth)
    if kind == _MAP:
        return _skip_elements(data, pos + 6, (data[pos], data[pos + 1]), _i32(data, pos + 2)[0], depth)
    raise Malformed


def _skip_elements(data: bytes, pos: int, kinds: tuple[int, ...], count: int, depth: int) -> int:
    if not 0 <= count <= MAX_RECORD_BYTES or depth > _MAX_DEPTH:
        raise Malformed
    if count and not TYPES.issuperset(kinds):
        raise Malformed
    sizes = [_FIXED_SIZES.get(kind) for kind in kinds]
    if None not in sizes:
        return pos + count * sum(size for size in sizes if size is not None)
    if count > _MAX_ELEMENTS:
        raise Malformed
    for _ in range(count):
        for kind in kinds:
            pos = _skip_value(data, pos, kind, depth + 1)
            if pos > len(data):
                raise Incomplete
    return pos


def read_records(pieces: Pieces, url: str) -> Iterator[Record | Damage]:
    """The structs of ``pieces``, without the line ends between them.

    Bytes that are no struct come as one record up to the next place where a struct begins, so that they end as a bad
    row and nothing vanishes. More than 64 MiB of them are :class:`Damage`.
    """
    buffer = PieceBuffer(pieces)
    while True:
        more = buffer.need(1)
        number = buffer.number()
        end = _next_end(buffer) if more else 0
        if end:
            start = buffer.pos
            buffer.pos = min(end + 1, len(buffer.data))
            yield Record(buffer.data[start:end], number)
            continue
        left = buffer.rest()
        gap = buffer.cross_gap()
        if gap is not None:
            yield gap._replace(data=left[:MAX_DAMAGE_BYTES])
        elif not left:
            return
        elif len(left) <= MAX_RECORD_BYTES:
            yield Record(left.removesuffix(b"\\n"), number)
        else:
            reason = f"{len(left)} bytes (at {number} of the content) that are no Thrift record"
            yield Damage(url, number, reason, left[:MAX_DAMAGE_BYTES])


def _next_end(buffer: PieceBuffer) -> int:
    """Where in ``buffer.data`` the record at ``pos`` ends; 0 if nothing says so before a gap or the end."""
    while True:
        try:
            end = struct_end(buffer.data, buffer.pos)
        except Malformed:
            break
        except Incomplete:
            if len(buffer.data) - buffer.pos > MAX_RECORD_BYTES or not _grow(buffer):
                break
            continue
        if end == len(buffer.data):
            if not buffer.more():
                return end
            continue
        if buffer.data[end] == _LINE_FEED:
            return end
        break
    return _next_border(buffer)


def _next_border(buffer: PieceBuffer) -> int:
    """The first place behind ``pos`` where one struct ends and the next one begins and is whole."""
    searched = 0  # counted from buffer.pos, which moves when the buffer grows
    for _ in range(_MAX_TRIES):
        while (place := buffer.data.find(_END, buffer.pos + searched)) < 0:
            searched = max(len(buffer.data) - buffer.pos - 1, 0)
            if searched > MAX_RECORD_BYTES or not _grow(buffer):
                return 0
        end = place + 1 - buffer.pos
        if _begins_record(buffer, end + 1):
            return buffer.pos + end
        searched = end
    return buffer.pos + searched


def _begins_record(buffer: PieceBuffer, offset: int) -> bool:
    """Whether a whole struct begins ``offset`` bytes behind ``pos`` (or the content ends there)."""
    if not buffer.need(offset + 1):
        return True
    if buffer.data[buffer.pos + offset] not in TYPES:
        return False
    while True:
        try:
            end = struct_end(buffer.data, buffer.pos + offset)
        except Malformed:
            return False
        except Incomplete:
            if len(buffer.data) - buffer.pos - offset > _MAX_LOOK_AHEAD or not _grow(buffer):
                return False
            continue
        return end == len(buffer.data) or buffer.data[end] == _LINE_FEED


def _grow(buffer: PieceBuffer) -> bool:
    """Double what is buffered; ``False`` if there is no more."""
    before = len(buffer.data) - buffer.pos
    buffer.need(max(2 * before, CHUNK))
    return len(buffer.data) - buffer.pos > before
