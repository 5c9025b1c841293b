"""Which input formats there are: the table FORMATS, and what packages add under the entry point ``snowetl.formats``.

A new format is one file with a :class:`Loader` (its class attributes say all that other rooms ask) and one row here;
in a package of its own, it is one entry point whose value is the class.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from snowetl import extensions
from snowetl.collector.alb import AlbLoader
from snowetl.collector.bad_rows import BadRowsLoader
from snowetl.collector.clj_tomcat import CljTomcatLoader
from snowetl.collector.cloudfront import CloudfrontLoader
from snowetl.collector.cloudfront_json import CloudfrontJsonLoader
from snowetl.collector.cloudfront_realtime import CloudfrontRealtimeLoader
from snowetl.collector.cloudfront_w3c import CloudfrontW3cLoader
from snowetl.collector.loader import Loader, LoaderOptions
from snowetl.collector.ndjson import NdjsonLoader
from snowetl.collector.thrift import ThriftLoader
from snowetl.collector.tsv import TsvLoader
from snowetl.errors import ConfigError
from snowetl.model.badrow import Origin
from snowetl.problems import did_you_mean
from snowetl.recovery import Recoveries

ENTRY_POINT_GROUP = "snowetl.formats"

FORMATS: Mapping[str, type[Loader]] = MappingProxyType(
    {
        loader.name: loader
        for loader in (
            ThriftLoader,
            CloudfrontLoader,
            CloudfrontW3cLoader,
            CloudfrontRealtimeLoader,
            CloudfrontJsonLoader,
            CljTomcatLoader,
            AlbLoader,
            TsvLoader,
            NdjsonLoader,
            BadRowsLoader,
        )
    }
)
"""The formats of this package by name, in the order in which the look at the first records tries them."""


@cache
def formats() -> Mapping[str, type[Loader]]:
    """All formats: those of this package, then those of other installed packages.

    Raises :class:`ConfigError` for an entry point that cannot be loaded, or whose name is taken.
    """
    found = dict(FORMATS)
    for extension in extensions.installed(ENTRY_POINT_GROUP, "format", _fault):
        loader: type[Loader] = extension.value
        if loader.name in found:
            raise ConfigError(f"{extension.origin}: its name, {loader.name}, is taken. Uninstall that package")
        found[loader.name] = loader
    return MappingProxyType(found)


def _fault(value: Any) -> str | None:
    if isinstance(value, type) and issubclass(value, Loader):
        return None
    return "must be a class derived from snowetl.collector.loader.Loader"


def format_of(input_format: str) -> type[Loader]:
    """The loader class of a format, as ``--input-format`` names it. Raises :class:`ConfigError` for another."""
    return _parse(input_format)[0]


def loader_for(
    input_format: str, origin: Origin, *, try_base64: bool = False, recoveries: Recoveries | None = None
) -> Loader:
    """The loader of an input format, as ``--input-format`` names it (enrich 3.9.0 ``Loader.getLoader``).

    ``origin`` goes into bad rows; ``try_base64`` lets Thrift records that cannot be read be tried as base64;
    ``recoveries`` mend bad rows before they are read. Raises :class:`ConfigError` for another format.
    """
    kind, adapter = _parse(input_format)
    return kind(
        origin,
        LoaderOptions(adapter, try_base64, lambda other: loader_for(other, origin, try_base64=try_base64), recoveries),
    )


def _parse(input_format: str) -> tuple[type[Loader], str]:
    name, slash, adapter = input_format.partition("/")
    known = formats()
    kind = known.get(name)
    if kind is None or not kind.accepts(slash + adapter):
        hint = did_you_mean(name, (other for other in known if other != name))
        accepted = ", ".join(loader.spelling() for loader in known.values())
        raise ConfigError(
            f"[{input_format}] is not a recognised Snowplow event collector{hint}{slash + adapter if hint else ''}; "
            f"input formats are: {accepted}"
        )
    if kind.takes_format and adapter:
        _parse(adapter)
    return kind, adapter
