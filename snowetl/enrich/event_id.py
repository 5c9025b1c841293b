"""Ids of events that carry none: derived from the record and its place, so that a second run gives the same."""

from __future__ import annotations

import hashlib
import uuid


class RecordPlace:
    """A record, the file it stands in, and its number there: what the ids of its events derive from.

    The record is hashed once, when the first of its events needs an id, so that a record of n events costs O(n).
    """

    def __init__(self, record: bytes | str, source: str = "", number: int = 0) -> None:
        self._record = record
        self._source = source
        self._number = number
        self._common: hashlib.blake2b | None = None

    def _hash(self) -> hashlib.blake2b:
        record = self._record
        record = record if isinstance(record, bytes) else record.encode("utf-8", "replace")
        common = hashlib.blake2b(record, digest_size=16)
        common.update(f"\x00{self._source}\x00{self._number}\x00".encode("utf-8", "replace"))
        return common

    def event_id(self, ordinal: int) -> str:
        """A version 4 UUID for the event number ``ordinal`` of the record."""
        if self._common is None:
            self._common = self._hash()
        digest = self._common.copy()
        digest.update(str(ordinal).encode())
        return str(uuid.UUID(bytes=digest.digest(), version=4))


class Place:
    """The place of one event: its record's, and its number in the record."""

    __slots__ = ("ordinal", "record")

    def __init__(self, record: RecordPlace, ordinal: int = 0) -> None:
        self.record = record
        self.ordinal = ordinal


def derive(place: Place) -> str:
    """A version 4 UUID that depends on ``place`` and on nothing else."""
    return place.record.event_id(place.ordinal)
