"""Reading is streaming: the memory a file takes does not depend on its size."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from isal import igzip

from snowetl.storage import lzop_writer
from tests.storage.helpers import thrift_records

_READ = """
import resource, sys
from snowetl.storage.splits import Slice, read
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
small, large, binary = sys.argv[1], sys.argv[2], sys.argv[3] == "binary"
sum(1 for _ in read(Slice(small), binary=binary))
before = peak()
count = sum(1 for _ in read(Slice(large), binary=binary))
print(count, (peak() - before) // 1024)
"""


def growth(small: Path, large: Path, kind: str) -> tuple[int, int]:
    """(records of the large file, MiB that reading it takes above what the small one took)."""
    run = subprocess.run(
        [sys.executable, "-c", _READ, str(small), str(large), kind], capture_output=True, text=True, check=True
    )
    count, grown = run.stdout.split()
    return int(count), int(grown)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "structs", "base64", "blocks"])
def test_memory_stays_flat_from_1x_to_20x(tmp_path: Path, kind: str) -> None:
    records = [record + b"x" * 600 for record in thrift_records(1000)]
    structs = thrift_records(10_000)
    chunk, count = {
        "text": (b"".join(b"%d\t" % i + b"some log line, " * 60 + b"\n" for i in range(10_000)), 10_000),
        "structs": (b"".join(record + b"\n" for record in structs), 10_000),
        "base64": (b"".join(base64.b64encode(record) + b"\n" for record in records), 1000),
        "blocks": (lzop_writer.record_blocks(records), 1000),
    }[kind]
    repeat = (200 << 20) // 20 // len(chunk) + 1
    member = igzip.compress(chunk, 1)
    small, large = tmp_path / "small.gz", tmp_path / "large.gz"
    small.write_bytes(member * repeat)
    large.write_bytes(member * repeat * 20)
    read, grown = growth(small, large, "text" if kind == "text" else "binary")
    assert read == count * repeat * 20
    assert grown < 16
