"""StatsD over UDP: counters of runs, gauges of what a run had, timers in milliseconds."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from snowetl.orchestrator.notify.base import Notice
from snowetl.orchestrator.notify.metrics import Metric, metrics

_PORT = 8125
_LONGEST_PACKET = 1400
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NOT_A_NAME = re.compile(r"[^\w.-]")


@dataclass(frozen=True, slots=True)
class StatsD:
    """``prefix`` stands before all names: ``statsd://host:8125/etl.shop``."""

    host: str
    port: int
    prefix: str
    example: ClassVar[str] = "statsd://127.0.0.1:8125/snowetl"

    @classmethod
    def of(cls, address: str) -> StatsD:
        parts = urlsplit(address)
        if not parts.hostname:
            raise ValueError("it has no host")
        return cls(parts.hostname, parts.port or _PORT, _NOT_A_NAME.sub("_", parts.path.strip("/")) or "snowetl")

    def send(self, notice: Notice) -> None:
        family, kind, protocol, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as sender:
            for packet in _packets([self.line(metric) for metric in metrics(notice)]):
                sender.sendto(packet, address)

    def line(self, metric: Metric) -> str:
        name = ".".join(filter(None, (self.prefix, metric.step, _WORD.sub("_", metric.name).lower())))
        if metric.name.endswith("Seconds"):
            return f"{name.removesuffix('_seconds')}:{metric.value * 1000:.0f}|ms"
        kind = "c" if metric.name.startswith("Runs") else "g"
        return f"{name}:{metric.value:.10g}|{kind}"


def _packets(lines: list[str]) -> Iterator[bytes]:
    """Lines in as few packets as fit a network."""
    packet = b""
    for line in (line.encode("utf-8") for line in lines):
        if packet and len(packet) + 1 + len(line) > _LONGEST_PACKET:
            yield packet
            packet = b""
        packet += b"\n" * bool(packet) + line
    yield packet
