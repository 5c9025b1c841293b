"""How a collector record becomes events: the settings that ``enrich``, ``run`` and ``explain`` share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snowetl import documents
from snowetl.enrich.compatibility import ERAS
from snowetl.errors import ConfigError
from snowetl.problems import did_you_mean
from snowetl.settings import Document, Number, Size, flag, option
from snowetl.settings.kinds import ReadDocument, shown
from snowetl.steps.settings.common import Registries
from snowetl.steps.settings.compatible import Compatible
from snowetl.steps.settings.groups import CONFIGURATION, EVENTS, IO

if TYPE_CHECKING:
    from snowetl.enrich.config import EnrichConfig

ADAPTER_GROUPS = {"adaptersSchemas": "adapter_schemas", "remoteAdapters": "remote_adapters"}
"""Keys of an ``--adapters`` document, and what ``EnrichConfig.load`` calls them."""


def _enrichments_described(value: Any, read: ReadDocument) -> Any:
    """The single enrichments, by schema: a container, a folder and a list of the same ones are the same."""
    content = read(value)
    found: list[Any] = []
    for element in content if isinstance(content, list) else [content]:
        data = element.get("data") if isinstance(element, dict) else None
        found += data if isinstance(data, list) else [element]
    return sorted(found, key=lambda each: str(each.get("schema")) if isinstance(each, dict) else "")


@dataclass(frozen=True, kw_only=True)
class Enriching(Registries, Compatible):
    """How a collector record becomes events: everything that shapes them."""

    input_format: str = option(
        "-f",
        "--input-format",
        metavar="FORMAT",
        help="thrift, cloudfront, cloudfront-w3c, cloudfront-realtime, cloudfront-json, clj-tomcat, alb, "
        "tsv/<vendor>/<version> or ndjson/<vendor>/<version>.",
        group=IO,
        shapes_output=True,
    )
    enrichments: Any = option(
        "-e",
        "--enrichments",
        kind=Document("FOLDER|FILE|BASE64"),
        default=None,
        default_help="none",
        help="Enrichment configurations: a folder of JSON files, one file, or base64 of one.",
        group=CONFIGURATION,
        shapes_output=True,
        describe=_enrichments_described,
    )
    local: bool = flag(
        "-l",
        "--local",
        help="Read the files of enrichments from the current folder, where they have fixed names (./ip_geo, "
        "...); download none.",
        group=CONFIGURATION,
        shapes_output=True,
    )
    adapters: Any = option(
        "--adapters",
        document=True,
        default=None,
        default_help="neither",
        help="Configuration of adapters: JSON with adaptersSchemas and remoteAdapters.",
        group=CONFIGURATION,
        shapes_output=True,
    )
    recoveries: Any = option(
        "--recoveries",
        document=True,
        default=None,
        default_help="bad rows are processed again unchanged",
        help="Event Recovery configuration that repairs bad rows before they are processed again (--input-format "
        "bad-rows).",
        group=CONFIGURATION,
        shapes_output=True,
    )
    etl_timestamp: int | None = option(
        "--etl-timestamp",
        kind=Number("EPOCH_MS"),
        default=None,
        default_help="the time of the run",
        help="etl_tstamp of all events, in milliseconds since 1970.",
        group=EVENTS,
        shapes_output=True,
    )
    accept_invalid: bool = flag(
        "--accept-invalid",
        help="Keep events with invalid contexts from enrichments, or with values that are too long.",
        group=EVENTS,
        shapes_output=True,
    )
    pii_events: bool = flag(
        "--pii-events",
        help="For each event that was pseudonymised, also write one with its original values (needs emitEvent).",
        group=EVENTS,
        shapes_output=True,
    )
    legacy_enrichment_order: bool = flag(
        "--legacy-enrichment-order",
        help="Run the JavaScript enrichment before currency, weather and IP lookups, as old releases did.",
        group=EVENTS,
        shapes_output=True,
    )
    try_base64: bool = flag(
        "--try-base64",
        help="Decode Thrift records that cannot be read as base64, and try again.",
        group=EVENTS,
        shapes_output=True,
    )
    max_record_bytes: int | None = option(
        "--max-record-bytes",
        kind=Size(),
        default=None,
        default_help="no limit",
        help="Turn each event or bad row whose line is longer than this into a size violation.",
        group=EVENTS,
        shapes_output=True,
    )
    max_output_bytes: int = option(
        "--max-output-bytes",
        kind=Size(),
        default=256 << 20,
        help="Maximum size of all events of one record together; the events beyond it become one size violation.",
        group=EVENTS,
        shapes_output=True,
    )

    @property
    def wants_failed_events(self) -> bool:
        """Whether what is valid of events that fail is wanted."""
        return False

    def enrich_config(self, etl_tstamp: int | None = None) -> EnrichConfig:
        """The checked configuration of an enricher. Raises ``ConfigError``, ``RegistryUnavailable``."""
        from snowetl.enrich.config import EnrichConfig
        from snowetl.version import __version__

        self._check_format()
        return EnrichConfig.load(
            resolver=self.iglu_config,
            enrichments=self.enrichments,
            input_format=self.input_format,
            etl_tstamp=self.etl_timestamp if etl_tstamp is None else etl_tstamp,
            processor=("snowetl", __version__),
            on_registry_failure=self.on_registry_failure,
            accept_invalid=self.accept_invalid,
            pii_events=self.pii_events,
            failed_events=self.wants_failed_events,
            legacy_enrichment_order=self.legacy_enrichment_order,
            try_base64=self.try_base64,
            recoveries=self.recoveries,
            compatibility=self.eras,
            atomic_limits=None if self.atomic_limits in ERAS else _limits(self.atomic_limits),
            max_record_bytes=self.max_record_bytes,
            max_output_bytes=self.max_output_bytes,
            **adapter_groups(self.adapters),
        )

    def _check_format(self) -> None:
        from snowetl.collector import format_of

        try:
            format_of(self.input_format)
        except ConfigError as error:
            raise ConfigError(f"--input-format: {error}") from None


def _limits(source: Any) -> Mapping[str, int] | None:
    if source is None:
        return None
    document = _object("--atomic-limits", source, "column names and lengths")
    wrong = {name: limit for name, limit in document.items() if not isinstance(limit, int) or limit < 1}
    if wrong:
        name, limit = next(iter(wrong.items()))
        raise ConfigError(f"--atomic-limits: {name} is {shown(limit)}: it must be a whole number, 1 or more")
    return document


def adapter_groups(source: Any) -> dict[str, Any]:
    """``--adapters`` as keywords of ``EnrichConfig.load``. Raises :class:`ConfigError`."""
    if source is None:
        return {}
    document = _object("--adapters", source, " and ".join(ADAPTER_GROUPS))
    unknown = sorted(set(document) - set(ADAPTER_GROUPS))
    if unknown:
        known = " and ".join(ADAPTER_GROUPS)
        hints = "; ".join(f"unknown key '{key}'{did_you_mean(key, ADAPTER_GROUPS)}" for key in unknown)
        raise ConfigError(f"--adapters: {hints}. It holds {known}")
    return {ADAPTER_GROUPS[name]: group for name, group in document.items()}


def _object(name: str, source: Any, content: str) -> dict[str, Any]:
    document = documents.read(source, name).value
    if not isinstance(document, dict):
        raise ConfigError(f"{name}: {shown(source)} is not a JSON object with {content}")
    return document
