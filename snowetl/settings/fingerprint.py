"""The fingerprint of settings: equal if the same input gives the same output; if not, it names the keys that differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snowetl import documents
from snowetl.settings.secrets import with_hashed_secrets

_DATABASES = ("postgres://", "postgresql://")


@dataclass(frozen=True)
class Fingerprint:
    """``keys`` holds a digest for every setting that shapes output and is not at its default, by the setting's key.

    ``files`` are the checksums of the files that were read, by address. They are known when a run is done, not when it
    is planned: a run that is done stays done when there is a newer database.
    """

    keys: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """One text (64 hexadecimal digits) that stands for all of them."""
        keys = sorted(self.keys.items())
        return _sha256([keys, sorted(self.files.items())] if self.files else keys)

    def with_files(self, files: Mapping[str, str]) -> Fingerprint:
        return Fingerprint(self.keys, files)

    def __str__(self) -> str:
        return self.digest

    def differences(self, other: Fingerprint | Mapping[str, str]) -> list[str]:
        """The keys in which another fingerprint differs, sorted: what a refusal names. Files do not count."""
        theirs = other.keys if isinstance(other, Fingerprint) else other
        return sorted(key for key in {*self.keys, *theirs} if self.keys.get(key) != theirs.get(key))

    def to_json(self) -> dict[str, Any]:
        files = {"files": dict(self.files)} if self.files else {}
        return {"digest": self.digest, "keys": dict(self.keys), **files}

    @classmethod
    def from_json(cls, document: Any) -> Fingerprint:
        """The fingerprint that ``to_json`` wrote; an empty one for anything else (it then differs in every key)."""
        return cls(*(_texts(document.get(name) if isinstance(document, dict) else None) for name in ("keys", "files")))


def _texts(value: Any) -> dict[str, str]:
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}


def digest_of(value: Any) -> str:
    """A short digest of canonical JSON; secrets in it count by their hashes."""
    return _sha256(with_hashed_secrets(value))[:16]


def _sha256(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=repr)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def read_document(source: Any, *, variables: bool = True) -> Any:
    """The parsed content of a document in any form (:func:`snowetl.documents.read_all`).

    A folder gives the list of its documents in the order of their names. The URL of a database is its own content.
    With ``variables``, ``${NAME}`` is replaced. References to secrets stay: they count by their names.
    Raises :class:`ConfigError` for what cannot be read.
    """
    if not isinstance(source, (str, dict, list)) or (isinstance(source, str) and source.startswith(_DATABASES)):
        return source
    found = [
        document.value for document in documents.read_all(source, "the document", variables=variables, secrets=False)
    ]
    is_folder = isinstance(source, str) and not source.lstrip().startswith(("{", "[")) and _is_folder(source)
    return found if is_folder or len(found) != 1 else found[0]


def _is_folder(source: str) -> bool:
    try:
        return Path(source.removeprefix("file://")).is_dir()
    except (OSError, ValueError):
        return False
