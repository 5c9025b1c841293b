"""Secrets in configurations: which keys of a document hold one, and how they are masked where it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from snowetl.references import is_reference

MASK = "***"
_SECRET_KEY = re.compile(r"api_?key|passw(?:or)?d|secret|token|salt|private_?key|credential", re.IGNORECASE)


def is_secret_key(key: str) -> bool:
    """Whether a key of a document names a secret: ``apikey``, ``password``, ``salt``, ``secretAccessKey``, …"""
    return _SECRET_KEY.search(key) is not None


def _is_secret(key: str, text: str) -> bool:
    """Whether ``text`` under ``key`` is a secret, not the reference to one."""
    return text != "" and is_secret_key(key) and not is_reference(text)


def secrets_in(value: Any) -> Iterator[str]:
    """The texts that ``value`` (a parsed document) holds under keys that name a secret."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str):
                if _is_secret(str(key), item):
                    yield item
            else:
                yield from secrets_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item)


def masked(value: Any) -> Any:
    """A copy of ``value`` (a parsed document) that can be printed: secrets, and passwords in URLs, become ``***``."""
    if isinstance(value, dict):
        return {
            key: MASK if isinstance(item, str) and _is_secret(str(key), item) else masked(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [masked(item) for item in value]
    return mask_urls(value) if isinstance(value, str) else value


def mask_urls(text: str) -> str:
    """``text`` without user and password of URLs, nor secrets in their query strings."""
    from snowetl.http import redacted

    return redacted(text)
