"""Cut the files of a run into splits of work, and read the records of one slice of a split."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from snowetl.errors import SnowetlError
from snowetl.storage import filesystem, lzop, parquet_rows, structs
from snowetl.storage.base import FileInfo, FileSystem
from snowetl.storage.containers import (
    HEAD,
    by_content,
    by_extension,
    is_foreign,
    looks_like_text,
    read_content,
    read_plain,
)
from snowetl.storage.firehose import undelivered
from snowetl.storage.framing import BLOCKS, LINES, framing_of, looks_like_records, read_binary, read_text, sniff
from snowetl.storage.lines import NO_STOP
from snowetl.storage.pieces import RemarkedPieces, Source, set_remarks_aside
from snowetl.storage.records import PLAIN_TEXT, Damage, Record, TextForm
from snowetl.storage.text_forms import shaped

DEFAULT_TARGET = 64 << 20
WHOLE, TEXT, LZO = "whole", "text", "lzo-"

_IGNORED_KINDS = {
    ".7z": "7-Zip archive",
    ".avro": "Avro file",
    ".crc": "checksum file",
    ".deflate": "raw deflate stream",
    ".lz4": "LZ4 file",
    ".md5": "checksum file",
    ".orc": "ORC file",
    ".rar": "RAR archive",
    ".snappy": "Snappy file",
    ".tar": "tar archive",
    ".tbz2": "tar archive",
    ".tgz": "tar archive",
    ".xz": "xz file",
    ".zip": "zip archive",
}
_IGNORED = tuple(_IGNORED_KINDS)
_INDEX = ".index"


class Slice(NamedTuple):
    """A piece of one file: bytes ``start`` to ``end`` (``None`` = the whole rest) of ``url``.

    ``container``: ``whole`` (its first bytes say what the file is), ``text`` (a plain file cut at any byte; a line
    belongs to the slice it starts in), ``lzo-lines`` or ``lzo-blocks`` (a run of lzop blocks). ``size`` and ``etag``
    are those of the file when it was listed: reading another one is an error. Without ``etag`` any file is read.
    """

    url: str
    start: int = 0
    end: int | None = None
    container: str = "whole"
    size: int = 0
    etag: str = ""

    @property
    def file(self) -> FileInfo | None:
        """The file the slice was planned of, if that is known."""
        return FileInfo(self.url, self.size, self.etag) if self.etag else None


class Split(NamedTuple):
    """The work of one task, with its number in the stable order of the run. JSON: ``[index, [slice, …]]``.

    ``noted``: an earlier pass over the run has left something for this split.
    """

    index: int  # type: ignore[assignment]
    slices: tuple[Slice, ...]
    noted: bool = False

    @property
    def bytes(self) -> int:
        """Stored bytes, as they were listed."""
        return sum((slice_.size if slice_.end is None else slice_.end) - slice_.start for slice_ in self.slices)

    def to_json(self) -> list[object]:
        return [self.index, [list(slice_) for slice_ in self.slices]]

    @classmethod
    def from_json(cls, value: list[object]) -> Split:
        index, slices = value
        return cls(index, tuple(Slice(*slice_) for slice_ in slices))  # type: ignore[arg-type, attr-defined]


class Ignored(NamedTuple):
    """An input file that is left out, and why."""

    url: str
    size: int
    reason: str


class Plan(list[Split]):
    """The splits of a run, in stable order; ``ignored`` names the files no split reads."""

    def __init__(self, splits: list[Split], ignored: list[Ignored]) -> None:
        super().__init__(splits)
        self.ignored = ignored


def plan(
    files: list[FileInfo],
    *,
    binary: bool,
    text: TextForm = PLAIN_TEXT,
    target_bytes: int = DEFAULT_TARGET,
    fs: FileSystem | None = None,
) -> Plan:
    """:func:`cut` for few files, in any order: all splits at once."""
    ignored: list[Ignored] = []
    found = cut(sorted(files), ignored.append, binary=binary, text=text, target_bytes=target_bytes, fs=fs)
    return Plan(list(found), ignored)


def cut(
    files: Iterable[FileInfo],
    ignore: Callable[[Ignored], None],
    *,
    binary: bool,
    text: TextForm = PLAIN_TEXT,
    target_bytes: int = DEFAULT_TARGET,
    fs: FileSystem | None = None,
) -> Iterator[Split]:
    """Cut ``files``, which come in the order of their urls, into splits of about ``target_bytes`` stored bytes.

    ``ignore`` is called with the files that no split reads. ``binary``: Thrift records (else text, in the form
    ``text``). A compressed file is one slice, except lzop with a valid ``.lzo.index`` beside it; plain text is cut
    into equal byte ranges, unless a header line governs it; small files are grouped. Empty files and index files need
    no split and are not listed as ignored. ``fs`` (by default that of each file) is only asked about files larger
    than ``target_bytes``. Raises :class:`UsageError` where Parquet files are to be read, and the package that does is
    missing.
    """
    number = 0
    group: list[Slice] = []
    room = target_bytes
    for file in files:
        reason = _why_ignored(file.url, binary, text)
        if reason is not None:
            ignore(Ignored(file.url, file.size, reason))
        elif file.size and not file.url.endswith(".lzo" + _INDEX):
            whole = file.size if text.header else target_bytes  # the header may stand anywhere before a row
            for slice_, size in _slices(file, binary, max(whole, target_bytes), fs or filesystem(file.url)):
                if size > room and group:
                    yield Split(number, tuple(group))
                    number += 1
                    group, room = [], target_bytes
                group.append(slice_)
                room -= size
    if group:
        yield Split(number, tuple(group))


_USUAL_SPLITS = 2_000
_LARGEST_TARGET = 1 << 30


def target_for(total: int, asked: int) -> int:
    """The split size for an input of ``total`` bytes, where ``asked`` was asked for (bytes).

    Each split has parts of its own in each table: a large run has larger splits rather than millions of small parts.
    Above 2,000 splits they grow, up to 1 GiB. It depends on the input only, so that a run that is done again, on
    whatever cluster, has the same parts.
    """
    return max(asked, min(total // _USUAL_SPLITS, _LARGEST_TARGET))


def _why_ignored(url: str, binary: bool, text: TextForm) -> str | None:
    """Why a file is not read, if it is not."""
    if (failed := undelivered(url)) is not None:
        return failed
    if url.endswith(parquet_rows.EXTENSION) and text.objects and not binary:
        parquet_rows.check_installed()
        return None
    if url.endswith(parquet_rows.EXTENSION):
        return "Parquet file: only formats of JSON objects (cloudfront-json, ndjson/...) read it"
    if not url.endswith(_IGNORED):
        return None
    kind = next(kind for extension, kind in _IGNORED_KINDS.items() if url.endswith(extension))
    return f"{kind}: not an input format"


def read(
    slice_: Slice,
    *,
    binary: bool,
    text: TextForm = PLAIN_TEXT,
    fs: FileSystem | None = None,
    consumed: Callable[[int], None] | None = None,
) -> Iterator[Record | Damage]:
    """Stream the records of ``slice_`` in bounded memory; what is broken comes as :class:`Damage`.

    ``binary``: Thrift records as ``bytes`` (else text as ``str``, in the form ``text``). ``fs`` is by default that of
    the slice's url; ``consumed`` is called with the stored bytes that are read, which may be a little more than the
    slice has. Raises :class:`StorageError` when the storage fails or the file is not the one that was planned any more,
    :class:`UsageError` if the file does not exist.
    """
    files = fs or filesystem(slice_.url)
    remarks: list[Damage] = []
    source = Source(slice_.url, lambda offset: files.open(slice_.url, offset, expected=slice_.file))
    source.consumed = consumed
    try:
        if text.objects and not binary and not slice_.start and source.peek(4) == parquet_rows.MAGIC:
            yield from parquet_rows.read_rows(source)
            return
        pieces, stop, framing = _content(source, slice_, binary)
        pieces = set_remarks_aside(pieces, remarks)
        skip_first = slice_.start > 0
        if binary:
            yield from read_binary(pieces, slice_.url, framing=framing, skip_first=skip_first, stop=stop)
        else:
            yield from shaped(read_text(pieces, slice_.url, skip_first=skip_first, stop=stop), text)
        yield from remarks
    finally:
        source.close()


def _content(source: Source, slice_: Slice, binary: bool) -> tuple[RemarkedPieces, int, str | None]:
    """(decompressed content of a slice, number to stop at, framing of Thrift records if the plan says so)."""
    if slice_.container == WHOLE:
        if binary:
            return read_content(source, looks_like_records, structs.resumes), NO_STOP, None
        return read_content(source, looks_like_text), NO_STOP, None
    if slice_.container == TEXT:
        source.seek(slice_.start)
        return read_plain(source), NO_STOP if slice_.end is None else slice_.end, LINES
    try:
        header = lzop.read_header(source)
    except lzop.LzopError as error:
        return iter([Damage(slice_.url, 0, f"broken lzop header: {error}")]), NO_STOP, LINES
    if slice_.start:
        source.seek(slice_.start)
    stop = NO_STOP if slice_.end is None else slice_.end << lzop.NUMBER_SHIFT
    return lzop.read_run(source, header.flags), stop, slice_.container.removeprefix(LZO)


def _slices(file: FileInfo, binary: bool, target: int, fs: FileSystem) -> list[tuple[Slice, int]]:
    """The slices of a file with their sizes."""
    whole = [(Slice(file.url, size=file.size, etag=file.etag), file.size)]
    promised = by_extension(file.url)
    if file.size <= target or promised not in (None, "lzop"):
        return whole
    source = Source(file.url, lambda offset: fs.open(file.url, offset, expected=file))
    try:
        head = source.peek(HEAD)
        container = by_content(head)
        if container is None and not promised and not is_foreign(head):
            if binary and framing_of(head) != LINES:
                return whole
            borders = _even_borders(file.size, target)
            return _ranges(file, borders, TEXT)
        if container == "lzop":
            return _lzop_slices(file, binary, target, fs, source) or whole
    finally:
        source.close()
    return whole


def _even_borders(size: int, target: int) -> list[int]:
    count = -(-size // target)
    return [size * i // count for i in range(count + 1)]


def _ranges(file: FileInfo, borders: list[int], container: str) -> list[tuple[Slice, int]]:
    """Parts between ``borders``; the last one has no end, so that it sees a file that has grown."""
    ends: list[int | None] = [*borders[1:-1], None]
    return [
        (Slice(file.url, start, end, container, file.size, file.etag), right - start)
        for start, end, right in zip(borders, ends, borders[1:], strict=False)
    ]


def _lzop_slices(
    file: FileInfo, binary: bool, target: int, fs: FileSystem, source: Source
) -> list[tuple[Slice, int]] | None:
    """Runs of blocks of an indexed lzop file; ``None`` without an index that fits the file."""
    try:
        offsets = lzop.read_index(fs.get(file.url + _INDEX), file.size)
        header = lzop.read_header(source)
    except (SnowetlError, lzop.LzopError):
        return None
    if not offsets or offsets[0] != header.size:
        return None
    framing = LINES
    if binary:
        framing, _ = sniff(set_remarks_aside(lzop.read_run(source, header.flags), []))
        if framing not in (BLOCKS, LINES):
            return None
    borders = [0]
    for place in _even_borders(file.size, target)[1:-1]:
        index = bisect_left(offsets, place)
        if 0 < index < len(offsets) and offsets[index] > borders[-1]:
            borders.append(offsets[index])
    following = dict(zip(offsets, [*offsets[1:], None], strict=True))
    if not all(
        _is_block(source, border, following[border], header.flags, file.size) for border in (*borders[1:], offsets[-1])
    ):
        return None
    return _ranges(file, [*borders, file.size], LZO + framing)


def _is_block(source: Source, offset: int, following: int | None, flags: int, size: int) -> bool:
    """Whether a block lies exactly between two places of the index: an index of another file is not trusted."""
    source.seek(offset)
    end = lzop.block_end(source, flags)
    return end == following if following is not None else end in (size, size - 4)
