"""The order of Scala 2.12 maps, for the JSON that the reference rebuilds through them.

Strings hash as in Java; other keys are case classes (MurmurHash3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from snowetl.jvm.map_order import in_map_order, trie_groups

K = TypeVar("K")
V = TypeVar("V")

_SMALL_MAP = 4
_MASK32 = 0xFFFFFFFF
_PRODUCT_SEED = 0xCAFEBABE
_MAX_HASHED = 20_000
"""Characters of keys beyond which an object keeps its order: no real one is near it, and hashing costs time."""


def as_map(mapping: Mapping[str, V]) -> dict[str, V]:
    """A copy of ``mapping`` in the order of the reference's immutable map; a huge one keeps its own."""
    if sum(map(len, mapping)) > _MAX_HASHED:
        return dict(mapping)
    return in_map_order(mapping)


def ordered_by_hash(keys: Iterable[K], hash_of: Callable[[K], int]) -> list[K]:
    """Distinct ``keys`` in the order an immutable map of them iterates; ``hash_of`` is their ``hashCode``."""
    distinct = list(dict.fromkeys(keys))
    if len(distinct) > _SMALL_MAP:
        distinct.sort(key=lambda key: trie_groups(hash_of(key)))
    return distinct


def product_hash(*hashes: int) -> int:
    """``hashCode`` of a case class whose members have these hashes (``MurmurHash3.productHash``)."""
    h = _PRODUCT_SEED
    for member in hashes:
        k = member * 0xCC9E2D51 & _MASK32
        k = (k << 15 | k >> 17) * 0x1B873593 & _MASK32
        h ^= k
        h = (h << 13 | h >> 19) & _MASK32
        h = h * 5 + 0xE6546B64 & _MASK32
    h ^= len(hashes)
    h = (h ^ h >> 16) * 0x85EBCA6B & _MASK32
    h = (h ^ h >> 13) * 0xC2B2AE35 & _MASK32
    return h ^ h >> 16
