"""One split: what it writes and counts, and that it leaves nothing behind when it fails."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from snowetl.enrich.config import EnrichConfig
from snowetl.enrich.pipeline import Enricher
from snowetl.errors import RegistryUnavailable, SnowetlError
from snowetl.model.event import EnrichedEvent
from snowetl.reporting.enrich import SplitReport
from snowetl.steps.enrich_split import Output, enrich_split
from snowetl.storage import filesystem, splits
from snowetl.storage.local_files import LocalStagedFile
from tests.integration.support import HEADER, RESOLVER, RUN, cloudfront_line


@pytest.fixture(scope="module")
def config() -> EnrichConfig:
    return EnrichConfig.load(
        resolver=RESOLVER,
        enrichments=None,
        input_format="cloudfront",
        etl_tstamp=1_767_323_045_000,
        processor=("snowetl", "test"),
    )


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(str(tmp_path / "good"), str(tmp_path / "bad"), RUN)


def split_of(folder: Path, texts: list[str]) -> splits.Split:
    for number, text in enumerate(texts):
        (folder / f"log{number}.txt").write_text(text)
    urls = [str(folder / f"log{number}.txt") for number in range(len(texts))]
    return splits.Split(3, tuple(splits.Slice(url) for url in urls))


def published(report: SplitReport) -> tuple[list[str], list[str]]:
    lines: list[list[str]] = []
    for part in (report.good, report.bad):
        if part is None:
            lines.append([])
            continue
        filesystem(part.url).commit(part.token)
        lines.append(gzip.decompress(Path(part.url).read_bytes()).decode().splitlines())
    return lines[0], lines[1]


def test_all_files_of_a_split_go_to_one_good_and_one_bad_part(
    tmp_path: Path, config: EnrichConfig, output: Output
) -> None:
    texts = [HEADER + "".join(cloudfront_line(n) + "\n" for n in numbers) for numbers in (range(60), range(60, 90))]
    report = enrich_split(split_of(tmp_path, texts), config, output)
    good, bad = published(report)
    assert report.good is not None
    assert report.good.url.endswith(f"good/part-00003-{RUN}.txt.gz")
    assert (report.records, sum(report.discarded.values()), report.payloads) == (94, 4, 87)
    assert (report.events, len(good), report.good.lines) == (87, 87, 87)
    assert sum(report.bad_rows.values()) == len(bad) == 3
    assert report.seconds > 0
    assert report.peak_memory > 10 << 20


def test_without_good_events_there_is_no_good_part(tmp_path: Path, config: EnrichConfig, output: Output) -> None:
    report = enrich_split(split_of(tmp_path, ["nonsense\n"]), config, output)
    assert report.good is None
    assert report.bad is not None
    assert not (tmp_path / "good").exists()


class Copier:
    """The bare read-write path: a line out for a line in."""

    class Line(EnrichedEvent):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

        def to_tsv(self) -> str:
            return self.text

    def process(self, record: bytes | str, source: str = "", number: int = 0) -> list[Any]:
        assert isinstance(record, str)
        return [self.Line(f"{source}:{number}:{record}")]


def test_the_enricher_can_be_left_out(tmp_path: Path, config: EnrichConfig, output: Output) -> None:
    report = enrich_split(split_of(tmp_path, ["a\nb\n", "c\n"]), config, output, lambda _: Copier())
    assert published(report)[0] == ["log0.txt:0:a", "log0.txt:2:b", "log1.txt:0:c"]


class Failing(Copier):
    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.records = 0

    def process(self, record: bytes | str, source: str = "", number: int = 0) -> list[Any]:
        self.records += 1
        if self.records > 4000:
            raise self.error
        return [*super().process(record, source, number), *super().process("x" * 200, source, number)]


@pytest.mark.parametrize("error", [RegistryUnavailable("x"), KeyboardInterrupt(), MemoryError()])
def test_a_split_that_fails_leaves_nothing(
    tmp_path: Path, config: EnrichConfig, output: Output, error: BaseException
) -> None:
    split = split_of(tmp_path, ["line\n" * 5000])
    with pytest.raises(type(error)):
        enrich_split(split, config, output, lambda _: Failing(error))
    assert list((tmp_path / "good").iterdir()) == []


def test_a_split_whose_file_is_gone(tmp_path: Path, config: EnrichConfig, output: Output) -> None:
    split = splits.Split(0, (splits.Slice(str(tmp_path / "gone.txt")),))
    with pytest.raises(SnowetlError, match=r"gone\.txt"):
        enrich_split(split, config, output)


def test_when_the_bad_part_cannot_be_finished_the_good_one_goes_too(
    tmp_path: Path, config: EnrichConfig, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = LocalStagedFile.close

    def fail(self: LocalStagedFile) -> str:
        if "/bad/" in self._url:
            raise SnowetlError("the disk is full")
        return close(self)

    monkeypatch.setattr(LocalStagedFile, "close", fail)
    split = split_of(tmp_path, [cloudfront_line(1) + "\nnonsense\n"])
    with pytest.raises(SnowetlError, match="disk is full"):
        enrich_split(split, config, output)
    assert list((tmp_path / "good").iterdir()) == []


def test_progress_adds_up(tmp_path: Path, config: EnrichConfig, output: Output) -> None:
    told: list[int] = []
    split = split_of(tmp_path, ["line\n" * 5001])
    report = enrich_split(split, config, output, lambda _: Copier(), lambda records, size: told.append(records))
    assert sum(told) == report.records == 5001
    assert len(told) == 3


def test_the_enricher_is_built_once_per_process(config: EnrichConfig, output: Output) -> None:
    from snowetl.steps.enrich_task import EnrichTask

    task = EnrichTask.create(config, {}, output)
    first, second = task.prepare(), EnrichTask.create(config, {}, output).prepare()
    assert isinstance(first[1], Enricher)
    assert first[1] is second[1]
