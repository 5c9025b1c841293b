"""A web server on the loopback interface that answers what a test says, and remembers what it was asked.

An answer with an ``etag`` is 304 to whoever has that version.
"""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.web_server import Answer, Asked, answering

__all__ = ["Answer", "Files", "Server", "dripping", "serving", "zipped"]


class Server:
    """``answer`` maps a request's path to an :class:`Answer`; ``requests`` holds (path, headers)."""

    def __init__(self, answer: Callable[[str], Answer]) -> None:
        self.answer = answer
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.uri = ""

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]


@contextmanager
def serving(answer: Callable[[str], Answer]) -> Iterator[Server]:
    server = Server(answer)

    def reply(asked: Asked) -> Answer:
        server.requests.append((asked.path, dict(asked.headers)))
        found = server.answer(asked.path)
        etag = dict(found.headers).get("etag")
        known = etag is not None and etag == asked.headers.get("if-none-match")
        return Answer(304, headers=found.headers) if known else found

    with answering(reply) as server.uri:
        yield server


class Files:
    """What a server of files answers: one answer for each path, or several in turn (the last one stays), else 404."""

    def __init__(self, **answers: Answer | list[Answer]) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.put(**answers)

    def put(self, **answers: Answer | list[Answer]) -> None:
        for name, answer in answers.items():
            self.answers[f"/{name}"] = list(answer) if isinstance(answer, list) else [answer]

    def __call__(self, path: str) -> Answer:
        found = self.answers.get(path.partition("?")[0], [Answer(404)])
        return found.pop(0) if len(found) > 1 else found[0]


def zipped(body: bytes) -> Answer:
    return Answer(body=gzip.compress(body), headers=(("content-encoding", "gzip"),))


@contextmanager
def dripping(answer: bytes, pause: float = 0.05, at_once: int = 0) -> Iterator[str]:
    """The URI of a server that sends ``answer`` a byte at a time, after the first ``at_once`` bytes."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(answer[:at_once])
            for place in range(at_once, len(answer)):
                if over.wait(pause):
                    return
                connection.sendall(answer[place : place + 1])

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while not over.is_set():
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=drip, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()
