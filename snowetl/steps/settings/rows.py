"""Which events become rows: the settings that ``transform`` and ``run`` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snowetl.errors import ConfigError
from snowetl.settings import Document, Number, Settings, Text, flag, option
from snowetl.steps.settings.groups import DUPLICATES, ROWS

if TYPE_CHECKING:
    from snowetl.ddl.families import Recovery
    from snowetl.dedupe.event_manifest import ManifestConfig
    from snowetl.dedupe.rules import Policy
    from snowetl.jvm.instants import Instant


@dataclass(frozen=True, kw_only=True)
class Deduplicating(Settings):
    """Which events count as duplicates, and what becomes of them."""

    natural: bool = flag(
        "--natural/--no-natural",
        default=True,
        help="Drop an event whose id and fingerprint an earlier event of the batch has.",
        group=DUPLICATES,
        shapes_output=True,
    )
    synthetic: str = option(
        "--synthetic",
        choices=("BROADCAST", "JOIN", "NONE"),
        default="BROADCAST",
        help="Give new ids to different events that share an id; NONE keeps the ids.",
        group=DUPLICATES,
        shapes_output=True,
    )
    cardinality: int = option(
        "--cardinality",
        kind=Number(minimum=1),
        default=1,
        help="Number of events that may share an id before they get new ones.",
        group=DUPLICATES,
        shapes_output=True,
    )
    duplicate_storage: Any = option(
        "--duplicate-storage",
        kind=Document("FILE|BASE64|URL"),
        default=None,
        default_help="duplicates are dropped within a batch only",
        help="Also drop duplicates of events in earlier batches. Where the events of earlier batches are kept: "
        "an amazon_dynamodb_config, or a postgresql:// URL.",
        group=DUPLICATES,
        shapes_output=True,
        secret=True,
    )

    @property
    def deduplication(self) -> Policy:
        """Raises ``ConfigError`` for settings that do not go together."""
        from snowetl.dedupe.rules import Policy

        return Policy.parse(
            self.natural, self.synthetic, self.cardinality, cross_batch=self.duplicate_storage is not None
        )

    @property
    def event_manifest(self) -> ManifestConfig | None:
        """Raises ``ConfigError`` for a storage that cannot be used."""
        from snowetl.dedupe.event_manifest import parse_config

        return None if self.duplicate_storage is None else parse_config(self.duplicate_storage)

    @property
    def deduplicates(self) -> bool:
        return self.natural or self.synthetic != "NONE"


@dataclass(frozen=True, kw_only=True)
class Shaping(Settings):
    """What an event must be, and is cut to, to become rows."""

    minimum_timestamp: str | None = option(
        "--minimum-timestamp",
        kind=Text("TIME"),
        default=None,
        default_help="events of any age are good",
        help="Turn each event older than this (2020-01-01T00:00:00Z) into a bad row.",
        group=ROWS,
        shapes_output=True,
    )
    truncate_atomic_fields: bool = flag(
        "--truncate-atomic-fields",
        help="Cut strings of the atomic columns to the lengths of the atomic schema.",
        group=ROWS,
        shapes_output=True,
    )
    recovery_tables: bool = flag(
        "--recovery-tables",
        help="shred: give each version of a schema that breaks the table of its model (another type of a property) a "
        "table of its own, <table>_<revision>_<addition>_recovered_<hash>, as RDB Loader 6 does. What `snowetl init` "
        "writes turns it on.",
        group=ROWS,
        shapes_output=True,
    )
    disable_recovery: tuple[str, ...] = option(
        "--disable-recovery",
        multiple=True,
        default=(),
        metavar="CRITERION",
        help="With --recovery-tables: schemas whose versions share one table nevertheless. May be given several times.",
        group=ROWS,
        shapes_output=True,
    )

    @property
    def recovery(self) -> Recovery:
        """Raises ``ConfigError``."""
        from snowetl.ddl.families import Recovery

        return Recovery.parse(self.recovery_tables, self.disable_recovery)

    @property
    def oldest(self) -> Instant | None:
        """The instant of ``minimum_timestamp``. Raises ``ConfigError``."""
        from snowetl.jvm import instants

        if self.minimum_timestamp is None:
            return None
        instant = instants.parse(self.minimum_timestamp.removesuffix("Z"))
        if instant is None:
            raise ConfigError(
                f"--minimum-timestamp: '{self.minimum_timestamp}' is not a time such as 2020-01-01T00:00:00Z"
            )
        return instant
