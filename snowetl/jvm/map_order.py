"""The iteration order of Scala 2.12 immutable maps.

The reference keeps parameters, JSON objects rebuilt through a map and click-id tables in such maps, so their order
shows up in bad rows and decides which of two parameters for one column wins (enrich 3.9.0 ``Transform``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

V = TypeVar("V")

_SMALL_MAP: Final = 4
_MASK32: Final = 0xFFFFFFFF


def java_hash(text: str) -> int:
    """``java.lang.String.hashCode`` as an unsigned 32-bit number (31-polynomial over UTF-16 units)."""
    h = 0
    if text.isascii():
        for unit in text.encode("ascii"):
            h = (31 * h + unit) & _MASK32
        return h
    units = text.encode("utf-16-be", "surrogatepass")
    for i in range(0, len(units), 2):
        h = (31 * h + (units[i] << 8 | units[i + 1])) & _MASK32
    return h


def java_hash_size(text: str) -> int:
    """The absolute value of ``java.lang.String.hashCode``, a signed number."""
    unsigned = java_hash(text)
    return min(unsigned, 2**32 - unsigned)


def trie_groups(h: int) -> tuple[int, ...]:
    """Sort key of an unsigned 32-bit hash code in a hash trie: the 5-bit groups of its improved hash, lowest first."""
    h = (h + (~(h << 9) & _MASK32)) & _MASK32
    h ^= h >> 14
    h = (h + (h << 4)) & _MASK32
    h ^= h >> 10
    return (h & 31, h >> 5 & 31, h >> 10 & 31, h >> 15 & 31, h >> 20 & 31, h >> 25 & 31, h >> 30)


class _TrieKeys(dict[str, tuple[int, ...]]):
    """Sort key of a text in a Scala 2.12 hash trie; keys of short texts are remembered, within bounds."""

    def __missing__(self, text: str) -> tuple[int, ...]:
        key = trie_groups(java_hash(text))
        if len(text) <= _REMEMBERED_LENGTH:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[text] = key
        return key


_REMEMBERED, _REMEMBERED_LENGTH = 65_536, 256
trie_key: Final = _TrieKeys().__getitem__


def map_order(names: Iterable[str]) -> list[str]:
    """Distinct ``names`` in the order a Scala 2.12 immutable map iterates over them.

    Up to four entries keep insertion order (first appearance); five or more follow the hash trie.
    """
    distinct = list(dict.fromkeys(names))
    if len(distinct) > _SMALL_MAP:
        distinct.sort(key=trie_key)
    return distinct


def in_map_order(mapping: Mapping[str, V]) -> dict[str, V]:
    """A copy of ``mapping`` whose iteration order is that of the reference's immutable map."""
    if len(mapping) <= _SMALL_MAP:
        return dict(mapping)
    return {name: mapping[name] for name in sorted(mapping, key=trie_key)}
