"""Parts: what is written, when it is there, and that the same lines give the same bytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard

from snowetl.errors import ConfigError
from snowetl.runs.parts import PartWriter, part_name
from snowetl.storage import filesystem

LINES = [f"line {number}\t" + "x" * (number % 700) for number in range(5000)]


def write(folder: Path, compression: str = "gzip", lines: list[str] = LINES) -> Path:
    name = part_name(7, "2026-01-02-03-04-05", compression)
    writer = PartWriter(str(folder), name, compression)
    for line in lines:
        writer.add(line)
    part = writer.finish()
    assert part is not None
    assert part.lines == len(lines)
    assert not (folder / name).exists()
    filesystem(part.url).commit(part.token)
    assert (folder / name).stat().st_size == part.bytes
    return folder / name


def test_names() -> None:
    assert part_name(0, "2026-01-02-03-04-05", "gzip") == "part-00000-2026-01-02-03-04-05.txt.gz"
    assert part_name(123456, "r", "zstd") == "part-123456-r.txt.zst"
    assert part_name(1, "r", "none") == "part-00001-r.txt"
    with pytest.raises(ConfigError, match="'lz4', not one of gzip, zstd, none"):
        part_name(1, "r", "lz4")


def test_every_compression_gives_the_lines_back(tmp_path: Path) -> None:
    text = "".join(f"{line}\n" for line in LINES).encode()
    assert write(tmp_path, "none").read_bytes() == text
    assert gzip.decompress(write(tmp_path, "gzip").read_bytes()) == text
    assert zstandard.ZstdDecompressor().decompressobj().decompress(write(tmp_path, "zstd").read_bytes()) == text


def test_same_lines_same_bytes(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a"), write(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[4:8] == b"\0\0\0\0"  # gzip's time


def test_no_lines_no_part(tmp_path: Path) -> None:
    writer = PartWriter(str(tmp_path / "none"), "part", "gzip")
    assert writer.finish() is None
    writer.abort()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("finished", [False, True])
def test_an_aborted_part_leaves_no_trace(tmp_path: Path, finished: bool) -> None:
    writer = PartWriter(str(tmp_path), "part", "none")
    for line in LINES:
        writer.add(line)
    if finished:
        writer.finish()
    writer.abort()
    assert list(tmp_path.iterdir()) == []


def test_lone_surrogates_become_question_marks(tmp_path: Path) -> None:
    assert write(tmp_path, "none", ["a\ud800b", "ü"]).read_bytes() == "a?b\nü\n".encode()
