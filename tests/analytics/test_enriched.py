"""``snowetl.read_enriched``: enriched folders as typed columns, by batches, with what cannot be read told."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from snowetl import read_enriched
from snowetl.analytics.enriched import Enriched
from snowetl.errors import ConfigError, NothingToDo, SnowetlError, UsageError
from snowetl.runs.run import Run
from snowetl.storage import filesystem
from tests.steps.transform_support import RUN, enriched, event_id, transform, write_registry, write_run
from tests.transform.support import contexts, line, self_describing

CLICK, USER = "unstruct_event_com_acme_click_1", "contexts_com_acme_user_1"
LATER = "run=2026-01-03-03-04-05"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two runs of an hour each: four events in two files, and one."""
    write_run(
        tmp_path / "enriched", [[enriched(1), enriched(2)], [enriched(3, txn_id="7", tr_total="1.50"), enriched(4)]]
    )
    write_run(tmp_path / "enriched", [[enriched(5, contexts="")]], LATER)
    return tmp_path


def read(folder: Path, path: str = "enriched", **more: Any) -> Enriched:
    return read_enriched(folder / path, **({"iglu_config": write_registry(folder / "registry")} | more))


def ids(events: Enriched) -> list[int]:
    return [int(text[-4:], 16) for text in events.to_arrow().column("event_id").to_pylist()]


def test_columns_and_values_are_those_of_transformed_parquet(folder: Path) -> None:
    transform(folder, transformation="widerow-parquet", synthetic="NONE")
    parts = sorted((folder / "out" / RUN).rglob("*.parquet"))
    expected = pa.concat_tables(pq.ParquetFile(part).read() for part in parts)
    found = read(folder, f"enriched/{RUN}").to_arrow()
    assert found.schema.equals(expected.schema)
    assert found.sort_by("event_id").to_pylist() == expected.sort_by("event_id").to_pylist()
    [third] = [row for row in found.to_pylist() if row["event_id"] == event_id(3)]
    assert (third["txn_id"], str(third["tr_total"]), third[CLICK]) == (7, "1.50", {"count": 3, "target": "t3"})
    assert third[USER] == [{"name": "n3"}]


def test_all_runs_of_a_folder_in_order(folder: Path) -> None:
    assert ids(read(folder)) == [1, 2, 3, 4, 5]
    assert read(folder).to_arrow().column(USER)[4].as_py() is None


def test_some_runs(folder: Path) -> None:
    assert ids(read(folder, since_timestamp="2026-01-02-12-00-00")) == [5]
    assert ids(read(folder, until="2026-01-02-12-00-00")) == [1, 2, 3, 4]
    with pytest.raises(NothingToDo, match="nothing to read"):
        read(folder, until="2020-01-02-12-00-00")


def test_files_and_patterns(folder: Path) -> None:
    assert ids(read(folder, f"enriched/{RUN}/part-00001.gz")) == [3, 4]
    assert ids(read(folder, "enriched/run=2026-01-03*")) == [5]
    both = read_enriched([folder / "enriched" / LATER, folder / "enriched" / LATER], columns=["event_id"])
    assert ids(both) == [5], "a file that is named twice is read once"


def test_a_path_that_is_not_there(folder: Path) -> None:
    with pytest.raises(UsageError, match="there is no file or folder"):
        read(folder, "enrichd")


def test_a_run_that_is_being_enriched_is_left_out(folder: Path) -> None:
    run = Run(LATER.removeprefix("run="), (str(folder / "enriched"),))
    filesystem(run.lock_url).put(run.lock_url, b"{}")
    with pytest.warns(UserWarning, match=f"{LATER} is left out: its enrichment has not ended"):
        assert ids(read(folder)) == [1, 2, 3, 4]


def test_chosen_columns_in_their_order(folder: Path) -> None:
    events = read(folder, columns=[CLICK, "collector_tstamp", "event_id"])
    assert events.schema.names == [CLICK, "collector_tstamp", "event_id"]
    assert events.to_arrow().to_pylist()[1][CLICK] == {"count": 2, "target": "t2"}


def test_without_entities_no_registry_is_asked_and_files_are_read_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object) -> None:
        raise AssertionError

    monkeypatch.setattr("snowetl.iglu.client.IgluClient.schema_list", never)
    monkeypatch.setattr("snowetl.steps.transform_task.SchemasTask.run", never)
    assert read(folder, columns=["app_id"]).to_arrow().column(0).to_pylist() == ["shop"] * 5


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (["event_di"], "no column 'event_di'; did you mean event_id"),
        (["unstruct_event_com_acme_clik_1"], f"did you mean {CLICK}.*: contexts_com_acme_user_1, {CLICK}"),
        (["event_id", "event_id"], "event_id twice"),
    ],
)
def test_columns_that_are_not_there(folder: Path, columns: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        _ = read(folder, columns=columns).schema


def test_rows_are_chosen_by_any_column(folder: Path) -> None:
    assert ids(read(folder, columns=["event_id"], where=pc.field("txn_id") == 7)) == [3]
    assert ids(read(folder, where=pc.field(CLICK, "count") > 3)) == [4, 5]
    none = read(folder, columns=["event_id"], where=pc.field("app_id") == "nobody's").to_arrow()
    assert (none.num_rows, none.schema.names) == (0, ["event_id"])


def test_batches_are_bounded(folder: Path) -> None:
    write_run(folder / "many", [[enriched(number) for number in range(1000)]])
    sizes = [batch.num_rows for batch in read(folder, "many", batch_rows=64).batches()]
    assert max(sizes) == 64 and sum(sizes) == 1000


def test_a_reading_can_be_repeated_and_stopped(folder: Path) -> None:
    events = read(folder, batch_rows=1)
    stopped = events.batches()
    next(stopped)
    stopped.close()
    assert [batch.num_rows for batch in events.batches()] == [1] * 5


def bad_lines() -> list[str]:
    wrong = contexts(self_describing("iglu:com.acme/user/jsonschema/1-0-0", {"name": 12}))
    return [enriched(1), "no event", enriched(2, contexts=wrong), line(event_id="x")]


def test_lines_that_cannot_be_read_are_counted_and_told(tmp_path: Path) -> None:
    write_run(tmp_path / "enriched", [bad_lines()])
    events = read(tmp_path)
    with pytest.warns(UserWarning, match="3 lines left out: 2 loader_parsing_error, 1 loader_iglu_error"):
        assert ids(events) == [1]
    assert sum(events.bad_rows.values()) == 3
    with pytest.raises(SnowetlError, match=r"a line of .*part-00000.gz cannot be read as an event: .*no event"):
        read(tmp_path, strict=True).to_arrow()


def test_a_damaged_file_is_counted(tmp_path: Path) -> None:
    run = write_run(tmp_path / "enriched", [[enriched(1)]])
    whole = gzip.compress("".join(f"{enriched(number)}\n" for number in range(500)).encode())
    (run / "part-00001.gz").write_bytes(whole[: len(whole) // 2])
    events = read(tmp_path, columns=["event_id"])
    with pytest.warns(UserWarning, match="1 line left out: 1 generic_error") as told:
        assert 1 < events.to_arrow().num_rows < 501
    assert "part-00001.gz is damaged at byte" in str(told[0].message)
    with pytest.raises(SnowetlError, match="part-00001.gz is damaged at byte .* ends in the middle of its gzip data"):
        read(tmp_path, columns=["event_id"], strict=True).to_arrow()


def test_the_file_of_a_line_that_cannot_be_read_is_told_among_small_ones(tmp_path: Path) -> None:
    write_run(tmp_path / "enriched", [[enriched(1)], [enriched(2)], ["no event"]])
    with pytest.warns(UserWarning, match="1 line left out: 1 loader_parsing_error; the first in .*part-00002"):
        assert ids(read(tmp_path)) == [1, 2]


def test_a_schema_that_is_gone_is_told(tmp_path: Path) -> None:
    gone = contexts(self_describing("iglu:com.acme/nothing/jsonschema/1-0-0", {}))
    write_run(tmp_path / "enriched", [[enriched(1, contexts=gone)]])
    with pytest.raises(SnowetlError, match="com.acme/nothing"):
        read(tmp_path).to_arrow()
    assert ids(read(tmp_path, columns=["event_id", CLICK])) == [1], "nobody asked for that column"


def test_other_libraries_take_it_as_it_is(folder: Path) -> None:
    events = read(folder, columns=["event_id", "collector_tstamp", CLICK])
    assert pa.table(events).num_rows == 5
    assert pa.schema(events) == events.schema
    frame = events.to_pandas()
    assert str(frame.dtypes["collector_tstamp"]) == "datetime64[us, UTC]"
    assert frame[CLICK][0] == {"count": 1, "target": "t1"}
    duckdb = pytest.importorskip("duckdb")
    found = duckdb.sql(f"SELECT sum({CLICK}.count) FROM events").fetchall()
    assert found == [(15,)]
