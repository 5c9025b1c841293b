"""Rules of deduplication (RDB Loader 5.6.3 ``Deduplication``).

Natural duplicates share id and fingerprint: one of them stays. Synthetic duplicates share an id but are different
events: all of them get new ids, and a ``duplicate`` context with the old one.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from snowetl.errors import ConfigError
from snowetl.jvm import instants
from snowetl.transform.columns import DUPLICATE
from snowetl.transform.entity import ParsedEntity
from snowetl.transform.event import ETL_TSTAMP, FINGERPRINT, Event

SYNTHETIC = ("BROADCAST", "JOIN", "NONE")
DAYS_KEPT = 180


@dataclass(frozen=True)
class Policy:
    """What is deduplicated. An id is a synthetic duplicate when it occurs more often than ``cardinality``."""

    natural: bool = True
    synthetic: str = "BROADCAST"
    cardinality: int = 1

    @classmethod
    def parse(
        cls, natural: bool = True, synthetic: str = "BROADCAST", cardinality: int = 1, cross_batch: bool = False
    ) -> Policy:
        """Read the configuration. Raises :class:`ConfigError` for settings that do not go together."""
        if synthetic not in SYNTHETIC:
            raise ConfigError(
                f"deduplication.synthetic.type is {synthetic!r}: it must be one of {', '.join(SYNTHETIC)}"
            )
        if cardinality < 1:
            raise ConfigError(f"deduplication.synthetic.cardinality is {cardinality}: it must be 1 or more")
        for name, wanted in (("synthetic", synthetic != "NONE"), ("cross batch", cross_batch)):
            if wanted and not natural:
                raise ConfigError(f"Natural deduplication needs to be enabled when {name} deduplication is enabled")
        return cls(natural, synthetic, 1 if synthetic == "JOIN" else cardinality)

    @property
    def finds_synthetic(self) -> bool:
        return self.synthetic != "NONE"


class Key(NamedTuple):
    """What deduplication looks at. ``place`` tells events apart: the number of the split and of the line in it."""

    event_id: str
    fingerprint: str | None
    etl_micros: int | None
    place: tuple[int, int]


def key_of(event: Event, place: tuple[int, int]) -> Key:
    return Key(event.event_id, event.text(FINGERPRINT) or None, _etl_micros(event), place)


def _etl_micros(event: Event) -> int | None:
    exact = event.exact.get(ETL_TSTAMP)
    return _micros(event.text(ETL_TSTAMP)) if exact is None else exact.micros  # type: ignore[union-attr]


@lru_cache(maxsize=256)
def _micros(text: str) -> int | None:
    """Of a time as events print it; most events of a batch have the same."""
    return instants.from_canonical(text).micros if text else None


def age(key: Key) -> tuple[bool, int, tuple[int, int]]:
    """Order of natural duplicates, of which the least stays: no ``etl_tstamp``, else the earliest, else the first."""
    return (key.etl_micros is not None, key.etl_micros or 0, key.place)


class Decision(NamedTuple):
    """By place: natural duplicates to drop, events of earlier batches to drop, events to give new ids."""

    dropped: frozenset[tuple[int, int]]
    known: frozenset[tuple[int, int]]
    renamed: frozenset[tuple[int, int]]


Claim = Callable[[Key], bool]
"""Whether an event is new to earlier batches; asked once for each survivor of the natural step."""


def decide(keys: Iterable[Key], policy: Policy, claim: Claim | None = None) -> Decision:
    """Deduplicate a batch whose keys fit into memory. ``workers/spark_dedupe.py`` does the same with joins."""
    every = list(keys)
    unique = survivors(every, policy)
    fresh = unique if claim is None else [key for key in unique if claim(key)]
    renamed: frozenset[tuple[int, int]] = frozenset()
    if policy.finds_synthetic:
        counts = Counter(key.event_id for key in fresh)
        if len(counts) < len(fresh):
            renamed = frozenset(key.place for key in fresh if counts[key.event_id] > policy.cardinality)
    return Decision(_left_out(every, unique), _left_out(unique, fresh), renamed)


def _left_out(keys: list[Key], kept: list[Key]) -> frozenset[tuple[int, int]]:
    if len(kept) == len(keys):
        return frozenset()
    return frozenset(key.place for key in keys) - frozenset(key.place for key in kept)


def survivors(keys: list[Key], policy: Policy) -> list[Key]:
    """Those the natural step keeps: one of each group; events without a fingerprint never are in one."""
    if not policy.natural:
        return keys
    best: dict[tuple[str, str | tuple[int, int]], Key] = {}
    for key in keys:
        group = (key.event_id, key.fingerprint or key.place)
        if group not in best or age(key) < age(best[group]):
            best[group] = key
    return list(best.values())


def new_id(event_id: str, place: str) -> str:
    """A new id for a synthetic duplicate: looks random, but is the same whenever the batch is transformed again."""
    digest = hashlib.sha256(f"{event_id}\t{place}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def reidentify(event: Event, event_id: str) -> None:
    """Give an event a new id and tell the old one in a context that comes first."""
    duplicate = ParsedEntity(DUPLICATE, {"originalEventId": event.event_id})
    event.derived_contexts = [duplicate, *event.derived_contexts]
    event.event_id = event_id
