"""Two ways to do work once: a bounded memo for pure functions, and a cache whose answers age."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
E = TypeVar("E")


class Memo(dict[K, V]):
    """``memo[key]`` is ``compute(key)``, computed once: a hit costs no more than a look into a dict.

    At most ``size`` answers are kept; when there are more, all are forgotten. Keys whose ``length`` exceeds
    ``longest`` are computed each time and never kept, so that memory stays below about ``size * longest`` characters
    whatever an outsider sends. What ``compute`` raises passes through, and nothing is kept.
    """

    __slots__ = ("_compute", "_length", "_longest", "_size")

    def __init__(
        self,
        compute: Callable[[K], V],
        size: int,
        longest: int | None = None,
        length: Callable[[K], int] = len,  # type: ignore[assignment]
    ) -> None:
        super().__init__()
        self._compute = compute
        self._size = size
        self._longest = longest
        self._length = length

    def __missing__(self, key: K) -> V:
        value = self._compute(key)
        if self._longest is None or self._length(key) <= self._longest:
            if len(self) >= self._size:
                self.clear()
            self[key] = value
        return value


class Failed(NamedTuple, Generic[E]):
    """An answer that is a failure."""

    error: E


class _Kept(NamedTuple, Generic[V, E]):
    answer: V | Failed[E]
    limit: float
    since: float


class TtlCache(Generic[K, V, E]):
    """The ``size`` answers asked for last (0: none). Good ones serve ``ttl`` seconds, failures ``error_ttl`` seconds.

    When a refresh fails, the last good answer serves on, for as long as a failure would (enrich 3.9.0
    ``CachingEvaluator``). ``error_ttl`` is a tenth of ``ttl`` in whole seconds if not given. ``clock`` gives seconds.
    """

    def __init__(
        self, size: int, ttl: float, error_ttl: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.size = size
        self.ttl = ttl
        self.error_ttl = ttl // 10 if error_ttl is None else error_ttl
        self._clock = clock
        self._kept: OrderedDict[K, _Kept[V, E]] = OrderedDict()

    def get(self, key: K, load: Callable[[], V | Failed[E]]) -> V | Failed[E]:
        """The answer for ``key``; ``load`` makes one where none is kept, or the kept one is older than its limit."""
        now = self._clock()
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            if now - kept.since <= kept.limit:
                return kept.answer
        answer = load()
        limit = self.ttl
        if isinstance(answer, Failed):
            limit = self.error_ttl
            if kept is not None and not isinstance(kept.answer, Failed):
                answer = kept.answer
        if self.size > 0:
            self._kept[key] = _Kept(answer, limit, now)
            self._kept.move_to_end(key)
            if len(self._kept) > self.size:
                self._kept.popitem(last=False)
        return answer
