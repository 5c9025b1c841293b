"""Small things the tests of this room share."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from io import BytesIO

from snowetl.storage.containers import looks_like_text, read_content
from snowetl.storage.framing import read_binary, read_text
from snowetl.storage.pieces import Source, set_remarks_aside
from snowetl.storage.records import Damage, Record


def source(data: bytes, url: str = "mem") -> Source:
    return Source(url, lambda offset: BytesIO(data[offset:]))


def read_all(data: bytes, *, binary: bool = False, url: str = "mem") -> tuple[list[bytes | str], list[Damage]]:
    """(contents of the records, damages) of a whole file given as bytes."""
    remarks: list[Damage] = []
    pieces = set_remarks_aside(read_content(source(data, url), looks_like_text), remarks)
    items = list(read_binary(pieces, url) if binary else read_text(pieces, url))
    records = [item.data for item in items if isinstance(item, Record)]
    return records, [item for item in items if isinstance(item, Damage)] + remarks


def split_lines(data: bytes) -> list[bytes]:
    """A naive reader: what the lines of a file are."""
    return (
        data.removeprefix(b"\xef\xbb\xbf")
        .replace(b"\r\n", b"\n")
        .replace(b"\r", b"\n")
        .removesuffix(b"\n")
        .split(b"\n")
        if data
        else []
    )


def thrift_record(fields: Iterable[tuple[int, bytes]], timestamp: int = 1_700_000_000_000) -> bytes:
    """A struct as a collector writes it: strings by field id, and the timestamp."""
    out = b"\x0a\x00\xc8" + struct.pack(">q", timestamp)
    for field, text in fields:
        out += b"\x0b" + struct.pack(">hi", field, len(text)) + text
    return out + b"\x0f\x01\x5e\x0b" + struct.pack(">i", 1) + struct.pack(">i", 7) + b"A: b\r\nc" + b"\x00"


def thrift_records(count: int) -> list[bytes]:
    """Different records, some with line ends and zero bytes in them."""
    return [
        thrift_record([(100, b"10.0.0.%d" % (i % 250)), (330, b"e=pv&n=%d" % i), (340, b"\x00\n" * (i % 3))])
        for i in range(count)
    ]
