"""The transform job without Spark: what it writes, what it redoes, what it leaves alone."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from snowetl.errors import ConfigError, NothingToDo, OutputExists, RegistryUnavailable, SnowetlError, UsageError
from snowetl.model.fields import INDEX
from snowetl.runs.lease import Lease
from snowetl.steps import transform as transform_job
from snowetl.storage.local_files import LocalStagedFile
from snowetl.transform.transformer import SHRED, WIDE_JSON, WIDE_PARQUET
from tests.steps.transform_support import (
    RUN,
    enriched,
    event_id,
    files,
    lines_of,
    plan,
    transform,
    write_run,
)
from tests.transform.support import unstruct

CLICK = "output=good/vendor=com.acme/name=click/format=tsv/model=1"
ATOMIC = "output=good/vendor=com.snowplowanalytics.snowplow/name=atomic/format=tsv/model=1"
MESSAGE = "shredding_complete.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of two files: six events, one of them twice, two with one id, and a line that is none."""
    first = [*(enriched(number) for number in range(4)), "no\tevent"]
    second = [enriched(3), enriched(4), enriched(2, event_fingerprint="other")]
    write_run(tmp_path / "enriched", [first, second])
    return tmp_path


def message(folder: Path, run: str = RUN) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "out" / run / MESSAGE).read_text())
    data: dict[str, Any] = document.get("data", document)
    return data


# --- what it writes -------------------------------------------------------------------------------------------------


def test_shredded(folder: Path) -> None:
    (report,) = transform(folder)
    assert (report["records"], report["events"], report["duplicates"], report["newIds"]) == (8, 6, 1, 2)
    assert report["badRows"] == {"loader_parsing_error": 1}
    assert report["records"] == report["events"] + report["duplicates"] + sum(report["badRows"].values())
    out = folder / "out" / RUN
    assert len(lines_of(out / ATOMIC)) == 6
    clicks = [text.split("\t") for text in lines_of(out / CLICK)]
    assert sorted(row[-2] for row in clicks) == ["t0", "t1", "t2", "t2", "t3", "t4"]
    bad = out / "output=bad/vendor=com.snowplowanalytics.snowplow.badrows/name=loader_parsing_error/format=json/model=2"
    assert json.loads(lines_of(bad)[0])["schema"].endswith("/loader_parsing_error/jsonschema/2-0-0")
    told = message(folder)
    assert told["base"] == f"{out}/"
    assert told["count"] == {"good": 6, "bad": 1}
    assert told["timestamps"]["min"] == "2021-10-14T10:23:45.678Z"
    assert {entry["schemaKey"] for entry in told["typesInfo"]["types"]} >= {"iglu:com.acme/click/jsonschema/1-0-0"}
    assert not list(folder.rglob("*_decisions*"))
    assert not list(folder.rglob("_lock-*"))


def test_shredded_as_json(folder: Path) -> None:
    transform(folder, json=("iglu:com.acme/click/jsonschema/*-*-*",))
    rows = lines_of(folder / "out" / RUN / CLICK.replace("tsv", "json"))
    assert json.loads(rows[0])["data"] == {"target": "t0", "count": 0}
    assert not (folder / "out" / RUN / CLICK).exists()


def test_wide_json(folder: Path) -> None:
    transform(folder, transformation=WIDE_JSON)
    rows = [json.loads(text) for text in lines_of(folder / "out" / RUN / "output=good")]
    assert len(rows) == 6
    assert rows[0]["unstruct_event_com_acme_click_1"] == {"target": "t0", "count": 0}
    assert len(lines_of(folder / "out" / RUN / "output=bad")) == 1


def test_wide_parquet(folder: Path) -> None:
    transform(folder, transformation=WIDE_PARQUET)
    table = pq.read_table(str(folder / "out" / RUN / "output=good"), partitioning=None)
    assert table.num_rows == 6
    clicks = table.column("unstruct_event_com_acme_click_1").to_pylist()
    assert sorted(click["target"] for click in clicks) == ["t0", "t1", "t2", "t2", "t3", "t4"]
    duplicates = table.column("contexts_com_snowplowanalytics_snowplow_duplicate_1").to_pylist()
    assert [d[0]["original_event_id"] for d in duplicates if d] == [event_id(2)] * 2
    assert table.schema.field("event_id").nullable is False


@pytest.mark.parametrize("kind", [SHRED, WIDE_JSON, WIDE_PARQUET])
def test_a_repeated_job_writes_the_same(kind: str, folder: Path) -> None:
    transform(folder, transformation=kind)
    transform(folder, transformation=kind, output_folder=str(folder / "again"))
    assert files(folder / "again") == files(folder / "out")


@pytest.mark.parametrize("kind", [SHRED, WIDE_JSON, WIDE_PARQUET])
def test_the_cut_into_splits_changes_no_row(kind: str, folder: Path) -> None:
    (one,) = transform(folder, transformation=kind, split_size=1)
    (other,) = transform(folder, transformation=kind, output_folder=str(folder / "again"))
    assert one["input"]["splits"] == 2
    assert other["input"]["splits"] == 1
    assert [one[key] for key in ("events", "duplicates", "newIds", "badRows", "types")] == [
        other[key] for key in ("events", "duplicates", "newIds", "badRows", "types")
    ]


def test_without_compression(folder: Path) -> None:
    transform(folder, compression="none")
    assert message(folder)["compression"] == "NONE"
    assert all(path.suffix not in (".gz",) for path in (folder / "out").rglob("part-*"))
    assert len(lines_of(folder / "out" / RUN / CLICK)) == 6


def test_without_deduplication(folder: Path) -> None:
    (report,) = transform(folder, natural=False, synthetic="NONE")
    assert (report["events"], report["duplicates"], report["newIds"]) == (7, 0, 0)


def test_atomic_strings_are_cut(tmp_path: Path) -> None:
    write_run(tmp_path / "enriched", [[enriched(0, app_id="shopping")]])
    transform(tmp_path, truncate_atomic_fields=True)
    (row,) = lines_of(tmp_path / "out" / RUN / ATOMIC)
    assert row.split("\t")[INDEX["app_id"]] == "shopp"


def test_an_event_of_an_unknown_schema_is_a_bad_row(tmp_path: Path) -> None:
    other = unstruct({"schema": "iglu:com.acme/nothing/jsonschema/1-0-0", "data": {}})
    write_run(tmp_path / "enriched", [[enriched(0), enriched(1, unstruct_event=other)]])
    (report,) = transform(tmp_path)
    assert report["badRows"] == {"loader_iglu_error": 1}
    assert report["events"] == 1
    with pytest.raises(SnowetlError, match="Parquet columns of the batch cannot be made"):
        transform(tmp_path, transformation=WIDE_PARQUET, output_folder=str(tmp_path / "parquet"))
    assert not list((tmp_path / "parquet").rglob("*"))


def test_hostile_lines(tmp_path: Path) -> None:
    hostile = ["", "\t" * 130, "\t" * 129, "x\x00" * 1000, enriched(0, user_id="y" * 10_000_000), "\x1b[31m", "é\u2028"]
    write_run(tmp_path / "enriched", [hostile])
    (report,) = transform(tmp_path)
    assert report["records"] == 7
    assert report["events"] == 1
    assert report["badRows"] == {"loader_parsing_error": 6}


def test_a_damaged_file_is_a_bad_row_and_the_rest_goes_on(folder: Path) -> None:
    path = folder / "enriched" / RUN / "part-00000.gz"
    content = gzip.compress("".join(f"{enriched(number)}\n" for number in range(100, 400)).encode())
    path.write_bytes(content[: len(content) // 2])
    (report,) = transform(folder)
    assert report["damages"] == 1
    assert report["badRowSchemas"]["iglu:com.snowplowanalytics.snowplow.badrows/generic_error/jsonschema/1-0-0"] == 1
    assert report["events"] > 3
    (folder / "enriched" / RUN / "part-00000.gz").write_bytes(b"\x1f\x8b nothing of the kind")
    (report,) = transform(folder, output_folder=str(folder / "again"))
    assert (report["damages"], report["events"]) == (1, 3)


def test_an_empty_run_has_a_message(tmp_path: Path) -> None:
    write_run(tmp_path / "enriched", [[]])
    (report,) = transform(tmp_path)
    assert report["records"] == 0
    told = message(tmp_path)
    assert told["count"] == {"good": 0, "bad": 0}
    assert told["timestamps"]["min"] is None
    (report,) = transform(tmp_path, transformation=WIDE_PARQUET, output_folder=str(tmp_path / "parquet"))
    assert report["records"] == 0


# --- which runs -----------------------------------------------------------------------------------------------------


def test_runs_that_are_done_are_left_alone(folder: Path) -> None:
    write_run(folder / "enriched", [[enriched(9)]], "run=2026-01-02-04-00-00")
    assert [report["run"] for report in transform(folder)] == ["2026-01-02-03-04-05", "2026-01-02-04-00-00"]
    before = files(folder / "out")
    planned = plan(folder)
    assert planned.batches == []
    assert [run.id for run in planned.done] == [RUN, "run=2026-01-02-04-00-00"]
    write_run(folder / "enriched", [[enriched(10)]], "run=2026-01-02-05-00-00")
    assert [report["run"] for report in transform(folder)] == ["2026-01-02-05-00-00"]
    assert before.items() <= files(folder / "out").items()


def test_one_run_and_no_runs(folder: Path) -> None:
    transform(folder, input_folder=str(folder / "enriched" / RUN))
    assert (folder / "out" / RUN / MESSAGE).exists()
    (folder / "flat").mkdir()
    (folder / "flat" / "events.tsv").write_text(enriched(1) + "\n")
    (report,) = transform(folder, input_folder=str(folder / "flat"), run_id="2026-05-05-05-05-05")
    assert report["run"] == "2026-05-05-05-05-05"
    with pytest.raises(NothingToDo, match="no run in"):
        (folder / "empty").mkdir()
        transform(folder, input_folder=str(folder / "empty"))
    with pytest.raises(UsageError, match="there is no file or folder"):
        transform(folder, input_folder=str(folder / "nowhere"))


def test_a_run_that_is_being_enriched_waits(folder: Path) -> None:
    lock = folder / "enriched" / "_lock-2026-01-02-03-04-05.json"
    lock.write_text("{}")
    with pytest.raises(NothingToDo, match="run=2026-01-02-03-04-05 is still being enriched"):
        transform(folder)
    write_run(folder / "enriched", [[enriched(9)]], "run=2026-01-02-04-00-00")
    planned = plan(folder)
    assert planned.unfinished == [RUN]
    assert [batch.run.id for batch in planned.batches] == ["run=2026-01-02-04-00-00"]
    (folder / "enriched" / RUN / "_report.json").write_text("{}")
    assert len(transform(folder)) == 2


def test_a_run_that_died_is_redone(folder: Path) -> None:
    transform(folder)
    expected = files(folder / "out")
    out = folder / "out" / RUN
    (out / MESSAGE).unlink()
    (out / "_report.json").unlink()
    (out / "output=good" / "debris.gz").write_bytes(b"x")
    (out / ".staged").write_bytes(b"x")
    planned = plan(folder)
    assert planned.redone == [RUN]
    transform(folder)
    assert files(folder / "out") == expected


def test_a_run_that_lacks_its_message_only_gets_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    transform(folder)
    told = message(folder)
    (folder / "out" / RUN / MESSAGE).unlink()
    monkeypatch.setattr(transform_job, "_work", lambda *_: pytest.fail("the run is transformed again"))
    transform(folder)
    assert message(folder) == told


def test_one_job_at_a_time(folder: Path) -> None:
    (folder / "out").mkdir()
    with Lease(str(folder / "out" / f"_lock-{RUN}.json")), pytest.raises(OutputExists):
        transform(folder)
    assert not (folder / "out" / RUN).exists()
    assert len(transform(folder)) == 1


# --- what goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [SHRED, WIDE_JSON, WIDE_PARQUET])
def test_a_job_that_fails_leaves_nothing(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def write(self: LocalStagedFile, data: bytes) -> None:
        written.append(data)
        if len(written) == 2:
            raise OSError("no space left on device")
        original(self, data)

    original = LocalStagedFile.write
    monkeypatch.setattr(LocalStagedFile, "write", write)
    with pytest.raises(OSError, match="no space"):
        transform(folder, transformation=kind)
    assert len(written) == 2
    assert not [path for path in (folder / "out").rglob("*") if path.is_file()]
    monkeypatch.setattr(LocalStagedFile, "write", original)
    assert transform(folder, transformation=kind)[0]["events"] == 6


@pytest.mark.slow
def test_a_registry_that_does_not_answer_fails_the_job(folder: Path) -> None:
    resolver = {
        "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3",
        "data": {"cacheSize": 1, "repositories": [
            {"name": "Gone", "priority": 0, "vendorPrefixes": [], "connection": {"http": {"uri": "http://127.0.0.1:9"}}}
        ]},
    }  # fmt: skip
    with pytest.raises(RegistryUnavailable):
        transform(folder, iglu_config=resolver)
    assert not [path for path in (folder / "out").rglob("*") if path.is_file()]
    (report,) = transform(folder, iglu_config=resolver, on_registry_failure="bad-rows")
    assert report["badRows"] == {"loader_iglu_error": 6, "loader_parsing_error": 1}


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"transformation": "tall"}, "transformation: 'tall' is not one of"),
        ({"compression": "zip"}, "compression: 'zip' is not one of 'gzip', 'none'; did you mean gzip"),
        ({"transformation": WIDE_JSON, "legacy_message_format": True}, "is for shredded runs only"),
        (
            {"duplicate_storage": "postgresql://h/d", "natural": False, "synthetic": "NONE"},
            "Natural deduplication needs",
        ),
    ],
)
def test_settings_that_do_not_go_together(more: dict[str, Any], error: str, folder: Path) -> None:
    with pytest.raises(ConfigError, match=error):
        plan(folder, **more)


def test_the_output_in_the_input(folder: Path) -> None:
    with pytest.raises(UsageError, match="lies in the input folder"):
        plan(folder, output_folder=str(folder / "enriched" / "out"))


def test_text_no_parquet_file_can_hold(tmp_path: Path) -> None:
    click = unstruct({"schema": "iglu:com.acme/click/jsonschema/1-0-0", "data": {"target": "\ud800x"}})
    escaped = click if "\\ud800" in click else click.replace("\ud800", "\\ud800")
    write_run(tmp_path / "enriched", [[enriched(0, unstruct_event=escaped)]])
    transform(tmp_path, transformation=WIDE_PARQUET)
    table = pq.read_table(str(tmp_path / "out" / RUN / "output=good"), partitioning=None)
    assert table.column("unstruct_event_com_acme_click_1").to_pylist()[0]["target"] == "?x"


def test_parts_are_deterministic_gzip(folder: Path) -> None:
    transform(folder)
    part = next((folder / "out" / RUN / CLICK).glob("part-*.gz"))
    assert part.read_bytes()[4:8] == b"\0\0\0\0"
    assert zlib.decompress(part.read_bytes(), 31).endswith(b"\n")
