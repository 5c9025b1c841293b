"""Elephant-bird record blocks: marker, size, and a protobuf message with the records (``BinaryBlockReader``)."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from snowetl.storage.lines import NO_STOP
from snowetl.storage.pieces import PieceBuffer, Pieces
from snowetl.storage.records import MAX_DAMAGE_BYTES, MAX_RECORD_BYTES, Damage, Record

MARKER = bytes.fromhex("29d8d50658cd4c29b2bc57992171bdff")
_RECORD_TAG = 0x1A  # field 3 (proto_blobs), length-delimited
_LONGEST_PREFIX = 20  # a tag and a length as varints
_WINDOW = 64 << 10
"""Bytes whose records are made at a time: many enough to be quick, few enough to hold where each has one byte."""


def read_records(
    pieces: Pieces, url: str, *, skip_first: bool = False, stop: int = NO_STOP
) -> Iterator[Record | Damage]:
    """The records of all blocks; empty ones are left out, as the reference does.

    For parts of a file: a block belongs to the part its marker starts in, that is below ``stop``; with ``skip_first``
    what comes before the first marker belongs to the part before. A broken block delivers the records before the
    damage; reading goes on at the next marker.
    """
    buffer = PieceBuffer(pieces)
    silent = skip_first
    while True:
        found = yield from _find_marker(buffer, url, silent)
        silent = False
        if not found:
            return
        number = buffer.number()
        if number >= stop:
            return
        try:
            yield from _read_block(buffer, number)
        except _Broken as error:
            reason = f"a record block (at {number} of the content) is broken: {error}"
            yield Damage(url, number, reason, buffer.data[buffer.pos :][:MAX_DAMAGE_BYTES])
        except _CutOff:
            left = buffer.rest()[:MAX_DAMAGE_BYTES]
            gap = buffer.cross_gap()
            if gap is not None:
                yield gap._replace(data=left)
                silent = True
            else:
                yield Damage(url, number, f"the content ends in the middle of a record block (at {number})", left)
                return


class _Broken(Exception):
    """Bytes that cannot be a record block."""


class _CutOff(Exception):
    """The content ends, or has a gap, before the block does."""


def _find_marker(buffer: PieceBuffer, url: str, silent: bool) -> Generator[Damage, None, bool]:
    """Move to the next marker; bytes skipped on the way are reported unless ``silent``. ``False`` at the end."""
    while True:
        skipped, sample, found = 0, b"", False
        buffer.need(1)
        number = buffer.number()
        while not found and buffer.need(len(MARKER)):
            place = buffer.data.find(MARKER, buffer.pos)
            found = place >= 0
            passed = (place if found else len(buffer.data) - len(MARKER) + 1) - buffer.pos
            sample += buffer.data[buffer.pos : buffer.pos + min(passed, MAX_DAMAGE_BYTES - len(sample))]
            skipped += passed
            buffer.pos += passed
        if not found:
            rest = buffer.rest()
            skipped += len(rest)
            sample += rest[: MAX_DAMAGE_BYTES - len(sample)]
        if skipped and not silent:
            yield Damage(
                url, number, f"{skipped} bytes (at {number} of the content) that are not a record block", sample
            )
        if found:
            return True
        gap = buffer.cross_gap()
        if gap is None:
            return False
        yield gap
        silent = True


def _read_block(buffer: PieceBuffer, number: int) -> Iterator[Record]:
    """The records of the block whose marker ``buffer`` stands at."""
    buffer.pos += len(MARKER)
    _need(buffer, 4)
    left = int.from_bytes(buffer.data[buffer.pos : buffer.pos + 4], "little")
    buffer.pos += 4
    index = 0
    while left:
        buffer.need(min(left, _LONGEST_PREFIX))
        data, start = buffer.data, buffer.pos
        records, pos, index = _whole_records(data, start, min(start + min(left, _WINDOW), len(data)), number, index)
        yield from records
        if pos == start:
            pos, record = _read_field(buffer, left)
            start = buffer.pos
            if record is not None:
                if record:
                    yield Record(record, number + index)
                index += 1
        buffer.pos = pos
        left -= pos - start


def _whole_records(data: bytes, pos: int, end: int, number: int, index: int) -> tuple[list[Record], int, int]:
    """The records from ``pos`` on that end before ``end``, which is most there are, the first as the one of ``index``.

    With them (place, index) of the first field that is anything else, or whose length takes more than two bytes.
    """
    records: list[Record] = []
    while pos < end - 2 and data[pos] == _RECORD_TAG:
        start, length = pos + 2, data[pos + 1]
        if length > 0x7F:
            more = data[start]
            if more > 0x7F:
                break
            length += (more - 1) << 7
            start += 1
        if start + length > end:
            break
        pos = start + length
        if length:
            records.append(Record(data[start:pos], number + index))
        index += 1
    return records, pos, index


def _read_field(buffer: PieceBuffer, left: int) -> tuple[int, bytes | None]:
    """(place behind it, record) of the field ``buffer`` stands at; ``None`` for a field that is no record.

    ``left`` bytes of the block remain.
    """
    data, start = buffer.data, buffer.pos
    try:
        tag, pos = _varint(data, start)
        kind = tag & 7
        length = 0
        if kind == 2:
            length, pos = _varint(data, pos)
        elif kind == 0:
            _, pos = _varint(data, pos)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise _Broken(f"a field of type {kind}")
    except IndexError:
        if len(data) - start < left:
            raise _CutOff from None
        raise _Broken("a number that does not end") from None
    used = pos - start + length
    if used > left or length > MAX_RECORD_BYTES:
        raise _Broken(f"a field of {length} bytes")
    if len(data) - start < used:
        _need(buffer, used)
        pos += buffer.pos - start
        data = buffer.data
    return pos + length, data[pos : pos + length] if tag == _RECORD_TAG else None


def _need(buffer: PieceBuffer, size: int) -> None:
    if len(buffer.data) - buffer.pos < size and not buffer.need(size):
        raise _CutOff


def _varint(data: bytes, pos: int) -> tuple[int, int]:
    """(value, place behind it). Raises ``IndexError`` where the bytes end first."""
    value = shift = 0
    while shift < 64:
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos
        shift += 7
    raise _Broken("a number that does not end")
