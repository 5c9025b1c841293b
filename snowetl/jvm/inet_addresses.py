"""IPv6 addresses in text, as strict as Guava's ``InetAddresses``: no port, no brackets, no zone."""

from __future__ import annotations

import re
from typing import Final

from snowetl.jvm.strings import hex_digit

_ASCII_GROUP: Final = re.compile("[0-9a-fA-F]{1,4}")
_GROUPS: Final = 8
_MAX_LENGTH: Final = 45


def parse_ipv6(text: str) -> list[int] | None:
    """The eight groups of an address (the last two may be given as dotted IPv4), ``None`` for anything else."""
    if len(text) > _MAX_LENGTH:
        return None
    parts = text.split(":")
    if "." in parts[-1]:
        quad = parse_ipv4(parts[-1])
        if quad is None:
            return None
        parts[-1:] = [f"{quad >> 16:x}", f"{quad & 0xFFFF:x}"]
    if not 3 <= len(parts) <= _GROUPS + 1:
        return None
    gaps = [place for place in range(1, len(parts) - 1) if not parts[place]]
    if len(gaps) > 1:
        return None
    if not gaps:
        return _groups(parts) if len(parts) == _GROUPS else None
    before, after = parts[: gaps[0]], parts[gaps[0] + 1 :]
    if before == [""]:
        before = []
    if after == [""]:
        after = []
    missing = _GROUPS - len(before) - len(after)
    return _groups(before + ["0"] * missing + after) if missing >= 1 else None


def parse_ipv4(text: str) -> int | None:
    """The address as a number: exactly four decimal octets without leading zeros; ``None`` for anything else."""
    parts = text.split(".")
    if len(parts) != 4:
        return None
    address = 0
    for part in parts:
        if not part.isdecimal() or len(part) > 3 or (len(part) > 1 and int(part[0]) == 0) or int(part) > 255:
            return None
        address = address << 8 | int(part)
    return address


def _groups(parts: list[str]) -> list[int] | None:
    groups = []
    for part in parts:
        group = int(part, 16) if _ASCII_GROUP.fullmatch(part) else _group(part)
        if group is None:
            return None
        groups.append(group)
    return groups


def _group(part: str) -> int | None:
    """Hexadecimal digits of any script."""
    digits = [hex_digit(char) for char in part]
    if not 1 <= len(digits) <= 4 or min(digits) < 0:
        return None
    group = 0
    for digit in digits:
        group = group << 4 | digit
    return group
