"""What must never be shown or kept: which keys hold secrets, and text without the passwords in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

MASK = "***"

_WORDS = r"api_?-?key|password|passwd|passphrase|secret|token|signature|credential|private_?-?key"
_KEY = re.compile(rf"{_WORDS}|salt|authorization|\b(?:pwd|sig)\b", re.IGNORECASE)
_NAMES = rf"(?:[\w.-]*(?:{_WORDS})[\w.-]*|pwd|sig)"
_USERINFO = re.compile(r"(?<=://)(?!USER:PASSWORD@)([^/\s@:'\"]*):(?P<secret>[^/\s@]*)(?=@)")
_QUERY = re.compile(rf"(?<=[?&;])({_NAMES})=(?P<secret>[^&\s'\"#;]*)", re.IGNORECASE)
_KEYWORD = re.compile(
    rf"""(?<![\w?&.-])({_NAMES})(\s*=\s*)(?P<secret>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s'"&,;]+)""",
    re.IGNORECASE,
)
_ROUNDS = 20_000


def is_secret_key(key: str) -> bool:
    """Whether a key of a document names a secret: ``apikey``, ``password``, ``salt``, ``secretAccessKey``, …"""
    return _KEY.search(key) is not None


def secret_values(document: Any) -> Iterator[str]:
    """Every text a parsed document holds under a key that names a secret."""
    if isinstance(document, dict):
        for key, value in document.items():
            if isinstance(value, str) and is_secret_key(str(key)):
                yield value
            else:
                yield from secret_values(value)
    elif isinstance(document, (list, tuple)):
        for item in document:
            yield from secret_values(item)


def secrets_in(text: str) -> Iterator[str]:
    """The passwords that :func:`redact` would mask in a connection URL or in keywords of libpq."""
    for pattern in (_USERINFO, _QUERY, _KEYWORD):
        yield from (match.group("secret").strip("'\"") for match in pattern.finditer(text))


def redact(text: str) -> str:
    """``text`` with ``***`` for passwords in URLs, for secret query parameters and for ``password = '…'`` of libpq."""
    text = _USERINFO.sub(rf"\1:{MASK}", text)
    text = _QUERY.sub(rf"\1={MASK}", text)
    return _KEYWORD.sub(rf"\1\2{MASK}", text)


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
