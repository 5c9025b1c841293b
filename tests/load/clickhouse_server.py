"""A ClickHouse server on 127.0.0.1: the HTTP interface over chdb, which is ClickHouse's own engine as a library.

Statements, tables, parts and errors are ClickHouse's. What stands in is the socket: who may enter, data that follow a
statement (they come by way of a file), and that queries wait for one another.

It is a program for a Python that has chdb (``.ci/find-chdb``): ``clickhouse_server.py FOLDER`` prints its port.
"""

from __future__ import annotations

import atexit
import functools
import os
import re
import subprocess
import sys
import tempfile
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

USER, PASSWORD = "loader", "pass/word"
_DATA = re.compile(r"FROM input\(('(?:[^'\\]|\\.)*')\) FORMAT (\w+)\n\Z")
_CODE = re.compile(r"Code: (\d+)\.")
_LONGEST = 1 << 22


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body of an answer in one packet

    def do_POST(self) -> None:
        body = self._body()
        if self.headers["Authorization"] != "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode():
            self._refuse("Code: 516. DB::Exception: loader: Authentication failed. (AUTHENTICATION_FAILED)")
            return
        settings = ", ".join(f"{name} = {value}" for name, value in parse_qsl(urlsplit(self.path).query))
        try:
            self._answer(200, self.server.run(body, settings))  # type: ignore[attr-defined]
        except Exception as error:
            self._refuse(str(error))

    def _refuse(self, words: str) -> None:
        code = _CODE.search(words)
        self._answer(500, words.encode(), {"X-ClickHouse-Exception-Code": code[1] if code else "1002"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _body(self) -> bytes:
        if self.headers["Transfer-Encoding"] != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def log_message(self, *_: Any) -> None:
        """Nothing is said."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self._session = import_module("chdb.session").Session(folder)  # no package of the environment of the tests
        self._busy = threading.Lock()

    def run(self, body: bytes, settings: str) -> bytes:
        statement, data = body.decode("utf-8", "replace"), b""
        if b"\n" in body and (end := body.find(b" FORMAT ")) >= 0 and body.startswith(b"INSERT"):
            end = body.index(b"\n", end) + 1
            statement, data = body[:end].decode(), body[end:]
        with self._busy, tempfile.NamedTemporaryFile() as file:
            match = _DATA.search(statement)
            if match:
                file.write(data)
                file.flush()
                statement = f"{statement[: match.start()]}FROM file('{file.name}', {match[2]}, {match[1]})"
            if settings:
                self._session.query(f"SET {settings}")
            answer = self._session.query(statement, "TabSeparated")
            return bytes(answer.bytes()) if answer is not None else b""


def main() -> None:
    server = Server(sys.argv[1])
    print(server.server_address[1], flush=True)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    server.serve_forever()


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


@functools.cache
def python() -> str | None:
    """The Python that has chdb; ``None`` where there is none."""
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "snowetl/chdb/bin/python"
    return str(cached) if cached.exists() else None


def address() -> str:
    """That of a server which runs until this process ends."""
    return _started()[1]


def pid() -> int:
    """The process of that server."""
    return _started()[0]


@functools.cache
def _started() -> tuple[int, str]:
    folder = tempfile.TemporaryDirectory(prefix="clickhouse-")
    command = [str(python()), __file__, folder.name]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None

    def stop() -> None:
        server.kill()
        server.wait()
        folder.cleanup()

    atexit.register(stop)
    port = server.stdout.readline().strip()
    return server.pid, f"clickhouse://{USER}:{PASSWORD.replace('/', '%2F')}@127.0.0.1:{port}"


if __name__ == "__main__":
    main()
