"""The lzop container (``.lzo``): header, independent LZO1X blocks, index files (hadoop-lzo ``LzopInputStream``)."""

from __future__ import annotations

import struct
from collections.abc import Generator
from io import BytesIO
from itertools import pairwise
from typing import Final, NamedTuple

from isal import isal_zlib

from snowetl.storage import lzo1x
from snowetl.storage.pieces import Piece, Remark, RemarkedPieces, Source, set_remarks_aside
from snowetl.storage.records import Damage, Record

MAGIC = b"\x89LZO\x00\r\n\x1a\n"
MAX_BLOCK = 64 << 20
NUMBER_SHIFT = 26
"""Numbers in lzop files: file offset of the block ``<< 26``, plus the offset within the (at most 64 MiB) block."""

ADLER_CONTENT = 0x0001
ADLER_STORED = 0x0002
CRC_CONTENT = 0x0100
CRC_STORED = 0x0200
EXTRA_FIELD = 0x0040
MULTIPART = 0x0400
FILTER = 0x0800
HEADER_CRC = 0x1000
_RESERVED = 0x000FC000
_CHECKSUMS: Final = {
    ADLER_CONTENT: isal_zlib.adler32,
    ADLER_STORED: isal_zlib.adler32,
    CRC_CONTENT: isal_zlib.crc32,
    CRC_STORED: isal_zlib.crc32,
}

_FIXED = struct.Struct(">9sHHHBBIIIIB")
_MAX_EXTRA = 1 << 20
_NEWEST_VERSION = 0x1010
_OLDEST_LIBRARY = 0x0100
_FAST_UP_TO = 1 << 20
"""The fast decompressor does not limit its output (255 times its input at worst); larger blocks nobody writes."""


class Header(NamedTuple):
    """What a reader needs of the header: flags, where the first block is, and whether the checksum was right."""

    flags: int
    size: int
    intact: bool


class LzopError(ValueError):
    """A header that cannot be read on from."""


def read_header(source: Source) -> Header:
    """Read the header at ``source``, which then stands at the first block. Raises :class:`LzopError`."""
    start = source.offset
    fixed = source.take(_FIXED.size)
    if len(fixed) < _FIXED.size:
        raise LzopError("the file ends in the lzop header")
    magic, _, library, needed, method, _, flags, _, _, _, name_length = _FIXED.unpack(fixed)
    if magic != MAGIC:
        raise LzopError("no lzop header")
    if library < _OLDEST_LIBRARY:
        raise LzopError(f"written by an LZO library too old ({library:#06x})")
    if needed > _NEWEST_VERSION:
        raise LzopError(f"needs a newer lzop ({needed:#06x})")
    if method not in (1, 2, 3):
        raise LzopError(f"compression method {method} is not LZO1X")
    if flags & (MULTIPART | FILTER | _RESERVED):
        raise LzopError(f"flags {flags:#010x} ask for features that are not supported (multipart, filter or reserved)")
    name = source.take(name_length)
    checksum = source.take(4)
    if len(checksum) < 4:
        raise LzopError("the file ends in the lzop header")
    compute = isal_zlib.crc32 if flags & HEADER_CRC else isal_zlib.adler32
    intact = compute(fixed[len(MAGIC) :] + name) == int.from_bytes(checksum, "big")
    if flags & EXTRA_FIELD:
        length = int.from_bytes(source.take(4), "big")
        if length > _MAX_EXTRA:
            raise LzopError(f"an extra header field of {length} bytes")
        if len(source.take(length + 4)) < length + 4:
            raise LzopError("the file ends in the lzop header")
    return Header(flags, source.offset - start, intact)


def read_blocks(source: Source) -> RemarkedPieces:
    """The content of a whole lzop file, block by block, and of files appended to it.

    A block that does not decompress, or to the wrong checksum, is a gap; reading goes on with the next block.
    """
    while source.peek(1):
        offset = source.offset
        if source.peek(len(MAGIC)) != MAGIC and offset:
            trailing = _discard(source)
            if trailing:
                yield Damage(source.url, offset, f"{trailing} bytes after the lzop data that are not lzop data")
            return
        try:
            header = read_header(source)
        except LzopError as error:
            yield Damage(source.url, offset, f"broken lzop header: {error}")
            return
        if not header.intact:
            yield Damage(source.url, offset, "the lzop header does not have the checksum it claims")
        if not (yield from read_run(source, header.flags)):
            return


def read_run(source: Source, flags: int) -> Generator[Piece | Damage | Remark, None, bool]:
    """The blocks from where ``source`` stands; ``flags`` are the header's. Returns whether the terminator was met."""
    while True:
        offset = source.offset
        sizes = source.take(4)
        if not sizes:
            return False  # no terminator: tolerated, as the reference does
        if sizes == b"\0\0\0\0":
            return True
        sizes += source.take(4)
        content_size, stored_size = int.from_bytes(sizes[:4], "big"), int.from_bytes(sizes[4:], "big")
        if len(sizes) < 8:
            yield Damage(source.url, offset, _CUT_OFF)
            return False
        if max(stored_size, content_size) > MAX_BLOCK:
            yield Damage(source.url, offset, f"no lzop block: {stored_size} bytes stored for {content_size}")
            return False
        stored = stored_size >= content_size
        content_sums = _take_sums(source, flags, (ADLER_CONTENT, CRC_CONTENT))
        stored_sums = () if stored else _take_sums(source, flags, (ADLER_STORED, CRC_STORED))
        data = source.take(stored_size)
        content, fault = (data[:content_size], "") if stored else _decompress(data, content_size)
        if content:
            yield Piece(offset << NUMBER_SHIFT, content)
        if len(data) < stored_size:
            yield Damage(source.url, offset, _CUT_OFF)
            return False
        if fault:
            yield Damage(source.url, offset, f"broken lzop block: {fault}")
        elif _wrong_sum(content, content_sums) or _wrong_sum(data, stored_sums):
            reason = "an lzop block does not have the checksum it claims; its content may be wrong"
            yield Remark(Damage(source.url, offset, reason))


_CUT_OFF = "the file ends in the middle of an lzop block"


def block_end(source: Source, flags: int) -> int | None:
    """Where the block ends that ``source`` stands at, by its sizes; ``None`` if there cannot be one."""
    offset = source.offset
    sizes = source.take(8)
    content_size, stored_size = int.from_bytes(sizes[:4], "big"), int.from_bytes(sizes[4:], "big")
    if len(sizes) < 8 or not content_size or max(content_size, stored_size) > MAX_BLOCK:
        return None
    sums = [ADLER_CONTENT, CRC_CONTENT] + ([] if stored_size >= content_size else [ADLER_STORED, CRC_STORED])
    return offset + 8 + 4 * sum(bool(flags & flag) for flag in sums) + stored_size


_Sums = tuple[tuple[int, bytes], ...]


def _take_sums(source: Source, flags: int, kinds: tuple[int, int]) -> _Sums:
    return tuple((kind, source.take(4)) for kind in kinds if flags & kind)


def _wrong_sum(data: bytes, sums: _Sums) -> bool:
    return any(_CHECKSUMS[kind](data) != int.from_bytes(claimed, "big") for kind, claimed in sums)


def _decompress(data: bytes, size: int) -> tuple[bytes, str]:
    """The content of a block, or as much of it as there is, and what is wrong."""
    if len(data) <= _FAST_UP_TO:
        from lzallright import LZOCompressor, LZOError

        try:
            content = LZOCompressor.decompress(data, size)
        except LZOError:
            return lzo1x.decompress_prefix(data, size)
        if len(content) == size:
            return content, ""
        return content[:size], f"{len(content)} bytes instead of {size}"
    return lzo1x.decompress_prefix(data, size)


def _discard(source: Source) -> int:
    """Read to the end of the file; how many bytes that were, if any but zeros."""
    start = source.offset
    padding = True
    while data := source.next():
        padding = padding and not data.strip(b"\0")
    return 0 if padding else source.offset - start


def read_index(data: bytes, size: int) -> list[int]:
    """Block offsets of an index file for an lzop file of ``size`` bytes; empty if they cannot be right."""
    if not data or len(data) % 8:
        return []
    offsets = [offset for (offset,) in struct.iter_unpack(">Q", data)]
    ascending = all(left < right for left, right in pairwise(offsets))
    return offsets if ascending and offsets[-1] < size else []


def records(data: bytes) -> list[bytes]:
    """All Thrift records of an lzop file given as bytes; damage is passed over."""
    from snowetl.storage.framing import read_binary

    source = Source("", lambda offset: BytesIO(data[offset:]))
    pieces = set_remarks_aside(read_blocks(source), [])
    return [item.data for item in read_binary(pieces, "") if isinstance(item, Record) and isinstance(item.data, bytes)]
