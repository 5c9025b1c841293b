"""The door of the room: checkers for self-describing data, schemas and schema lists for those who build tables."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final

from snowetl.errors import RegistryUnavailable
from snowetl.http import Http
from snowetl.iglu import failures
from snowetl.iglu.config import ResolverConfig
from snowetl.iglu.failures import ErrorJson, ResolutionFailure
from snowetl.iglu.registries import build_registries
from snowetl.iglu.resolver import Resolver, SchemaItem
from snowetl.iglu.validation import Validator, compile_schema
from snowetl.model.schema import ParseError, SchemaKey

_FEWEST_KEPT: Final = 5_000
_LONGEST_KEPT: Final = 512
_ADVICE: Final = (
    "Nothing is wrong with the events: make the registry reachable and run again. To make bad rows of such events "
    "instead, use --on-registry-failure bad-rows."
)


class Checker:
    """One schema, ready to validate."""

    __slots__ = ("_max_depth", "_superseded_text", "_validator", "fits", "key", "origin", "superseded_by")

    def __init__(self, key: SchemaKey, item: SchemaItem, validator: Validator, max_depth: int | None) -> None:
        self.key = key
        version = item.superseded_by
        self.superseded_by = None if version is None else key._replace(version=version)
        self.origin: Any = item
        self._superseded_text = None if version is None else str(version)
        self._validator = validator
        self._max_depth = max_depth
        self.fits: Callable[[Any], bool] = validator.predicate if max_depth is None else self._fits_in_depth
        """Whether data is valid. Raises ``RecursionError`` where :meth:`check` goes deeper, and ``ValidationCrash``."""

    def check(self, data: Any) -> ErrorJson | None:
        """``None`` if ``data`` is valid, else the client error as it stands in bad rows.

        Raises ``ValidationCrash`` for a schema that blows up while it validates.
        """
        try:
            if self.fits(data):
                return None
        except RecursionError:
            if self._validator.fits(data):
                return None
        return self._explained(data)

    def _fits_in_depth(self, data: Any) -> bool:
        assert self._max_depth is not None
        return not is_deeper(data, self._max_depth) and self._validator.fits(data)

    def _explained(self, data: Any) -> ErrorJson | None:
        if self._max_depth is not None and is_deeper(data, self._max_depth):
            return failures.too_deep(of_schema=False, superseded_by=self._superseded_text)
        reports = self._validator.reports(data)
        return failures.invalid_data(reports, self._superseded_text) if reports else None


class FailedChecker:
    """A schema that was not found, or cannot be used: says so whatever the data."""

    __slots__ = ("_error", "key", "origin", "superseded_by")

    def __init__(self, key: SchemaKey, error: ErrorJson, origin: Any, superseded_by: SchemaKey | None = None) -> None:
        self.key = key
        self.superseded_by = superseded_by
        self.origin = origin
        self._error = error

    def fits(self, data: Any) -> bool:
        return False

    def check(self, data: Any) -> ErrorJson:
        return self._error


AnyChecker = Checker | FailedChecker


class IgluClient:
    """Schemas of one resolver configuration, each fetched and compiled once.

    ``now`` (epoch milliseconds) is what failed look-ups give as their time. Without ``clock`` time stands still there:
    nothing found expires, nothing missing is asked for again, and a second run says the same. With a ``clock`` (epoch
    milliseconds) ``cacheTtl`` and the reference's back-off count, for processes that live long.
    """

    def __init__(
        self,
        config: ResolverConfig,
        *,
        now: int,
        on_registry_failure: str = "fail",
        http: Http | None = None,
        clock: Callable[[], int] | None = None,
        max_json_depth: int | None = None,
        advice: str = _ADVICE,
    ) -> None:
        """``advice`` ends the message about a registry that does not answer.

        Raises ``ConfigError`` for a registry folder that is not there.
        """
        self._resolver = Resolver(
            build_registries(config, http), config.cache_size, config.cache_ttl, clock or (lambda: now)
        )
        self._forgets = clock is not None
        self._fails = on_registry_failure == "fail"
        self._max_depth = max_json_depth
        self._advice = advice
        self._kept = max(config.cache_size, _FEWEST_KEPT)
        self._ready: dict[str, AnyChecker] = {}
        self._at_once: dict[str, AnyChecker] = {} if self._forgets else self._ready
        self.known: Callable[[str], AnyChecker | None] = self._at_once.get
        """As :meth:`checker`, for any text: ``None`` where that would have to look further."""
        self._missing: OrderedDict[str, AnyChecker] = OrderedDict()

    def checker(self, uri: str) -> AnyChecker:
        """The checker of a schema, by its (syntactically valid) URI.

        Raises ``RegistryUnavailable`` when a registry that might have it does not answer, unless configured otherwise.
        """
        found = self._at_once.get(uri)
        return self._look_up(uri) if found is None else found

    def _look_up(self, uri: str) -> AnyChecker:
        missing = self._missing.get(uri)
        if missing is not None and not self._forgets:
            return missing
        key = SchemaKey.parse(uri)
        item = self._available(key.uri, self._resolver.schema(key, superseding=True))
        known = self._ready.get(uri) or missing
        if known is not None and known.origin is item:
            return known
        if isinstance(item, ResolutionFailure):
            failed = FailedChecker(key, item.to_json(), item)
            if len(uri) > _LONGEST_KEPT:
                return failed
            self._missing[uri] = failed
            if len(self._missing) > self._kept:
                self._missing.popitem(last=False)
            return failed
        if len(self._ready) >= self._kept:
            del self._ready[next(iter(self._ready))]
        self._ready[uri] = checker = self._compiled(key, item)
        return checker

    def _compiled(self, key: SchemaKey, item: SchemaItem) -> AnyChecker:
        version = item.superseded_by
        newer = None if version is None else key._replace(version=version)
        text = None if version is None else str(version)
        if self._max_depth is not None and is_deeper(item.schema, self._max_depth):
            return FailedChecker(key, failures.too_deep(of_schema=True, superseded_by=text), item, newer)
        validator = compile_schema(item.schema)
        if isinstance(validator, list):
            return FailedChecker(key, failures.invalid_schema(validator, text), item, newer)
        return Checker(key, item, validator, self._max_depth)

    def schema(self, key: SchemaKey) -> Any | ResolutionFailure:
        """The parsed schema of ``key`` itself, whatever supersedes it. Raises ``RegistryUnavailable``."""
        found = self._available(key.uri, self._resolver.schema(key))
        return found if isinstance(found, ResolutionFailure) else found.schema

    def schema_list(
        self, vendor: str, name: str, model: int, containing: SchemaKey | None = None
    ) -> list[SchemaKey] | ResolutionFailure:
        """All versions of a model, in order of publishing; must have ``containing``. Raises ``RegistryUnavailable``."""
        found = self._resolver.schema_list(vendor, name, model, containing)
        return self._available(f"iglu:{vendor}/{name}/jsonschema/{model}-*-*", found)  # type: ignore[no-any-return]

    def prefetch(self, uris: Iterable[str]) -> None:
        """Fetch schemas before they are needed, skipping texts that are no URI. Raises ``RegistryUnavailable``."""
        for uri in uris:
            try:
                self.checker(uri)
            except ParseError:
                continue

    def _available(self, what: str, found: Any) -> Any:
        """``found``, unless it is a failure that only says that a registry is down."""
        if self._fails and isinstance(found, ResolutionFailure):
            for name, outage in found.outages():
                raise RegistryUnavailable(
                    f"Iglu registry '{name}' does not answer as a registry does, so {what} cannot be looked up: "
                    f"{outage}. {self._advice}"
                )
        return found


def is_deeper(value: Any, limit: int) -> bool:
    """Whether JSON is nested deeper than ``limit``; a plain value is one deep, and so is an empty container."""
    level = [value]
    for _ in range(limit):
        level = [item for one in level for item in _children(one)]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterable[Any]:
    if value.__class__ is dict:
        return value.values()
    return value if value.__class__ is list else ()
