"""Shredded rows: a table for each entity, in every warehouse that loads them. See ``test_warehouses.py``."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from snowetl.errors import LoadError
from snowetl.load.run import read_run
from tests.load.runs import CLICK, click_line, event_line, make_run, schema

LATER = CLICK | {
    "1-0-1": schema(url={"type": "string", "maxLength": 20}, n={"type": "integer"}, t={"type": "string"},
                    required=["url"]),
    "1-0-2": schema(url={"type": "string", "maxLength": 20}, n={"type": "integer"}, t={"type": "string"},
                    u={"type": "integer"}, required=["url"]),
}  # fmt: skip


@pytest.fixture
def place(shredded):
    return shredded


def outcomes(report):
    return [(table.table, table.rows, table.change) for table in report.tables]


def test_a_run_lands_in_events_and_entity_tables(place, tmp_path):
    lines = [click_line(1, "x", "5"), click_line(2, "y", "\\N")]
    report = place.load(make_run(tmp_path, [event_line(1, page_title="a\\tb"), event_line(2)], lines))
    assert report.outcome == "loaded"
    assert outcomes(report) == [("atomic.events", 2, None), ("atomic.com_acme_click_1", 2, "created")]
    joined = (
        "SELECT page_title, url, n FROM atomic.events e JOIN atomic.com_acme_click_1 c "
        "ON c.root_id::text = e.event_id::text ORDER BY url"
    )
    assert place.query(joined) == [("a\\tb", "x", 5), (None, "y", None)]
    comment = "SELECT obj_description('atomic.com_acme_click_1'::regclass)"
    assert place.query(comment) == [("iglu:com.acme/click/jsonschema/1-0-0",)]


def test_a_run_without_a_time_in_its_name_has_that_of_its_transform(place, tmp_path):
    place.load(make_run(tmp_path, [event_line(1)], run="run=2026-13-02-03-04-05"))
    found = place.query("SELECT load_tstamp::text FROM atomic.events")
    assert found == [("2026-01-02 04:00:00",)] if place.keeps_the_runs_time else found != [(None,)]


def test_an_older_events_table_gets_the_column(place, tmp_path):
    place.load(make_run(tmp_path, [event_line(1)]))
    place.execute("ALTER TABLE atomic.events DROP COLUMN load_tstamp")
    report = place.load(make_run(tmp_path, [event_line(2)], run="run=2026-01-03-00-00-00"))
    assert outcomes(report) == [("atomic.events", 1, "load_tstamp added")]
    found = place.query("SELECT load_tstamp::text FROM atomic.events")
    assert found == [("2026-01-03 00:00:00",)] * 2 if place.keeps_the_runs_time else (None,) not in found
    again = place.load(make_run(tmp_path, [event_line(3)], run="run=2026-01-04-00-00-00"))
    assert outcomes(again) == [("atomic.events", 1, None)]


def test_a_table_several_versions_behind_is_brought_to_the_latest(place, tmp_path):
    place.load(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]))
    line = click_line(2, "y" * 20, "\\N", "t", "9", version="1-0-2")
    run = make_run(tmp_path, [event_line(2)], [line], types=("1-0-2",), run="run=2026-01-02-04-00-00")
    report = place.load(run, click=LATER)
    assert outcomes(report)[1] == ("atomic.com_acme_click_1", 1, "migrated to 1-0-2")
    assert place.query("SELECT url, n, t, u FROM atomic.com_acme_click_1 ORDER BY url") == [
        ("x", 5, None, None),
        ("y" * 20, None, "t", 9),
    ]


def test_rows_that_do_not_fit_are_put_aside(place, tmp_path):
    if not place.keeps_rows_aside:
        pytest.skip(f"{place.kind} counts them and keeps none")
    lines = [click_line(1, "x", "5"), click_line(2, "\\N", "5"), click_line(3, "x", "no number")]
    report = place.load(make_run(tmp_path, [event_line(1), "too\tfew"], lines))
    assert [(table.rows, table.rejected, table.values) for table in report.tables] == [(1, 1, 0), (2, 1, 1)]


def test_a_dry_run_names_every_statement(place, tmp_path):
    url = place.put(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]))
    with place.loader() as loader, place.open() as warehouse:
        statements = list(loader.plan(read_run(url)).statements(warehouse))
    names = [statement.name for statement in statements]
    assert "create schema atomic" in names and "create atomic.events" in names
    assert "create atomic.com_acme_click_1" in names
    assert [name for name in names if name.startswith("copy")][-1].endswith("into atomic.com_acme_click_1")
    assert not any("aws_iam_role" in statement.sql for statement in statements)
    assert place.query("SELECT 1 FROM pg_namespace WHERE nspname = 'atomic'") == []


# --- L3: the identity of a run is its own, not its address --------------------------------------------------------


def test_L3_rows_of_older_manifests_are_known_by_address(place, tmp_path):
    url = place.put(make_run(tmp_path, [event_line(1)]))
    place.load_from(place.put(make_run(tmp_path, [event_line(2)], run="run=2026-01-01-00-00-00")))
    place.execute("ALTER TABLE atomic.manifest DROP COLUMN run_identity")
    spelled = f"{url}/" if url.startswith("s3") else f"file://{url}/"
    place.execute(
        "INSERT INTO atomic.manifest VALUES "
        "(%s, '[]', '2020-01-01', '2020-01-01', NULL, NULL, now(), 'GZIP', 'x', '1', 1)",
        [spelled],
    )
    assert place.load_from(url).outcome == "already loaded"
    other = place.put(make_run(tmp_path, [event_line(3)], run="run=2026-01-03-00-00-00"))
    assert place.load_from(other).outcome == "loaded"


# --- L4: what was written is what is loaded -----------------------------------------------------------------------


@pytest.mark.parametrize("report", [True, False], ids=["ours", "of another transformer"])
def test_L4_a_run_without_its_events_fails_before_the_manifest(place, tmp_path, report):
    run = Path(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")], report=report))
    shutil.rmtree(run / "output=good/vendor=com.snowplowanalytics.snowplow")
    with pytest.raises(LoadError, match="name=atomic/format=tsv/model=1/ is missing, 1 rows"):
        place.load(str(run))


def test_L4_the_layout_of_transformers_1_and_2_is_loaded(place, tmp_path):
    run = make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")], report=False, good="")
    report = place.load(run)
    assert [table.rows for table in report.tables] == [1, 1]


# --- L7: rows of earlier versions ---------------------------------------------------------------------------------


def test_L7_rows_made_before_a_property_was_published_are_padded(place, tmp_path):
    report = place.load(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]), click=LATER)
    assert [(table.rows, table.rejected) for table in report.tables] == [(1, 0), (1, 0)]
    assert place.query("SELECT url, n, t, u FROM atomic.com_acme_click_1") == [("x", 5, None, None)]


def test_L7_files_of_one_table_may_differ_in_width(place, tmp_path):
    run = Path(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")], report=False))
    folder = run / "output=good/vendor=com.acme/name=click/format=tsv/model=1"
    (folder / "part-1.txt.gz").write_bytes(gzip.compress(f"{click_line(2, 'y', '6', 't', '7')}\n".encode()))
    place.load(str(run), click=LATER)
    found = place.query("SELECT url, n, t, u FROM atomic.com_acme_click_1 ORDER BY url")
    assert found == [("x", 5, None, None), ("y", 6, "t", 7)]


def test_L7_folders_of_versions_as_rdb_loader_6_has_them(place, tmp_path):
    run = Path(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")], types=("1-0-0", "1-0-1"), report=False))
    folder = run / "output=good/vendor=com.acme/name=click/format=tsv/model=1"
    for addition, cells in ((0, ("x", "5")), (1, ("y", "6", "t"))):
        sub = folder / f"revision=0/addition={addition}"
        sub.mkdir(parents=True)
        (sub / "part-0.txt.gz").write_bytes(gzip.compress(f"{click_line(1, *cells)}\n".encode()))
    (folder / "part-0.txt.gz").unlink()
    place.load(str(run), click=LATER)
    found = place.query("SELECT url, n, t FROM atomic.com_acme_click_1 ORDER BY url")
    assert found == [("x", 5, None), ("y", 6, "t")]


# --- B3: what cannot be a table does not hold up the rest ---------------------------------------------------------


def test_B3_a_schema_that_cannot_be_a_table_is_put_aside_and_loaded_once_it_is_mended(place, tmp_path):
    broken = {"1-0-0": schema(**{f"p{n}": {"type": "string"} for n in range(2000)})}
    run = make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")], more={"wide": [click_line(1, *["v"] * 2)]})
    report = place.load(run, retries=3, click=CLICK, wide=broken)
    assert [table.rows for table in report.tables] == [1, 1]
    [aside] = report.aside
    assert (aside.schema, aside.rows) == ("iglu:com.acme/wide/jsonschema/1", 1)
    assert "2" in aside.reason and not any("trying again" in text for text in place.said)

    mended = {"1-0-0": schema(a={"type": "string"}, b={"type": "string"})}
    [still] = place.retry_rejected(click=CLICK, wide=broken)
    assert [one.rows for one in still.aside] == [1]
    [retried] = place.retry_rejected(click=CLICK, wide=mended)
    assert [(table.table, table.rows) for table in retried.tables] == [("atomic.com_acme_wide_1", 1)]
    assert place.query("SELECT a, b FROM atomic.com_acme_wide_1") == [("v", "v")]
    assert place.retry_rejected(click=CLICK, wide=mended) == []


def test_B3_a_schema_no_registry_has_is_put_aside(place, tmp_path):
    run = make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")], more={"gone": [click_line(1, "v")]})
    report = place.load(run, click=CLICK)
    assert [aside.schema for aside in report.aside] == ["iglu:com.acme/gone/jsonschema/1"]
    assert "no registry lists" in report.aside[0].reason


def test_B3_a_table_the_server_refuses_is_put_aside(place, tmp_path):
    place.load(make_run(tmp_path, [event_line(1)], run="run=2026-01-01-00-00-00"))
    place.execute("CREATE TYPE atomic.com_acme_odd_1 AS ENUM ('a')")  # a relation could not have this name now
    run = make_run(tmp_path, [event_line(2)], [click_line(2, "x", "5")], more={"odd": [click_line(2, "v")]})
    report = place.load(run, retries=3, click=CLICK, odd={"1-0-0": schema(a={"type": "string"})})
    assert [table.rows for table in report.tables] == [1, 1]
    assert [(aside.schema, aside.rows) for aside in report.aside] == [("iglu:com.acme/odd/jsonschema/1", 1)]
    assert not any("trying again" in text for text in place.said)


def test_B3_a_table_of_somebody_else_is_not_touched(place, tmp_path):
    place.load(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]))
    place.execute("COMMENT ON TABLE atomic.com_acme_click_1 IS 'mine'")
    report = place.load(make_run(tmp_path, [event_line(2)], [click_line(2, "x", "5")], run="run=2026-01-03-00-00-00"))
    assert "is not a schema URI" in report.aside[0].reason
    assert place.query("SELECT count(*) FROM atomic.com_acme_click_1") == [(1,)]
    assert place.query("SELECT count(*) FROM atomic.events") == [(2,)]


# --- B4: every model has a table of its own -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["long", "alike"])
def test_B4_models_whose_names_agree_have_two_tables(place, tmp_path, kind):
    if kind == "long" and place.kind != "postgres":
        pytest.skip("the stand-in keeps 63 bytes of a name, Redshift 127; see test_names.py")
    first, second = {
        "long": (("com.example." + "very_long." * 11 + "x", "credit" + "s" * 20),
                 ("com.example." + "very_long." * 11 + "x", "credit" + "s" * 19 + "t")),
        "alike": (("com.acme", "a_b"), ("com.acme_a", "b")),
    }[kind]  # fmt: skip
    rows = {
        first: [click_line(1, "one", vendor=first[0], name=first[1])],
        second: [click_line(1, "two", vendor=second[0], name=second[1])],
    }
    models = {first[1]: {"1-0-0": schema(a={"type": "string"})}, second[1]: {"1-0-0": schema(a={"type": "string"})}}
    report = place.load(make_run(tmp_path, [event_line(1)], more=rows), **models)
    tables = [table.table for table in report.tables[1:]]
    assert len(set(tables)) == 2 and not report.aside
    again = make_run(tmp_path, [event_line(2)], more=dict(reversed(rows.items())), run="run=2026-01-03-00-00-00")
    assert sorted(table.table for table in place.load(again, **models).tables[1:]) == sorted(tables)
    for table, text in zip(tables, ("one", "two"), strict=True):
        assert place.query(f"SELECT a FROM {table}") == [(text,), (text,)]


# --- B5, B6 -------------------------------------------------------------------------------------------------------


def test_B5_a_view_on_a_column_that_must_widen_does_not_stop_the_load(place, tmp_path):
    place.load(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]))
    place.execute("CREATE VIEW atomic.v AS SELECT url FROM atomic.com_acme_click_1")
    line = click_line(2, "y" * 10, "6", "t", "7", version="1-0-2")
    later = {"events": [event_line(2)], "clicks": [line], "types": ("1-0-2",)}
    report = place.load(make_run(tmp_path, **later, run="run=2026-01-03-00-00-00"), click=LATER)
    assert [table.rows for table in report.tables] == [1, 1]
    [warning] = report.warnings
    assert "com_acme_click_1" in warning and "view" in warning
    place.execute("DROP VIEW atomic.v")
    later["events"] = [event_line(3)]
    report = place.load(make_run(tmp_path, **later, run="run=2026-01-04-00-00-00"), click=LATER)
    assert report.warnings == []
    width = (
        "SELECT atttypmod - 4 FROM pg_attribute "
        "WHERE attrelid = 'atomic.com_acme_click_1'::regclass AND attname = 'url'"
    )
    assert place.query(width) == [(20,)]


def test_B6_percent_signs_in_names_are_only_letters(place, tmp_path):
    versions = {"1-0-0": schema(**{"a%s": {"type": "integer"}, "100%": {"type": "string", "maxLength": 2}})}
    lines = [click_line(1, "x", "5")]
    if place.keeps_rows_aside:
        lines.append(click_line(2, "long", "no number"))
    place.load(make_run(tmp_path, [event_line(1)], lines), click=versions)
    assert ("x", 5) in place.query('SELECT "100%", "a%s" FROM atomic.com_acme_click_1')


def failed_run(tmp_path, numbers, **more):
    """A run of failed events, each with a click, in a folder of its own."""
    events = [event_line(number, page_title="failed") for number in numbers]
    return make_run(
        tmp_path / "failed", events, [click_line(number, "f", "7") for number in numbers], failed=True, **more
    )


def test_failed_events_have_tables_of_their_own(place, tmp_path):
    report = place.load(failed_run(tmp_path, (1, 2)))
    assert report.of_failed_events
    assert outcomes(report) == [
        ("atomic.failed_events", 2, "created"),
        ("atomic.failed_com_acme_click_1", 2, "created"),
    ]
    assert place.query("SELECT count(*) FROM atomic.events") == [(0,)]
    assert place.query("SELECT to_regclass('atomic.com_acme_click_1')") == [(None,)]
    place.load(make_run(tmp_path, [event_line(3)], [click_line(3, "x", "5")]))
    more = failed_run(tmp_path, (4,), run="run=2026-01-03-03-04-05")
    assert outcomes(place.load(more)) == [
        ("atomic.failed_events", 1, None),
        ("atomic.failed_com_acme_click_1", 1, None),
    ]
    assert place.load(more).outcome == "already loaded"
    for table, count in (("events", 1), ("com_acme_click_1", 1), ("failed_events", 3), ("failed_com_acme_click_1", 3)):
        assert place.query(f"SELECT count(*) FROM atomic.{table}") == [(count,)]
    assert place.query(
        "SELECT count(*) FROM atomic.failed_events e JOIN atomic.failed_com_acme_click_1 c "
        "ON c.root_id::text = e.event_id::text"
    ) == [(3,)]
    comment = "SELECT obj_description('atomic.failed_com_acme_click_1'::regclass)"
    assert place.query(comment) == [("iglu:com.acme/click/jsonschema/1-0-0",)]


def test_a_table_of_failed_entities_is_brought_to_the_latest_version(place, tmp_path):
    place.load(failed_run(tmp_path, (1,)))
    line = click_line(2, "y" * 20, "\\N", "t", "9", version="1-0-2")
    run = make_run(tmp_path, [event_line(2)], [line], types=("1-0-2",), run="run=2026-01-02-04-00-00", failed=True)
    assert outcomes(place.load(run, click=LATER))[1] == ("atomic.failed_com_acme_click_1", 1, "migrated to 1-0-2")
    assert place.query("SELECT to_regclass('atomic.com_acme_click_1')") == [(None,)]


def test_failed_rows_that_were_put_aside_come_back_to_their_tables(place, tmp_path):
    report = place.load(failed_run(tmp_path, (1,)), other={})
    assert outcomes(report) == [("atomic.failed_events", 1, "created")] and report.aside[0].rows == 1
    [retried] = place.retry_rejected()
    assert outcomes(retried) == [("atomic.failed_com_acme_click_1", 1, "created")]
    assert place.query("SELECT to_regclass('atomic.com_acme_click_1')") == [(None,)]


def test_a_vendor_called_failed_keeps_its_tables(place, tmp_path):
    models = {"click": CLICK, "acme_click": CLICK}
    clicks = {("failed", "com_acme_click"): [click_line(1, "v", "1", name="com_acme_click", vendor="failed")]}
    models["com_acme_click"] = CLICK
    place.load(make_run(tmp_path, [event_line(1)], more=clicks), **models)
    assert place.query("SELECT count(*) FROM atomic.failed_com_acme_click_1") == [(1,)]
    report = place.load(failed_run(tmp_path, (2,)), **models)
    [name] = [table.table for table in report.tables if table.table != "atomic.failed_events"]
    assert name.startswith("atomic.failed_com_acme_click_1_")
    assert place.query("SELECT count(*) FROM atomic.failed_com_acme_click_1") == [(1,)]
