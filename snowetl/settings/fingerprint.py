"""The fingerprint of settings: equal when the same input would give the same output, told apart key by key when not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snowetl.errors import ConfigError
from snowetl.jvm import jsontext
from snowetl.jvm.text import decode_base64, decode_utf8
from snowetl.settings.secrets import with_hashed_secrets


@dataclass(frozen=True)
class Fingerprint:
    """``keys`` holds a digest for every setting that shapes output and is not at its default, by the setting's key."""

    keys: Mapping[str, str]

    @property
    def digest(self) -> str:
        """One text (64 hexadecimal digits) that stands for all of them."""
        return _sha256(sorted(self.keys.items()))

    def __str__(self) -> str:
        return self.digest

    def differences(self, other: Fingerprint | Mapping[str, str]) -> list[str]:
        """The keys in which another fingerprint differs, sorted: what a refusal names."""
        theirs = other.keys if isinstance(other, Fingerprint) else other
        return sorted(key for key in {*self.keys, *theirs} if self.keys.get(key) != theirs.get(key))

    def to_json(self) -> dict[str, Any]:
        return {"digest": self.digest, "keys": dict(self.keys)}

    @classmethod
    def from_json(cls, document: Any) -> Fingerprint:
        """The fingerprint that ``to_json`` wrote; an empty one for anything else (it then differs in every key)."""
        keys = document.get("keys") if isinstance(document, dict) else None
        return cls({str(key): str(value) for key, value in keys.items()} if isinstance(keys, dict) else {})


def digest_of(value: Any) -> str:
    """A short digest of canonical JSON; secrets in it count by their hashes."""
    return _sha256(with_hashed_secrets(value))[:16]


def _sha256(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=repr)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def read_document(source: Any) -> Any:
    """The parsed content of a document: a path, a folder of ``*.json``, JSON text, base64 of it, or parsed JSON.

    A folder gives the list of its documents in the order of their names. Raises :class:`ConfigError` for what cannot
    be read.
    """
    if not isinstance(source, str):
        return source
    path = Path(source)
    try:
        if _exists(path):
            if path.is_dir():
                return [jsontext.loads(file.read_text("utf-8")) for file in sorted(path.glob("*.json"))]
            return jsontext.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    text = source if source.lstrip().startswith(("{", "[")) else decode_utf8(decode_base64(source))
    try:
        return jsontext.loads(text)
    except ValueError:
        return source


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long for a name: it is base64
        return False
