"""Transformed rows as the text that Postgres' ``COPY`` reads."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from snowetl.errors import StorageError
from snowetl.storage import FileInfo, filesystem

_CHUNK = 1 << 20
_NULL_FIELD = re.compile(rb"(?:(?<=[\t\n])|\A)\\\\N(?=[\t\n])")


def read_chunks(files: list[FileInfo]) -> Iterator[bytes]:
    """The lines of ``files``, a megabyte or so of whole lines at a time; a missing last line end is added.

    Raises :class:`StorageError` naming a file that is damaged.
    """
    for info in files:
        left = b""
        with filesystem(info.url).open(info.url) as raw:
            source = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if info.url.endswith(".gz") else raw
            while True:
                try:
                    data = source.read(_CHUNK)
                except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                    raise StorageError(f"{info.url} is damaged ({error}); transform the run again") from None
                if not data:
                    break
                cut = data.rfind(b"\n") + 1
                if cut:
                    yield left + data[:cut]
                    left = data[cut:]
                else:
                    left += data
        if left:
            yield left + b"\n"


def copy_text(chunk: bytes, null_is_empty: bool) -> bytes:
    """Escape a chunk for ``COPY`` in text format: backslashes and CR are data; NUL, which no text holds, goes.

    A field that is exactly ``\\N`` stays null unless nulls are empty fields (the rows of ``events``).
    """
    if b"\x00" in chunk:
        chunk = chunk.replace(b"\x00", b"")
    if b"\\" in chunk:
        chunk = chunk.replace(b"\\", b"\\\\")
        if not null_is_empty:
            chunk = _NULL_FIELD.sub(rb"\\N", chunk)
    if b"\r" in chunk:
        chunk = chunk.replace(b"\r", b"\\r")
    try:
        chunk.decode("utf-8")
    except UnicodeDecodeError:
        chunk = chunk.decode("utf-8", "replace").encode("utf-8")
    return chunk


def without_refs(chunk: bytes, name: str) -> bytes:
    """Drop ``ref_root``, ``ref_tree`` and ``ref_parent``, which tables of the Postgres loader do not have."""
    refs = b'\tevents\t["events","' + name.encode() + b'"]\tevents'
    if chunk.count(refs) == chunk.count(b"\n"):
        return chunk.replace(refs, b"")
    lines = []
    for line in chunk.split(b"\n"):
        fields = line.split(b"\t", 9)
        lines.append(b"\t".join(fields[:6] + fields[9:]) if len(fields) > 8 else line)
    return b"\n".join(lines)
