"""Deduplication of a batch: keys of all its events in, a file of verdicts for each split that has any out.

Here with all keys in memory; ``workers/spark_dedupe.py`` decides the same with joins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from snowetl.dedupe import rules
from snowetl.dedupe.event_manifest import ManifestConfig, Seen
from snowetl.dedupe.rules import Decision, Key, Policy
from snowetl.dedupe.verdicts import VERDICTS, Decisions
from snowetl.jvm.strings import to_utf8

_LONGEST_FINGERPRINT = 256

KeyRow = tuple[Key, Sequence[str]]
"""The key of an event, and the tags (schemas, say) that no event of its split before had."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be decided, and the folder the decisions go to.

    ``now`` (epoch seconds) names the batch in the manifest where none of its events has an ``etl_tstamp``.
    ``with_tags`` asks for the tags met, too.
    """

    policy: Policy
    event_manifest: ManifestConfig | None
    now: int
    folder: str
    with_tags: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """What was found out about a batch: the splits that have a file of decisions, the tags met."""

    splits: frozenset[int] = frozenset()
    tags: frozenset[str] = frozenset()


def seen_of(key: Key) -> Seen:
    """How an event is named in a manifest; without a fingerprint, as nothing else ever is.

    Fingerprints no database takes as a key, which no enrichment makes, are named by their digest.
    """
    if not key.fingerprint:
        return Seen(key.event_id, rules.new_id(key.event_id, "{}/{}".format(*key.place)))
    if len(key.fingerprint) > _LONGEST_FINGERPRINT or "\0" in key.fingerprint:
        return Seen(key.event_id, hashlib.sha256(to_utf8(key.fingerprint)).hexdigest())
    return Seen(key.event_id, to_utf8(key.fingerprint).decode())


def decide_in_memory(keys: Sequence[Key], request: Request) -> frozenset[int]:
    """Decide about events by their keys, which come in the order of their places. Returns the splits with decisions.

    Raises ``StorageError`` where the decisions cannot be written or the manifest does not answer.
    """
    if request.event_manifest is None:
        decision = rules.decide(keys, request.policy)
    else:
        survivors = rules.survivors(list(keys), request.policy)
        fresh = _fresh(survivors, keys, request.event_manifest, request.now)
        decision = rules.decide(keys, request.policy, lambda key: key.place in fresh)
    by_split = _by_split(decision)
    for split, lines in by_split.items():
        Decisions(lines).write(request.folder, split)
    return frozenset(by_split)


def _fresh(survivors: Sequence[Key], keys: Sequence[Key], manifest: ManifestConfig, now: int) -> set[tuple[int, int]]:
    times = [key.etl_micros for key in keys if key.etl_micros is not None]
    etl_time = min(times) // 1_000_000 if times else now
    with manifest.open() as table:
        new = table.claim([seen_of(key) for key in survivors], etl_time)
    return {key.place for key, is_new in zip(survivors, new, strict=True) if is_new}


def _by_split(decision: Decision) -> dict[int, dict[int, list[int]]]:
    """Split -> verdict -> lines."""
    by_split: dict[int, dict[int, list[int]]] = {}
    for verdict, places in zip(VERDICTS, decision, strict=True):
        for split, line in places:
            by_split.setdefault(split, {}).setdefault(verdict, []).append(line)
    return by_split
