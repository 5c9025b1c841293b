"""Which container a file is, said by its first bytes, and its decompressed content."""

from __future__ import annotations

import re
from collections.abc import Callable

from snowetl.storage import lzop
from snowetl.storage.codecs import BZIP2, GZIP, LONGEST_START, ZSTD, Resumes, read_members
from snowetl.storage.pieces import CHUNK, Piece, RemarkedPieces, Source
from snowetl.storage.records import Damage

HEAD = 64 << 10
"""Bytes it takes to judge a file."""

_CODECS = {codec.name: codec for codec in (GZIP, BZIP2, ZSTD)}
_MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (lzop.MAGIC, "lzop"),
)
_EXTENSIONS = {".gz": "gzip", ".gzip": "gzip", ".bz2": "bzip2", ".zst": "zstd", ".zstd": "zstd", ".lzo": "lzop"}
_FOREIGN = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x04\x22\x4d\x18", "an LZ4 file"),
    (b"\xff\x06\x00\x00sNaPpY", "a Snappy file"),
    (b"PAR1", "a Parquet file"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC\x0a", "an ORC file"),
)
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def by_extension(url: str) -> str | None:
    """The container the file name promises; ``None`` for a plain or unknown one."""
    for extension, container in _EXTENSIONS.items():
        if url.endswith(extension):
            return container
    return None


def by_content(head: bytes) -> str | None:
    """The container the first bytes belong to; ``None`` if they are those of plain content."""
    for magic, container in _MAGIC:
        if head.startswith(magic):
            return container
    if head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F:
        return "zstd"
    return None


def is_foreign(head: bytes) -> str | None:
    """Names the format if the first bytes are those of one that is not read."""
    return next((name for magic, name in _FOREIGN if head.startswith(magic)), None)


def read_content(
    source: Source, looks_right: Callable[[bytes], bool], resumes: Resumes | None = None
) -> RemarkedPieces:
    """Decompress a whole file, whatever its name says; a plain one comes as it is.

    ``resumes`` tells content that is not compressed among compressed content (see :func:`codecs.read_members`).

    Bytes that do not begin a container although the file name promises one count as plain content only if they pass
    ``looks_right``; formats of others (zip, Parquet, ...) are damage.
    """
    head = source.peek(HEAD)
    container = by_content(head)
    if container == "lzop":
        return lzop.read_blocks(source)
    if container is not None:
        return read_members(source, _CODECS[container], *([resumes] if resumes else []))
    foreign = is_foreign(head)
    if foreign:
        return iter([Damage(source.url, 0, f"this is {foreign}, which is not read; unpack or convert it")])
    promised = by_extension(source.url)
    cut_off = any(name == promised and magic.startswith(head) for magic, name in _MAGIC)
    if promised and head and (cut_off or not looks_right(head)):
        return _read_misnamed(source, promised)
    return read_plain(source)


def _read_misnamed(source: Source, promised: str) -> RemarkedPieces:
    """A file that does not begin as its name promises; a later part of it may still be whole."""
    begins = source.peek(8).hex(" ")
    yield Damage(source.url, 0, f"no {promised} file, though its name says so: it begins with {begins}")
    if promised in _CODECS:
        codec = _CODECS[promised]
        source.skip_to(codec.member, LONGEST_START)
        yield from read_members(source, codec)


def read_plain(source: Source) -> RemarkedPieces:
    """The bytes of a file as they are, from where ``source`` stands."""
    while data := source.take(4 * CHUNK):
        yield Piece(source.offset - len(data), data)


def looks_like_text(head: bytes) -> bool:
    return _NOT_TEXT.search(head) is None
