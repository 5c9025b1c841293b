"""What a worker gives its enrichments: files, HTTP, schemas, clock, caches, secrets, tables made before the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from snowetl.caching import TtlCache
from snowetl.enrich.compatibility import Compatibility
from snowetl.http import Http, redacted
from snowetl.model.badrow import Message


class Clock(NamedTuple):
    """``run`` is the run's time in epoch milliseconds: what goes into output, so that a second run says the same.

    ``monotonic`` gives seconds, for ages and deadlines.
    """

    run: int
    monotonic: Callable[[], float] = time.monotonic


class Secrets(NamedTuple):
    """The secrets of all enrichments of the run."""

    texts: tuple[str, ...] = ()

    def redact(self, text: str) -> str:
        """``text`` without any of them, nor passwords in URLs: for messages of drivers and servers."""
        return redacted(text, self.texts)


class SchemaChecker(Protocol):
    """One schema, ready to validate."""

    def check(self, data: Any) -> Message | None:
        """``None`` for valid data, else the error as it stands in bad rows."""


class Schemas(Protocol):
    """The Iglu client, as far as enrichments need it."""

    def checker(self, uri: str) -> SchemaChecker:
        """By the schema's (syntactically valid) URI. Raises ``RegistryUnavailable``."""


class MakeCache(Protocol):
    def __call__(self, size: int, ttl: float, error_ttl: float | None = None) -> TtlCache[Any, Any, Any]: ...


class Services(NamedTuple):
    """Everything lives as long as the worker's enricher.

    - ``files``: local path of each asset of ``needs()``, by its URI.
    - ``http``: the client, ``http.request(method, url, headers=, body=, auth=, policy=)``, with a deadline, a byte
      limit, retries, proxies; it raises ``HttpError``, whose text holds no secret.
    - ``iglu``: schemas to validate with.
    - ``clock``, ``secrets``: see there.
    - ``cache(size, ttl)``, ``cache(size, ttl, error_ttl)``: a new :class:`~snowetl.caching.TtlCache` on the worker's
      clock.
    - ``compatibility``: which era of the reference, switch by switch.
    - ``lookups[name](key)``: what a table of ``needs().lookups`` answers, or ``None``.
    """

    files: Mapping[str, Path]
    http: Http
    iglu: Schemas
    clock: Clock
    cache: MakeCache
    secrets: Secrets
    lookups: Mapping[str, Callable[[str], str | None]]
    compatibility: Compatibility

    @classmethod
    def create(
        cls,
        iglu: Schemas,
        *,
        run: int = 0,
        files: Mapping[str, Path] | None = None,
        secrets: Iterable[str] = (),
        lookups: Mapping[str, Callable[[str], str | None]] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        http: Http | None = None,
        compatibility: Compatibility | None = None,
    ) -> Services:
        """Services for one worker, or for a test. ``run`` is epoch milliseconds; close ``http`` afterwards."""
        known = tuple(secrets)

        def cache(size: int, ttl: float, error_ttl: float | None = None) -> TtlCache[Any, Any, Any]:
            return TtlCache(size, ttl, error_ttl, monotonic)

        return cls(
            files=files or {},
            http=Http(secrets=known) if http is None else http,
            iglu=iglu,
            clock=Clock(run, monotonic),
            cache=cache,
            secrets=Secrets(known),
            lookups=lookups or {},
            compatibility=compatibility or Compatibility.of(),
        )
