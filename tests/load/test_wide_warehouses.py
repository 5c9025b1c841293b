"""What every warehouse that loads wide rows in Parquet does with a run: one suite for all of them."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from snowetl.errors import LoadError
from snowetl.load.engine import RunLoader
from snowetl.load.run import read_run
from snowetl.model.schema import SchemaCriterion
from tests.load.runs import Registry, schema
from tests.load.wide_places import ON_S3, WIDE_PLACES, WidePlace
from tests.load.wide_runs import click, event, wide_run

INNER = {"type": "object", "properties": {"a": {"type": "integer"}}}
CLICK = {"1-0-0": schema(url={"type": "string"}, n={"type": "integer"}, inner=INNER, required=["url"])}
LATER = CLICK | {
    "1-0-1": schema(
        url={"type": "string"}, n={"type": "integer"}, t={"type": "string", "format": "date-time"},
        inner=INNER | {"properties": INNER["properties"] | {"b": {"type": "array", "items": {"type": "string"}}}},
        required=["url"],
    )
}  # fmt: skip
COLUMN, ENTITIES = "unstruct_event_com_acme_click_1", "contexts_com_acme_click_1"
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=[*WIDE_PLACES])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> WidePlace:
    """Each warehouse in turn, empty, on this machine."""
    return WIDE_PLACES[request.param](tmp_path)


@pytest.fixture(params=[*WIDE_PLACES, *ON_S3])
def everywhere(request: pytest.FixtureRequest, tmp_path: Path) -> WidePlace:
    """The same, and those on S3."""
    if request.param in ON_S3:
        request.getfixturevalue("aws")
    return (WIDE_PLACES | ON_S3)[request.param](tmp_path)


def outcomes(report: Any) -> list[tuple[str, int, str | None]]:
    return [(table.table.rpartition(".")[2], table.rows, table.change) for table in report.tables]


def test_a_run_lands_in_typed_columns_of_events(everywhere: WidePlace, tmp_path: Path) -> None:
    place = everywhere
    lines = [click(1, url="x", n=5, inner={"a": 1}), event(2, page_title="a\\tb", tr_total="1.50", br_cookies="1")]
    report = place.load(wide_run(tmp_path, lines, click=CLICK))
    assert report.outcome == "loaded" and report.rows == 2
    found = place.query(
        f"SELECT {COLUMN}.url, {COLUMN}.n, {COLUMN}.inner.a, len({ENTITIES}), {ENTITIES}[2].url, page_title, "
        "tr_total::VARCHAR, br_cookies, collector_tstamp::TIMESTAMP::VARCHAR, load_tstamp::TIMESTAMP::VARCHAR "
        "FROM events ORDER BY event_id"
    )
    times = ("2026-01-02 03:04:05.678", "2026-01-02 03:04:05")
    assert found == [
        ("x", 5, 1, 2, "x", None, None, None, *times),
        (None, None, None, None, None, "a\\tb", "1.50", True, *times),
    ]


def test_loading_twice_is_a_no_op(everywhere: WidePlace, tmp_path: Path) -> None:
    place = everywhere
    run = wide_run(tmp_path, [click(1, url="x")], click=CLICK)
    place.load(run)
    assert place.load(run).outcome == "already loaded"
    assert place.count() == 1
    assert place.query("SELECT count_good, compression FROM manifest") == [(1, "GZIP")]


def test_columns_and_fields_come_with_the_rows(everywhere: WidePlace, tmp_path: Path) -> None:
    place = everywhere
    place.load(wide_run(tmp_path / "1", [event(1)]))
    place.load(wide_run(tmp_path / "2", [click(2, url="x", n=5)], run="run=2026-01-03-00-00-00", click=CLICK))
    later = [click(3, "1-0-1", url="y", t="2026-05-06T07:08:09Z", inner={"a": 2, "b": ["p", "q"]})]
    report = place.load(wide_run(tmp_path / "3", later, run="run=2026-01-04-00-00-00", click=LATER))
    assert outcomes(report) == [("events", 1, "4 columns added")]
    report = place.load(wide_run(tmp_path / "4", [click(4, url="z")], run="run=2026-01-05-00-00-00", click=LATER))
    assert outcomes(report) == [("events", 1, None)]
    assert place.query(
        f"SELECT {COLUMN}.url, {COLUMN}.n, {COLUMN}.t::TIMESTAMP::VARCHAR, {ENTITIES}[1].inner.b FROM events "
        "ORDER BY event_id"
    ) == [
        (None, None, None, None),
        ("x", 5, None, None),
        ("y", None, "2026-05-06 07:08:09", ["p", "q"]),
        ("z", None, None, None),
    ]


def test_a_column_whose_type_changed_in_the_registry_gets_one_of_its_own(place: WidePlace, tmp_path: Path) -> None:
    place.load(wide_run(tmp_path / "1", [click(1, url="x", n=5)], click=CLICK))
    patched = {"1-0-0": schema(url={"type": "string"}, n={"type": "string"}, required=["url"])}
    run = wide_run(tmp_path / "2", [click(2, url="y", n="six")], run="run=2026-01-03-00-00-00", click=patched)
    [(_, rows, change)] = outcomes(place.load(run))
    assert rows == 1 and change is not None and f"{COLUMN} has another type than the table's column" in change
    [own] = [name for name in place.columns() if name.startswith(f"{COLUMN}_recovered_")]
    assert place.query(f"SELECT {COLUMN}.n, {own}.n FROM events ORDER BY event_id") == [(5, None), (None, "six")]


@pytest.mark.parametrize("method", ["copy", "copy_bad_rows", "note_loaded", "note_bad_rows"])
def test_a_load_that_dies_leaves_nothing_and_is_tried_again(everywhere: WidePlace, tmp_path: Path, method: str) -> None:
    place = everywhere
    bad = tmp_path / "bad.txt"
    bad.write_text("no json\n")
    run = place.put(wide_run(tmp_path, [click(1, url="x")], click=CLICK))
    with pytest.raises(LoadError) as caught:
        place.load_from(run, bad=str(bad), fail_on=method, retries=1)
    assert caught.value.transient
    assert len(place.said) == 1 and "trying again" in place.said[0]
    assert place.count("events") == place.count("manifest") == place.count("bad_rows") == 0
    assert place.load_from(run, bad=str(bad)).outcome == "loaded"
    assert place.count("events") == place.count("manifest") == place.count("bad_rows") == 1


@pytest.mark.slow
def test_of_several_loaders_at_once_one_loads(place: WidePlace, tmp_path: Path) -> None:
    run = place.put(wide_run(tmp_path, [event(n) for n in range(500)]))
    with ThreadPoolExecutor(4) as pool:
        found = sorted(report.outcome for report in pool.map(lambda _: place.load_from(run, retries=5), range(4)))
    assert found == ["already loaded"] * 3 + ["loaded"]
    assert place.count() == 500


@pytest.mark.slow
def test_several_processes_load_different_runs_at_once(place: WidePlace, tmp_path: Path) -> None:
    first = place.put(wide_run(tmp_path / "0", [event(0)]))
    place.load_from(first)
    runs = [place.put(wide_run(tmp_path / f"{n}", [event(n)], run=f"run=2026-02-0{n}-00-00-00")) for n in range(1, 4)]
    loads = [start_load(place, run, tmp_path) for run in runs]
    assert [load.wait(60) for load in loads] == [0, 0, 0]
    assert place.count() == place.count("manifest") == 4


@pytest.mark.slow
def test_a_load_that_is_killed_at_any_time_is_wholly_in_or_out(place: WidePlace, tmp_path: Path) -> None:
    count, chance = 3_000, random.Random(os.environ.get("SNOWETL_VALUES_SEED", "1"))
    bad = tmp_path / "bad.txt"
    bad.write_text("no json\n" * 100)
    lines = [click(n, url="x", n=n) for n in range(count)]
    rounds, total = 6, 0
    seconds = 2.0
    for number in range(rounds):
        run = place.put(wide_run(tmp_path / f"{number}", lines, run=f"run=2026-03-0{number + 1}-00-00-00", click=CLICK))
        load = start_load(place, run, tmp_path, "--bad-rows", str(bad))
        time.sleep(chance.uniform(0.3, seconds))
        load.send_signal(signal.SIGKILL)
        load.wait()
        assert place.count() in (total, total + count)
        began = time.monotonic()
        assert start_load(place, run, tmp_path, "--bad-rows", str(bad)).wait(120) == 0
        seconds = time.monotonic() - began
        total += count
        assert place.count() == total
        assert place.count("bad_rows") == 100 * (number + 1)
        assert place.count("manifest") == number + 1


def start_load(place: WidePlace, run: str, tmp_path: Path, *more: str) -> subprocess.Popen[bytes]:
    target = ["--warehouse", place.name, "--database", str(place.target.database)]
    resolver = next(Path(tmp_path).rglob("resolver.json"))
    command = [sys.executable, "-m", "snowetl", "load", "-i", run, "--iglu-config", str(resolver), *target, *more]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)


def test_bad_rows_become_a_table(place: WidePlace, tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text(
        "no json\n"
        '{"schema":"iglu:com.snowplowanalytics.snowplow.badrows/generic_error/jsonschema/1-0-0","data":{"processor":'
        '{"artifact":"a","version":"1"},"failure":{"timestamp":"2026-01-02T03:04:05.678Z","errors":["x"]},'
        '"payload":"p"}}\n'
    )
    run = place.put(wide_run(tmp_path, [event(1)]))
    assert place.load_from(run).outcome == "loaded"
    report = place.load_from(run, bad=str(bad))
    assert report.outcome == "already loaded" and outcomes(report) == [("bad_rows", 2, None)]
    assert place.load_from(run, bad=str(bad)).tables == []
    found = place.query(
        "SELECT type, failure_tstamp::TIMESTAMP::VARCHAR, failure->>'$.errors[0]' FROM bad_rows ORDER BY type"
    )
    assert found == [("generic_error", "2026-01-02 03:04:05.678", "x"), ("unreadable", None, None)]


def test_failed_events_have_a_table_of_their_own(place: WidePlace, tmp_path: Path) -> None:
    failed = wide_run(tmp_path, [click(1, url="f")], failed=True, click=CLICK)
    assert outcomes(place.load(failed)) == [("failed_events", 1, "created")]
    place.load(wide_run(tmp_path, [click(2, url="x"), event(3)], click=CLICK))
    assert place.load(failed).outcome == "already loaded"
    assert (place.count("events"), place.count("failed_events")) == (2, 1)
    assert place.query(f"SELECT {COLUMN}.url FROM failed_events") == [("f",)]


def test_a_skipped_schema_has_no_column(place: WidePlace, tmp_path: Path) -> None:
    run = wide_run(tmp_path, [click(1, url="x")], click=CLICK)
    report = place.load(run, skip=[SchemaCriterion.parse("iglu:com.acme/click/jsonschema/1-*-*")])
    assert report.skipped == ["iglu:com.acme/click/jsonschema/1"]
    assert not {COLUMN, ENTITIES} & set(place.columns())


def test_a_dry_run_names_every_statement_and_changes_nothing(place: WidePlace, tmp_path: Path) -> None:
    url = place.put(wide_run(tmp_path, [click(1, url="x")], click=CLICK))
    with place.target.open() as warehouse:
        loader = RunLoader(warehouse, Registry())
        plan = loader.plan(read_run(url))
        assert plan is not None
        statements = list(plan.statements(warehouse))
        assert COLUMN in "".join(statement.sql for statement in statements)
        assert statements[-1].name.endswith("into atomic.events")
        assert place.tables() == set()
        place.load_from(url)
        assert loader.plan(read_run(url)) is None


def test_shredded_rows_are_refused_in_words(place: WidePlace, tmp_path: Path) -> None:
    from tests.load.runs import event_line, make_run

    with pytest.raises(LoadError, match=r"wide Parquet ones.*--transformation widerow-parquet"):
        place.load(make_run(tmp_path, [event_line(1)]))


# --- L3: the identity of a run is its own, not its address --------------------------------------------------------


def test_L3_a_run_that_was_moved_is_loaded_once(place: WidePlace, tmp_path: Path) -> None:
    run = Path(wide_run(tmp_path, [event(1)]))
    place.load(str(run))
    (tmp_path / "link").symlink_to(run)
    shutil.copytree(run, tmp_path / "two" / run.name)
    for spelled in (f"{run}/", f"file://{run}", str(tmp_path / "link"), str(tmp_path / "two" / run.name)):
        assert place.load(spelled).outcome == "already loaded"
    assert place.count() == 1


def test_L3_a_run_that_was_transformed_again_is_told_of(place: WidePlace, tmp_path: Path) -> None:
    place.load(wide_run(tmp_path / "1", [event(1)]))
    again = Path(wide_run(tmp_path / "2", [event(1), event(2)]))
    first = tmp_path / "1/good/transformed" / again.name
    shutil.rmtree(first)
    again.rename(first)
    report = place.load(str(first))
    assert report.outcome == "already loaded" and "was transformed again" in report.warnings[0]


# --- L4: what was written is what is loaded -----------------------------------------------------------------------


def _remove(part: Path) -> None:
    part.unlink()


def _halve(part: Path) -> None:
    part.write_bytes(part.read_bytes()[:2000])


def _replace_by_fewer(part: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(pq.read_table(part)[:1], part)


@pytest.mark.parametrize(
    ("harm", "told"),
    [(_remove, "is not whole"), (_halve, "is damaged"), (_replace_by_fewer, "1 rows were read .* 2 were written")],
)
def test_L4_a_run_that_is_not_whole_leaves_nothing(
    place: WidePlace, tmp_path: Path, harm: Callable[[Path], None], told: str
) -> None:
    run = Path(wide_run(tmp_path, [event(1), event(2)]))
    [part] = run.glob("output=good/*.parquet")
    harm(part)
    with pytest.raises(LoadError, match=told):
        place.load(str(run))
    assert place.count() == place.count("manifest") == 0
