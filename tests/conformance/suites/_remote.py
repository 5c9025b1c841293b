"""A service behind HTTP that stands for a user's remote adapter."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


@contextmanager
def service(remote: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """A local server that gives the canned answer; its address, and the bodies it was sent."""
    requests: list[str] = []
    answer = remote.get("response", {"status": 500, "body": ""})

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(answer["status"])
            self.end_headers()
            self.wfile.write(answer["body"].encode())

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/myEnrichment", requests
    finally:
        server.shutdown()
        server.server_close()
