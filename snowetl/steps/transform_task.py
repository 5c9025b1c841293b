"""The tasks of the transform step: a configuration, turned into a transformer once per process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from snowetl.ddl.families import Recovery
from snowetl.dedupe.decide import KeyRow
from snowetl.dedupe.rules import key_of
from snowetl.dedupe.verdicts import Decisions
from snowetl.errors import SnowetlError
from snowetl.iglu.client import IgluClient
from snowetl.iglu.config import ResolverConfig
from snowetl.jvm import jsontext
from snowetl.jvm.instants import Instant
from snowetl.model.badrow import Origin
from snowetl.reporting.transform import TransformSplitReport
from snowetl.steps import registries
from snowetl.steps.transform_outputs import Outputs
from snowetl.steps.transform_split import read_events, transform_split
from snowetl.storage.splits import Split
from snowetl.transform.columns import ATOMIC_FIELDS, EntityColumn, entity_columns
from snowetl.transform.formats import Formats
from snowetl.transform.met import TypesMet
from snowetl.transform.rows import SchemaType
from snowetl.transform.schemas import Failure, Schemas
from snowetl.transform.transformer import WIDE_PARQUET, Transformer
from snowetl.workers import Advance, Pickled, once_per_process


@dataclass(frozen=True, slots=True)
class TransformConfig:
    """What makes a transformer. Picklable, checked on the driver.

    ``now`` (epoch milliseconds) is the time failures are given. ``types`` are the schemas met in the batch, which
    Parquet's columns are made of.
    """

    transformation: str
    resolver: ResolverConfig
    processor: tuple[str, str]
    now: int
    formats: Formats = field(default_factory=Formats)
    target: str = "redshift"
    minimum_timestamp: Instant | None = None
    max_lengths: Mapping[str, int] | None = None
    on_registry_failure: str = "fail"
    types: frozenset[SchemaType] = frozenset()
    recovery: Recovery = field(default_factory=Recovery)

    @property
    def origin(self) -> Origin:
        return Origin(*self.processor, self.now)

    def client(self) -> IgluClient:
        return IgluClient(self.resolver, now=self.now, on_registry_failure=self.on_registry_failure)

    def columns(self, client: IgluClient) -> list[EntityColumn]:
        """Entity columns of the batch. Raises :class:`SnowetlError` when a schema of it cannot be used."""
        if self.transformation != WIDE_PARQUET:
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
            self.transformation,
            client,
            self.origin,
            self.formats,
            self.columns(client),
            self.minimum_timestamp,
            self.max_lengths,
            self.target,
            self.recovery,
        )


def transformer_of(config: Pickled[TransformConfig], files: Mapping[str, Path]) -> tuple[TransformConfig, Transformer]:
    """``files``: the registries that are folders."""

    def build() -> tuple[TransformConfig, Transformer]:
        unpacked = config.unpack()
        unpacked = replace(unpacked, resolver=registries.located(unpacked.resolver, files))
        return unpacked, unpacked.transformer()

    return once_per_process(f"{config.key} {files}", build)


@dataclass(frozen=True, slots=True)
class KeysTask:
    """Reads what deduplication looks at: the key of each event; ``with_tags`` with the schemas met first in it."""

    config: Pickled[TransformConfig]
    files: Mapping[str, str]
    with_tags: bool = False

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> Iterator[KeyRow]:
        met = TypesMet()
        for number, event in read_events(split, transformer_of(self.config, files)[1]):
            yield key_of(event, (split.index, number)), [*map(tag_of, met.add(event))] if self.with_tags else ()


@dataclass(frozen=True, slots=True)
class SchemasTask:
    """Reads the schemas of the events of a split, as tags."""

    config: Pickled[TransformConfig]
    files: Mapping[str, str]

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> Iterator[str]:
        met = TypesMet()
        for _, event in read_events(split, transformer_of(self.config, files)[1]):
            yield from map(tag_of, met.add(event))


def tag_of(type_: SchemaType) -> str:
    return f"{type_.column} {type_.uri}"


def type_of(tag: str) -> SchemaType:
    column, _, uri = tag.partition(" ")
    return SchemaType(uri, column)


@dataclass(frozen=True, slots=True)
class TransformTask:
    """Transforms splits; picklable. A split that is ``noted`` is one that deduplication decided something about."""

    config: Pickled[TransformConfig]
    folder: str
    run_name: str
    compression: str
    decisions: str
    files: Mapping[str, str]

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> TransformSplitReport:
        config, transformer = transformer_of(self.config, files)
        decisions = Decisions.read(self.decisions, split.index) if split.noted else Decisions()
        fields = (*ATOMIC_FIELDS, *(column.field for column in transformer.columns))
        outputs = Outputs(self.folder, config.transformation, split.index, self.run_name, self.compression, fields)
        return transform_split(split, transformer, config.origin, outputs, decisions, advance)
