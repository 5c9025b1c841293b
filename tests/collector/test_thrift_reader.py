"""The binary protocol: read by hand, held against thriftpy2 and against libthrift's words."""

from __future__ import annotations

import struct
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from thriftpy2.protocol.binary import TBinaryProtocolFactory
from thriftpy2.thrift import TPayload, TType
from thriftpy2.utils import serialize

from snowetl.collector import thrift_reader as reader
from snowetl.collector.thrift_reader import ThriftError, Walker, read_usual
from snowetl.collector.thrift_writer import write_struct
from snowetl.jvm.strings import decode_utf8
from tests.collector.samples import thrift_record
from tests.examples import examples


def _spec(known: dict[int, Any]) -> dict[int, tuple[Any, ...]]:
    kinds = {reader.STRING: (TType.STRING,), reader.I64: (TType.I64,), reader.LIST: (TType.LIST,)}
    return {
        field: (*kinds[kind], f"f{field}", *((TType.STRING,) if kind == reader.LIST else ()), False)
        for field, kind in sorted(known.items())
    }


class _Payload(TPayload):  # type: ignore[misc]
    thrift_spec: ClassVar[Any] = _spec(reader.COLLECTOR_PAYLOAD)
    default_spec: ClassVar[Any] = [(spec[1], None) for spec in thrift_spec.values()]


_TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(["", "é", "😀" * 100, "x" * 300]))
_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        field: {reader.STRING: _TEXTS, reader.I64: st.integers(-(2**63), 2**63 - 1), reader.LIST: st.lists(_TEXTS)}[
            kind
        ]
        for field, kind in reader.COLLECTOR_PAYLOAD.items()
    },
)


@examples(3)
@given(_FIELDS)
def test_equal_to_thriftpy2(fields: dict[int, Any]) -> None:
    theirs = _Payload()
    for field, value in fields.items():
        setattr(theirs, f"f{field}", value)
    record = serialize(theirs, TBinaryProtocolFactory())
    assert write_struct(fields) == record
    assert Walker(record).read_record(reader.COLLECTOR_PAYLOAD) == fields


def _walked(record: bytes) -> dict[int, Any]:
    fields = Walker(record).read_record(reader.COLLECTOR_PAYLOAD)
    del fields[reader.SCHEMA]
    return fields


def _usual(record: bytes) -> dict[int, Any] | None:
    fields = read_usual(record)
    if fields is not None and reader.BODY in fields:
        fields[reader.BODY] = decode_utf8(fields[reader.BODY])
    return fields


@examples(3)
@given(_FIELDS)
def test_both_ways_agree(fields: dict[int, Any]) -> None:
    fields.pop(reader.SCHEMA, None)
    record = write_struct(fields)[:-1] + thrift_record()  # the last of repeated fields wins
    assert _usual(record) == _walked(record)


@given(st.binary(max_size=40), st.integers(0, 200))
def test_damage_never_passes_as_usual(piece: bytes, at: int) -> None:
    record = thrift_record()
    damaged = record[:at] + piece + record[at:]
    fields = _usual(damaged)
    if fields is not None:
        known = {field: value for field, value in fields.items() if field in reader.COLLECTOR_PAYLOAD}
        assert known == _walked(damaged)


@pytest.mark.parametrize(
    "record",
    [
        thrift_record() + b"behind",
        thrift_record(schema="iglu:com.snowplowanalytics.snowplow/CollectorPayload/thrift/1-0-1"),
        b"\x02\x00\x01\x01" + thrift_record(),
        b"\x0b\x00\xc8\x00\x00\x00\x01x" + thrift_record(timestamp=None),
        b"\x0b\x01\x5e\x00\x00\x00\x01x" + thrift_record(headers=None),
        b"\x0f\x01\x5e\x08\x00\x00\x00\x01\x00\x00\x00\x00" + thrift_record(headers=None),
    ],
)
def test_what_is_unusual_is_left_to_the_walker(record: bytes) -> None:
    assert read_usual(record) is None
    assert Walker(record).sniff_schema() is not None


def _text(field: int, value: bytes) -> bytes:
    return struct.pack(">bhi", reader.STRING, field, len(value)) + value


def _closed(got: int, wanted: int) -> str:
    return (
        f"Cannot read. Remote side has closed. Tried to read {wanted} bytes, but only got {got} bytes. "
        "(This is often indicative of an internal error on the server side. Please check your server logs.)"
    )


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b"", _closed(0, 1)),
        (b"\x0b\x00", _closed(1, 2)),
        (b"\x0b\x00\x64\x00\x00\x00", _closed(3, 4)),
        (b"\x0b\x00\x64\x00\x00\x00\x05abc", _closed(3, 5)),
        (b"\x0a\x00\xc8\x01\x02", _closed(2, 8)),
        (_text(100, b"x"), _closed(0, 1)),
        (b"\x01\x00\x01", "Unrecognized type 1"),
        (b"\xff\x00\x01", "Unrecognized type -1"),
        (b"\x0b\x00\x64\xff\xff\xff\xfb", "Negative length: -5"),
        (b"\x0f\x00\x64\x0b\xff\xff\xff\xff", "Negative length: -1"),
        (b"\x0d\x00\x64\x0b\x0b\xff\xff\xff\xff", "Negative length: -1"),
        (b"\x0b\x00\x64\x06\x40\x00\x01", "MaxMessageSize reached"),
        (b"\x0b\x00\x64\x06\x40\x00\x00", _closed(0, 104857600)),
        (b"\x0f\x00\x64\x0b\x01\x90\x00\x01", "MaxMessageSize reached"),
        (b"\x0f\x00\x64\x0a\x20\x00\x00\x00", _closed(0, 8)),  # 2^29 times 8 is 0 for Java
        (b"\x0d\x00\x64\x0a\x0a\x20\x00\x00\x00", "MaxMessageSize reached"),
        (b"\x0e\x00\x64\x05\x00\x00\x00\x01", "unrecognized type code"),
        (b"\x0f\x00\x64\x00\x00\x00\x00\x01", "Unrecognized type 0"),
        (b"\x7a" + b"\0" * 20, "Unrecognized type 122"),
        (b"\x0b\x7a\x69\xff\xff\xff\xfb\x00", "offset 7, count -5, length 8"),
    ],
)
def test_damage_in_the_words_of_libthrift(record: bytes, message: str) -> None:
    with pytest.raises(ThriftError) as caught:
        Walker(record).sniff_schema()
    assert str(caught.value) == message


def test_containers_are_passed_over_whole() -> None:
    nested = b"\x0c\x00\x07" + b"\x0f\x00\x01\x0c\x00\x00\x00\x02" + b"\x00" + b"\x02\x00\x01\x01\x00" + b"\x00"
    numbers = b"\x0d\x00\x08\x03\x0a\x00\x00\x00\x02" + bytes(18)
    texts = b"\x0d\x00\x09\x0b\x0f\x00\x00\x00\x01" + b"\x00\x00\x00\x01k" + b"\x02\x00\x00\x00\x03abc"
    record = nested + numbers + texts + _text(100, b"ip") + b"\0"
    assert Walker(record).read_record(reader.COLLECTOR_PAYLOAD) == {100: "ip"}


def test_elements_of_a_known_list_are_read_as_texts_whatever_their_type() -> None:
    record = b"\x0f\x01\x5e\x08\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    assert Walker(record).read_record(reader.COLLECTOR_PAYLOAD) == {reader.HEADERS: ["", ""]}
    broken = b"\x0f\x01\x5e\x08\x00\x00\x00\x01\x00\x00\x02\x00\x00"
    walker = Walker(broken)
    assert walker.sniff_schema() is None
    with pytest.raises(ThriftError, match="Tried to read 512 bytes, but only got 1 bytes"):
        walker.read_record(reader.COLLECTOR_PAYLOAD)
