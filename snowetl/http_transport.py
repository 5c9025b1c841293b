"""One HTTP exchange over urllib3, bounded in time and bytes from the first byte of the answer to the last.

A socket's own timeout begins anew with every byte, so that a server which sends one byte now and then holds its client
for ever. Here the connection reads through :class:`_TimedReader`, which knows when the call has to be over; it bounds
status line and headers as well as the body.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)

from snowetl.http_exchange import HttpError, Request, Response

_CHUNK = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f"
_POOLS = 8
_limits = threading.local()
"""``give_up_at`` and ``read`` of the call this thread is busy with."""


class _TimedReader(io.RawIOBase):
    """The bytes of a socket; each read waits at most until the call has to be over."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._give_up_at: float = _limits.give_up_at
        self._read: float = _limits.read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._give_up_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not arrive in time")
        self._sock.settimeout(min(self._read, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock))


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _SecureConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class PooledTransport:
    """Exchanges over kept connections, ``connections`` to a host; directly, or over the proxy the environment names."""

    def __init__(self, connections: int) -> None:
        self._connections = connections
        self._managers: dict[str | None, urllib3.PoolManager] = {}

    def close(self) -> None:
        for manager in self._managers.values():
            manager.clear()
        self._managers = {}

    def __call__(self, request: Request) -> Response:
        left = request.give_up_at - time.monotonic()
        if left <= 0:
            raise HttpError("no time is left", sent=False, passing=False)
        policy = request.policy
        _limits.give_up_at, _limits.read = request.give_up_at, policy.read
        timeout = urllib3.Timeout(connect=min(policy.connect, left), read=min(policy.read, left))
        try:
            answer = self._manager(request.url).request(
                request.method,
                request.url,
                body=request.body,
                headers=dict(request.headers),
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except (HTTPError, OSError, ValueError) as error:
            raise _failure(error, request) from None
        headers = {name.lower(): value for name, value in answer.headers.items()}
        into = request.into if 200 <= answer.status < 300 and request.into is not None else io.BytesIO()
        try:
            for chunk in _limited(_body(answer, headers, request), request.policy.max_bytes):
                into.write(chunk)
        except BaseException:
            answer.close()
            raise
        answer.release_conn()
        return Response(answer.status, headers, into.getvalue() if isinstance(into, io.BytesIO) else b"")

    def _manager(self, url: str) -> urllib3.PoolManager:
        parts = urlsplit(url)
        proxy = getproxies().get(parts.scheme)
        if proxy and proxy_bypass(parts.hostname or ""):
            proxy = None
        manager = self._managers.get(proxy)
        if manager is None:
            options: dict[str, Any] = {"num_pools": _POOLS, "maxsize": self._connections}
            manager = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
            manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
            self._managers[proxy] = manager
        return manager


def _body(answer: urllib3.BaseHTTPResponse, headers: Mapping[str, str], request: Request) -> Iterator[bytes]:
    """The decompressed body in small pieces."""
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return _raw(answer, request)
    if encoding in ("gzip", "x-gzip"):
        return _gunzipped(_raw(answer, request))
    raise HttpError(f"the answer is encoded as '{encoding}', which was not asked for", passing=False)


def _raw(answer: urllib3.BaseHTTPResponse, request: Request) -> Iterator[bytes]:
    while True:
        try:
            chunk = answer.read1(_CHUNK, decode_content=False)
        except (HTTPError, OSError, ValueError) as error:
            raise _failure(error, request) from None
        if not chunk:
            return
        yield chunk


def _gunzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """All members of a gzip stream, never more than a piece of each at a time: a small body may unpack to gigabytes.

    What follows the last member is passed over; a stream without its end is not taken for a whole one.
    """
    unzip = zlib.decompressobj(_GZIP)
    started = False
    for data in chunks:
        while data:
            if unzip.eof:
                if not data.startswith(_GZIP_MAGIC):
                    return
                unzip = zlib.decompressobj(_GZIP)
            try:
                piece = unzip.decompress(data, _CHUNK)
            except zlib.error as error:
                raise HttpError(f"the answer says it is gzip, and is not: {error}", passing=False) from None
            started = True
            data = unzip.unused_data if unzip.eof else unzip.unconsumed_tail
            if piece:
                yield piece
    if started and not unzip.eof:
        raise HttpError("the compressed answer breaks off")


def _limited(pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise HttpError(f"the answer is larger than {limit:,} bytes", passing=False)
        yield piece


def _failure(error: Exception, request: Request) -> HttpError:
    late = time.monotonic() >= request.give_up_at
    causes = list(_causes(error))
    sent = not any(isinstance(cause, (NewConnectionError, ConnectTimeoutError, ProxyError)) for cause in causes)
    if late:
        return HttpError(f"no complete answer within {request.policy.deadline:g} seconds", sent=sent, passing=False)
    if any(isinstance(cause, (ReadTimeoutError, TimeoutError)) for cause in causes):
        seconds = request.policy.read if sent else request.policy.connect
        what = "no answer" if sent else "no connection"
        return HttpError(f"{what} within {seconds:g} seconds", sent=sent)
    if isinstance(error, (LocationParseError, ValueError)) and not isinstance(error, OSError):
        return HttpError(str(error) or type(error).__name__, sent=False, passing=False)
    innermost = causes[-1]
    passing = not isinstance(innermost, ssl.SSLCertVerificationError)
    return HttpError(str(innermost) or type(innermost).__name__, sent=sent, passing=passing)


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what led to it: urllib3 wraps causes, and the innermost says it best."""
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in found:
        found.append(cause)
        cause = cause.__cause__ or cause.__context__
    return found
