"""event_fingerprint: a hash of what the tracker sent (enrich 3.9.0 ``EventFingerprintEnrichment``)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Asset
from snowetl.enrich.enrichments.parameters import Parameters
from snowetl.errors import ConfigError
from snowetl.model.fields import INDEX
from snowetl.model.schema import SchemaCriterion, SchemaKey
from snowetl.model.text import to_utf8

_FINGERPRINT = INDEX["event_fingerprint"]
_SEPARATOR = "\x1f"
_HASHES = ("MD5", "SHA1", "SHA256", "SHA384", "SHA512")


@dataclass(frozen=True, slots=True)
class EventFingerprintConf:
    """``excluded`` are the tracker protocol's parameter names that do not count."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("event_fingerprint_config")

    schema_key: SchemaKey
    hash: str
    excluded: tuple[str, ...]

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> EventFingerprintConf:
        given = Parameters(data)
        none: tuple[str, ...] = ()
        excluded = given.read("parameters.excludeParameters", parameters.texts, none)
        hash_ = given.read("parameters.hashAlgorithm", parameters.text, "")
        given.check()
        if hash_ not in _HASHES:
            raise ConfigError(f"[{hash_}] is not a supported event fingerprint generation algorithm")
        return cls(key, hash_, excluded)

    def assets(self) -> list[Asset]:
        return []

    def build(self, files: Mapping[str, Path]) -> EventFingerprint:
        return EventFingerprint(self.hash, self.excluded)


class EventFingerprint:
    """The step."""

    def __init__(self, hash_: str, excluded: tuple[str, ...]) -> None:
        self._hash = getattr(hashlib, hash_.lower())
        self._excluded = frozenset(excluded)

    def __call__(self, draft: Draft) -> None:
        text = self.text(draft.raw.parameters)
        digest = self._hash(text.encode() if text.isascii() else to_utf8(text), usedforsecurity=False)
        draft.values[_FINGERPRINT] = digest.hexdigest()

    def text(self, given: Mapping[str, str | None]) -> str:
        """What is hashed: names and values, each followed by U+001F, in the order of the names' UTF-16 units."""
        names = sorted(given)
        if not all(map(str.isascii, names)):  # code points and UTF-16 units differ in order only beyond that
            names.sort(key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        excluded = self._excluded
        return "".join(
            [
                f"{name}{_SEPARATOR}{value}{_SEPARATOR}"
                for name in names
                if (value := given[name]) is not None and name not in excluded
            ]
        )
