"""The lookup pass: gather what the events of a run will ask for, have it answered once, keep the answers with the run.

The rates of a day, say, are asked for once, and a user agent is analysed once, however many workers meet them. The
answers are kept beside the run's folder: doing the run again asks nobody, and writes the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from snowetl.collector import format_of
from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.enrichments.base import Lookup
from snowetl.enrich.lookups import KeyStore, answers, table_uri, write_table
from snowetl.enrich.pipeline import Enricher
from snowetl.errors import StorageError
from snowetl.reporting.enrich import LookupReport
from snowetl.runs.parts import PartWriter
from snowetl.runs.run import Run
from snowetl.settings.words import count
from snowetl.steps import registries
from snowetl.steps.base import Watch
from snowetl.steps.stream import stream
from snowetl.storage import Damage, filesystem
from snowetl.storage.splits import Split
from snowetl.workers import Advance, Pickled, Work, WorkerPool, once_per_process


@dataclass(frozen=True, slots=True)
class LookupPass:
    """What is looked up for a run. ``identity`` names its input and its settings: answers serve for no others."""

    config: EnrichConfig
    run: Run
    identity: str

    def make(
        self, workers: WorkerPool, work: Sequence[Work], folder: Path, watch: Watch
    ) -> tuple[dict[str, str], list[LookupReport]]:
        """A table in ``folder`` for each lookup: their paths, by the names under which workers ask for them.

        Raises what the lookups raise (``ConfigError``, ``LookupFailed``), ``RegistryUnavailable``, ``StorageError``.
        """
        lookups = self.config.lookups()
        tables: dict[str, str] = {}
        reports: list[LookupReport] = []
        if not lookups:
            return tables, reports
        missing = [lookup for lookup in lookups if not self._is_kept(lookup)]
        keys = KeyStore(folder / "keys.sqlite")
        if missing:
            self._gather(missing, keys, workers, work, watch)
        for number, lookup in enumerate(lookups):
            started = time.perf_counter()
            asked = keys.count(lookup)
            if lookup in missing:
                watch.say(f"looking up {count(asked, 'key')} of {lookup.name}")
                self._keep(lookup, answers(lookup, keys.keys(lookup)))
            else:
                watch.say(f"{lookup.name}: the answers of an earlier attempt at this run are used again")
            path = folder / f"lookup-{number}.sqlite"
            found = write_table(lookup, self._kept(lookup), path)
            tables[table_uri(lookup)] = str(path)
            seconds = round(time.perf_counter() - started, 3)
            reports.append(LookupReport(name=lookup.name, keys=asked, answers=found, seconds=seconds))
        return tables, reports

    def _gather(
        self, lookups: Sequence[Lookup], keys: KeyStore, workers: WorkerPool, work: Sequence[Work], watch: Watch
    ) -> None:
        """Read all input for the keys. Equal keys of many splits are merged on disk, not in memory."""
        for lookup in lookups:
            lookup.check()
        watch.say(f"reading the input for what to look up: {', '.join(lookup.name for lookup in lookups)}")
        task = KeysTask.create(self.config, [lookup.name for lookup in lookups])
        with watch.progress(sum(item.bytes for item in work), "keys of lookups") as advance:
            keys.add(_named_key(value) for value in workers.distinct(task, work, advance))

    def _is_kept(self, lookup: Lookup) -> bool:
        url = f"{self._folder}/{self._name(lookup)}"
        return filesystem(url).exists(url)

    def _keep(self, lookup: Lookup, pairs: Iterable[tuple[str, str]]) -> None:
        """Write the answers: a line that names the format, then a JSON array ``[key, answer]`` a line."""
        writer = PartWriter(self._folder, self._name(lookup), "gzip")
        try:
            writer.add(json.dumps(_HEADER))
            for pair in pairs:
                writer.add(json.dumps(pair))
            part = writer.finish()
            assert part is not None
            filesystem(part.url).commit(part.token)
        except BaseException:
            writer.abort()
            raise

    def _kept(self, lookup: Lookup) -> Iterator[tuple[str, str]]:
        url = f"{self._folder}/{self._name(lookup)}"
        with ExitStack() as stack:
            try:
                lines = stack.enter_context(
                    gzip.open(stack.enter_context(filesystem(url).open(url)), "rt", encoding="ascii")
                )
                if json.loads(next(lines)) != _HEADER:
                    raise ValueError("it is of another release")
                for line in lines:
                    key, answer = json.loads(line)
                    yield key, answer
            except (OSError, EOFError, ValueError, StopIteration) as error:
                raise StorageError(f"{url} holds no answers ({error}): delete it, and run again") from None

    @property
    def _folder(self) -> str:
        """Beside the run folder, which is wiped; named so that Spark's partition discovery overlooks it."""
        return f"{self.run.outputs[0].rstrip('/')}/_lookups-{self.run.id}"

    def _name(self, lookup: Lookup) -> str:
        digest = hashlib.sha256(f"{lookup.name} {self.identity}".encode()).hexdigest()[:16]
        return f"{quote(lookup.name, safe='')}-{digest}.jsonl.gz"


_HEADER = "snowetl-lookup/1"


@dataclass(frozen=True, slots=True)
class KeysTask:
    """Finds what the records of splits ask the lookups of ``names`` for; picklable."""

    config: Pickled[EnrichConfig]
    names: tuple[str, ...]
    files: Mapping[str, str]

    @classmethod
    def create(cls, config: EnrichConfig, names: Iterable[str]) -> KeysTask:
        return cls(Pickled.of(config), tuple(names), registries.folders(config.resolver))

    def run(self, split: Split, files: Mapping[str, Path], advance: Advance) -> Iterator[str]:
        """Texts that :func:`_named_key` reads; some come more than once."""
        config, enricher, lookups = self._prepared(files)
        loader = format_of(config.input_format)
        for _, record in stream(split, advance, binary=loader.binary, text=loader.text):
            if not isinstance(record, Damage):
                for name, key in enricher.lookup_keys(record.data, lookups):
                    yield f"{name}\t{key}"

    def _prepared(self, files: Mapping[str, Path]) -> tuple[EnrichConfig, Enricher, list[Lookup]]:
        """What reads records, without the enrichments' own steps: they have files, and no tables yet."""

        def build() -> tuple[EnrichConfig, Enricher, list[Lookup]]:
            config = self.config.unpack()
            config = replace(config, resolver=registries.located(config.resolver, files))
            lookups = [lookup for lookup in config.lookups() if lookup.name in self.names]
            return config, Enricher(replace(config, enrichments=())), lookups

        return once_per_process(f"keys {self.config.key} {self.names} {files}", build, lambda built: built[1].close())


def _named_key(value: str) -> tuple[str, str]:
    name, _, key = value.partition("\t")
    return name, key
