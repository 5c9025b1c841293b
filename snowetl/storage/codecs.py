"""gzip, bzip2 and Zstandard streams: any number of members, decompressed in bounded memory.

A damaged member delivers everything before the damage; reading goes on at the next member, if there is one.
"""

from __future__ import annotations

import bz2
import re
import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple, cast

from snowetl.storage.pieces import CHUNK, Piece, Remark, RemarkedPieces, Source
from snowetl.storage.records import Damage

try:
    from isal import isal_zlib as _fast_zlib
except ImportError:  # no wheel for this platform: the same stream at half the speed
    import zlib as _fast_zlib  # type: ignore[no-redef]

_OUTPUT = 1 << 20
_ZSTD_STEP = 4096  # its decompressor cannot limit its output, but 4 KiB of input give at most 128 MiB
_ZSTD_WINDOW = 1 << 27


class Codec(NamedTuple):
    """``feed`` pushes compressed bytes in and yields what comes out, a bounded amount at a time.

    ``magic`` begins a member; ``member`` is stricter, to find one in the midst of other bytes. ``careful`` is a
    decompressor that, fed byte by byte, gives all there is before an error.
    """

    name: str
    new: Callable[[], Any]
    careful: Callable[[], Any]
    feed: Callable[[Any, bytes], Iterator[bytes]]
    magic: re.Pattern[bytes]
    member: re.Pattern[bytes]
    errors: tuple[type[Exception], ...]


def _feed_zlib(decompressor: Any, data: bytes) -> Iterator[bytes]:
    while data and not decompressor.eof:
        yield decompressor.decompress(data, _OUTPUT)
        data = decompressor.unconsumed_tail


def _feed_bz2(decompressor: Any, data: bytes) -> Iterator[bytes]:
    yield decompressor.decompress(data, _OUTPUT)
    while not decompressor.eof and not decompressor.needs_input:
        yield decompressor.decompress(b"", _OUTPUT)


class _ZstdFrame:
    """One Zstandard frame, with ``eof`` and ``unused_data`` like the other decompressors."""

    def __init__(self) -> None:
        import zstandard

        self._frame = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        self.unused_data = b""

    @property
    def eof(self) -> bool:
        return bool(self._frame.eof)

    def decompress(self, data: bytes) -> bytes:
        import zstandard

        try:
            return self._frame.decompress(data)
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from None

    def left_over(self) -> bytes:
        return self._frame.unused_data


def _feed_zstd(frame: Any, data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _ZSTD_STEP):
        yield frame.decompress(data[start : start + _ZSTD_STEP])
        if frame.eof:
            frame.unused_data = frame.left_over() + data[start + _ZSTD_STEP :]
            return


GZIP = Codec(
    "gzip",
    lambda: _fast_zlib.decompressobj(31),
    lambda: zlib.decompressobj(31),
    _feed_zlib,
    re.compile(rb"\x1f\x8b"),
    re.compile(rb"\x1f\x8b\x08[\x00-\x1f].{4}[\x00\x02\x04][\x00-\x0d\xff]", re.DOTALL),
    (zlib.error, cast(type[Exception], _fast_zlib.error)),
)
BZIP2 = Codec(
    "bzip2",
    bz2.BZ2Decompressor,
    bz2.BZ2Decompressor,
    _feed_bz2,
    re.compile(rb"BZh[1-9]"),
    re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    (OSError, ValueError),
)
ZSTD = Codec(
    "zstd",
    _ZstdFrame,
    _ZstdFrame,
    _feed_zstd,
    re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
    re.compile(rb"\x28\xb5\x2f\xfd"),
    (ValueError,),
)
LONGEST_START = 10
"""Bytes the ``member`` patterns look at."""

_MAX_DAMAGES = 1000
_LOOK_AHEAD = 64
_STEP_BACK = 64 << 10


Resumes = Callable[[bytes], "int | None"]
"""Where content goes on that is not compressed, in bytes that follow a member; ``None`` if it does not."""


def _never(head: bytes) -> int | None:
    return None


def read_members(source: Source, codec: Codec, resumes: Resumes = _never) -> RemarkedPieces:
    """The content of all members one after another; numbers are offsets in it.

    Zero bytes and line ends after a member are padding (a writer that puts ``\\n`` behind each record does so behind
    compressed ones, too); other bytes that begin no member are damage, unless ``resumes`` says that they are content:
    then all the rest comes as it is.
    """
    number = damages = 0
    ends_line = True
    fault: Damage | Remark | None = None
    while source.peek(1):
        begins = codec.magic.match(source.peek(LONGEST_START))
        if source.offset and not begins:
            start = source.offset
            plain = resumes(source.peek(_LOOK_AHEAD)) if fault is None else None
            if plain is not None:
                source.take(plain)
                yield from _plain(source, number)
                return
            padding = source.skip_to(codec.member, LONGEST_START)
            if fault is None and not padding:
                reason = f"{source.offset - start} bytes after the {codec.name} data that are not {codec.name} data"
                yield Damage(source.url, start, reason)
            continue
        fault = None
        member = _read_member(source, codec)
        while True:
            try:
                data = next(member)
            except StopIteration as end:
                fault = end.value
                break
            yield Piece(number, data)
            number += len(data)
            ends_line = data.endswith(b"\n")
        if isinstance(fault, Remark) and not ends_line:
            fault = fault.damage  # a gap: what is wrong must not run into the next member's first record
        if fault is not None:
            damages += 1
            if damages == _MAX_DAMAGES:
                yield Damage(source.url, source.offset, f"{damages} broken places; the rest is not read")
                return
            yield fault


def _plain(source: Source, number: int) -> RemarkedPieces:
    """The rest of a file as it is, its bytes numbered from ``number`` on."""
    while data := source.take(4 * CHUNK):
        yield Piece(number, data)
        number += len(data)


_Outcome = Generator[bytes, None, "Damage | Remark | None"]


def _read_member(source: Source, codec: Codec) -> _Outcome:
    """The content of one member, as far as it can be read; returns what is wrong with it."""
    start, delivered = source.offset, 0
    decompressor = codec.new()
    try:
        for data in _decompress(source, codec, decompressor):
            yield data
            delivered += len(data)
    except codec.errors:
        return (yield from _salvage(source, codec, start, delivered))
    if decompressor.eof:
        source.unread(decompressor.unused_data)
        return None
    damage = Damage(source.url, source.offset, f"the file ends in the middle of its {codec.name} data")
    # a broken header may have swallowed whole members, broken data the beginning of one
    source.seek(max(start + 1, source.offset - _STEP_BACK) if delivered else start + 1)
    return damage


def _decompress(source: Source, codec: Codec, decompressor: Any) -> Iterator[bytes]:
    """Content up to the end of the member, or of the file."""
    while not decompressor.eof:
        chunk = source.next()
        if not chunk:
            if hasattr(decompressor, "flush"):
                yield decompressor.flush()
            return
        for data in codec.feed(decompressor, chunk):
            if data:
                yield data


def _salvage(source: Source, codec: Codec, start: int, delivered: int) -> _Outcome:
    """Read a member that failed once more, byte by byte near the end: a decompressor that fails keeps what it had.

    Yields the content behind the first ``delivered`` bytes. Leaves ``source`` somewhat before the place where the
    decompressor gave up: on its way it may have swallowed the beginning of the next member.
    """
    slow_from, limit = max(start, source.offset - 2 * CHUNK), source.offset + CHUNK
    source.seek(start)
    decompressor = codec.careful()
    seen, offset = 0, start
    reason, checksum = f"broken {codec.name} data", False
    try:
        for step in _steps(source, slow_from, limit):
            offset += len(step)
            for data in codec.feed(decompressor, step):
                fresh = data[max(delivered - seen, 0) :]
                seen += len(data)
                if fresh:
                    yield fresh
            if decompressor.eof:
                break
    except codec.errors as error:
        checksum = _WRONG_CHECKSUM.search(str(error)) is not None
        reason += f": {error}; the content before it may be wrong" if checksum else f": {error}"
    damage = Damage(source.url, offset, reason)
    source.seek(max(start + 1, offset - _STEP_BACK))
    return Remark(damage) if checksum else damage


def _steps(source: Source, slow_from: int, limit: int) -> Iterator[bytes]:
    """Chunks up to ``slow_from``, then single bytes up to about ``limit``."""
    while source.offset < slow_from and (chunk := source.take(min(CHUNK, slow_from - source.offset))):
        yield chunk
    while source.offset < limit and (chunk := source.next()):
        for byte in chunk:
            yield byte.to_bytes()


_WRONG_CHECKSUM = re.compile(r"incorrect (data|length) check|doesn't match checksum")
