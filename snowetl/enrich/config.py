"""What an ``Enricher`` is built from: resolver, enrichments and options, read and checked once, on the driver."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from snowetl.adapters.remote import RemoteAdaptersConfig
from snowetl.adapters.schemas import check_schemas
from snowetl.collector import loader_for
from snowetl.enrich import assets
from snowetl.enrich.enrichments import NOT_YET, SUPPORTED
from snowetl.enrich.enrichments.base import Asset, Conf, Step
from snowetl.enrich.enrichments.parameters import SNOWPLOW, check_schema
from snowetl.enrich.lengths import LengthCheck
from snowetl.enrich.size import MAX_OUTPUT_BYTES
from snowetl.errors import ConfigError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.jvm import jsontext
from snowetl.jvm.text import decode_base64, decode_utf8
from snowetl.model.badrow import Origin
from snowetl.model.schema import ParseError, SchemaCriterion, SchemaKey, self_describing
from snowetl.version import __version__

_log = logging.getLogger("snowetl")

_CONTAINER = SchemaCriterion(SNOWPLOW, "enrichments", "jsonschema", 1, 0, None)
_PROCESSOR = ("snowetl", __version__)
_REGISTRY_FAILURE = ("fail", "bad-rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichConfig:
    """Checked, immutable, picklable. ``etl_tstamp`` is epoch milliseconds; ``files`` maps asset URIs to local paths."""

    resolver: ResolverConfig
    enrichments: tuple[Conf, ...]
    input_format: str
    etl_tstamp: int
    processor: tuple[str, str]
    on_registry_failure: str
    accept_invalid: bool
    legacy_enrichment_order: bool
    try_base64: bool
    atomic_limits: dict[str, int]
    adapter_schemas: dict[str, Any]
    remote_adapters: RemoteAdaptersConfig | None
    max_record_bytes: int | None = None
    max_output_bytes: int = MAX_OUTPUT_BYTES
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
        legacy_enrichment_order: bool = False,
        try_base64: bool = False,
        atomic_limits: Mapping[str, int] | None = None,
        adapter_schemas: Mapping[str, Any] | None = None,
        remote_adapters: RemoteAdaptersConfig | Mapping[str, Any] | None = None,
        max_record_bytes: int | None = None,
        max_output_bytes: int = MAX_OUTPUT_BYTES,
    ) -> EnrichConfig:
        """Read and check everything.

        ``resolver`` and ``enrichments`` are a path (for ``enrichments`` also a folder of ``*.json``), parsed JSON, JSON
        text, or base64 of JSON text. Without a resolver, only the schemas of the package itself are known; ``None`` for
        ``enrichments`` means none. ``etl_tstamp`` is the time of the run, now if not given. ``adapter_schemas`` and
        ``remote_adapters`` are the groups ``adaptersSchemas`` and ``remoteAdapters`` of the reference's configuration.
        Results whose line has more than ``max_record_bytes`` become size violations; by default none does. The results
        of one record have at most about ``max_output_bytes`` together; the events past that are one size violation.

        Raises ``ConfigError`` (``AssetError`` for a local file of an enrichment that cannot be used) and
        ``RegistryUnavailable``.
        """
        if on_registry_failure not in _REGISTRY_FAILURE:
            raise ConfigError(
                f"on_registry_failure is '{on_registry_failure}', not one of {', '.join(_REGISTRY_FAILURE)}"
            )
        loader_for(input_format, Origin(*processor, 0))
        LengthCheck(atomic_limits)
        check_schemas(adapter_schemas)
        if remote_adapters is not None and not isinstance(remote_adapters, RemoteAdaptersConfig):
            remote_adapters = RemoteAdaptersConfig.parse(remote_adapters)
        registries = ResolverConfig.default() if resolver is None else ResolverConfig.load(resolver)
        now = _millis(etl_tstamp)
        elements = list(_read(enrichments))
        confs: tuple[Conf, ...] = ()
        if elements:
            client = IgluClient(registries, now=now, on_registry_failure=on_registry_failure)
            confs = _parse(elements, client)
            _try_local_files(confs)
        return cls(
            resolver=registries,
            enrichments=confs,
            input_format=input_format,
            etl_tstamp=now,
            processor=processor,
            on_registry_failure=on_registry_failure,
            accept_invalid=accept_invalid,
            legacy_enrichment_order=legacy_enrichment_order,
            try_base64=try_base64,
            atomic_limits=dict(atomic_limits or {}),
            adapter_schemas=dict(adapter_schemas or {}),
            remote_adapters=remote_adapters,
            max_record_bytes=max_record_bytes,
            max_output_bytes=max_output_bytes,
        )

    def assets(self) -> list[Asset]:
        """The files all enrichments need, each once."""
        return list(dict.fromkeys(asset for conf in self.enrichments for asset in conf.assets()))

    def with_assets(self, paths: Mapping[str, str | Path]) -> EnrichConfig:
        """A copy that takes the files of ``paths`` (URI -> local path) from there."""
        return replace(self, files={**self.files, **{uri: str(path) for uri, path in paths.items()}})

    def build_steps(self) -> dict[str, Step]:
        """The enrichments ready to run, by schema name. Files that lie elsewhere and are not in ``files`` are fetched.

        Raises ``AssetError`` for a file that cannot be had or used.
        """
        steps: dict[str, Step] = {}
        with tempfile.TemporaryDirectory(prefix="snowetl-") as folder:
            for conf in self.enrichments:
                paths = {asset.uri: self._path(asset, Path(folder), conf) for asset in conf.assets()}
                steps[conf.criterion.name] = conf.build(paths)
        return steps

    def _path(self, asset: Asset, folder: Path, conf: Conf) -> Path:
        known = self.files.get(asset.uri)
        return assets.fetch(asset, folder, conf.criterion.name) if known is None else Path(known)


def _millis(time_: int | datetime | None) -> int:
    """Epoch milliseconds; a datetime without zone counts as UTC."""
    if time_ is None:
        return time.time_ns() // 1_000_000
    if isinstance(time_, int):
        return time_
    if time_.tzinfo is None:
        time_ = time_.replace(tzinfo=UTC)
    return round(time_.timestamp() * 1000)


# --- reading ------------------------------------------------------------------------------------------------------


class _Element(NamedTuple):
    """One piece of configuration (an enrichment, or a container of them), and where it stands."""

    where: str
    json: Any


def _read(source: Any) -> Iterator[_Element]:
    """Raises ``ConfigError`` for what cannot be read."""
    if source is None:
        return
    if isinstance(source, list):
        for place, item in enumerate(source, 1):
            yield _Element(f"enrichment {place} of the list", item)
    elif isinstance(source, dict):
        yield _Element("the enrichments", source)
    elif isinstance(source, Path):
        yield from _read_path(source)
    elif not isinstance(source, str) or not source.strip():
        raise ConfigError(
            "The enrichments are empty: give a folder, a file, or JSON; leave them out to run without any"
        )
    elif source.lstrip()[0] in "{[":
        yield from _read_text(source, "the enrichments")
    elif _exists(source):
        yield from _read_path(Path(source))
    else:
        text = decode_utf8(decode_base64(source))
        if not text.lstrip().startswith(("{", "[")):
            raise ConfigError(
                f"No enrichments at {source[:200]}: it is neither a folder, nor a file, nor JSON, nor JSON in base64. "
                "Give the path of a folder of JSON files, or leave it out to run without enrichments"
            )
        yield from _read_text(text, "the enrichments in base64")


def _exists(source: str) -> bool:
    try:
        return Path(source).exists()
    except (OSError, ValueError):
        return False


def _read_path(path: Path) -> Iterator[_Element]:
    if not path.is_dir():
        yield from _read_file(path)
        return
    files = sorted(path.glob("*.json"))
    hocon = sorted(path.glob("*.hocon"))
    if hocon:
        raise ConfigError(f"{hocon[0]} is HOCON, which is not read here: write it as JSON, in a file *.json")
    if not files:
        raise ConfigError(f"The folder {path} has no *.json file. Leave it out to run without enrichments")
    for file in files:
        yield from _read_file(file)


def _read_file(path: Path) -> Iterator[_Element]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The enrichment configuration {path} cannot be read: {error}") from None
    return _read_text(text, str(path))


def _read_text(text: str, where: str) -> Iterator[_Element]:
    try:
        value = jsontext.loads(text)
    except jsontext.JsonError as error:
        raise ConfigError(f"{where} is no JSON: {error}") from None
    if not isinstance(value, list):
        return iter([_Element(where, value)])
    return iter([_Element(f"{where}, enrichment {place}", item) for place, item in enumerate(value, 1)])


# --- checking -----------------------------------------------------------------------------------------------------


def _parse(elements: list[_Element], client: IgluClient) -> tuple[Conf, ...]:
    """The enabled enrichments. The first element that is wrong ends it (enrich 3.9.0 ``EnrichmentRegistry``)."""
    confs: dict[str, Conf] = {}
    for element in _unwrapped(elements, client):
        try:
            conf = _enrichment(element, client)
        except ConfigError as error:
            raise ConfigError(f"{element.where}: {error}") from None
        if conf is not None:
            name = conf.criterion.name
            if name in confs:
                _log.warning("%s: another configuration of %s came before; this one counts", element.where, name)
            confs[name] = conf
    return tuple(confs.values())


def _unwrapped(elements: list[_Element], client: IgluClient) -> Iterator[_Element]:
    """Single enrichments, those in containers (``…/enrichments/jsonschema/1-0-*``) taken out."""
    for element in elements:
        schema = element.json.get("schema") if isinstance(element.json, dict) else None
        if not (isinstance(schema, str) and schema.startswith(f"iglu:{SNOWPLOW}/enrichments/")):
            yield element
            continue
        try:
            key, data = _described(element.json)
            error = client.checker(key.uri).check(data)
            if error is not None:
                raise ConfigError(jsontext.dumps(error))
            if not _CONTAINER.matches(key):
                raise ConfigError(f"Schema criterion {_CONTAINER} does not match schema {key}")
        except ConfigError as error:
            raise ConfigError(f"{element.where}: {error}") from None
        for place, item in enumerate(data, 1):
            yield _Element(f"{element.where}, enrichment {place}", item)


def _described(value: Any) -> tuple[SchemaKey, Any]:
    try:
        return self_describing(value)
    except ParseError as error:
        raise ConfigError(
            f"{error.code}: it must be JSON like "
            f'{{"schema": "iglu:{SNOWPLOW}/anon_ip/jsonschema/1-0-0", "data": {{…}}}}'
        ) from None


def _enrichment(element: _Element, client: IgluClient) -> Conf | None:
    """``None`` for one that is disabled, or that no version of the reference knows."""
    key, data = _described(element.json)
    error = client.checker(key.uri).check(data)
    if error is not None:
        raise ConfigError(f"Enrichment with key '{key}` is invalid - {jsontext.dumps(error)}")
    if not isinstance(data, dict):
        raise ConfigError(f"Enrichment with key '{key}` is invalid - its data is no object")
    if data.get("enabled") is False:
        return None
    kind = SUPPORTED.get(key.name)
    if kind is not None:
        check_schema(key, kind.criterion)
        return kind.parse(key, data)
    later = NOT_YET.get(key.name)
    if later is not None:
        check_schema(key, later)
        raise ConfigError(f'enrichment {key.name} is not supported by this version yet: disable it ("enabled": false)')
    _log.warning("%s: there is no enrichment %s; it is ignored", element.where, key.name)
    return None


def _try_local_files(confs: tuple[Conf, ...]) -> None:
    """Build what needs nothing but files of this machine that are there, to find what cannot be used before workers do.

    A file that is missing may yet be named by ``with_assets``, so that is no fault here.
    """
    for conf in confs:
        paths = {asset.uri: assets.local_path(asset.uri) for asset in conf.assets()}
        found = {uri: path for uri, path in paths.items() if path is not None and path.is_file()}
        if len(found) == len(paths):
            conf.build(found)
