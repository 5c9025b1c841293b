"""What the driver of a transform ships to its workers: a configuration, made a transformer once per process."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field

from snowetl.dedupe.rules import Key
from snowetl.dedupe.verdicts import Decisions
from snowetl.errors import SnowetlError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.jvm import jsontext
from snowetl.jvm.instants import Instant
from snowetl.model.badrow import Origin
from snowetl.steps.transform_outputs import Outputs
from snowetl.steps.transform_split import Advance, TransformSplitReport, read_keys, transform_split
from snowetl.storage.splits import Split
from snowetl.transform.columns import ATOMIC_FIELDS, EntityColumn, entity_columns
from snowetl.transform.formats import Formats
from snowetl.transform.rows import SchemaType
from snowetl.transform.schemas import Failure, Schemas
from snowetl.transform.transformer import WIDE_PARQUET, Transformer


@dataclass(frozen=True, slots=True)
class TransformConfig:
    """What makes a transformer. Picklable, checked on the driver.

    ``now`` (epoch milliseconds) is the time failures are given. ``types`` are the schemas met in the batch, which
    Parquet's columns are made of.
    """

    kind: str
    resolver: ResolverConfig
    processor: tuple[str, str]
    now: int
    formats: Formats = field(default_factory=Formats)
    minimum_timestamp: Instant | None = None
    max_lengths: Mapping[str, int] | None = None
    on_registry_failure: str = "fail"
    types: frozenset[SchemaType] = frozenset()

    @property
    def origin(self) -> Origin:
        return Origin(*self.processor, self.now)

    def client(self) -> IgluClient:
        return IgluClient(self.resolver, now=self.now, on_registry_failure=self.on_registry_failure)

    def columns(self, client: IgluClient) -> list[EntityColumn]:
        """Entity columns of the batch. Raises :class:`SnowetlError` when a schema of it cannot be used."""
        if self.kind != WIDE_PARQUET:
            return []
        found = entity_columns(self.types, Schemas(client))
        if isinstance(found, Failure):
            raise SnowetlError(
                f"the Parquet columns of the batch cannot be made: {jsontext.dumps(found.message)}. Publish the "
                "schema, or leave out the events that name it"
            )
        return found

    def transformer(self) -> Transformer:
        """Raises :class:`SnowetlError` when Parquet's columns cannot be made."""
        client = self.client()
        return Transformer(
            self.kind,
            client,
            self.origin,
            self.formats,
            self.columns(client),
            self.minimum_timestamp,
            self.max_lengths,
        )


_cached: tuple[str, TransformConfig, Transformer] | None = None


def _prepared(key: str, pickled: bytes) -> tuple[TransformConfig, Transformer]:
    """The configuration and its transformer, built on the first call in a process."""
    global _cached
    if _cached is None or _cached[0] != key:
        config: TransformConfig = pickle.loads(pickled)
        _cached = (key, config, config.transformer())
    return _cached[1], _cached[2]


def _pickled(config: TransformConfig) -> tuple[str, bytes]:
    pickled = pickle.dumps(config)
    return hashlib.sha256(pickled).hexdigest(), pickled


@dataclass(slots=True)
class KeysReport:
    """What a split holds, as far as deduplication and Parquet's columns ask. ``records`` are events."""

    index: int
    records: int
    keys: list[Key]
    types: frozenset[SchemaType]


@dataclass(frozen=True, slots=True)
class KeysTask:
    """Reads the keys of splits into memory, where the whole batch's keys are to fit; without, just the schemas met."""

    key: str
    config: bytes
    with_keys: bool = True
    assets: tuple[tuple[str, str], ...] = ()

    @classmethod
    def create(cls, config: TransformConfig, with_keys: bool = True) -> KeysTask:
        return cls(*_pickled(config), with_keys)

    def transformer(self) -> Transformer:
        return _prepared(self.key, self.config)[1]

    def run(self, split: Split, locate: object = None, advance: Advance | None = None) -> KeysReport:
        report = KeysReport(split.index, 0, [], frozenset())
        for key, new in read_keys(split, self.transformer()):
            report.records += 1
            report.types |= new
            if self.with_keys:
                report.keys.append(key)
        return report


@dataclass(frozen=True, slots=True)
class TransformTask:
    """Transforms splits; picklable. ``decided`` are the splits deduplication decided something about."""

    key: str
    config: bytes
    folder: str
    run_name: str
    compression: str
    decisions: str
    decided: frozenset[int]
    assets: tuple[tuple[str, str], ...] = ()

    @classmethod
    def create(
        cls,
        config: TransformConfig,
        folder: str,
        run_name: str,
        compression: str,
        decisions: str,
        decided: frozenset[int],
    ) -> TransformTask:
        key, pickled = _pickled(config)
        return cls(key, pickled, folder, run_name, compression, decisions, decided)

    def run(self, split: Split, locate: object = None, advance: Advance | None = None) -> TransformSplitReport:
        config, transformer = _prepared(self.key, self.config)
        decisions = Decisions.read(self.decisions, split.index) if split.index in self.decided else Decisions()
        fields = (*ATOMIC_FIELDS, *(column.field for column in transformer.columns))
        outputs = Outputs(self.folder, config.kind, split.index, self.run_name, self.compression, fields)
        return transform_split(split, transformer, config.origin, outputs, decisions, advance)
