"""event_fingerprint: a hash of what the tracker sent (enrich 3.9.0 ``EventFingerprintEnrichment``)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, ClassVar, Final, NamedTuple

from snowetl.caching import Memo
from snowetl.enrich.draft import Draft
from snowetl.enrich.enrichments import parameters
from snowetl.enrich.enrichments.base import Enrichment, Needs, Place, Step, configuration
from snowetl.enrich.enrichments.parameters import Parameters
from snowetl.enrich.services import Services
from snowetl.errors import ConfigError
from snowetl.jvm.strings import to_utf8
from snowetl.model.fields import INDEX
from snowetl.model.payload import picker
from snowetl.model.schema import SchemaCriterion, SchemaKey

_FINGERPRINT: Final = INDEX["event_fingerprint"]
_SEPARATOR: Final = "\x1f"
_VALUES: Final = slice(1, -1, 2)
_CACHE_SIZE: Final = 4_096
_CACHED_LENGTH: Final = 2_048
_HASHES: Final = ("MD5", "SHA1", "SHA256", "SHA384", "SHA512")


@configuration
class EventFingerprintConf:
    """``excluded`` are the tracker protocol's parameter names that do not count."""

    criterion: ClassVar[SchemaCriterion] = parameters.criterion("event_fingerprint_config")
    place: ClassVar[Place] = Place(130)

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

    def needs(self) -> Needs:
        return Needs()

    def open(self, services: Services) -> AbstractContextManager[Step]:
        return nullcontext(EventFingerprint(self.hash, self.excluded))


ENRICHMENT: Final[type[Enrichment]] = EventFingerprintConf


class EventFingerprint:
    """The step."""

    def __init__(self, hash_: str, excluded: tuple[str, ...]) -> None:
        self._hash = partial(getattr(hashlib, hash_.lower()), usedforsecurity=False)
        self._excluded = frozenset(excluded)
        self._forms = Memo(self._form, _CACHE_SIZE, _CACHED_LENGTH, length=lambda names: sum(map(len, names)))

    def __call__(self, draft: Draft) -> None:
        text = self.text(draft.raw.parameters)
        digest = self._hash(text.encode() if text.isascii() else to_utf8(text))
        draft.values[_FINGERPRINT] = digest.hexdigest()

    def text(self, given: Mapping[str, str | None]) -> str:
        """What is hashed: names and values, each followed by U+001F, in the order of the names' UTF-16 units."""
        form = self._forms[tuple(given)]
        values = form.pick(given)
        if not all(values) and None in values:
            form = _form(name for name in form.names if given[name] is not None)
            values = form.pick(given)
        pieces = form.pieces.copy()
        pieces[_VALUES] = values
        return _SEPARATOR.join(pieces)

    def _form(self, names: tuple[str, ...]) -> _Form:
        return _form(name for name in names if name not in self._excluded)


class _Form(NamedTuple):
    """Names, each followed by a place for its value, and an empty end: trackers send the same names over and over."""

    names: tuple[str, ...]
    pick: Callable[[Mapping[str, str | None]], tuple[str | None, ...]]
    pieces: list[Any]


def _form(names: Iterable[str]) -> _Form:
    ordered = tuple(sorted(names, key=_utf16))
    return _Form(ordered, picker(ordered), [piece for name in ordered for piece in (name, "")] + [""])


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")
