"""Write what the S3 loader writes: an lzop file of elephant-bird record blocks, and its index."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

from snowetl.storage import lzop
from snowetl.storage.elephantbird import MARKER

CONTENT_BLOCK = 245_693
"""hadoop-lzo fills its 262,144 byte buffers no further, so that a block that grows still fits."""

RECORDS_PER_BLOCK = 100
_HEADER = struct.Struct(">HHHBBIIIIB")
_LZOP_VERSION, _LIBRARY_VERSION, _VERSION_NEEDED = 0x1010, 0x2060, 0x0940
_METHOD_LZO1X_1, _LEVEL, _MODE = 1, 5, 0o100644
_CLASS_NAME = b"byte[]"


def write(records: Iterable[bytes], *, flags: int = 0, class_name: bytes = _CLASS_NAME) -> tuple[bytes, bytes]:
    """(content of the ``.lzo`` file, content of the ``.lzo.index`` file) for Thrift records."""
    return compress(record_blocks(records, class_name), flags=flags)


def record_blocks(records: Iterable[bytes], class_name: bytes = _CLASS_NAME) -> bytes:
    """Elephant-bird blocks of 100 records each; nothing for no records."""
    blocks = []
    pending: list[bytes] = []
    for record in records:
        pending.append(record)
        if len(pending) == RECORDS_PER_BLOCK:
            blocks.append(_record_block(pending, class_name))
            pending = []
    if pending:
        blocks.append(_record_block(pending, class_name))
    return b"".join(blocks)


def compress(content: bytes, *, flags: int = 0, block_size: int = CONTENT_BLOCK) -> tuple[bytes, bytes]:
    """(lzop file, index) of any content. ``flags`` choose the checksums (:mod:`snowetl.storage.lzop`).

    The modification time in the header is 0, so that the same content gives the same file.
    """
    from lzallright import LZOCompressor

    compressor = LZOCompressor()
    header = _header(flags)
    pieces, offset, index = [header], len(header), []
    for start in range(0, len(content), block_size):
        plain = content[start : start + block_size]
        packed = compressor.compress(plain)
        stored = packed if len(packed) < len(plain) else plain
        sums = _checksums(plain, flags, lzop.ADLER_CONTENT, lzop.CRC_CONTENT)
        if stored is packed:
            sums += _checksums(packed, flags, lzop.ADLER_STORED, lzop.CRC_STORED)
        block = struct.pack(">II", len(plain), len(stored)) + sums + stored
        index.append(struct.pack(">Q", offset))
        offset += len(block)
        pieces.append(block)
    pieces.append(b"\0\0\0\0")
    return b"".join(pieces), b"".join(index)


def _header(flags: int) -> bytes:
    fields = _HEADER.pack(
        _LZOP_VERSION, _LIBRARY_VERSION, _VERSION_NEEDED, _METHOD_LZO1X_1, _LEVEL, flags, _MODE, 0, 0, 0
    )
    checksum = zlib.crc32(fields) if flags & lzop.HEADER_CRC else zlib.adler32(fields)
    return lzop.MAGIC + fields + struct.pack(">I", checksum)


def _checksums(data: bytes, flags: int, adler: int, crc: int) -> bytes:
    sums = b""
    if flags & adler:
        sums += struct.pack(">I", zlib.adler32(data))
    if flags & crc:
        sums += struct.pack(">I", zlib.crc32(data))
    return sums


def _record_block(records: list[bytes], class_name: bytes) -> bytes:
    message = b"\x08\x01\x12" + _varint(len(class_name)) + class_name
    message += b"".join(b"\x1a" + _varint(len(record)) + record for record in records)
    return MARKER + struct.pack("<I", len(message)) + message


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
