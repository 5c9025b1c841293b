"""``email`` as the reference checks it (commons-validator 1.6: a known top-level domain, or an address in brackets)."""

from __future__ import annotations

import re
import stringprep
from functools import cache
from importlib import resources

_WORD = r"(?:(?:\\[^\n\r\x85\u2028\u2029]|[^ \t-\r\x00-\x1f\x7f()<>@,;:'\\\".\[\]]|')+|\"(?:\\\"|[^\"])*\")"
_USER = re.compile(rf"[ \t-\r]*{_WORD}(?:\.{_WORD})*")
_LABEL = r"[0-9A-Za-z](?>[0-9A-Za-z-]{0,61}[0-9A-Za-z])?"
_TOP_LABEL = r"[A-Za-z](?>[0-9A-Za-z-]{0,61}[0-9A-Za-z])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+({_TOP_LABEL})\.?")
_IPV4 = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})")
_HEX_GROUP = re.compile(r"[0-9A-Fa-f]{1,4}")
_LINE_ENDS = re.compile("[\n\r\x85\u2028\u2029]")
_BLANKS = " \t\n\x0b\f\r"
_DOTS = re.compile("[\u3002\uff0e\uff61]")
_MAX_USER = 64
_MAX_DOMAIN = 253
_IPV6_GROUPS = 8


def is_email(text: str) -> bool:
    user, at, domain = text.rpartition("@")
    if not at or text.endswith("."):
        return False
    domain = domain.rstrip(_BLANKS)
    user = _after_leading_lines(user)
    if not user or not domain or _LINE_ENDS.search(user) or _LINE_ENDS.search(domain):
        return False
    return _is_user(user) and _is_domain(domain)


def _after_leading_lines(user: str) -> str:
    """Blank lines before the address are skipped, blanks on its own line belong to the user's name."""
    start = max(user.rfind("\n"), user.rfind("\r")) + 1
    return user[start:] if not user[:start].strip(_BLANKS) else user


def _is_user(user: str) -> bool:
    units = len(user) if user.isascii() else len(user.encode("utf-16-le", "surrogatepass")) // 2
    return units <= _MAX_USER and _USER.fullmatch(user) is not None


def _is_domain(domain: str) -> bool:
    if domain.startswith("[") and domain.endswith("]"):
        return _is_address(domain[1:-1])
    domain = _to_ascii(domain)
    match = _DOMAIN.fullmatch(domain) if len(domain) <= _MAX_DOMAIN else None
    return match is not None and match.group(1).lower() in _top_level_domains()


def _to_ascii(domain: str) -> str:
    """IDNA 2003, as ``java.net.IDN``; what it refuses stays as it is, also characters that Unicode 3.2 did not have."""
    if domain.isascii() or any(map(stringprep.in_table_a1, domain)):
        return domain
    try:
        return ".".join(label.encode("idna").decode("ascii") for label in _DOTS.sub(".", domain).split("."))
    except UnicodeError:
        return domain


@cache
def _top_level_domains() -> frozenset[str]:
    lines = resources.files(__package__).joinpath("top_level_domains.txt").read_text("utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())


def _is_address(text: str) -> bool:
    return _is_ipv4(text) or _is_ipv6(text)


def _is_ipv4(text: str) -> bool:
    match = _IPV4.fullmatch(text)
    return match is not None and all(
        int(part) <= 255 and (len(part) == 1 or not part.startswith("0")) for part in match.groups()
    )


def _is_ipv6(text: str) -> bool:
    """Eight groups, or fewer with one ``::``; the last may be an IPv4 address, which counts as two."""
    compressed = "::" in text
    if text.count(":") > _IPV6_GROUPS or (compressed and text.find("::") != text.rfind("::")):
        return False
    if (text.startswith(":") and not text.startswith("::")) or (text.endswith(":") and not text.endswith("::")):
        return False
    groups = [group for group in text.split(":") if group]
    if not groups and not compressed:
        return False
    size = 0
    for place, group in enumerate(groups):
        if place == len(groups) - 1 and "." in group:
            if not _is_ipv4(group):
                return False
            size += 2
        elif _HEX_GROUP.fullmatch(group):
            size += 1
        else:
            return False
    return size < _IPV6_GROUPS if compressed else size == _IPV6_GROUPS
