"""What connections to databases share: an address, faults, deadlines, and how the text of a value becomes JSON.

A connection gives each value as the text the server prints, with the Java class JDBC would make of it.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from snowetl.enrich.enrichments import sql_values
from snowetl.enrich.enrichments.sql_inputs import Value
from snowetl.enrich.enrichments.sql_values import Row

CONNECT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is. ``encrypted`` connections check no certificate, as the reference's do not."""

    host: str
    port: int
    encrypted: bool
    user: str
    password: str = field(repr=False)
    database: str


class DatabaseFault(Exception):
    """What a server or driver says. After ``lost`` the connection is of no use; ``again`` where a new one may help."""

    def __init__(self, text: str, *, lost: bool = False, again: bool = False) -> None:
        super().__init__(text)
        self.lost = lost
        self.again = again


class Connection(Protocol):
    def rows(self, pieces: Sequence[str], values: Sequence[Value]) -> list[Row]:
        """Run the statement whose ``pieces`` the values go between. Raises :class:`DatabaseFault`."""

    def close(self) -> None: ...


@contextmanager
def deadline(descriptor: int, seconds: float) -> Iterator[threading.Event]:
    """Break the connection with this socket when the time is over; the event tells so.

    A driver's own timeouts begin anew with every byte, or are the server's to keep.
    """
    over = threading.Event()
    handle = socket.socket(fileno=os.dup(descriptor))

    def cut() -> None:
        over.set()
        with suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()
        timer.join()
        handle.close()


def late(seconds: float) -> DatabaseFault:
    return DatabaseFault(f"no answer within {seconds:g} seconds", lost=True)


JavaText = Callable[[str], str]
"""From what a server prints to the text of the Java object."""

as_it_is: JavaText = str
OTHER = ("Object", as_it_is)


def value_of(java_class: str, java_text: JavaText, text: str | bytes | None) -> Any:
    if text is None:
        return None
    return sql_values.to_json(java_class, java_text(utf8_text(text) if isinstance(text, bytes) else text))


def utf8_text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")
