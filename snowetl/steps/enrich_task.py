"""The task of the enrich step: the configuration of a run, turned into an enricher once per process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.pipeline import Enricher
from snowetl.reporting.enrich import SplitReport
from snowetl.steps import registries
from snowetl.steps.enrich_split import Output, enrich_split
from snowetl.storage.splits import Split
from snowetl.workers import Advance, Pickled, once_per_process


@dataclass(frozen=True, slots=True)
class EnrichTask:
    """Enriches splits; picklable. ``files`` are the paths on the driver, by URI, of the files enrichments read, and
    those of registries that are folders.

    ``sums`` are the checksums of their contents: a process keeps an enricher as long as they are the same.
    """

    config: Pickled[EnrichConfig]
    files: Mapping[str, str]
    output: Output
    sums: tuple[str, ...] = ()

    @classmethod
    def create(cls, config: EnrichConfig, files: Mapping[str, str], output: Output) -> EnrichTask:
        return cls(Pickled.of(config), {**files, **registries.folders(config.resolver)}, output)

    def with_files(self, more: Mapping[str, str]) -> EnrichTask:
        return replace(self, files={**self.files, **more})

    def prepare(self, files: Mapping[str, Path] | None = None) -> tuple[EnrichConfig, Enricher]:
        """The configuration and its enricher, built on the first call in a process.

        Raises ``ConfigError`` or ``AssetError`` where it cannot be put to work here.
        """
        paths = {name: Path(path) for name, path in self.files.items()} if files is None else files
        assets = registries.without_folders(paths)
        folders = {name: str(path) for name, path in paths.items() if name not in assets}

        def build() -> tuple[EnrichConfig, Enricher]:
            config = self.config.unpack()
            config = replace(config, resolver=registries.located(config.resolver, paths))
            bound = config.with_assets({uri: str(path) for uri, path in assets.items()})
            return bound, Enricher(bound)

        key = f"{self.config.key} {sorted(assets)} {self.sums} {folders}"
        return once_per_process(key, build, lambda pair: pair[1].close())

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> SplitReport:
        config, enricher = self.prepare(files)
        return enrich_split(split, config, self.output, lambda _: enricher, advance)
