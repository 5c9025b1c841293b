"""The IAB/ABC spiders and robots lists, and what they say of a client (iab-spiders-and-robots-java-client 0.2.0)."""

from __future__ import annotations

import csv
import ipaddress
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from snowetl.jvm.strings import trim
from snowetl.jvm.timestamps import days_from_civil, to_tsv

_ENCODING = "iso-8859-1"
_DAY = 86_400_000
_DATE = re.compile(r"\s*(-?\d+)/\s*(-?\d+)/\s*(-?\d+)")
_ON = "1"
_LAST_YEAR = 9998
_NEVER, _ALWAYS = "~", ""


class Include(NamedTuple):
    """User agents of browsers. ``inactive_from`` is when an inactive record stopped to count."""

    pattern: str
    active: bool
    at_start: bool
    inactive_from: str | None

    def matches(self, agent: str) -> bool:
        return _found(self.pattern, agent, self.at_start)

    def counts_at(self, time: str) -> bool:
        return self.active or (self.inactive_from is not None and time < self.inactive_from)


class Exclude(NamedTuple):
    """User agents of robots, but for those that hold one of ``exceptions``. ``impact`` is the flag as written."""

    pattern: str
    active: bool
    exceptions: tuple[str, ...]
    impact: str
    at_start: bool
    inactive_from: str | None

    def matches(self, agent: str) -> bool:
        if not self.active and self.inactive_from is None:
            return False
        return _found(self.pattern, agent, self.at_start) and not any(text in agent for text in self.exceptions)

    def is_inactive_at(self, time: str) -> bool:
        return self.inactive_from is not None and time >= self.inactive_from


class Addresses:
    """The IP file: addresses by their text, and blocks."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._texts: set[str] = set()
        self._blocks: dict[tuple[int, int], set[int]] = {}
        for line in lines:
            entry = trim(line)
            block = _block(entry) if "/" in entry else None
            if block is not None:
                bits = block.max_prefixlen - block.prefixlen
                self._blocks.setdefault((block.version, bits), set()).add(int(block.network_address) >> bits)
            elif entry:
                self._texts.add(entry)

    def __contains__(self, address: str) -> bool:
        """``address`` as Java prints it: IPv6 in eight groups without leading zeros."""
        if address in self._texts:
            return True
        parsed = ipaddress.ip_address(address)
        number = int(parsed)
        return any(
            version == parsed.version and number >> bits in networks
            for (version, bits), networks in self._blocks.items()
        )


def read_addresses(path: Path) -> Addresses:
    return Addresses(path.read_text(_ENCODING).split("\n"))


def read_includes(path: Path) -> list[Include]:
    return [
        Include(pattern.lower(), active == _ON, at_start == _ON, read_date(date))
        for pattern, active, at_start, date in _records(path, 4)
    ]


def read_excludes(path: Path) -> list[Exclude]:
    return [
        Exclude(pattern.lower(), active == _ON, _exceptions(exceptions), impact, at_start == _ON, read_date(date))
        for pattern, active, exceptions, _, impact, at_start, date in _records(path, 7)
    ]


def read_date(text: str) -> str | None:
    """``MM/dd/yyyy`` as the column text of its midnight (UTC), as lenient as ``SimpleDateFormat``: month 13 is January.

    Columns hold years 0 to 9999, so that times compare as texts; a year beyond is never reached.
    """
    match = _DATE.match(text)
    if match is None:
        return None
    month, day, year = map(int, match.groups())
    years, month = divmod(month - 1, 12)
    if not 0 <= year + years <= _LAST_YEAR:
        return _NEVER if year > 0 else _ALWAYS
    return to_tsv((days_from_civil(year + years, month + 1, 1) + day - 1) * _DAY)


def _records(path: Path, width: int) -> Iterator[list[str]]:
    """Trimmed cells of each record, ``""`` for missing ones; comments and empty lines are left out."""
    with path.open(encoding=_ENCODING, newline="") as file:
        lines = (line for line in file if not line.startswith("#"))
        for cells in csv.reader(lines, delimiter="|"):
            if cells:
                yield [trim(cell) for cell in (cells + [""] * width)[:width]]


def _exceptions(text: str) -> tuple[str, ...]:
    return tuple(exception for piece in text.split(",") if (exception := trim(piece).lower()))


def _found(pattern: str, agent: str, at_start: bool) -> bool:
    return agent.startswith(pattern) if at_start else pattern in agent


def _block(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None
