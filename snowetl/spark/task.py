"""What the driver ships to its workers: the configuration of a run, turned into an enricher once per process."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass

from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.pipeline import Enricher
from snowetl.spark.split import Advance, Output, SplitReport, enrich_split
from snowetl.storage.splits import Split

Locate = Callable[[str], str]
"""Path, on this machine, of an asset that lies at the given path on the driver."""

_cached: tuple[str, EnrichConfig, Enricher] | None = None


@dataclass(frozen=True, slots=True)
class EnrichTask:
    """Enriches splits; picklable. ``assets`` are (URI, path on the driver) of the files enrichments read."""

    config: bytes
    key: str
    assets: tuple[tuple[str, str], ...]
    output: Output

    @classmethod
    def create(cls, config: EnrichConfig, assets: dict[str, str], output: Output) -> EnrichTask:
        pickled = pickle.dumps(config)
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
