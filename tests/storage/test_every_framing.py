"""Any list of Thrift records, in any framing and container, cut anywhere: each is a record or a named damage (L1)."""

from __future__ import annotations

import base64
import bz2
import gzip
from collections.abc import Callable
from itertools import cycle

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from snowetl.collector import thrift_reader as reader
from snowetl.collector.thrift_writer import SCHEMA, write_struct
from snowetl.storage import lzop_writer
from snowetl.storage.records import Damage, Record
from snowetl.storage.structs import read_records
from tests.growth import assert_linear
from tests.storage.helpers import read_all
from tests.storage.test_structs import pieces

TEXTS = st.one_of(
    st.sampled_from(["", "::1", "\n", "\0", "\0\n", "a\r\n", "unknown", "198.18.0.7"]), st.text(max_size=30)
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys((reader.IP_ADDRESS, reader.ENCODING, reader.COLLECTOR, reader.USER_AGENT, reader.PATH), TEXTS),
        **dict.fromkeys((reader.QUERYSTRING, reader.BODY, reader.HOSTNAME, reader.NETWORK_USERID), TEXTS),
        reader.HEADERS: st.lists(TEXTS, max_size=3),
    },
)


@st.composite
def collector_payloads(draw: st.DrawFn) -> bytes:
    timestamp = draw(st.sampled_from([0, 1, 0x0B0064, 1_700_000_000_000, 1_700_000_000_256]))
    return write_struct({**draw(FIELDS), reader.TIMESTAMP: timestamp, reader.SCHEMA: SCHEMA})


@st.composite
def raw_events(draw: st.DrawFn) -> bytes:
    """The struct before CollectorPayload, which begins with a line feed."""
    fields = {1: draw(st.integers(0, 2**41)), 20: "c", 30: "UTF-8", 40: draw(TEXTS), 41: {1: 1, 2: 1, 3: draw(TEXTS)}}
    return write_struct(fields, reader.RAW_EVENT)


RECORDS = st.lists(st.one_of(collector_payloads(), raw_events()), min_size=1, max_size=6)


def joined(*ends: bytes) -> Callable[[list[bytes]], bytes]:
    return lambda records: b"".join(record + end for record, end in zip(records, cycle(ends), strict=False))


def messages(compress: Callable[[bytes], bytes], end: bytes = b"") -> Callable[[list[bytes]], bytes]:
    return lambda records: b"".join(compress(record) + end for record in records)


def one_message(records: list[bytes]) -> bytes:
    """All records in one compressed message, as a collector packs them."""
    return zstandard.compress(b"".join(records))


STRUCTS = {
    "back to back": joined(b""),
    "line feeds": joined(b"\n"),
    "returns and line feeds": joined(b"\r\n"),
    "mixed": joined(b"", b"\n", b"\n\n", b"", b"\r\n"),
}
FRAMINGS = {
    **STRUCTS,
    "base64 lines": lambda records: b"".join(base64.b64encode(record) + b"\n" for record in records),
    "base64 lines after structs": lambda records: records[0] + b"\n" + b"\n".join(map(base64.b64encode, records[1:])),
    "blocks": lzop_writer.record_blocks,
    "gzip messages": messages(gzip.compress),
    "zstd messages": messages(zstandard.compress, b"\n"),
    "one message": one_message,
    "compressed messages after a struct": lambda records: (
        records[0] + b"\n" + b"".join(gzip.compress(record) + b"\n" for record in records[1:])
    ),
    "blocks of compressed messages": lambda records: lzop_writer.record_blocks([gzip.compress(r) for r in records]),
    "base64 lines of compressed messages": lambda records: b"\n".join(
        base64.b64encode(zstandard.compress(record)) for record in records
    ),
}


def members(compress: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Two compressed files, one behind the other, with the border amid a record."""
    return lambda content: compress(content[: len(content) // 2]) + compress(content[len(content) // 2 :])


CONTAINERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "bzip2": bz2.compress,
    "lzop": lambda content: lzop_writer.compress(content)[0],
}
MEMBERS = {
    "gzip members": members(gzip.compress),
    "zstd frames": members(zstandard.compress),
    "bzip2 streams": members(bz2.compress),
}
CONTAINERS |= MEMBERS
LONGEST_MAGIC = 9
"""That of lzop."""


@pytest.mark.slow
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("container", CONTAINERS)
@given(records=RECORDS)
def test_L1_every_record_of_every_framing(container: str, framing: str, records: list[bytes]) -> None:
    assert read_all(CONTAINERS[container](FRAMINGS[framing](records)), binary=True) == (records, [])


@pytest.mark.parametrize("framing", STRUCTS)
@given(records=RECORDS, size=st.integers(1, 40))
def test_numbers_differ_and_pieces_do_not_matter(framing: str, records: list[bytes], size: int) -> None:
    items = list(read_records(pieces(STRUCTS[framing](records), size), "f"))
    assert [item.data for item in items] == records
    assert len({item.number for item in items if isinstance(item, Record)}) == len(records)


def places(whole: bytes, records: list[bytes]) -> list[tuple[int, int]]:
    """Start and end of each record in a file of bare structs."""
    found, at = [], 0
    for record in records:
        at = whole.index(record, at)
        found.append((at, at + len(record)))
        at += len(record)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("container", CONTAINERS)
@given(records=RECORDS, share=st.floats(0, 1))
def test_L1_a_file_cut_off_anywhere(container: str, framing: str, records: list[bytes], share: float) -> None:
    whole = CONTAINERS[container](FRAMINGS[framing](records))
    cut = whole[: int(len(whole) * share)]
    found, damages = read_all(cut, binary=True)
    intact = 0
    while intact < min(len(found), len(records)) and found[intact] == records[intact]:
        intact += 1
    missing = len(records) - intact
    if container == "plain" and framing in STRUCTS:
        assert intact == sum(end <= len(cut) for _, end in places(whole, records))
        left = cut[places(whole, records)[intact][0] :] if missing else b""
        assert len(found) == intact + bool(left.strip(b"\r\n")), "the cut record is told of"
    elif missing and len(found) == intact and not damages:
        # nothing but a whole number of lines, blocks or members was left
        assert container in ("plain", "lzop", *MEMBERS) or not cut


@pytest.mark.parametrize("framing", STRUCTS)
@given(records=RECORDS, share=st.floats(0, 1))
def test_L1_a_file_whose_beginning_is_missing(framing: str, records: list[bytes], share: float) -> None:
    whole = STRUCTS[framing](records)
    cut = int(len(whole) * share)
    found, damages = read_all(whole[cut:], binary=True)
    assert not damages
    intact = [whole[start:end] for start, end in places(whole, records) if start >= cut]
    assert found[len(found) - len(intact) :] == intact


@pytest.mark.parametrize("framing", STRUCTS)
@given(records=RECORDS, share=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255))
def test_L1_no_byte_is_lost_where_one_is_damaged(framing: str, records: list[bytes], share: float, bits: int) -> None:
    broken = bytearray(STRUCTS[framing](records))
    broken[int(len(broken) * share)] ^= bits
    found, damages = read_all(bytes(broken), binary=True)
    assert not damages
    content = b"".join(record if isinstance(record, bytes) else record.encode() for record in found)
    assert len(content.translate(None, b"\r\n")) >= len(bytes(broken).translate(None, b"\r\n"))


LOG_LINES = st.lists(
    st.text(st.characters(exclude_characters="\r\n\ufeff", exclude_categories=("Cs",)), min_size=1),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("container", CONTAINERS)
@given(lines=LOG_LINES, end=st.sampled_from(["\n", "\r\n"]), ends=st.booleans())
def test_L1_every_line_of_a_log(container: str, lines: list[str], end: str, ends: bool) -> None:
    content = (end.join(lines) + end * ends).encode()
    assert read_all(CONTAINERS[container](content)) == (lines, [])


@pytest.mark.parametrize("container", CONTAINERS)
@given(lines=LOG_LINES, share=st.floats(0, 1))
def test_L1_a_log_cut_off_anywhere(container: str, lines: list[str], share: float) -> None:
    """The lines before the cut are there as they were; of the rest a damage tells, or the line that is cut."""
    whole = CONTAINERS[container]("".join(f"{line}\n" for line in lines).encode())
    cut = whole[: int(len(whole) * share)]
    found, damages = read_all(cut)
    if container != "plain" and len(cut) < LONGEST_MAGIC:
        assert found or damages or not cut, "what does not tell its container is read as it stands"
        return
    intact = 0
    while intact < len(found) and found[intact] == lines[intact]:
        intact += 1
    assert intact >= len(found) - 1
    if container == "plain":
        assert not damages and intact >= cut.count(b"\n")
    elif intact < len(lines):
        assert damages or container in ("lzop", *MEMBERS)


def test_L1_fifty_records_of_firehose() -> None:
    records = [
        write_struct({reader.IP_ADDRESS: "::1", reader.TIMESTAMP: i, reader.BODY: "\0\n" * i, reader.SCHEMA: SCHEMA})
        for i in range(50)
    ]
    for container in CONTAINERS.values():
        assert read_all(container(b"".join(records)), binary=True) == (records, [])


def test_what_is_left_over_after_a_struct_is_a_record_of_its_own() -> None:
    record = write_struct({reader.IP_ADDRESS: "198.18.0.7", reader.TIMESTAMP: 1, reader.SCHEMA: SCHEMA})
    for rest in (b"\0", b"xyz", b"\x0b\0\x64\0\0\xff", record[:-5]):
        assert read_all(record + rest, binary=True) == ([record, rest], [])
        assert read_all(record + rest + b"\n" + record, binary=True) == ([record, rest, record], [])


def test_L13_a_tail_is_delivered_as_it_is() -> None:
    record = write_struct({reader.IP_ADDRESS: "198.18.0.7", reader.TIMESTAMP: 1, reader.SCHEMA: SCHEMA})
    for tail in (b"\x0b\0\x64\0\0\0\x09abc\\n", b"\x0b\0\x64\0\0\0\x09abc\n"):
        assert read_all(record + tail, binary=True) == ([record, tail], [])


def test_a_broken_compressed_message_is_a_record() -> None:
    record = write_struct({reader.IP_ADDRESS: "198.18.0.7", reader.TIMESTAMP: 1, reader.SCHEMA: SCHEMA})
    broken = gzip.compress(record)[:-9] + b"\xff\xff\xff"
    assert read_all(record + broken + b"\n" + record, binary=True) == ([record, broken, record], [])


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "fields without end": lambda size: b"\x0b\0\x64\0\0\0\0" * (size // 7),
    "beginnings in sight of the end": lambda size: (b"\0\x0b\0\x64\x03\xff\xff\xff") * (size // 8),
    "lists of texts": lambda size: (b"\0\x0b\0\x64\0\0\0\0\x0f\x01\x5e\x0b\0\x0f\x42\x40") * (size // 16),
    "nested structs": lambda size: (b"\x0c\0\1" * 60 + b"\0") * (size // 181),
    "gzip beginnings": lambda size: b"\x1f\x8b\x08\0\0\0\0\0\0\0" * (size // 10),
    "gzip of a long text": lambda size: gzip.compress(b"\0" * size)[:-12] * 20,
    "line feeds": lambda size: b"\n" * size,
    "line feeds and zeros": lambda size: b"\0\n" * (size // 2),
    "base64 beginnings": lambda size: b"CwBk\n" * (size // 5),
    "one base64 line": lambda size: b"CwBk" * (size // 4),
    "maps": lambda size: b"\0\n\x0d\0\1\x0b\x0b\0\0\1\0" * (size // 11),
}


@pytest.mark.parametrize("shape", HOSTILE)
def test_time_is_linear_in_hostile_bytes(shape: str) -> None:
    def prepare(size: int) -> Callable[[], int]:
        content = HOSTILE[shape](size)
        return lambda: sum(1 for _ in read_records(pieces(content, 1 << 18), "f"))

    assert_linear(prepare, 1_000_000, shape)


@given(
    st.lists(st.sampled_from([*(HOSTILE[name](40) for name in HOSTILE), b"\0", b"\x0b\0\x64\0\0\0\1a\0"]), max_size=5)
)
def test_hostile_bytes_end_as_records(parts: list[bytes]) -> None:
    content = b"".join(parts)
    items = list(read_records(pieces(content, 7), "f"))
    if b"\x1f\x8b" not in content and b"CwBk" not in content:
        assert not any(isinstance(item, Damage) for item in items)
        found = b"".join(item.data for item in items if isinstance(item.data, bytes))
        assert found.translate(None, b"\r\n") == content.translate(None, b"\r\n")
