"""Records nobody would write: nothing escapes, nothing takes long, everything is accounted for."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import pytest

from snowetl.collector import formats, loader_for
from snowetl.collector.loader import Loaded, Loader
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.payload import CollectorPayload
from tests.collector import samples
from tests.growth import assert_linear

ORIGIN = Origin("test", "1.0.0", 0)
FORMATS = tuple(f"{name}/com.acme/v1" if kind.takes_adapter else name for name, kind in formats().items())
SIZE = 400_000


def _ends_well(input_format: str, record: bytes | str) -> None:
    loaded = _load(loader_for(input_format, ORIGIN, try_base64=True), record)
    if isinstance(loaded, list):
        assert loaded
        for row in loaded:
            assert isinstance(row, BadRow)
            row.to_json()


def _load(loader: Loader, record: bytes | str) -> Loaded:
    loaded = loader.load(record)
    if isinstance(loaded, CollectorPayload) and loaded.useragent is not None:
        loader.decode_useragent(loaded.useragent)
    return loaded


def _takes_linear_time(input_format: str, make: Callable[[int], bytes | str]) -> None:
    _ends_well(input_format, make(SIZE))
    loader = loader_for(input_format, ORIGIN, try_base64=True)
    assert_linear(lambda size: partial(_load, loader, make(size)), SIZE)


@pytest.mark.parametrize("input_format", FORMATS)
@pytest.mark.parametrize("record", [b"", "", b"\xff\xfe", "\ud800", "\x00"])
def test_odd_types_and_bytes_have_an_outcome(input_format: str, record: bytes | str) -> None:
    _ends_well(input_format, record)


LONG_LINES: dict[str, Callable[[int], str]] = {
    "blanks": lambda size: " " * size,
    "blanks between": lambda size: "a" + " " * size + "b",
    "columns": lambda size: "a " * (size // 2),
    "blanks behind the columns": lambda size: samples.CLOUDFRONT_12 + " " * size + "x" + " " * 1000 + "y ",
    "blanks before the method": lambda size: samples.CLOUDFRONT_12.replace("\tGET", " " * size + "PUT"),
    "one column": lambda size: "a" * size,
    "query of escapes": lambda size: samples.cloudfront_line(query="a=" + "%41" * (size // 3)),
    "query of broken escapes": lambda size: samples.cloudfront_line(query="a=" + "%4" * (size // 2)),
    "query of pairs": lambda size: samples.cloudfront_line(query="a&" * (size // 2)),
    "query beyond ASCII": lambda size: samples.cloudfront_line(query="é&" * (size // 3)),
    "query of nulls": lambda size: samples.cloudfront_line(query="%00&" * (size // 4)),
    "date": lambda size: samples.cloudfront_line(date="2" * size),
    "path": lambda size: samples.cloudfront_line(path="/" * size),
    "user agent": lambda size: samples.cloudfront_line(useragent="%2520" * (size // 5)),
    "referer": lambda size: samples.cloudfront_line(referer="%" * size),
    "address": lambda size: samples.cloudfront_line(forwarded_for="1" * size + "\x85"),
    "nested JSON": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "long number": lambda size: "1" * size,
    "long string": lambda size: '"' + "\\u0041" * (size // 6) + '"',
    "body": lambda size: samples.clj_tomcat_line(body="!" * size),
    "content type": lambda size: samples.clj_tomcat_line(content_type="%41" * (size // 3)),
    "line ends": lambda size: "\r\n" * (size // 2) + "a",
    "object with many fields": lambda size: "{" + ",".join(f'"{n}":1' for n in range(size // 8)) + "}",
    "object with a long field": lambda size: samples.cloudfront_object(cs_uri_query="a=%2520" * (size // 7)),
    "object of blanks": lambda size: "{" + " " * size,
    "header alone": lambda size: "#Fields: " + "a " * (size // 2),
    "many named columns": lambda size: "#Fields: " + "a " * (size // 4) + "\n" + "b\t" * (size // 4),
    "row without end": lambda size: samples.cloudfront_row() + "\t" * size,
    "real-time row": lambda size: samples.realtime_row(cs_uri_stem="/i?" + "a=%20&" * (size // 6)),
    "quotes": lambda size: samples.alb_line()[:80] + '"' * size,
    "quoted words": lambda size: samples.alb_line()[:80] + ' "x" ' * (size // 5),
    "request line of blanks": lambda size: samples.alb_line(request='"GET ' + " " * size + '"'),
    "request without end": lambda size: samples.alb_line(request='"GET https://' + "a/?" * (size // 3) + '"'),
    "escaped user agent": lambda size: samples.alb_line(useragent='"' + r"\x22" * (size // 4) + '"'),
    "client": lambda size: samples.alb_line(client=":" * size),
    "times": lambda size: samples.alb_line(received="2" * size),
}


@pytest.mark.growth
@pytest.mark.parametrize("name", LONG_LINES)
@pytest.mark.parametrize("input_format", FORMATS[1:])
def test_a_long_line_takes_linear_time(input_format: str, name: str) -> None:
    _takes_linear_time(input_format, LONG_LINES[name])


LONG_RECORDS: dict[str, Callable[[int], bytes]] = {
    "zeros": lambda size: bytes(size),
    "list of empty structs": lambda size: b"\x0f\x00\x01\x0c" + size.to_bytes(4, "big") + bytes(size + 1),
    "list of structs": lambda size: (
        b"\x0f\x00\x01\x0c" + (size // 5).to_bytes(4, "big") + b"\x02\x00\x01\x00\x00" * (size // 5)
    ),
    "map of empty structs": lambda size: b"\x0d\x00\x01\x0c\x0c" + (size // 2).to_bytes(4, "big") + bytes(size + 1),
    "nested structs": lambda size: b"\x0c\x00\x01" * (size // 4) + bytes(size // 4 + 1),
    "nested lists": lambda size: b"\x0f\x00\x01" + b"\x0f\x00\x00\x00\x01" * (size // 5),
    "list of empty texts": lambda size: b"\x0f\x01\x5e\x0b" + (size // 4).to_bytes(4, "big") + bytes(size + 1),
    "list of booleans": lambda size: b"\x0f\x00\x01\x02" + size.to_bytes(4, "big") + bytes(size + 1),
    "headers": lambda size: samples.thrift_record(headers=["X-Forwarded-For: x"] * (size // 22)),
    "forwarding header": lambda size: samples.thrift_record(headers=["X-Forwarded-For: " + "a" * size + "\n"]),
    "base64": lambda size: b"A" * size,
}


@pytest.mark.growth
@pytest.mark.parametrize("name", LONG_RECORDS)
def test_a_long_record_takes_linear_time(name: str) -> None:
    _takes_linear_time("thrift", LONG_RECORDS[name])


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
