"""The ``adaptersSchemas`` configuration: event schemas of webhooks other than the default ones."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from snowetl.adapters import catalogue
from snowetl.adapters.base import Adapter
from snowetl.errors import ConfigError
from snowetl.jvm.map_order import java_hash
from snowetl.jvm.scala_maps import product_hash
from snowetl.model.schema import ParseError, SchemaKey
from snowetl.problems import Problems

Overrides = Mapping[str, Mapping[str, str]]


def resolve_schemas(
    adapters: Iterable[Adapter], overrides: Overrides | None, *, later: bool = False
) -> dict[str, dict[str, str]]:
    """Every adapter's schemas (group -> key -> URI): its defaults with ``overrides`` laid over them, key by key.

    With ``later`` the defaults are those of later releases of the reference. A key that only those have may be
    overridden without, too: its events are known then.

    Raises :class:`ConfigError` listing each unknown group and key, and each value that is not an Iglu URI.
    """
    known = {adapter.group: adapter for adapter in adapters if adapter.group}
    schemas = {
        group: {**adapter.schemas, **(adapter.later_schemas if later else {})} for group, adapter in known.items()
    }
    problems = Problems()
    for group, values in _object("adaptersSchemas", overrides or {}, problems).items():
        if group not in known:
            problems.add(f"adaptersSchemas: unknown adapter '{group}'.{_nearest(group, known)}")
            continue
        for key, uri in _object(f"adaptersSchemas.{group}", values, problems).items():
            keys = {**known[group].schemas, **known[group].later_schemas}
            if key not in keys:
                problems.add(f"adaptersSchemas.{group}: unknown key '{key}'.{_nearest(key, keys)}")
                continue
            with problems.gathered():
                schemas[group][key] = _checked(known[group], key, uri)
    problems.check()
    return schemas


def check_schemas(overrides: Overrides | None) -> None:
    """Find out at start-up whether ``overrides`` can be used. Raises :class:`ConfigError`."""
    resolve_schemas(catalogue.every(), overrides)


def _checked(adapter: Adapter, key: str, uri: Any) -> str:
    try:
        if not isinstance(uri, str):
            raise ParseError("")
        SchemaKey.parse(uri)
    except ParseError:
        raise ConfigError(
            f"{adapter.name}: Cannot parse schema {key}: {uri}. "
            f"Write it as { {**adapter.later_schemas, **adapter.schemas}[key] } (adaptersSchemas.{adapter.group}.{key})"
        ) from None
    return uri


def _object(where: str, value: Any, problems: Problems) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        problems.add(f"{where} must hold keys and values, not {value!r}")
        return {}
    return value


def _nearest(name: str, known: Iterable[str]) -> str:
    choices = sorted(known)
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    return f" Did you mean '{close[0]}'?" if close else f" Known are: {', '.join(choices)}"


@lru_cache(maxsize=1024)
def schema_key_hash(uri: str) -> int:
    """``hashCode`` of the Iglu client's ``SchemaKey``, by which the reference orders maps of them."""
    key = SchemaKey.parse(uri)
    return product_hash(java_hash(key.vendor), java_hash(key.name), java_hash(key.format), product_hash(*key.version))
