"""An S3 endpoint that fails: a proxy before a real one (moto server), with the faults that S3 is known for.

Whether and how a request fails follows from the seed, the request and how often it came before, not from the order in
which threads send them: so a run can be repeated.
"""

from __future__ import annotations

import random
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from tests.aws_server import aws_server

FAULTS = ("500", "500 when done", "503", "reset", "reset when done", "truncated", "slow")
"""``when done``: the request was carried out, but its answer is lost."""
COMPLETE_FAULTS = ("200 with error", "200 with error when done")
"""Only for CompleteMultipartUpload, which answers 200 before it knows the outcome."""

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "content-length"}
_LONGEST_PAUSE = 0.5


def error_document(code: str) -> bytes:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>crash test</Message></Error>'
    return text.encode()


class FaultProxy:
    """Passes requests on to ``target`` (host, port). ``rate`` of them fail, by ``seed``.

    ``at(number, when)`` is called for each request that changes something (they are numbered from 1), with ``when``
    ``"before"`` it is passed on, and ``"after"``, before it is answered.
    """

    def __init__(self, target: tuple[str, int], seed: int = 0, rate: float = 0.0) -> None:
        self.rate = rate
        self.at: Callable[[int, str], None] = lambda number, when: None
        self.faults: Counter[str] = Counter()
        self.log: list[str] = []
        self._target = target
        self._lock = threading.Lock()
        self.reset(seed)
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def reset(self, seed: int) -> None:
        """Begin anew: requests are counted from 1, faults follow from ``seed``."""
        with self._lock:
            self.seed = seed
            self.changes = 0
            self._seen: Counter[str] = Counter()
            self.log.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fault_of(self, request: str, completes: bool) -> str | None:
        """The fault of the next request of this name, if it has one."""
        with self._lock:
            self._seen[request] += 1
            dice = random.Random(f"{self.seed} {request} {self._seen[request]}")
            fault = dice.choice(FAULTS + COMPLETE_FAULTS * 2 * completes) if dice.random() < self.rate else None
            if fault:
                self.faults[fault] += 1
            self.log.append(f"{request}: {fault or 'ok'}")
        return fault

    def next_change(self) -> int:
        with self._lock:
            self.changes += 1
            return self.changes

    def forward(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection(*self._target, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() not in _HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()


def name_of(method: str, path: str) -> str:
    """A request without what differs from run to run (ids of uploads, tokens)."""
    parts = urlsplit(path)
    query = [f"{key}={value}" if key == "partNumber" else key for key, value in parse_qsl(parts.query, True)]
    return f"{method} {re.sub('[0-9a-f]{32}', '*', parts.path)}?{'&'.join(sorted(query))}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Silence: clients are killed here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: FaultProxy

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Silence: the log of requests is the proxy's."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = name_of(self.command, self.path)
        changes = self.command not in ("GET", "HEAD")
        number = self.owner.next_change() if changes else 0
        fault = self.owner.fault_of(name, self.command == "POST" and name.endswith("?uploadId"))
        if changes:
            self.owner.at(number, "before")
        if fault == "reset":
            self._reset()
        elif fault in ("500", "503"):
            self._answer(int(fault), error_document("InternalError" if fault == "500" else "SlowDown"))
        elif fault == "200 with error":
            self._answer(200, error_document("InternalError"))
        else:
            if fault == "slow":
                time.sleep(random.uniform(0, _LONGEST_PAUSE))
            self._pass_on(body, number, fault)

    def _pass_on(self, body: bytes, number: int, fault: str | None) -> None:
        answer, content = self.owner.forward(self.command, self.path, self.headers.items(), body)
        if number:
            self.owner.at(number, "after")
        if fault == "reset when done":
            self._reset()
        elif fault == "500 when done":
            self._answer(500, error_document("InternalError"))
        elif fault == "200 with error when done":
            self._answer(200, error_document("InternalError"))
        else:
            self._answer(answer.status, content, answer.getheaders(), cut=fault == "truncated")

    def _answer(
        self, status: int, content: bytes, headers: list[tuple[str, str]] | None = None, cut: bool = False
    ) -> None:
        length = next((value for name, value in headers or () if name.lower() == "content-length"), str(len(content)))
        try:
            self.send_response_only(status)
            for name, value in headers or ():
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", length if self.command == "HEAD" else str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content[: len(content) // 2] if cut else content)
            if cut:
                self.wfile.flush()
                self._reset()
        except OSError:  # the client was killed
            self.close_connection = True

    def _reset(self) -> None:
        """End the connection with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


@contextmanager
def s3_with_faults(rate: float) -> Iterator[tuple[FaultProxy, tuple[str, int]]]:
    """The proxy, and the endpoint behind it."""
    with aws_server() as url:
        address = urlsplit(url)
        endpoint = (str(address.hostname), int(address.port or 0))
        proxy = FaultProxy(endpoint, rate=rate)
        try:
            yield proxy, endpoint
        finally:
            proxy.close()
