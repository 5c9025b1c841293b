"""Thrift's binary protocol, by hand: as fast as a C reader for sound records, the reference's words for others.

Source: libthrift 0.15 ``TBinaryProtocol`` and ``TProtocolUtil``, as enrich 3.9.0 ``ThriftLoader`` calls them. Every
record is first read in one pass that expects what collectors write. What it does not expect (another struct, an unknown
field, damage) is read again by :class:`Walker`, step by step as libthrift does.
"""

from __future__ import annotations

import re
import struct
from typing import Any, Final

from snowetl.jvm.strings import decode_utf8

STOP: Final = 0
BOOL: Final = 2
BYTE: Final = 3
DOUBLE: Final = 4
I16: Final = 6
I32: Final = 8
I64: Final = 10
STRING: Final = 11
STRUCT: Final = 12
MAP: Final = 13
SET: Final = 14
LIST: Final = 15

MAX_MESSAGE_SIZE: Final = 104_857_600

Fields = dict[int, Any]
"""Field id -> value: text, integer, list of texts, or the fields of a nested struct."""

IP_ADDRESS: Final = 100
TIMESTAMP: Final = 200
ENCODING: Final = 210
COLLECTOR: Final = 220
USER_AGENT: Final = 300
REFERER: Final = 310
PATH: Final = 320
QUERYSTRING: Final = 330
BODY: Final = 340
HEADERS: Final = 350
CONTENT_TYPE: Final = 360
HOSTNAME: Final = 400
NETWORK_USERID: Final = 410
SCHEMA: Final = 31337
COLLECTOR_PAYLOAD: Final[dict[int, Any]] = {
    **dict.fromkeys((IP_ADDRESS, ENCODING, COLLECTOR, USER_AGENT, REFERER, PATH, QUERYSTRING, BODY), STRING),
    **dict.fromkeys((CONTENT_TYPE, HOSTNAME, NETWORK_USERID, SCHEMA), STRING),
    TIMESTAMP: I64,
    HEADERS: LIST,
}
"""CollectorPayload: field id -> type; lists are lists of text."""

_SNIFFER: Final[dict[int, Any]] = {SCHEMA: STRING}
_TRACKER_PAYLOAD: Final[dict[int, Any]] = {1: I32, 2: I32, 3: STRING}
RAW_EVENT: Final[dict[int, Any]] = {
    1: I64,
    41: _TRACKER_PAYLOAD,
    70: LIST,
    **dict.fromkeys((20, 30, 40, 45, 50, 60, 80), STRING),
}
"""SnowplowRawEvent, the struct before CollectorPayload; field 41 is a struct of its own."""

_FIXED_SIZES: Final = {BOOL: 1, BYTE: 1, I16: 2, I32: 4, I64: 8, DOUBLE: 8}
_LEAST_SIZES: Final = {**_FIXED_SIZES, STOP: 0, 1: 0, STRING: 4, STRUCT: 0, MAP: 4, SET: 4, LIST: 4}

_long: Final = struct.Struct(">q").unpack_from
_NONE: Final[list[str]] = []
_USUAL_SCHEMA: Final = b"iglu:com.snowplowanalytics.snowplow/CollectorPayload/thrift/1-0-0"
_USUAL_END: Final = struct.pack(">bhI", STRING, SCHEMA, len(_USUAL_SCHEMA)) + _USUAL_SCHEMA + b"\0"
_STOPS: Final = re.compile(rb"\0*")


def _size_at(record: bytes, at: int) -> int:
    return record[at] << 24 | record[at + 1] << 16 | record[at + 2] << 8 | record[at + 3]


class ThriftError(ValueError):
    """A record that is no such struct; the message is libthrift's."""


def read_usual(record: bytes) -> Fields | None:
    """The fields of a sound CollectorPayload that ends with the usual schema, as collectors write it; ``None`` for what
    looks different.

    The schema itself is left out, the body left as bytes. Fields it does not know are read too, if they are texts;
    nobody asks for them.
    """
    if not record.endswith(_USUAL_END) or len(record) > MAX_MESSAGE_SIZE:
        return None
    text = record.decode("latin-1")
    end = len(record) - len(_USUAL_END)
    fields: Fields = {}
    at = 0
    try:
        while at != end:  # once beyond the end, it runs into something unexpected
            kind = record[at]
            field = record[at + 1] << 8 | record[at + 2]
            if kind == STRING:
                start = at + 7
                at = start + _size_at(record, at + 3)
                if field == BODY:
                    fields[field] = record[start:at]
                    continue
                value = text[start:at]
                fields[field] = value if value.isascii() else decode_utf8(record[start:at])
            elif kind == I64 and field == TIMESTAMP:
                fields[field] = _long(record, at + 3)[0]
                at += 11
            elif kind == LIST and field == HEADERS and record[at + 3] == STRING:
                headers: list[str] = []
                count = _size_at(record, at + 4)
                at += 8
                for _ in range(count):
                    start = at + 4
                    at = start + _size_at(record, at)
                    value = text[start:at]
                    headers.append(value if value.isascii() else decode_utf8(record[start:at]))
                fields[field] = headers
            else:
                return None
    except (IndexError, struct.error):
        return None
    if type(fields.get(TIMESTAMP, 0)) is int and type(fields.get(HEADERS, _NONE)) is list:
        return fields
    return None


class Walker:
    """Reads a record as libthrift does; ``at`` is where it is. Its methods raise :class:`ThriftError`."""

    def __init__(self, record: bytes) -> None:
        self.record = record
        self.at = 0
        self.ends: dict[tuple[int, int], int] = {}

    def sniff_schema(self) -> str | None:
        """The schema a record names, if it names one. Walks the whole record, so all damage shows here."""
        schema: str | None = self.read_record(_SNIFFER).get(SCHEMA)
        return schema

    def read_record(self, known: dict[int, Any]) -> Fields:
        """The known fields of the record, from its start; what comes behind its end is ignored."""
        self.at = 0
        return self.read(known)

    def read(self, known: dict[int, Any]) -> Fields:
        """A struct's known fields; the last of repeated ones wins, those of another type are passed over."""
        fields: Fields = {}
        while True:
            kind = self.number(1)
            if kind == STOP:
                return fields
            field = self.number(2)
            expected = known.get(field)
            if isinstance(expected, dict):
                if kind == STRUCT:
                    fields[field] = self.read(expected)
                    continue
            elif kind == expected:
                fields[field] = self.value(kind)
                continue
            self.skip(kind)

    def value(self, kind: int) -> Any:
        if kind == STRING:
            return self.string()
        if kind == LIST:
            _, count = self.list_head()
            return [self.string() for _ in range(count)]
        return self.number(_FIXED_SIZES[kind])

    def number(self, size: int) -> int:
        start = self.at
        end = self.at = start + size
        if end > len(self.record):
            self.at = start
            self.take(size)  # which raises
        return int.from_bytes(self.record[start:end], "big", signed=True)

    def take(self, size: int) -> bytes:
        taken = self.record[self.at : self.at + size]
        if len(taken) < size:
            raise ThriftError(
                f"Cannot read. Remote side has closed. Tried to read {size} bytes, but only got {len(taken)} bytes. "
                "(This is often indicative of an internal error on the server side. Please check your server logs.)"
            )
        self.at += size
        return taken

    def string(self) -> str:
        """A known text. A negative length is Java's own fault here, not libthrift's."""
        size = self.number(4)
        if size < 0:
            raise ThriftError(f"offset {self.at}, count {size}, length {len(self.record)}")
        if size > len(self.record) - self.at:
            self.check_available(size)
        return decode_utf8(self.take(size))

    def list_head(self) -> tuple[int, int]:
        """Element type and count of a list or set; the check of its size overflows as Java's does."""
        kind, count = self.number(1), self.number(4)
        bytes_needed = count * self.least_size(kind)
        self.check_available((bytes_needed + 2**31) % 2**32 - 2**31)
        self.check_negative(count)
        return kind, count

    def map_head(self) -> tuple[int, int, int]:
        key, value, count = self.number(1), self.number(1), self.number(4)
        self.check_available(count * (self.least_size(key) + self.least_size(value)))
        self.check_negative(count)
        return key, value, count

    @staticmethod
    def least_size(kind: int) -> int:
        size = _LEAST_SIZES.get(kind)
        if size is None:
            raise ThriftError("unrecognized type code")
        return size

    @staticmethod
    def check_available(size: int) -> None:
        if size > MAX_MESSAGE_SIZE:
            raise ThriftError("MaxMessageSize reached")

    @staticmethod
    def check_negative(size: int) -> None:
        if size < 0:
            raise ThriftError(f"Negative length: {size}")

    def skip(self, kind: int) -> None:
        """Pass over a value of any type; one that was passed over before is not looked at again."""
        start = self.at
        end = self.ends.get((start, kind))
        if end is None:
            self._walk(kind)
            end = self.ends[start, kind] = self.at
        self.at = end

    def _walk(self, kind: int) -> None:
        """Nesting costs no stack: ``unfinished`` holds the containers being read, as (types of their elements, taking
        turns; how many elements are left). A struct has no types and ends at its stop field.
        """
        unfinished: list[tuple[tuple[int, ...], int]] = [((kind,), 1)]
        while unfinished:
            kinds, left = unfinished[-1]
            if not kinds:
                kind = self.number(1)
                if kind == STOP:
                    unfinished.pop()
                    continue
                self.number(2)
            elif left == 0:
                unfinished.pop()
                continue
            else:
                unfinished[-1] = (kinds, left - 1)
                kind = kinds[-left % len(kinds)]
            if kind in _FIXED_SIZES:
                self.take(_FIXED_SIZES[kind])
            elif kind == STRING:
                size = self.number(4)
                self.check_negative(size)
                self.check_available(size)
                self.take(size)
            elif kind == STRUCT:
                unfinished.append(((), 0))
            elif kind in (LIST, SET):
                element, count = self.list_head()
                unfinished.append(((element,), count - self._skip_plain((element,), count)))
            elif kind == MAP:
                key, value, count = self.map_head()
                unfinished.append(((key, value), 2 * (count - self._skip_plain((key, value), count))))
            else:
                raise ThriftError(f"Unrecognized type {kind}")

    def _skip_plain(self, kinds: tuple[int, ...], count: int) -> int:
        """Skip at once what needs no look at each element: numbers, and empty structs. How many were skipped."""
        if all(kind in _FIXED_SIZES for kind in kinds):
            size = sum(_FIXED_SIZES[kind] for kind in kinds)
            available = len(self.record) - self.at
        elif all(kind == STRUCT for kind in kinds):
            size = len(kinds)
            available = _STOPS.match(self.record, self.at).end() - self.at  # type: ignore[union-attr]
        else:
            return 0
        skipped = min(count, available // size)
        self.at += skipped * size
        return skipped
