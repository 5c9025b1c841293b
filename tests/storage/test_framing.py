from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowetl.storage import lzop_writer
from snowetl.storage.base64_lines import decode_base64_line
from snowetl.storage.framing import BLOCKS, LINES, STRUCTS, framing_of
from snowetl.storage.lzop import read_index
from tests.storage.helpers import read_all, thrift_records

RECORDS = thrift_records(250)
STRUCT_STREAM = b"".join(record + b"\n" for record in RECORDS)
BASE64_LINES = b"".join(base64.b64encode(record) + b"\n" for record in RECORDS)


@pytest.mark.parametrize(
    ("head", "framing"),
    [
        (lzop_writer.record_blocks(RECORDS[:1]), BLOCKS),
        (BASE64_LINES, LINES),
        (b"\n\r\n" + BASE64_LINES, LINES),
        (b"\xef\xbb\xbf" + BASE64_LINES, LINES),
        (b"  bad\r\n", LINES),
        (STRUCT_STREAM, STRUCTS),
        (STRUCT_STREAM[:40], STRUCTS),
        (b"\x0a\x00\x01" + b"\0" * 8, STRUCTS),
        (b"\0\n", STRUCTS),
        (b"", LINES),
        (b'{"json": true}\n', LINES),
        (b"\x6d\xa7", LINES),
    ],
)
def test_the_framing_is_told_by_the_first_bytes(head: bytes, framing: str) -> None:
    assert framing_of(head) == framing


@pytest.mark.parametrize(
    ("line", "record"),
    [
        (b"bad", b"\x6d\xa7"),
        (b"bac=", b"\x6d\xa7"),
        (b"YWJj", b"abc"),
        (b" \tYWJj;\r", b"abc"),
        (b"YWJjZ", b"abc"),
        (b"", None),
        (b"YW Jj", b"YW Jj"),
        (b"YW-j", b"YW-j"),
        (b"Y=Jj", b"Y=Jj"),
        (b"===", b"==="),
        (b"{}", b"{}"),
        (b" ", b" "),
    ],
)
def test_base64_lines(line: bytes, record: bytes | None) -> None:
    assert decode_base64_line(line) == record


@given(st.binary(min_size=1))
def test_base64_with_and_without_padding(record: bytes) -> None:
    encoded = base64.b64encode(record)
    assert decode_base64_line(encoded) == decode_base64_line(encoded.rstrip(b"=")) == record


@given(st.binary(min_size=1))
def test_any_line_becomes_a_record(line: bytes) -> None:
    assert decode_base64_line(line) is not None


def test_a_line_that_does_not_decode_is_delivered_as_it_is() -> None:
    assert read_all(b"YWJj\n\nnot base64!\nYWJj\n", binary=True) == ([b"abc", b"not base64!", b"abc"], [])


def test_a_broken_first_block_does_not_hide_the_framing() -> None:
    content = lzop_writer.record_blocks(RECORDS)
    packed, index = lzop_writer.compress(content, block_size=3000)
    offsets = read_index(index, len(packed))
    broken = packed[: offsets[0] + 8] + b"\xff" * (offsets[1] - offsets[0] - 8) + packed[offsets[1] :]
    records, damages = read_all(broken, binary=True)
    assert records == RECORDS[100:]
    assert damages


def test_every_framing_in_every_container() -> None:
    import bz2
    import gzip

    import zstandard

    for content in (lzop_writer.record_blocks(RECORDS), BASE64_LINES, STRUCT_STREAM):
        for packed in (
            content,
            gzip.compress(content),
            bz2.compress(content),
            zstandard.compress(content),
            lzop_writer.compress(content)[0],
        ):
            assert read_all(packed, binary=True) == (RECORDS, [])
