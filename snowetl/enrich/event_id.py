"""Ids of events that carry none: derived from the record and its place, so that a second run gives the same."""

from __future__ import annotations

import hashlib
import uuid
from typing import NamedTuple


class Place(NamedTuple):
    """A record, the file it stands in, its number there, and the event's number in the record."""

    record: bytes | str
    source: str = ""
    number: int = 0
    ordinal: int = 0


def derive(place: Place) -> str:
    """A version 4 UUID that depends on ``place`` and on nothing else."""
    record, source, number, ordinal = place
    digest = hashlib.blake2b(record if isinstance(record, bytes) else record.encode("utf-8", "replace"), digest_size=16)
    digest.update(f"\x00{source}\x00{number}\x00{ordinal}".encode("utf-8", "replace"))
    return str(uuid.UUID(bytes=digest.digest(), version=4))
