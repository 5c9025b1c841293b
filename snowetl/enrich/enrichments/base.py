"""What an enrichment is: a picklable configuration that knows its files, and the step built from it once per worker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

from snowetl.enrich.draft import Draft
from snowetl.model.schema import SchemaCriterion, SchemaKey


class Asset(NamedTuple):
    """A file an enrichment reads: where it comes from, and the fixed local name the reference gives it."""

    uri: str
    name: str


class Step(Protocol):
    """One enrichment at work: reads and writes the draft; never raises on bad data (it calls ``draft.fail``)."""

    def __call__(self, draft: Draft) -> None: ...


class Conf(Protocol):
    """The parsed parameters of one enrichment (a frozen dataclass)."""

    criterion: ClassVar[SchemaCriterion]
    """The configuration schemas the enrichment accepts."""

    @property
    def schema_key(self) -> SchemaKey:
        """The schema of this configuration, as given; failures name it."""
        ...

    @classmethod
    def parse(cls, key: SchemaKey, data: dict[str, Any]) -> Conf:
        """Read the configuration's ``data`` object. Raises ``ConfigError`` naming what is wrong."""
        ...

    def assets(self) -> list[Asset]: ...

    def build(self, files: Mapping[str, Path]) -> Step:
        """The step, given the local path of every asset by its URI. Raises ``AssetError`` for an unreadable file."""
        ...
