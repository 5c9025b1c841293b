"""The task of the enrich step: the configuration of a run, turned into an enricher once per process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.pipeline import Enricher
from snowetl.iglu.config import Repository
from snowetl.reporting.enrich import SplitReport
from snowetl.steps.enrich_split import Output, enrich_split
from snowetl.storage.splits import Split
from snowetl.workers import Advance, Pickled, once_per_process


def anchored(config: EnrichConfig) -> EnrichConfig:
    """The same, with the registries' folders named from the root: workers have other working folders."""
    repositories = tuple(map(_anchored_folder, config.resolver.repositories))
    return replace(config, resolver=replace(config.resolver, repositories=repositories))


def _anchored_folder(repository: Repository) -> Repository:
    folder = None if repository.path is None else Path(repository.path).expanduser()
    return replace(repository, path=str(folder.absolute())) if folder is not None and folder.is_dir() else repository


@dataclass(frozen=True, slots=True)
class EnrichTask:
    """Enriches splits; picklable. ``files`` are the paths on the driver, by URI, of the files enrichments read.

    ``sums`` are the checksums of their contents: a process keeps an enricher as long as they are the same.
    """

    config: Pickled[EnrichConfig]
    files: Mapping[str, str]
    output: Output
    sums: tuple[str, ...] = ()

    @classmethod
    def create(cls, config: EnrichConfig, files: Mapping[str, str], output: Output) -> EnrichTask:
        return cls(Pickled.of(anchored(config)), files, output)

    def with_files(self, more: Mapping[str, str]) -> EnrichTask:
        return replace(self, files={**self.files, **more})

    def prepare(self, files: Mapping[str, Path] | None = None) -> tuple[EnrichConfig, Enricher]:
        """The configuration and its enricher, built on the first call in a process.

        Raises ``ConfigError`` or ``AssetError`` where it cannot be put to work here.
        """
        paths = self.files if files is None else files

        def build() -> tuple[EnrichConfig, Enricher]:
            bound = self.config.unpack().with_assets({uri: str(path) for uri, path in paths.items()})
            return bound, Enricher(bound)

        return once_per_process(f"{self.config.key} {sorted(paths)} {self.sums}", build, lambda pair: pair[1].close())

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> SplitReport:
        config, enricher = self.prepare(files)
        return enrich_split(split, config, self.output, lambda _: enricher, advance)
