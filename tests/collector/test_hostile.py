"""Records nobody would write: nothing escapes, nothing takes long, everything is accounted for."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from snowetl.collector import loader_for
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.payload import CollectorPayload
from tests.collector import samples

ORIGIN = Origin("test", "1.0.0", 0)
FORMATS = ("thrift", "cloudfront", "clj-tomcat", "tsv/com.acme/v1", "ndjson/com.acme/v1")
MEGABYTE = 1_000_000


def _ends_well(input_format: str, record: bytes | str) -> None:
    loader = loader_for(input_format, ORIGIN, try_base64=True)
    started = time.process_time()
    loaded = loader.load(record)
    if isinstance(loaded, CollectorPayload) and loaded.useragent is not None:
        loader.decode_useragent(loaded.useragent)
    assert time.process_time() - started < 1
    if isinstance(loaded, list):
        assert loaded
        for row in loaded:
            assert isinstance(row, BadRow)
            row.to_json()


@pytest.mark.parametrize("input_format", FORMATS)
@pytest.mark.parametrize("record", [b"", "", b"\xff\xfe", "\ud800", "\x00", bytearray(b"abc"), memoryview(b"abc")])
def test_odd_types_and_bytes_have_an_outcome(input_format: str, record: bytes | str) -> None:
    _ends_well(input_format, record)


LONG_LINES: dict[str, Callable[[], str]] = {
    "blanks": lambda: " " * MEGABYTE,
    "blanks between": lambda: "a" + " " * MEGABYTE + "b",
    "columns": lambda: "a " * (MEGABYTE // 2),
    "blanks behind the columns": lambda: samples.CLOUDFRONT_12 + " " * MEGABYTE + "x" + " " * 1000 + "y ",
    "blanks before the method": lambda: samples.CLOUDFRONT_12.replace("\tGET", " " * MEGABYTE + "PUT"),
    "one column": lambda: "a" * MEGABYTE,
    "query of escapes": lambda: samples.cloudfront_line(query="a=" + "%41" * (MEGABYTE // 3)),
    "query of broken escapes": lambda: samples.cloudfront_line(query="a=" + "%4" * (MEGABYTE // 2)),
    "query of pairs": lambda: samples.cloudfront_line(query="a&" * (MEGABYTE // 2)),
    "query beyond ASCII": lambda: samples.cloudfront_line(query="é&" * (MEGABYTE // 3)),
    "query of nulls": lambda: samples.cloudfront_line(query="%00&" * (MEGABYTE // 4)),
    "date": lambda: samples.cloudfront_line(date="2" * MEGABYTE),
    "path": lambda: samples.cloudfront_line(path="/" * MEGABYTE),
    "user agent": lambda: samples.cloudfront_line(useragent="%2520" * (MEGABYTE // 5)),
    "referer": lambda: samples.cloudfront_line(referer="%" * MEGABYTE),
    "address": lambda: samples.cloudfront_line(forwarded_for="1" * MEGABYTE + "\x85"),
    "nested JSON": lambda: "[" * (MEGABYTE // 2) + "]" * (MEGABYTE // 2),
    "long number": lambda: "1" * MEGABYTE,
    "long string": lambda: '"' + "\\u0041" * (MEGABYTE // 6) + '"',
    "body": lambda: samples.clj_tomcat_line(body="!" * MEGABYTE),
    "content type": lambda: samples.clj_tomcat_line(content_type="%41" * (MEGABYTE // 3)),
    "line ends": lambda: "\r\n" * (MEGABYTE // 2) + "a",
}


@pytest.mark.parametrize("name", LONG_LINES)
@pytest.mark.parametrize("input_format", FORMATS[1:])
def test_a_long_line_takes_less_than_a_second(input_format: str, name: str) -> None:
    _ends_well(input_format, LONG_LINES[name]())


LONG_RECORDS: dict[str, Callable[[], bytes]] = {
    "zeros": lambda: bytes(MEGABYTE),
    "list of empty structs": lambda: b"\x0f\x00\x01\x0c" + (MEGABYTE).to_bytes(4, "big") + bytes(MEGABYTE + 1),
    "list of structs": lambda: b"\x0f\x00\x01\x0c" + (200_000).to_bytes(4, "big") + b"\x02\x00\x01\x00\x00" * 200_000,
    "map of empty structs": lambda: b"\x0d\x00\x01\x0c\x0c" + (MEGABYTE // 2).to_bytes(4, "big") + bytes(MEGABYTE + 1),
    "nested structs": lambda: b"\x0c\x00\x01" * (MEGABYTE // 4) + bytes(MEGABYTE // 4 + 1),
    "nested lists": lambda: b"\x0f\x00\x01" + b"\x0f\x00\x00\x00\x01" * (MEGABYTE // 5),
    "list of empty texts": lambda: b"\x0f\x01\x5e\x0b" + (MEGABYTE // 4).to_bytes(4, "big") + bytes(MEGABYTE + 1),
    "list of booleans": lambda: b"\x0f\x00\x01\x02" + (MEGABYTE).to_bytes(4, "big") + bytes(MEGABYTE + 1),
    "headers": lambda: samples.thrift_record(headers=["X-Forwarded-For: x"] * (MEGABYTE // 22)),
    "forwarding header": lambda: samples.thrift_record(headers=["X-Forwarded-For: " + "a" * MEGABYTE + "\n"]),
    "base64": lambda: b"A" * MEGABYTE,
}


@pytest.mark.parametrize("name", LONG_RECORDS)
def test_a_long_record_takes_less_than_a_second(name: str) -> None:
    _ends_well("thrift", LONG_RECORDS[name]())


@pytest.mark.slow
@pytest.mark.parametrize("input_format", FORMATS)
def test_a_hundred_thousand_mutations(input_format: str) -> None:
    randomness = random.Random(input_format)
    mutate = _mutate_bytes if input_format == "thrift" else _mutate_text
    originals = samples.records(input_format)
    for _ in range(100_000):
        _ends_well(input_format, mutate(randomness, randomness.choice(originals)))


def _mutate_bytes(randomness: random.Random, record: bytes) -> bytes:
    mutated = bytearray(record)
    for _ in range(randomness.randint(1, 4)):
        at = randomness.randrange(len(mutated) + 1)
        piece = bytes(
            randomness.choice(b"\x00\x01\x02\x08\x0a\x0b\x0c\x0d\x0e\x0f\x7f\xff%")
            for _ in range(randomness.randint(0, 4))
        )
        mutated[at : at + randomness.randint(0, 4)] = piece
    return bytes(mutated)


_PIECES = [
    "\t",
    " ",
    "  ",
    "%",
    "%25",
    "%zz",
    "+",
    "-",
    "#Version:",
    "\n",
    "\r",
    "\x85",
    "\u2028",
    "é",
    "😀",
    "\ud800",
    "\x00",
    '"',
    "{",
    "[",
    "1e9",
    "POST",
    "=",
]


def _mutate_text(randomness: random.Random, record: str) -> str:
    for _ in range(randomness.randint(1, 4)):
        at = randomness.randrange(len(record) + 1)
        record = record[:at] + randomness.choice(_PIECES) + record[at + randomness.randint(0, 8) :]
    return record
