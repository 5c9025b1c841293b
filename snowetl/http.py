"""The one HTTP client: retries with back-off, a deadline per call, a byte limit per answer; it never shows a secret.

Everything that asks a neighbour (schema registries, remote adapters, assets, enrichments) asks through :class:`Http`.
urllib3 does the talking (:mod:`snowetl.http_transport`).
"""

from __future__ import annotations

import random
import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from snowetl.http_exchange import HttpError, Policy, Request, Response

if TYPE_CHECKING:
    from snowetl.http_transport import PooledTransport

__all__ = ["Http", "HttpError", "Policy", "Request", "Response", "Transport"]

_MASK = "***"
_LONGEST_REASON = 1000
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_PUBLIC_HEADERS = frozenset(("accept", "accept-encoding", "content-type", "user-agent"))
_USERINFO = re.compile(r"(?<=://)(?!USER:PASSWORD@)(?:[^/\s?#]+|[^/\s@:?#]+:(?!\d{1,5}(?:[/?#]|$))[^\s@]+)(?=@)")
"""User and password of a URL, but for the words that stand for them in messages. A password that was not encoded as it
must be in a URL may hold ``@``, ``/``, ``?`` and ``#``."""
_SECRET_PARAMETER = re.compile(
    r"(?<=[?&])(?P<name>[\w.-]*(?:key|app_?id|credential|passw(?:or)?d|secret|sig|signature|token)(?:[_.-][\w.-]*)?)"
    r"=[^&#\s\])'\"]+",
    re.IGNORECASE,
)


Transport = Callable[[Request], Response]
"""Exchanges one request for one answer. Raises :class:`HttpError`."""


class Http:
    """Requests over kept connections, within a policy. Build one per process and close it; it may serve threads.

    Proxies come from the environment (``HTTPS_PROXY``, ``NO_PROXY``, …). ``secrets`` are texts that no error may hold.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        connections: int = 4,
        secrets: Iterable[str] = (),
        transport: Transport | None = None,
        sleep: Callable[[float], Any] = time.sleep,
    ) -> None:
        self.policy = policy or Policy()
        self._secrets = tuple(secrets)
        self._connections = connections
        self._pool: PooledTransport | None = None
        self._opening = Lock()
        self._exchange = transport or self._exchange_pooled
        self._sleep = sleep

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back. A later request opens new ones."""
        if self._pool is not None:
            self._pool.close()

    def get(self, url: str, headers: Mapping[str, str] | None = None, policy: Policy | None = None) -> Response:
        """:meth:`request` with GET."""
        return self.request("GET", url, headers=headers, policy=policy)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[bytes] | None = None,
        auth: tuple[str, str] | None = None,
        policy: Policy | None = None,
        into: BinaryIO | None = None,
    ) -> Response:
        """The answer, whatever its status; after the last attempt also one of ``policy.retried``.

        ``auth`` is (user, password) of basic authentication, else the one in the URL. ``into`` takes the body of a 2xx
        answer as it comes (it must be seekable: a second attempt starts over). A ``body`` in pieces is sent in chunks,
        once: its policy has neither ``resend`` nor redirects. Raises :class:`HttpError`.
        """
        policy = policy or self.policy
        try:
            url, in_url = split_userinfo(url)
        except ValueError as error:
            raise HttpError(f"{redacted(url, self._secrets)}: {error}", sent=False, passing=False) from None
        sent = {"user-agent": "snowetl", "accept-encoding": "gzip"}
        sent.update((name.lower(), value) for name, value in (headers or {}).items())
        if auth or in_url:
            sent["authorization"] = basic_authorization(*(auth or in_url or ("", "")))
        request = Request(method, url, sent, body, policy, time.monotonic() + policy.deadline, into)
        try:
            return self._patiently(request)
        except HttpError as error:
            reason = redacted(str(error), self._secrets)
            if len(reason) > _LONGEST_REASON:  # a line of the answer may stand in it
                reason = f"{reason[:_LONGEST_REASON]}…"
            raise HttpError(reason, sent=error.sent, passing=error.passing) from None

    def _exchange_pooled(self, request: Request) -> Response:
        """urllib3 is loaded for the first request: most processes send none, and start sooner without."""
        with self._opening:
            if self._pool is None:
                from snowetl.http_transport import PooledTransport

                self._pool = PooledTransport(self._connections)
        return self._pool(request)

    def _patiently(self, request: Request) -> Response:
        policy = request.policy
        wait = policy.first_wait
        for left in range(policy.retries, -1, -1):
            pause = wait * random.uniform(0.5, 1.0)
            try:
                response = self._follow(request)
            except HttpError as error:
                again = error.passing and (policy.resend or not error.sent)
                if not left or not again or time.monotonic() + pause >= request.give_up_at:
                    raise
            else:
                if not left or response.status not in policy.retried or not policy.resend:
                    return response
                pause = max(pause, _retry_after(response))
                if time.monotonic() + pause >= request.give_up_at:
                    return response
            self._sleep(pause)
            wait = min(wait * 2, policy.longest_wait)
            if request.into is not None:
                request.into.seek(0)
                request.into.truncate()
        raise AssertionError("the last attempt returns or raises")

    def _follow(self, request: Request) -> Response:
        """One request with its redirects. Keys and passwords go to the host they are meant for, and to no other."""
        origin = urlsplit(request.url)[:2]
        for _ in range(1 + request.policy.redirects):
            response = self._exchange(request)
            location = response.headers.get("location")
            if response.status not in _REDIRECTS or location is None or not request.policy.redirects:
                return response
            url, _userinfo = split_userinfo(urljoin(request.url, location))
            if urlsplit(url).scheme not in ("http", "https"):
                return response
            if urlsplit(url)[:2] != origin:
                public = {name: value for name, value in request.headers.items() if name in _PUBLIC_HEADERS}
                request = request._replace(headers=public)
            if response.status == 303 and request.method != "HEAD":
                request = request._replace(method="GET", body=None)
            request = request._replace(url=url)
        raise HttpError(f"more than {request.policy.redirects} redirects", passing=False)


def split_userinfo(url: str) -> tuple[str, tuple[str, str] | None]:
    """The URL without user and password, and these."""
    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    user, _, password = userinfo.partition(":")
    return urlunsplit(parts._replace(netloc=host)), (unquote(user), unquote(password))


def basic_authorization(user: str, password: str) -> str:
    """The value of the header ``Authorization``."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without ``secrets``, user and password of URLs, and values of query parameters that name a secret."""
    for secret in sorted(secrets, key=len, reverse=True):
        if secret:
            text = text.replace(secret, _MASK)
    return _SECRET_PARAMETER.sub(rf"\g<name>={_MASK}", _USERINFO.sub(_MASK, text))


def _retry_after(response: Response) -> float:
    """Seconds the server asks to wait; 0 where it asks for none, or names a date."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0
