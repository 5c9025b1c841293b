"""Which release of the reference data is like: the era, and the switches that differ from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from snowetl.enrich.compatibility import BY_KIND, CHECK, DEFAULT_ERA, ERAS, ONE_BAD_ROW, SKIP, SWITCHES, Compatibility
from snowetl.settings import Document, Number, Settings, option
from snowetl.settings.kinds import ReadDocument
from snowetl.steps.settings.groups import COMPATIBILITY

_OF_ERA = "that of --compatibility"


@dataclass(frozen=True)
class AtomicLimits(Document):
    """The lengths of an era, by its name, or a document with other lengths."""

    metavar: str = f"{'|'.join(ERAS)}|FILE|BASE64"

    def canonical(self, value: Any, read: ReadDocument) -> Any:
        return value if value in ERAS else read(value)


@dataclass(frozen=True, kw_only=True)
class Compatible(Settings):
    """Which release of the reference data is like: an era, and the switches that differ from it."""

    compatibility: str = option(
        "--compatibility",
        choices=ERAS,
        default=DEFAULT_ERA,
        help="The release of Snowplow Enrich to follow where later releases changed the data.",
        group=COMPATIBILITY,
        shapes_output=True,
    )
    atomic_limits: Any = option(
        "--atomic-limits",
        kind=AtomicLimits(),
        default=None,
        default_help=_OF_ERA,
        help='Maximum lengths of columns: those of a release, or your own as JSON: {"page_url": 10000}.',
        group=COMPATIBILITY,
        shapes_output=True,
    )
    webhook_schemas: str | None = option(
        "--webhook-schemas",
        choices=ERAS,
        default=None,
        default_help=_OF_ERA,
        help="Schemas of webhook events, unless --adapters names others.",
        group=COMPATIBILITY,
        shapes_output=True,
    )
    violations: str | None = option(
        "--violations",
        choices=(BY_KIND, ONE_BAD_ROW),
        default=None,
        default_help=_OF_ERA,
        help="Unreadable parameters, invalid entities of enrichments, texts that are too long: enrichment_failures by "
        "kind, or one schema_violations bad row with all else that is invalid.",
        group=COMPATIBILITY,
        shapes_output=True,
    )
    max_json_depth: int | None = option(
        "--max-json-depth",
        kind=Number(minimum=1),
        default=None,
        default_help=_OF_ERA,
        help="Maximum depth of the JSON of an event or of its entities.",
        group=COMPATIBILITY,
        shapes_output=True,
    )
    iab_unknown_clients: str | None = option(
        "--iab-unknown-clients",
        choices=(CHECK, SKIP),
        default=None,
        default_help=_OF_ERA,
        help="IAB enrichment: whether to classify an event that lacks an IP address or a user agent by the other one.",
        group=COMPATIBILITY,
        shapes_output=True,
    )

    @property
    def eras(self) -> Compatibility:
        """The value of every switch: its own, else that of the era."""
        given = {switch.name: getattr(self, switch.name) for switch in SWITCHES}
        if given["atomic_limits"] not in ERAS:
            given["atomic_limits"] = None
        return Compatibility.of(self.compatibility, **given)
