"""Transformed rows as the text that Postgres' ``COPY`` reads, a megabyte of whole lines at a time."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from gzip import BadGzipFile, GzipFile
from typing import Any, BinaryIO, NamedTuple, cast

from snowetl.errors import LoadError
from snowetl.storage import FileInfo, filesystem

_GzipFile: Any
_DAMAGE: tuple[type[Exception], ...] = (EOFError, zlib.error, BadGzipFile)
try:
    from isal import igzip, isal_zlib
except ImportError:  # no wheel for this platform: the same bytes, slower
    _GzipFile = GzipFile
else:
    _GzipFile = igzip.IGzipFile
    _DAMAGE = (*_DAMAGE, cast(type[Exception], isal_zlib.error))

_CHUNK = 1 << 20
_PIECE = 1 << 18
"""As much as stays in the processor's own memory on its way through: a third less time than by megabytes."""
_OFFSET = re.compile(rb"\d[Tt ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?[+-]\d\d:?\d\d")
_STRANGE_YEAR = re.compile(rb"\t(?:[+-]\d{4,}|0000|\d{5,})-\d\d-\d\d \d\d:")


class RowFormat(NamedTuple):
    """How cells are written: ``escaped`` as ``COPY`` reads them, else as they are, with blanks for tabs."""

    escaped: bool
    null: bytes


FOR_POSTGRES = RowFormat(True, b"\\N")
ENTITY_TSV = RowFormat(False, b"\\N")
ATOMIC_TSV = RowFormat(False, b"")
PARQUET = RowFormat(True, b"")
"""Rows that are not text: their files are read by name."""


def read_chunks(files: Iterable[FileInfo]) -> Iterator[bytes]:
    """The lines of ``files``, a megabyte or so of whole lines at a time; a missing last line end is added.

    Raises :class:`LoadError` naming a file that is damaged.
    """
    for info in files:
        left = b""
        for data in _read(info, _CHUNK):
            cut = data.rfind(b"\n") + 1
            if cut:
                yield b"".join((left, memoryview(data)[:cut]))
                left = data[cut:]
            else:
                left += data
        if left:
            yield left + b"\n"


def read_pieces(files: Iterable[FileInfo]) -> Iterator[bytes]:
    """The same bytes in pieces that may end anywhere, for a reader who finds the lines himself. Raises as above."""
    for info in files:
        last = b"\n"
        for last in _read(info, _PIECE):
            yield last
        if not last.endswith(b"\n"):
            yield b"\n"


def _read(info: FileInfo, size: int) -> Iterator[bytes]:
    with filesystem(info.url).open(info.url) as raw:
        source = cast(BinaryIO, _GzipFile(fileobj=raw)) if info.url.endswith(".gz") else raw
        while True:
            try:
                data = source.read(size)
            except _DAMAGE as error:
                raise LoadError(f"{info.url} is damaged ({error}); transform the run again") from None
            if not data:
                return
            yield data


def first_width(file: FileInfo, most: int, fewest: int) -> int:
    """Cells of the first row of a file, if between ``fewest`` and ``most``, else ``most``. Reads a megabyte."""
    if most == fewest:
        return most
    for chunk in read_chunks([file]):
        cells = chunk.partition(b"\n")[0].count(b"\t") + 1
        return cells if fewest <= cells <= most else most
    return most


def shaped(chunk: bytes, columns: Sequence[str], fewest: int, format_: RowFormat) -> bytes:
    """Rows with a cell for each of the named ``columns``, escaped for ``COPY``.

    Missing cells at the end become null, those of columns named ``""`` go. Rows of any other width stay as they are,
    and so do escaped ones, which are whole.
    """
    width = len(columns)
    if not format_.escaped and chunk.count(b"\t") != chunk.count(b"\n") * (width - 1):
        chunk = padded(chunk, width, fewest, format_.null)
    if "" in columns:
        chunk = _without(chunk, [place for place, name in enumerate(columns) if not name], width)
    return chunk if format_.escaped else escaped(chunk, format_.null)


def stamped(chunk: bytes, load_tstamp: datetime | None) -> bytes:
    """Rows with one more cell at the end of each, the same in all; ``None``: as they are."""
    return chunk if load_tstamp is None else chunk.replace(b"\n", f"\t{load_tstamp}\n".encode())


def padded(chunk: bytes, width: int, fewest: int, null: bytes) -> bytes:
    """Rows with missing cells at the end made null, line by line."""
    lines = chunk.split(b"\n")[:-1]
    found = {line.count(b"\t") + 1 for line in lines}
    if len(found) == 1:
        cells = found.pop()
        if not fewest <= cells < width:
            return chunk
        return chunk.replace(b"\n", (b"\t" + null) * (width - cells) + b"\n")
    out = []
    for line in lines:
        cells = line.count(b"\t") + 1
        out.append(line + (b"\t" + null) * (width - cells) if fewest <= cells < width else line)
    return b"\n".join([*out, b""])


def _without(chunk: bytes, places: Sequence[int], width: int) -> bytes:
    """Drop cells; of neighbours, as ``ref_root``, ``ref_tree``, ``ref_parent`` are, in one piece."""
    first, last = places[0], places[-1] + 1
    out = []
    for line in chunk.split(b"\n")[:-1]:
        cells = line.split(b"\t", last)
        if len(cells) <= first or line.count(b"\t") + 1 != width:
            out.append(line)
        elif last - first == len(places):
            out.append(b"\t".join(cells[:first] + cells[last:]))
        else:
            dropped = set(places)
            out.append(b"\t".join(cell for place, cell in enumerate(line.split(b"\t")) if place not in dropped))
    return b"\n".join([*out, b""])


def escaped(chunk: bytes, null: bytes) -> bytes:
    """Escape a chunk for ``COPY`` in text format: backslashes and CR are data; NUL, which no text holds, goes.

    A cell that is exactly ``\\N`` stays null unless nulls are empty cells (the rows of ``events``). Invalid UTF-8
    becomes U+FFFD.
    """
    if b"\x00" in chunk:
        chunk = chunk.replace(b"\x00", b"")
    if b"\\" in chunk:
        chunk = chunk.replace(b"\\", b"\\\\")
        if null:  # neighbours share a tab, so every second one is left for a second pass
            chunk = chunk.replace(b"\t\\\\N\t", b"\t\\N\t").replace(b"\t\\\\N\t", b"\t\\N\t")
            chunk = chunk.replace(b"\t\\\\N\n", b"\t\\N\n")
    if b"\r" in chunk:
        chunk = chunk.replace(b"\r", b"\\r")
    try:
        chunk.decode("utf-8")
    except UnicodeDecodeError:
        chunk = chunk.decode("utf-8", "replace").encode("utf-8")
    return chunk


def in_utc(chunk: bytes, places: Sequence[int]) -> bytes:
    """Times with an offset, in the cells at ``places``, as the same time of UTC: ``COPY`` would drop the offset."""
    if _OFFSET.search(chunk) is None:
        return chunk
    out = []
    for line in chunk.split(b"\n")[:-1]:
        cells = line.split(b"\t")
        for place in places:
            if place < len(cells) and _OFFSET.search(cells[place]):
                cells[place] = _utc(cells[place])
        out.append(b"\t".join(cells))
    return b"\n".join([*out, b""])


def _utc(cell: bytes) -> bytes:
    try:
        instant = datetime.fromisoformat(cell.decode("ascii")).astimezone(UTC)
    except (ValueError, OverflowError):
        return cell
    return instant.replace(tzinfo=None).isoformat(" ").encode()


def has_strange_years(chunk: bytes) -> bool:
    """Whether a time stands in a year before 1 or after 9999, which ``COPY`` would read as another one."""
    return _STRANGE_YEAR.search(chunk) is not None


def unescaped(cell: str) -> str | None:
    """A cell as ``COPY`` reads it; ``None`` for null."""
    if "\\" not in cell:
        return cell
    return None if cell == "\\N" else _ESCAPE.sub(_character, cell)


_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CHARACTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _character(match: re.Match[str]) -> str:
    return _CHARACTERS.get(match[1], match[1])
