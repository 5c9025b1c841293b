"""Finds schemas in several registries, in order, and remembers (iglu-scala-client 1.5.0 ``Resolver``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from snowetl.iglu.cache import ResolverCache
from snowetl.iglu.failures import NOT_FOUND, LookupHistory, RegistryError, ResolutionFailure, client_failure
from snowetl.iglu.registries import Registry, can_exist
from snowetl.model.schema import ParseError, SchemaKey, SchemaVer

A = TypeVar("A")
Get = Callable[[Registry], "A | RegistryError"]


class SchemaItem(NamedTuple):
    """A schema to validate with, and its version if that is not the one asked for."""

    schema: Any
    superseded_by: SchemaVer | None


class Resolver:
    """``clock`` gives epoch milliseconds; a constant one never expires or retries anything."""

    def __init__(
        self, registries: Sequence[Registry], cache_size: int, cache_ttl: int | None, clock: Callable[[], int]
    ) -> None:
        self._registries = registries
        self._clock = clock
        self._schemas: ResolverCache[SchemaItem] = ResolverCache(cache_size, cache_ttl)
        self._lists: ResolverCache[list[SchemaKey]] = ResolverCache(cache_size, cache_ttl)

    def schema(self, key: SchemaKey, superseding: bool = False) -> SchemaItem | ResolutionFailure:
        """The schema of ``key``; with ``superseding`` the one it says replaces it, from the same registry."""

        def get(registry: Registry) -> SchemaItem | RegistryError:
            schema = registry.schema(key)
            if isinstance(schema, RegistryError):
                return schema
            return _superseding(registry, key, schema) if superseding else SchemaItem(schema, None)

        if not can_exist(key.vendor, key.name, key.format):
            return self._ask(self.prioritized(key.vendor), lambda registry: NOT_FOUND, ResolutionFailure({}))
        return self._find(self._schemas, (key, superseding), key.vendor, get)

    def schema_list(
        self, vendor: str, name: str, model: int, containing: SchemaKey | None = None
    ) -> list[SchemaKey] | ResolutionFailure:
        """All versions of a model. A remembered list without ``containing`` is asked for again."""

        def get(registry: Registry) -> list[SchemaKey] | RegistryError:
            found = registry.schema_list(vendor, name, model) if can_exist(vendor, name) else NOT_FOUND
            lacks = containing is not None and not isinstance(found, RegistryError) and containing not in found
            return NOT_FOUND if lacks else found

        key = (vendor, name, model)
        cached = self._lists.get(key, self._clock())
        if containing is not None and isinstance(cached, list) and containing not in cached:
            fresh = self._ask(self.prioritized(vendor), get, ResolutionFailure({}))
            return self._lists.put(key, fresh, self._clock())
        return self._find(self._lists, key, vendor, get)

    def _find(self, cache: ResolverCache[A], key: Any, vendor: str, get: Get[A]) -> A | ResolutionFailure:
        now = self._clock()
        cached = cache.get(key, now)
        if cached is None:
            found = self._ask(self.prioritized(vendor), get, ResolutionFailure({}))
        elif isinstance(cached, ResolutionFailure):
            due = [registry for registry in self.prioritized(vendor) if is_due(registry, cached, now)]
            found = self._ask(due, get, cached)
        else:
            return cached
        return cache.put(key, found, self._clock())

    def _ask(self, registries: Sequence[Registry], get: Get[A], tried: ResolutionFailure) -> A | ResolutionFailure:
        """The first success, or everything that went wrong, now and before."""
        for registry in registries:
            answer = get(registry)
            if not isinstance(answer, RegistryError):
                return answer
            name = registry.repository.name
            attempts = tried.history[name].attempts if name in tried.history else 0
            history = LookupHistory((answer,), attempts + 1, self._clock())
            tried = tried.combined(ResolutionFailure({name: history}))
        return tried

    def prioritized(self, vendor: str) -> list[Registry]:
        """Registries in the order they are asked: matching prefix, kind, priority; the configuration breaks ties."""
        return sorted(
            self._registries,
            key=lambda registry: (
                not vendor.startswith(registry.repository.vendor_prefixes or ("\0",)),
                registry.class_priority,
                registry.repository.priority,
            ),
        )


def is_due(registry: Registry, failure: ResolutionFailure, now: int) -> bool:
    """Whether a registry that failed is worth asking again."""
    history = failure.history.get(registry.repository.name)
    if history is None or not registry.remote:
        return False
    return now - history.last_attempt > backoff(history.attempts)


def backoff(attempts: int) -> int:
    """Milliseconds to wait after so many attempts; falls at 9 and at 13, as the reference's does."""
    if attempts > 20:
        return 1_200_000 + attempts * 100
    if attempts > 12:
        return 500 + int(2**attempts) + 5000
    return 500 + int(3**attempts if attempts > 8 else 4**attempts)


def _superseding(registry: Registry, key: SchemaKey, schema: Any) -> SchemaItem | RegistryError:
    """One hop along ``$supersededBy``."""
    if not isinstance(schema, dict) or "$supersededBy" not in schema:
        return SchemaItem(schema, None)
    text = schema["$supersededBy"]
    try:
        version = SchemaVer.parse(text)
    except (ParseError, TypeError):
        fault = f"Invalid schema version: {text}, code: INVALID_SCHEMAVER" if isinstance(text, str) else "String"
        failure = f"DecodingFailure({fault}, List(DownField($supersededBy)))"
        return client_failure(f"Error while trying to decode superseding version: {failure}")
    if version <= key.version:
        return client_failure(f"Superseding version {version} isn't greater than the version of schema {key.path}")
    newer = registry.schema(key._replace(version=version))
    return newer if isinstance(newer, RegistryError) else SchemaItem(newer, version)
