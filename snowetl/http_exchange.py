"""One HTTP exchange as values: what is asked, how patiently, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple


class Response(NamedTuple):
    """``headers`` have lower-case names; ``body`` is decompressed (empty where it went into a file)."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpError(Exception):
    """No answer that could be used. The text says why, and holds no secret.

    ``sent`` says whether the server may have seen the request; ``passing`` whether it is worth asking again.
    """

    def __init__(self, reason: str, *, sent: bool = True, passing: bool = True) -> None:
        super().__init__(reason)
        self.sent = sent
        self.passing = passing


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient and how trusting a call is. Times are seconds.

    ``connect`` and ``read`` bound one wait for the server; ``deadline`` bounds the whole call: all attempts, the waits
    between them, every byte of the answer. ``max_bytes`` bounds the decompressed answer. ``retries`` are further
    attempts after a failure that may pass: a status of ``retried``, or no answer. A request that may have arrived is
    sent again only with ``resend``. The n-th wait is ``first_wait * 2 ** n``, at most ``longest_wait``, somewhat less
    by chance; a ``Retry-After`` that is longer counts instead.
    """

    connect: float = 3.0
    read: float = 10.0
    deadline: float = 30.0
    max_bytes: int = 5 * 1024 * 1024
    retries: int = 5
    retried: frozenset[int] = frozenset((408, 429, 500, 502, 503, 504))
    resend: bool = True
    redirects: int = 5
    first_wait: float = 0.2
    longest_wait: float = 5.0


class Request(NamedTuple):
    """One exchange, without redirects or retries. ``give_up_at`` is a time of ``time.monotonic``.

    A ``body`` that comes in pieces can be sent once.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | Iterable[bytes] | None
    policy: Policy
    give_up_at: float
    into: BinaryIO | None = None
