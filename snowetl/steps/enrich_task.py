"""What the driver ships to its workers: the configuration of a run, turned into an enricher once per process."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.pipeline import Enricher
from snowetl.iglu.config import Repository, ResolverConfig
from snowetl.steps.enrich_split import Advance, Output, SplitReport, enrich_split
from snowetl.storage.splits import Split

Locate = Callable[[str], str]
"""Path, on this machine, of an asset that lies at the given path on the driver."""

_cached: tuple[str, EnrichConfig, Enricher] | None = None


def _anchored(resolver: ResolverConfig) -> ResolverConfig:
    """The same registries; folders named from the working folder are named from the root, since workers have others."""
    return replace(resolver, repositories=tuple(map(_anchored_folder, resolver.repositories)))


def _anchored_folder(repository: Repository) -> Repository:
    folder = None if repository.path is None else Path(repository.path).expanduser()
    return replace(repository, path=str(folder.absolute())) if folder is not None and folder.is_dir() else repository


@dataclass(frozen=True, slots=True)
class EnrichTask:
    """Enriches splits; picklable. ``assets`` are (URI, path on the driver) of the files enrichments read."""

    config: bytes
    key: str
    assets: tuple[tuple[str, str], ...]
    output: Output

    @classmethod
    def create(cls, config: EnrichConfig, assets: dict[str, str], output: Output) -> EnrichTask:
        pickled = pickle.dumps(replace(config, resolver=_anchored(config.resolver)))
        return cls(pickled, hashlib.sha256(pickled).hexdigest(), tuple(assets.items()), output)

    def prepare(self, locate: Locate = str) -> tuple[EnrichConfig, Enricher]:
        """The configuration and its enricher, built on the first call in a process.

        Raises ``ConfigError`` or ``AssetError`` where it cannot be put to work here.
        """
        global _cached
        if _cached is None or _cached[0] != self.key:
            config: EnrichConfig = pickle.loads(self.config)
            bound = config.with_assets({uri: locate(path) for uri, path in self.assets})
            _cached = (self.key, bound, Enricher(bound))
        return _cached[1], _cached[2]

    def run(self, split: Split, locate: Locate = str, advance: Advance | None = None) -> SplitReport:
        config, enricher = self.prepare(locate)
        return enrich_split(split, config, self.output, lambda _: enricher, advance)
