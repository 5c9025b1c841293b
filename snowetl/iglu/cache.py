"""What was found and what was not, for a while (iglu-scala-client 1.5.0 ``ResolverCache``)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

from snowetl.iglu.failures import ResolutionFailure

A = TypeVar("A")


class Stored(NamedTuple, Generic[A]):
    """A result and the epoch second it was stored in."""

    result: A | ResolutionFailure
    seconds: int


class ResolverCache(Generic[A]):
    """The ``size`` results used last. Successes expire after ``ttl`` seconds, failures never do (but are retried)."""

    def __init__(self, size: int, ttl: int | None) -> None:
        self._size = size
        self._ttl = ttl
        self._stored: OrderedDict[Hashable, Stored[A]] = OrderedDict()

    @property
    def enabled(self) -> bool:
        return self._size > 0 and (self._ttl is None or self._ttl > 0)

    def get(self, key: Hashable, now: int) -> A | ResolutionFailure | None:
        """``now`` in epoch milliseconds."""
        found = self._stored.get(key)
        if found is None:
            return None
        self._stored.move_to_end(key)
        if isinstance(found.result, ResolutionFailure) or self._ttl is None:
            return found.result
        return found.result if now // 1000 - found.seconds < self._ttl else None

    def put(self, key: Hashable, fresh: A | ResolutionFailure, now: int) -> A | ResolutionFailure:
        """Store and return what is worth more: any success, or both failures together."""
        if not self.enabled:
            return fresh
        old = self._stored.get(key)
        result = fresh if old is None else better(old.result, fresh)
        self._stored[key] = Stored(result, now // 1000)
        self._stored.move_to_end(key)
        if len(self._stored) > self._size:
            self._stored.popitem(last=False)
        return result


def better(old: A | ResolutionFailure, fresh: A | ResolutionFailure) -> A | ResolutionFailure:
    """An outage does not take back a schema that was found."""
    if not isinstance(fresh, ResolutionFailure):
        return fresh
    return old.combined(fresh) if isinstance(old, ResolutionFailure) else old
