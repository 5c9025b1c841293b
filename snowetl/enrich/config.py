"""The configuration of an ``Enricher``: resolver, enrichments and options, read and checked once, on the driver."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from snowetl.adapters.remote import RemoteAdaptersConfig
from snowetl.adapters.schemas import check_schemas
from snowetl.collector import loader_for
from snowetl.enrich import assets, configurations, lookups
from snowetl.enrich.arguments import check_arguments
from snowetl.enrich.compatibility import DEFAULT_ERA, Compatibility
from snowetl.enrich.enrichments.base import Asset, Enrichment, Lookup
from snowetl.enrich.lengths import LengthCheck
from snowetl.enrich.services import Schemas, Services
from snowetl.enrich.size import MAX_OUTPUT_BYTES
from snowetl.enrich.steps import PlacedStep
from snowetl.errors import ConfigError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.model.badrow import Origin
from snowetl.problems import Problems
from snowetl.recovery import Recoveries
from snowetl.version import __version__

_PROCESSOR = ("snowetl", __version__)
_REGISTRY_FAILURE = ("fail", "bad-rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichConfig:
    """Checked, immutable, picklable. ``etl_tstamp`` is epoch milliseconds; ``files`` maps asset URIs to local paths."""

    resolver: ResolverConfig
    enrichments: tuple[Enrichment, ...]
    input_format: str
    etl_tstamp: int
    processor: tuple[str, str]
    on_registry_failure: str
    accept_invalid: bool
    pii_events: bool
    failed_events: bool
    legacy_enrichment_order: bool
    try_base64: bool
    atomic_limits: dict[str, int]
    adapter_schemas: dict[str, Any]
    remote_adapters: RemoteAdaptersConfig | None
    max_record_bytes: int | None = None
    max_output_bytes: int = MAX_OUTPUT_BYTES
    compatibility: Compatibility = field(default_factory=Compatibility.of)
    recoveries: Recoveries | None = None
    files: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        *,
        resolver: Any = None,
        enrichments: Any = None,
        input_format: str,
        etl_tstamp: int | datetime | None = None,
        processor: tuple[str, str] = _PROCESSOR,
        on_registry_failure: str = "fail",
        accept_invalid: bool = False,
        pii_events: bool = False,
        failed_events: bool = False,
        legacy_enrichment_order: bool = False,
        try_base64: bool = False,
        atomic_limits: Mapping[str, int] | None = None,
        adapter_schemas: Mapping[str, Any] | None = None,
        remote_adapters: RemoteAdaptersConfig | Mapping[str, Any] | None = None,
        max_record_bytes: int | None = None,
        max_output_bytes: int = MAX_OUTPUT_BYTES,
        compatibility: Compatibility | str = DEFAULT_ERA,
        recoveries: Any = None,
    ) -> EnrichConfig:
        """Read and check the whole configuration.

        ``resolver`` and ``enrichments`` are a path (for ``enrichments`` also a folder of ``*.json``), parsed JSON, JSON
        text, or base64 of JSON text. Without a resolver, only the schemas of the package itself are known; ``None`` for
        ``enrichments`` means none. ``etl_tstamp`` is the time of the run, now if not given. ``adapter_schemas`` and
        ``remote_adapters`` are the groups ``adaptersSchemas`` and ``remoteAdapters`` of the reference's configuration.
        Results whose line has more than ``max_record_bytes`` become size violations; by default none does. The results
        of one record have at most about ``max_output_bytes`` together; the events past that are one size violation.
        ``failed_events`` adds what is valid of an event to its bad row.
        ``compatibility`` is an era of the reference (``"3.9"``, ``"6"``), or ``Compatibility.of(…)`` with switches of
        its own; ``atomic_limits`` come on top of its lengths.
        ``recoveries`` is a configuration of Event Recovery, given as the resolver is: bad rows that are the input
        (``bad-rows``) are mended by it before they are read.

        Raises ``ConfigError`` (``AssetError`` for a local file of an enrichment that cannot be used) and
        ``RegistryUnavailable``.
        """
        check_arguments(
            input_format=input_format,
            etl_tstamp=etl_tstamp,
            processor=processor,
            accept_invalid=accept_invalid,
            pii_events=pii_events,
            failed_events=failed_events,
            legacy_enrichment_order=legacy_enrichment_order,
            try_base64=try_base64,
            atomic_limits=atomic_limits,
            max_record_bytes=max_record_bytes,
            max_output_bytes=max_output_bytes,
        )
        problems = Problems()
        if on_registry_failure not in _REGISTRY_FAILURE:
            problems.add(f"on_registry_failure is '{on_registry_failure}', not one of {', '.join(_REGISTRY_FAILURE)}")
        with problems.gathered():
            loader_for(input_format, Origin(*processor, 0))
        with problems.gathered():
            LengthCheck(atomic_limits)
        with problems.gathered():
            check_schemas(adapter_schemas)
        now = _millis(etl_tstamp)
        era = problems.value(lambda: Compatibility.named(compatibility), Compatibility.of())
        remote = problems.value(lambda: _remote(remote_adapters), None)
        mended = problems.value(lambda: _recoveries(recoveries, input_format), None)
        registries = problems.value(lambda: _registries(resolver), ResolverConfig.default())
        loaded: tuple[Enrichment, ...] = problems.value(lambda: _enrichments(enrichments, registries, now), ())
        problems.check()
        return cls(
            resolver=registries,
            enrichments=loaded,
            input_format=input_format,
            etl_tstamp=now,
            processor=processor,
            on_registry_failure=on_registry_failure,
            accept_invalid=accept_invalid,
            pii_events=pii_events,
            failed_events=failed_events,
            legacy_enrichment_order=legacy_enrichment_order,
            try_base64=try_base64,
            atomic_limits=dict(atomic_limits or {}),
            adapter_schemas=dict(adapter_schemas or {}),
            remote_adapters=remote,
            max_record_bytes=max_record_bytes,
            max_output_bytes=max_output_bytes,
            compatibility=era,
            recoveries=mended,
        )

    def assets(self) -> list[Asset]:
        """The files all enrichments need, each once."""
        return list(dict.fromkeys(asset for one in self.enrichments for asset in one.needs().files))

    def lookups(self) -> list[Lookup]:
        """The tables enrichments want to have made before the run (see :mod:`snowetl.enrich.lookups`)."""
        return [lookup for one in self.enrichments for lookup in one.needs().lookups]

    def with_assets(self, paths: Mapping[str, str | Path]) -> EnrichConfig:
        """A copy that takes the files of ``paths`` (URI -> local path) from there; tables of lookups likewise."""
        return replace(self, files={**self.files, **{uri: str(path) for uri, path in paths.items()}})

    @contextmanager
    def open(self, iglu: Schemas) -> Iterator[list[PlacedStep]]:
        """The enrichments at work. Files that lie elsewhere and are not in ``files`` are fetched.

        Raises ``AssetError`` for a file that cannot be fetched or used.
        """
        with ExitStack() as stack:
            folder = _Folder(stack)
            needs = [one.needs() for one in self.enrichments]
            secrets = tuple(dict.fromkeys(secret for one in needs for secret in one.secrets))
            files = {
                asset.uri: self._path(asset, folder, one.criterion.name)
                for one, needed in zip(self.enrichments, needs, strict=True)
                for asset in needed.files
            }
            services = Services.create(
                iglu,
                run=self.etl_tstamp,
                files=files,
                secrets=secrets,
                compatibility=self.compatibility,
                lookups={lookup.name: self._table(lookup, stack) for one in needs for lookup in one.lookups},
            )
            stack.callback(services.http.close)
            with assets.named_by_address(files):
                steps = [
                    PlacedStep(one.criterion.name, one.place, stack.enter_context(one.open(services)))
                    for one in self.enrichments
                ]
            yield steps

    def _path(self, asset: Asset, folder: _Folder, enrichment: str) -> Path:
        known = self.files.get(asset.uri)
        if known is not None:
            return Path(known)
        local = assets.local_path(asset.uri)
        return assets.fetch(asset, folder.path if local is None else Path(), enrichment)

    def _table(self, lookup: Lookup, stack: ExitStack) -> Callable[[str], str | None]:
        known = self.files.get(lookups.table_uri(lookup))
        return (
            lookups.live(lookup, stack)
            if known is None
            else stack.enter_context(lookups.open_table(lookup, Path(known)))
        )


class _Folder:
    """A folder for downloads, made when it is first asked for."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    @cached_property
    def path(self) -> Path:
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="snowetl-")))


def _recoveries(source: Any, input_format: str) -> Recoveries | None:
    if source is None:
        return None
    if input_format.partition("/")[0] != "bad-rows":
        raise ConfigError(
            f"recoveries mend bad rows, and the input format is {input_format}: give bad-rows/{input_format}"
        )
    return Recoveries.load(source)


def _registries(source: Any) -> ResolverConfig:
    return ResolverConfig.default() if source is None else ResolverConfig.load(source)


def _enrichments(source: Any, registries: ResolverConfig, now: int) -> tuple[Enrichment, ...]:
    loaded = configurations.load(source, registries, now)
    _try_local_files(loaded)
    return loaded


def _remote(given: RemoteAdaptersConfig | Mapping[str, Any] | None) -> RemoteAdaptersConfig | None:
    if given is None or isinstance(given, RemoteAdaptersConfig):
        return given
    return RemoteAdaptersConfig.parse(given)


def _try_local_files(enrichments: Iterable[Enrichment]) -> None:
    """Open what needs nothing but files of this machine that are there, to find what cannot be used before workers do.

    A file that is missing may yet be named by ``with_assets``, so that is not a fault here.
    """
    problems = Problems()
    for one in enrichments:
        needs = one.needs()
        paths = {asset.uri: assets.local_path(asset.uri) for asset in needs.files}
        found = {uri: path for uri, path in paths.items() if path and path.is_file() and not assets.is_packed(path)}
        if needs.files and len(found) == len(paths):
            services = Services.create(
                IgluClient(ResolverConfig.default(), now=0),
                files=found,
                secrets=needs.secrets,
                lookups={lookup.name: lookups.unasked for lookup in needs.lookups},
            )
            with problems.gathered(), one.open(services):
                pass
    problems.check()


def _millis(time_: int | datetime | None) -> int:
    """Epoch milliseconds; a datetime without zone counts as UTC."""
    if time_ is None:
        return time.time_ns() // 1_000_000
    if isinstance(time_, int):
        return time_
    if time_.tzinfo is None:
        time_ = time_.replace(tzinfo=UTC)
    return round(time_.timestamp() * 1000)
