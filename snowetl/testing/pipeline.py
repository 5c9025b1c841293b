"""The corridor of one record, configured the way a test wants it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.pipeline import Enricher
from snowetl.errors import ConfigError
from snowetl.iglu.config import Repository, ResolverConfig
from snowetl.model.badrow import BadRow
from snowetl.model.event import EnrichedEvent
from snowetl.model.result import FailedEvent
from snowetl.testing.results import Result


class Pipeline:
    """Enriches the records of a test, all with one configuration.

    ``schemas`` is the folder of a static registry (it holds ``schemas/VENDOR/NAME/jsonschema/1-0-0``), asked after the
    schemas inside snowetl; ``resolver`` is a whole resolver configuration instead. ``enrichments`` as
    :meth:`EnrichConfig.load` takes them. Records are Thrift, as the builders of this package make them, unless
    ``input_format`` names another format. Nothing here needs the network, unless a resolver or an enrichment does.

    Raises ``ConfigError`` for a configuration that cannot be used.
    """

    def __init__(
        self,
        *,
        schemas: str | Path | None = None,
        resolver: Any = None,
        enrichments: Any = None,
        input_format: str = "thrift",
        **options: Any,
    ) -> None:
        if schemas is not None and resolver is not None:
            raise ConfigError("Give either schemas (a folder) or resolver (a whole configuration), not both.")
        config = EnrichConfig.load(
            resolver=resolver if schemas is None else _registry(Path(schemas)),
            enrichments=enrichments,
            input_format=input_format,
            **{"etl_tstamp": 1_772_668_800_000, **options},
        )
        self._enricher = Enricher(config)

    def enrich(self, *records: bytes | str) -> Result:
        """Everything the records become. Raises ``RegistryUnavailable`` if a schema registry does not answer."""
        process = self._enricher.process
        results = [result for number, record in enumerate(records) for result in process(record, "test", number)]
        return Result(
            [result for result in results if isinstance(result, EnrichedEvent)],
            [result for result in results if isinstance(result, BadRow)],
            [result.event for result in results if isinstance(result, FailedEvent)],
        )


def enrich(*records: bytes | str, **configuration: Any) -> Result:
    """Enrich records with a :class:`Pipeline` of this ``configuration``."""
    return Pipeline(**configuration).enrich(*records)


def _registry(folder: Path) -> ResolverConfig:
    if not (folder / "schemas").is_dir():
        raise ConfigError(
            f"{folder} is not a static schema registry: it has no folder 'schemas'. "
            f"A schema belongs at {folder}/schemas/VENDOR/NAME/jsonschema/1-0-0."
        )
    offline = ResolverConfig.default().repositories
    return ResolverConfig((*offline, Repository("schemas of the test", 0, (), uri=folder.resolve().as_uri())))
