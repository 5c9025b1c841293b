"""What every warehouse does with a run, whatever it is: one suite for all of them (:mod:`tests.load.places`).

Rows of a kind have more in ``test_shredded.py``, ``test_wide_json.py``, ``test_wide_parquet.py``.
"""

from __future__ import annotations

import gzip
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest

from snowetl.errors import LoadError
from snowetl.load.run import read_run
from snowetl.load.warehouse import ReadingSession
from snowetl.load.warehouses import WAREHOUSES
from snowetl.model.schema import SchemaCriterion
from tests.load.places import PLACES, place_class, places, start
from tests.load.places.base import Place
from tests.load.runs import ID, schema
from tests.load.transformed import click, event, transformed_run

CLICK = {"1-0-0": schema(url={"type": "string", "maxLength": 10}, n={"type": "integer"}, required=["url"])}
LATER = CLICK | {
    "1-0-1": schema(url={"type": "string", "maxLength": 20}, n={"type": "integer"}, t={"type": "string"},
                    required=["url"]),
    "1-0-2": schema(url={"type": "string", "maxLength": 20}, n={"type": "integer"}, t={"type": "string"},
                    u={"type": "integer"}, required=["url"]),
}  # fmt: skip
BAD_ROW = (
    '{"schema":"iglu:com.snowplowanalytics.snowplow.badrows/generic_error/jsonschema/1-0-0","data":{"processor":'
    '{"artifact":"snowetl","version":"1.0.0"},"failure":{"timestamp":"2026-01-02T03:04:05.678Z","errors":["x"]},'
    '"payload":"p"}}\n'
)
NOTHING = {"events": 0, "manifest": 0, "bad_rows": 0}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def bad(tmp_path: Path) -> str:
    """A folder with two bad rows."""
    folder = tmp_path / "bad/run=2026-01-02-03-04-05"
    folder.mkdir(parents=True)
    (folder / "part-0.txt").write_text(BAD_ROW + "no json\n")
    return str(folder)


def test_every_warehouse_is_in_the_suite() -> None:
    assert {place_class(name).kind for name in PLACES} == set(WAREHOUSES)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["postgres", "redshift", "snowflake", "duckdb"])
def test_a_manifest_that_was_dropped_is_told_of(name: str, request: pytest.FixtureRequest) -> None:
    place = start(name, request)
    run = place.run("1", [event(1)])
    place.load_from(run)
    place.execute("DROP TABLE atomic.manifest")  # type: ignore[attr-defined]
    with pytest.raises(LoadError, match=r"atomic\.manifest is missing.* make it anew: CREATE TABLE"):
        place.load_from(run)
    assert place.count() == 1
    place.execute("DELETE FROM atomic.events")  # type: ignore[attr-defined]
    assert place.load_from(run).outcome == "loaded"
    assert (place.count(), place.count("manifest")) == (1, 1)


# --- rows -----------------------------------------------------------------------------------------------------------


def test_a_run_lands_in_typed_columns(everywhere: Place) -> None:
    lines = [click(1, url="x", n=5), event(2, page_title="a\\tb", tr_total="1.50", br_cookies="1", txn_id="7")]
    report = everywhere.load_from(everywhere.run("1", lines, click=CLICK))
    assert report.outcome == "loaded"
    assert report.tables[0].table.endswith(".events") and report.tables[0].rows == 2
    columns = ("page_title", "tr_total", "br_cookies", "txn_id", "collector_tstamp")
    moment = datetime(2026, 1, 2, 3, 4, 5, 678000)
    assert everywhere.events(*columns) == [
        (None, None, None, None, moment),
        ("a\\tb", Decimal("1.50"), True, 7, moment),
    ]
    assert everywhere.entities("click", "url", "n") == [("x", 5)] * 3  # the event itself, and two entities


def test_events_have_the_time_of_their_run(place: Place) -> None:
    place.load_from(place.run("1", [event(1), event(2)]))
    place.load_from(place.run("2", [event(3)], run="run=2026-01-03-00-00-00"))
    found = [moment for (moment,) in place.events("load_tstamp")]
    if place.keeps_the_runs_time:
        assert found == [datetime(2026, 1, 2, 3, 4, 5)] * 2 + [datetime(2026, 1, 3)]
    assert found[0] == found[1] < found[2]


def test_tables_follow_the_versions_of_a_schema(everywhere: Place) -> None:
    place = everywhere
    place.load_from(place.run("1", [event(1)]))
    report = place.load_from(place.run("2", [click(2, url="x", n=5)], run="run=2026-01-03-00-00-00", click=CLICK))
    assert any(table.change for table in report.tables)
    later = [click(3, "1-0-2", url="y" * 20, t="t", u=9)]
    report = place.load_from(place.run("3", later, run="run=2026-01-04-00-00-00", click=LATER))
    assert report.warnings == []
    report = place.load_from(place.run("4", [click(4, url="z")], run="run=2026-01-05-00-00-00", click=LATER))
    assert not any(table.change for table in report.tables)
    assert place.entities("click", "url", "n", "t", "u") == [
        *[("x", 5, None, None)] * 3,
        *[("y" * 20, None, "t", 9)] * 3,
        *[("z", None, None, None)] * 3,
    ]
    assert place.count() == 4


@pytest.mark.parametrize("name", places(lambda place: place.can.reads_back))
def test_columns_are_read_back(name: str, request: pytest.FixtureRequest) -> None:
    place = start(name, request)
    titles = [f"\u00e9 \U0001f600 {number}" if number % 3 else "" for number in range(400)]
    place.load_from(place.run("1", [event(number, page_title=title) for number, title in enumerate(titles)]))
    with place.open() as warehouse, warehouse.session() as session:
        reading = cast(ReadingSession, session)
        batches = list(reading.read("events", ["page_title", "collector_tstamp", "event_id", "etl_tstamp"]))
    rows = sorted((row for batch in batches for row in batch.to_pylist()), key=lambda row: str(row["event_id"]))
    assert [row["page_title"] for row in rows] == [title or None for title in titles]
    assert [row["event_id"] for row in rows] == [ID.format(number) for number in range(400)]
    moment = datetime(2026, 1, 2, 3, 4, 5, 678000)
    assert {(row["collector_tstamp"].replace(tzinfo=None), row["etl_tstamp"]) for row in rows} == {(moment, None)}
    for name in ("collector_tstamp", "etl_tstamp"):
        assert {batch.column(name).type.unit for batch in batches} == {"us"}


def test_failed_events_have_tables_of_their_own(place: Place) -> None:
    failed = place.run("failed", [click(1, url="f")], failed=True, click=CLICK)
    if not place.can.failed_events:
        with pytest.raises(LoadError, match="has no tables for them"):
            place.load_from(failed)
        return
    report = place.load_from(failed)
    assert report.of_failed_events and report.tables[0].table.endswith(".failed_events")
    place.load_from(place.run("good", [click(2, url="x"), event(3)], click=CLICK))
    assert place.load_from(failed).outcome == "already loaded"
    assert (place.count("events"), place.count("failed_events")) == (2, 1)
    assert place.entities("click", "url", table="failed_events") == [("f",)] * 3
    assert place.entities("click", "url") == [("x",)] * 3


def test_bad_rows_become_a_table(place: Place, bad: str) -> None:
    run, bad = place.run("1", [event(1)]), place.put(bad)
    if not place.can.bad_rows_table:
        with pytest.raises(LoadError, match="leave --bad-rows out"):
            place.load_from(run, bad=bad)
        return
    assert place.load_from(run).outcome == "loaded"
    report = place.load_from(run, bad=bad)
    assert report.outcome == "already loaded"
    assert [(table.table.rpartition(".")[2], table.rows + table.rejected) for table in report.tables] == [
        ("bad_rows", 2)
    ]
    assert place.load_from(run, bad=bad).tables == []
    found = dict(place.query("SELECT type, processor FROM bad_rows"))
    assert found["generic_error"] == "snowetl 1.0.0"
    assert place.count("bad_rows") in (1, 2)  # a warehouse that reads them by itself counts what is no JSON


def test_a_skipped_schema_is_left_out(place: Place) -> None:
    run = place.run("1", [click(1, url="x")], click=CLICK)
    report = place.load_from(run, skip=[SchemaCriterion.parse("iglu:com.acme/click/jsonschema/1-*-*")])
    assert report.skipped == ["iglu:com.acme/click/jsonschema/1"]
    assert place.count() == 1 and place.entities("click", "url") == []


def test_rows_that_do_not_fit_are_counted(place: Place) -> None:
    """Rows in Parquet have types: another one than the table's gets a column of its own."""
    place.load_from(place.run("0", [event(0)], run="run=2026-01-01-00-00-00"))
    run = place.make("1", [event(1), event(2, txn_id="7"), event(3)])
    (_spoil_parquet if place.rows() == "widerow-parquet" else _spoil_text)(run)
    report = place.load(run)
    [events] = report.tables
    if place.rows() == "widerow-parquet":
        assert (events.rows, place.count()) == (3, 4) and "txn_id has another type" in str(events.change)
        return
    assert events.rows + events.rejected == 3 and events.rejected > 0
    assert place.count() == 1 + events.rows
    if place.can.rejected_rows and place.keeps_rows_aside:
        assert place.count("rejected_rows") == events.rejected
        [again] = place.retry_rejected()
        assert [(table.rows, table.rejected) for table in again.tables] == [(0, events.rejected)]
        assert place.count("rejected_rows") == events.rejected


def _spoil_text(run: str) -> None:
    """A number that is none, and a line that is no row."""
    [part] = [path for path in Path(run).rglob("part-*") if path.is_file()]
    first, second, _ = gzip.decompress(part.read_bytes()).decode().splitlines()
    wrong = second.replace('"txn_id":7', '"txn_id":"seven"').replace("\t7\t", "\tseven\t")
    assert wrong != second
    part.write_bytes(gzip.compress(f"{first}\n{wrong}\nneither a row\n".encode()))


def _spoil_parquet(run: str) -> None:
    """A column of another type than the table's."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    [part] = Path(run).rglob("*.parquet")
    rows = pq.read_table(part, partitioning=None)
    place = rows.schema.get_field_index("txn_id")
    pq.write_table(rows.set_column(place, "txn_id", pa.array(["no number"] * len(rows))), part)


def test_rows_outlive_a_vacuum(place: Place, bad: str) -> None:
    with_bad = place.put(bad) if place.can.bad_rows_table else None
    runs = [place.run(f"{n}", [event(n)], run=f"run=2026-01-0{n}-00-00-00") for n in (1, 2)]
    for run in runs:
        place.load_from(run, bad=with_bad)
    before, tables = place.counts(), place.tables()
    with place.open() as warehouse, warehouse.session() as session:
        for table in before.keys() & tables:
            session.vacuum(table)
    assert [place.load_from(run, bad=with_bad).tables for run in runs] == [[], []]
    assert place.counts() == before and before["events"] == before["manifest"] == 2


# --- once, and wholly -----------------------------------------------------------------------------------------------


def test_loading_twice_is_a_no_op(everywhere: Place) -> None:
    run = everywhere.run("1", [click(1, url="x")], click=CLICK)
    everywhere.load_from(run)
    assert everywhere.load_from(run).outcome == "already loaded"
    assert everywhere.count() == 1
    assert everywhere.query("SELECT count_good, compression FROM manifest") == [(1, "GZIP")]


def test_a_load_that_dies_leaves_nothing(everywhere: Place, bad: str) -> None:
    place = everywhere
    place.load_from(place.run("0", [event(0)], run="run=2026-01-01-00-00-00"))
    run = place.run("1", [click(1, url="x")], click=CLICK)
    with_bad = place.put(bad) if place.can.bad_rows_table else None
    before = place.counts()
    for method in place.calls:
        if "bad_rows" in method and not with_bad:
            continue
        with pytest.raises(LoadError) as caught:
            place.load_from(run, bad=with_bad, dies_in=method)
        assert caught.value.transient, method
        assert place.counts() == before, method
    assert place.load_from(run, bad=with_bad).outcome == "loaded"
    after = place.counts()
    assert (after["events"], after["manifest"]) == (2, 2)
    assert (after["bad_rows"] > 0) == place.can.bad_rows_table


def test_a_load_that_dies_is_tried_again(place: Place) -> None:
    run = place.run("1", [click(1, url="x")], click=CLICK)
    with pytest.raises(LoadError):
        place.load_from(run, dies_in="note_loaded", retries=1)
    assert len(place.said) == 1 and "trying again" in place.said[0]
    assert place.counts() == NOTHING


def test_of_several_loaders_at_once_one_loads(place: Place) -> None:
    run = place.run("1", [click(n, url="x") for n in range(300)], click=CLICK)
    with ThreadPoolExecutor(4) as pool:
        found = sorted(report.outcome for report in pool.map(lambda _: place.load_from(run, retries=5), range(4)))
    assert found == ["already loaded"] * 3 + ["loaded"]
    assert (place.count(), place.count("manifest")) == (300, 1)


@pytest.mark.slow
def test_processes_load_different_runs_at_once(place: Place) -> None:
    if not place.serves_processes:
        pytest.skip(f"the stand-in for {place.kind} lives in this process")
    runs = [place.run(f"{n}", [event(n)], run=f"run=2026-02-0{n}-00-00-00") for n in range(1, 4)]
    loads = [start_load(place, run) for run in runs]
    assert [load.wait(120) for load in loads] == [0, 0, 0]
    assert place.count() == place.count("manifest") == 3


@pytest.mark.slow
def test_a_load_that_is_killed_at_any_time_is_wholly_in_or_out(place: Place, tmp_path: Path) -> None:
    """``python -m tests.crash --step load`` does so more often, and looks into more."""
    if not place.serves_processes:
        pytest.skip(f"the stand-in for {place.kind} lives in this process")
    count, chance = 2_000, random.Random(os.environ.get("SNOWETL_VALUES_SEED", "1"))
    bad = tmp_path / "bad.txt"
    bad.write_text("no json\n" * 100)
    lines = [click(n, url="x", n=n) for n in range(count)]
    total, seconds = 0, 3.0
    for number in range(2):
        run = place.run(f"{number}", lines, run=f"run=2026-03-0{number + 1}-00-00-00", click=CLICK)
        load = start_load(place, run, "--bad-rows", str(bad))
        time.sleep(chance.uniform(0.5, seconds))
        load.send_signal(signal.SIGKILL)
        load.wait()
        assert place.count() in (total, total + count)
        began = time.monotonic()
        assert start_load(place, run, "--bad-rows", str(bad)).wait(120) == 0
        seconds = time.monotonic() - began
        total += count
        assert place.count() == total
        assert place.count("bad_rows") == 100 * (number + 1)
        assert place.count("manifest") == number + 1


def start_load(place: Place, run: str, *more: str) -> subprocess.Popen[bytes]:
    target = ["--warehouse", place.kind, "--database", str(place.target.database)]
    resolver = next(place.folder.rglob("resolver.json"))
    command = [sys.executable, "-m", "snowetl", "load", "-i", run, "--iglu-config", str(resolver), *target, *more]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)


def test_a_dry_run_names_every_statement_and_changes_nothing(place: Place) -> None:
    url = place.run("1", [click(1, url="x")], click=CLICK)
    with place.loader() as loader, place.open() as warehouse:
        plan = loader.plan(read_run(url))
        assert plan is not None
        names = [statement.name for statement in plan.statements(warehouse)]
    assert any(name.endswith("into atomic.events") for name in names)
    assert place.tables() == set()
    place.load_from(url)
    with place.loader() as loader:
        assert loader.plan(read_run(url)) is None


def test_rows_of_another_layout_are_refused_in_words(place: Place) -> None:
    other = "shred" if place.rows() == "widerow-parquet" else "widerow-parquet"
    run = transformed_run(place.folder / "1", [event(1)], other)
    with pytest.raises(LoadError, match=f"--transformation {place.can.transformation}"):
        place.load(run)


# --- L3: the identity of a run is its own, not its address --------------------------------------------------------


def test_L3_a_run_is_loaded_once_wherever_it_lies(place: Place, tmp_path: Path) -> None:
    made = Path(place.make("1", [event(1)]))
    url = place.put(str(made))
    shutil.copytree(made, tmp_path / "two" / made.name)
    spelled = [url, f"{url}/", place.put(str(tmp_path / "two" / made.name))]
    if url.startswith("s3:"):
        spelled += [f"{url}//", url.replace("s3:", "s3a:"), url.replace("s3:", "s3n:")]
    else:
        (tmp_path / "link").symlink_to(tmp_path)
        (tmp_path / "named").symlink_to(url)
        inside = made.relative_to(tmp_path)
        spelled += [f"file://{url}", f"file:{url}/", str(tmp_path / "link" / inside), str(tmp_path / "named")]
    assert [place.load_from(each).outcome for each in spelled] == ["loaded"] + ["already loaded"] * (len(spelled) - 1)
    assert place.count() == 1


def test_L3_a_run_that_was_transformed_again_is_told_of(place: Place) -> None:
    first = Path(place.make("1", [event(1)]))
    place.load(str(first))
    again = Path(place.make("2", [event(1), event(2)]))
    shutil.rmtree(first)
    again.rename(first)
    report = place.load(str(first))
    assert report.outcome == "already loaded" and "was transformed again" in report.warnings[0]


def test_L3_two_runs_of_one_time_are_two(place: Place) -> None:
    place.load_from(place.run("1", [event(1)], run="run=2026-01-01-00-00-00"))
    assert place.load_from(place.run("2", [event(2)], run="run=2026-01-02-00-00-00")).outcome == "loaded"
    assert place.count() == 2


# --- L4: what was written is what is loaded -----------------------------------------------------------------------


def _remove(part: Path) -> None:
    part.unlink()


def _replace_by_fewer(part: Path) -> None:
    if part.suffix == ".parquet":
        import pyarrow.parquet as pq

        pq.write_table(pq.read_table(part, partitioning=None)[:1], part)
        return
    lines = gzip.decompress(part.read_bytes()).splitlines(keepends=True)
    part.write_bytes(gzip.compress(lines[0]))


@pytest.mark.parametrize(
    ("harm", "told"),
    [(_remove, "is not whole"), (_replace_by_fewer, "1 rows were read .* 2 were written")],
    ids=["a file that is gone", "a file with fewer rows"],
)
def test_L4_a_run_that_is_not_whole_leaves_nothing(place: Place, harm: Callable[[Path], None], told: str) -> None:
    run = Path(place.make("1", [event(1), event(2)]))
    [part] = [path for path in run.rglob("part-*") if path.is_file()]
    harm(part)
    with pytest.raises(LoadError, match=told):
        place.load(str(run))
    assert place.counts() == NOTHING
