"""What must never be shown or kept: text without passwords, and stand-ins that tell secrets apart."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from snowetl.references import has_reference, without_references
from snowetl.secret_keys import MASK, is_secret_key, mask_urls

_NAMES = (
    r"(?:[\w.-]*(?:api_?-?key|passw(?:or)?d|passphrase|secret|token|signature|credential|private_?-?key)[\w.-]*|pwd)"
)
_KEYWORD = re.compile(
    rf"""(?<![\w?&.-])({_NAMES}\s*=\s*)(?P<secret>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s'"&,;]+)""",
    re.IGNORECASE,
)
"""``password = 'x'`` as libpq spells it, ``;password=x`` as JDBC does."""
_USERINFO = re.compile(r"(?<=://)[^/\s@:?#]*:(?P<secret>[^/\s?#]*|[^\s@]*)(?=@)")
_ROUNDS = 20_000


def redact(text: str) -> str:
    """``text`` with ``***`` for passwords: in URLs, in query parameters, in keywords such as ``password = 'x'``."""
    return _KEYWORD.sub(rf"\1{MASK}", mask_urls(text))


def passwords_in(text: str) -> Iterator[str]:
    """The passwords in the URL or the keywords of a database connection."""
    for pattern in (_USERINFO, _KEYWORD):
        yield from (match["secret"].strip("'\"") for match in pattern.finditer(text))


def is_open(text: str) -> bool:
    """Whether ``text`` names its secrets instead of holding them: it has references, and no password besides."""
    return has_reference(text) and not any(without_references(each) for each in passwords_in(text))


def hashed(secret: str) -> str:
    """A stand-in that tells secrets apart; slow on purpose, so that a short secret cannot be guessed from it."""
    digest = hashlib.pbkdf2_hmac("sha256", secret.encode("utf-8", "surrogatepass"), b"snowetl-secret", _ROUNDS)
    return f"sha256:{digest.hex()}"


def with_hashed_secrets(document: Any) -> Any:
    """A copy of a parsed document with each secret replaced by its hash."""
    if isinstance(document, dict):
        return {
            key: hashed(value) if isinstance(value, str) and is_secret_key(str(key)) else with_hashed_secrets(value)
            for key, value in document.items()
        }
    if isinstance(document, (list, tuple)):
        return [with_hashed_secrets(item) for item in document]
    return document
