"""The address in a text that may carry a port, brackets, octal digits, … (IPAddress 5.3.1 ``HostName``); no DNS ever.

What the reference asks a name server for (anything that is not an address) is not an address here.
"""

from __future__ import annotations

import re
from typing import Final

from snowetl.jvm.inet_addresses import parse_ipv6
from snowetl.jvm.strings import trim

_MAX_LENGTH: Final = 253
_PLAIN: Final = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
_OCTET: Final = re.compile(r"0[xX]0*([0-9]{1,8})|0+([0-7]{1,11})|([0-9]{1,11})")
_LETTERED_OCTET: Final = re.compile(r"0[xX]0*([0-9a-fA-F]{1,8})|0+([0-7]{1,11})|([0-9]{1,11})")
_WHOLE_IPV6: Final = re.compile(r"[0-9a-fA-F]{32}")
_EXTRA_ZEROS: Final = re.compile(r"(?<![0-9a-fA-F])0+(?=[0-9a-fA-F])")
_PORT: Final = re.compile(r"0*[1-9][0-9]{0,4}")
_SERVICE: Final = re.compile(r"(?!-)(?=.*[A-Za-z])(?!.*--)[A-Za-z0-9-]{1,15}(?<!-)|\*")
_MAPPED: Final = [0, 0, 0, 0, 0, 0xFFFF]


def host_address(text: str) -> str | None:
    """The address as plain IPv4 or IPv6 text; ``None`` for a name, a range, a block or nothing."""
    if _PLAIN.fullmatch(text):
        return text
    if len(text) > _MAX_LENGTH:
        return None
    return _lenient(trim(text)) or _java_literal(text)


def _lenient(text: str) -> str | None:
    if "/" in text:
        return None
    if text.startswith("["):
        inside, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not (rest[0] == ":" and _is_port(rest[1:]))):
            return None
        return _ipv6(inside.removeprefix("IPv6:")) or _ipv4(inside, _LETTERED_OCTET)
    host, colon, port = text.rpartition(":")
    if not colon:
        return _ipv4(text, _OCTET) or _whole_ipv6(text)
    if ":" not in host:
        if not _is_port(port):
            return None
        return _ipv4(host, _OCTET) or _whole_ipv6(host)
    return _ipv6(text) or (_ipv6(host) if _is_port(port) else None)


def _is_port(text: str) -> bool:
    if _PORT.fullmatch(text):
        return int(text) <= 65535
    return _SERVICE.fullmatch(text) is not None


def _ipv4(text: str, octet: re.Pattern[str]) -> str | None:
    """As ``inet_aton``: one to four decimal, octal or hexadecimal parts, the last of which covers all that is left."""
    parts = text.split(".")
    if len(parts) > 4:
        return None
    numbers = []
    for part in parts:
        match = octet.fullmatch(part)
        if match is None:
            return None
        hexadecimal, octal, decimal = match.groups()
        numbers.append(int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal))
    if max(numbers[:-1], default=0) > 255 or numbers[-1] >= 1 << 8 * (5 - len(numbers)):
        return None
    address = numbers[-1]
    for place, number in enumerate(numbers[:-1]):
        address |= number << 8 * (3 - place)
    return _dotted(address)


def _ipv6(text: str) -> str | None:
    address, percent, zone = text.partition("%")
    if percent and not zone.removeprefix("25").isdecimal():  # a zone by name is an interface of this machine
        return None
    groups = parse_ipv6(_EXTRA_ZEROS.sub("", address))
    if groups is None:
        return _whole_ipv6(address)
    if groups[:6] == _MAPPED:
        return _dotted(groups[6] << 16 | groups[7])
    return ":".join([f"{group:x}" for group in groups])


def _whole_ipv6(text: str) -> str | None:
    """32 hexadecimal digits."""
    if _WHOLE_IPV6.fullmatch(text) is None:
        return None
    return _ipv6(":".join([text[start : start + 4] for start in range(0, 32, 4)]))


def _java_literal(text: str) -> str | None:
    """The reading of ``InetAddress.getByName`` when the above fails: leading zeros are decimal."""
    if len(text) > 15 or not all(part.isdecimal() for part in text.split(".")):
        return None
    return _ipv4(".".join([part.lstrip("0") or "0" for part in text.split(".")]), _OCTET)


def _dotted(address: int) -> str:
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"
