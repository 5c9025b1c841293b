from __future__ import annotations

import bz2
import gzip
import random
import zlib
from collections.abc import Callable

import pytest
import zstandard

from snowetl.storage.codecs import BZIP2, GZIP, ZSTD, read_members
from tests.storage.helpers import read_all, source, split_lines

LINES = b"".join(b"line %d of some log, with a number %d in it\n" % (i, i * i * 7919 % 10007) for i in range(300))


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


CODECS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "bzip2": bz2.compress, "zstd": zstd}
EXTENSIONS = {b"\x1f": "x.gz", b"B": "x.bz2", b"\x28": "x.zst"}
codecs = pytest.mark.parametrize("compress", CODECS.values(), ids=CODECS.keys())


def texts(data: bytes) -> list[str]:
    return [line.decode() for line in split_lines(data)]


@codecs
def test_members_are_read_one_after_another(compress: Callable[[bytes], bytes]) -> None:
    data = b"".join(compress(LINES[start : start + 997]) for start in range(0, len(LINES), 997))
    assert read_all(data) == (texts(LINES), [])
    assert read_all(compress(b"") + compress(b"a") + compress(b"")) == (["a"], [])
    assert read_all(compress(b"")) == ([], [])


def test_skippable_zstd_frames_and_padding_behind_gzip_are_passed_over() -> None:
    skippable = b"\x51\x2a\x4d\x18\x04\x00\x00\x00abcd"
    assert read_all(skippable + zstd(b"a\n") + skippable + zstd(b"b\n")) == (["a", "b"], [])
    assert read_all(gzip.compress(b"a\n") + b"\0" * 5000) == (["a"], [])
    assert read_all(gzip.compress(b"a\n") + b"\0" * 9 + gzip.compress(b"b\n")) == (["a", "b"], [])


@codecs
def test_trailing_garbage_is_reported(compress: Callable[[bytes], bytes]) -> None:
    good = compress(LINES)
    records, damages = read_all(good + b"garbage")
    assert records == texts(LINES)
    assert [(damage.offset, damage.reason[:7]) for damage in damages] == [(len(good), "7 bytes")]
    records, damages = read_all(good + b"garbage" * 50_000 + compress(b"more\n"))
    assert records == [*texts(LINES), "more"]
    assert len(damages) == 1


@pytest.mark.slow
@codecs
def test_a_bomb_is_read_in_bounded_memory(compress: Callable[[bytes], bytes]) -> None:
    bomb = compress(b"\n" * 60_000_000)
    codec = {b"\x1f": GZIP, b"B": BZIP2, b"\x28": ZSTD}[bomb[:1]]
    sizes = [len(piece.data) for piece in read_members(source(bomb), codec)]  # type: ignore[union-attr]
    assert sum(sizes) == 60_000_000
    assert max(sizes) <= (1 << 20 if codec is not ZSTD else 128 << 20)


@codecs
def test_every_truncation_keeps_a_prefix_and_says_so(compress: Callable[[bytes], bytes]) -> None:
    data = compress(LINES)
    whole = texts(LINES)
    for length in range(1, len(data), 7):
        records, damages = read_all(data[:length], url=EXTENSIONS[data[:1]])
        assert records == whole[: len(records)]
        assert damages, length


@pytest.mark.slow
def test_a_truncated_gzip_gives_all_that_zlib_can_give() -> None:
    rng = random.Random(7)
    content = b"".join(b"%d,%d\n" % (rng.random() * 1e9, rng.random() * 1e9) for _ in range(50_000))
    data = gzip.compress(content)
    for length in (100, 5000, len(data) // 2, len(data) - 9, len(data) - 1):
        decompressor = zlib.decompressobj(31)
        possible = decompressor.decompress(data[:length])
        records, damages = read_all(data[:length])
        rest = damages[0].data
        assert "\n".join(map(str, records)).encode() + (b"\n" if records else b"") + rest == possible


@pytest.mark.slow
@codecs
def test_a_broken_member_keeps_what_came_before_and_the_next_members(compress: Callable[[bytes], bytes]) -> None:
    rng = random.Random(3)
    content = b"".join(b"%d,%d\n" % (rng.random() * 1e9, rng.random() * 1e9) for _ in range(100_000))
    data = bytearray(compress(content))
    place = len(data) * 2 // 3
    data[place : place + 4] = b"\xff\x00\xff\x00"
    records, damages = read_all(bytes(data) + compress(b"next\n"))
    whole = texts(content)
    same = next(i for i, (left, right) in enumerate(zip(records, [*whole, ""], strict=False)) if left != right)
    assert same > len(whole) * 0.3  # bzip2 has blocks of 900 kB
    assert records[-1] == "next"
    assert damages


@pytest.mark.slow
@codecs
def test_any_flipped_byte_never_raises_and_never_goes_unnoticed(compress: Callable[[bytes], bytes]) -> None:
    data = compress(LINES)
    whole = texts(LINES)
    for place in range(0, len(data), 3):
        broken = bytearray(data)
        broken[place] ^= 0x55
        records, damages = read_all(bytes(broken) + compress(b"next\n"), url=EXTENSIONS[data[:1]])
        assert records[-1] == "next", place
        assert damages or records == [*whole, "next"], place  # some bits mean nothing


def test_a_wrong_checksum_is_reported_and_nothing_lost() -> None:
    data = bytearray(gzip.compress(LINES))
    data[-6] ^= 1
    records, damages = read_all(bytes(data) + gzip.compress(b"next\n"))
    assert records == [*texts(LINES), "next"]
    assert len(damages) == 1
    assert "incorrect data check" in damages[0].reason
