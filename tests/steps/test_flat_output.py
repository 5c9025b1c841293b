"""``enrich --output-format json|parquet``: the same events that transform would make of the enriched lines."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import snowetl
from snowetl.errors import StorageError
from snowetl.jvm import jsontext
from snowetl.reporting.enrich import EnrichReport
from snowetl.steps import flat_parquet
from snowetl.steps.transform_outputs import ParquetPart
from snowetl.transform.transformer import Transformer
from tests.steps.transform_support import lines_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
RUN = "2026-03-05-00-00-00"
RESOLVER = str(ROOT / "fixtures" / "resolver.json")


def enrich(folder: Path, form: str, **more: Any) -> EnrichReport:
    usual = {"output_folder": str(folder / form), "bad_folder": str(folder / f"{form}-bad"), "master": "none"}
    report = snowetl.enrich(
        input_folder=str(ROOT / "fixtures" / "logs" / "clj-tomcat"),
        input_format="clj-tomcat",
        iglu_config=RESOLVER,
        enrichments=str(ROOT / "fixtures" / "enrichments"),
        run_id=RUN,
        output_format=form,
        **(usual | more),
    )
    assert report is not None
    return report


def transform(folder: Path, kind: str) -> Path:
    snowetl.transform(
        input_folder=str(folder / "tsv"), output_folder=str(folder / kind), iglu_config=RESOLVER, master="none",
        transformation=kind, natural=False, synthetic="NONE",
    )  # fmt: skip
    return folder / kind / f"run={RUN}" / "output=good"


def table_of(folder: Path) -> pa.Table:
    return pa.concat_tables(pq.ParquetFile(part).read() for part in sorted(folder.glob("*.parquet")))


def names(folder: Path) -> set[str]:
    return {path.name for path in (folder / f"run={RUN}").iterdir() if not path.name.startswith("_")}


def test_json_is_what_transform_makes_of_the_lines(tmp_path: Path) -> None:
    tsv, flat = enrich(tmp_path, "tsv"), enrich(tmp_path, "json")
    assert (flat.events, flat.bad_rows, flat.event_types) == (tsv.events, tsv.bad_rows, tsv.event_types)
    assert sorted(lines_of(tmp_path / "json")) == sorted(lines_of(transform(tmp_path, "widerow-json")))
    assert names(tmp_path / "json") == {f"part-00000-{RUN}.json.gz"}
    assert flat.output.good.lines == tsv.events
    located = [event for event in map(json.loads, lines_of(tmp_path / "json")) if "geo_location" in event]
    assert located
    for event in located:
        assert event["geo_location"] == f"{event['geo_latitude']},{event['geo_longitude']}"
        assert not {"contexts", "derived_contexts", "unstruct_event"} & event.keys()
        assert isinstance(event["contexts_com_snowplowanalytics_snowplow_ua_parser_context_1"], list)


@pytest.mark.parametrize("workers", [1, 2])
def test_parquet_is_what_transform_makes_of_the_lines(tmp_path: Path, workers: int) -> None:
    tsv, flat = enrich(tmp_path, "tsv"), enrich(tmp_path, "parquet", workers=workers, split_size=20_000)
    assert (flat.events, flat.bad_rows) == (tsv.events, tsv.bad_rows)
    found = table_of(tmp_path / "parquet" / f"run={RUN}")
    expected = table_of(transform(tmp_path, "widerow-parquet"))
    assert found.schema.equals(expected.schema)
    assert found.sort_by("event_id").to_pylist() == expected.sort_by("event_id").to_pylist()
    assert {name.rpartition(".")[2] for name in names(tmp_path / "parquet")} == {"parquet"}
    assert not (tmp_path / "parquet" / f"run={RUN}" / flat_parquet.FOLDER).exists()
    assert flat.output.good.lines == tsv.events == found.num_rows
    assert flat.output.good.parts == len(list((tmp_path / "parquet").rglob("*.parquet")))


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_failed_events_have_the_same_form(tmp_path: Path, form: str) -> None:
    report = enrich(tmp_path, form, failed_folder=str(tmp_path / "failed"))
    assert report.output.failed is not None and report.failed_events
    [part] = (tmp_path / "failed" / f"run={RUN}").glob("part-*")
    column = "contexts_com_snowplowanalytics_snowplow_failure_1"
    if form == "parquet":
        failures = pq.ParquetFile(part).read().column(column).to_pylist()
    else:
        failures = [json.loads(text)[column] for text in lines_of(tmp_path / "failed")]
    assert len(failures) == report.failed_events == report.output.failed.lines
    assert all(failures)


@pytest.fixture
def picky(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Some events that no row can be made of."""
    transform_ = Transformer.transform

    def refuse(self: Transformer, event: Any) -> Any:
        return transform_(self, event) if event["event"] != "page_ping" else self._unforeseen(ValueError("no"), "x")

    monkeypatch.setattr(Transformer, "transform", refuse)
    yield


@pytest.mark.usefixtures("picky")
@pytest.mark.parametrize("form", ["json", "parquet"])
def test_events_that_cannot_be_written_are_bad_rows(tmp_path: Path, form: str) -> None:
    tsv = enrich(tmp_path, "tsv")
    report = enrich(tmp_path, form)
    refused = report.bad_rows["generic_error"]
    assert refused and report.events == tsv.events - refused == report.output.good.lines
    written = [json.loads(text) for text in lines_of(tmp_path / f"{form}-bad")]
    assert len(written) == sum(report.bad_rows.values()) == report.output.bad.lines
    assert sum("generic_error" in row["schema"] for row in written) == refused
    assert any(reason.schema.endswith("generic_error/jsonschema/1-0-0") for reason in report.bad_reasons)


def test_what_dies_over_parquet_leaves_nothing_and_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*arguments: Any) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(ParquetPart, "finish", die)
        with pytest.raises(StorageError):
            enrich(tmp_path, "parquet")
    assert not (tmp_path / "parquet" / f"run={RUN}").exists()
    first = enrich(tmp_path, "parquet")
    parts = {path.name: path.read_bytes() for path in (tmp_path / "parquet" / f"run={RUN}").glob("part-*")}
    again = enrich(tmp_path / "again", "parquet")
    assert first.events == again.events
    assert parts == {
        path.name: path.read_bytes() for path in (tmp_path / "again" / "parquet" / f"run={RUN}").glob("part-*")
    }


def test_a_run_without_events(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.gz").write_bytes(gzip.compress(b"this is not a log line\n"))
    report = snowetl.enrich(
        input_folder=str(logs), input_format="cloudfront", output_folder=str(tmp_path / "out"),
        bad_folder=str(tmp_path / "bad"), iglu_config=RESOLVER, master="none", output_format="parquet",
        check_input=False,
    )  # fmt: skip
    assert report is not None and report.events == 0 and sum(report.bad_rows.values()) == 1
    assert jsontext.loads(lines_of(tmp_path / "bad")[0])["schema"].startswith("iglu:")
