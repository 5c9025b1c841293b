"""The first rows of a table: frozen, with indexes built afterwards; whatever stands in the way, they are loaded."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from snowetl.load.warehouse import Tables
from snowetl.load.warehouses.postgres import PostgresWarehouse
from tests.load.places import start
from tests.load.places.postgres import Postgres
from tests.load.runs import click_line, event_line, make_run

INDEXES = "SELECT indexname FROM pg_indexes WHERE schemaname = 'atomic' AND tablename = 'events' ORDER BY 1"
EVENTS = "SELECT count(*) FROM atomic.events"
LATER = "run=2026-01-03-00-00-00"


@pytest.fixture
def postgres(request: pytest.FixtureRequest) -> Postgres:
    found = start("postgres", request)
    assert isinstance(found, Postgres)
    return found


def is_frozen(place: Postgres, table: str) -> bool:
    """Whether no vacuum is needed for all pages of a table to be known as seen by everybody."""
    place.execute(f"ANALYZE atomic.{table}")
    query = f"SELECT relpages > 0 AND relallvisible = relpages FROM pg_class WHERE oid = 'atomic.{table}'::regclass"
    return bool(place.query(query)[0][0])


def events(numbers: range) -> list[str]:
    return [event_line(number) for number in numbers]


def test_rows_of_new_tables_are_frozen_and_indexed(postgres: Postgres, tmp_path: Path) -> None:
    postgres.load(make_run(tmp_path, events(range(50)), [click_line(1, "x", "5")]))
    assert is_frozen(postgres, "events") and is_frozen(postgres, "com_acme_click_1")
    names = [name for (name,) in postgres.query(INDEXES)]
    assert "events_collector_tstamp_idx" in names and "events_event_id_idx" in names
    assert postgres.query("SELECT count(*) FROM pg_indexes WHERE tablename = 'com_acme_click_1'") == [(2,)]


def test_later_rows_are_added(postgres: Postgres, tmp_path: Path) -> None:
    postgres.load(make_run(tmp_path, events(range(50))))
    postgres.load(make_run(tmp_path, events(range(50, 80)), run=LATER))
    assert postgres.query(EVENTS) == [(80,)]
    assert not is_frozen(postgres, "events")


def test_an_index_that_was_dropped_is_not_made_again_and_ones_own_stays(postgres: Postgres, tmp_path: Path) -> None:
    postgres.load(make_run(tmp_path, []))
    for statement in PostgresWarehouse(postgres.url).create_events("events"):
        postgres.execute(statement.sql)
    postgres.execute("DROP INDEX atomic.events_event_id_idx")
    postgres.execute("CREATE INDEX mine ON atomic.events (app_id) WITH (fillfactor = 70)")
    postgres.execute("CREATE UNIQUE INDEX once ON atomic.events (event_id)")
    before = postgres.query("SELECT indexdef FROM pg_indexes WHERE tablename = 'events' ORDER BY 1")
    postgres.load(make_run(tmp_path, events(range(5)), run=LATER))
    assert postgres.query("SELECT indexdef FROM pg_indexes WHERE tablename = 'events' ORDER BY 1") == before
    assert is_frozen(postgres, "events")


def test_a_row_that_does_not_fit_leaves_the_indexes_and_the_other_rows(postgres: Postgres, tmp_path: Path) -> None:
    report = postgres.load(make_run(tmp_path, [*events(range(5)), event_line(6, doc_width="x"), "too\tfew"]))
    assert (report.tables[0].rows, report.tables[0].rejected, report.tables[0].values) == (6, 1, 1)
    assert ("events_collector_tstamp_idx",) in postgres.query(INDEXES)


@pytest.mark.parametrize(
    "obstacle",
    [
        "CREATE TABLE atomic.mine (id uuid REFERENCES atomic.events (event_id))",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
        "CREATE TRIGGER t BEFORE INSERT ON atomic.events FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE TABLE atomic.child () INHERITS (atomic.events)",
        "CREATE PUBLICATION p FOR TABLE atomic.events",
        "ALTER TABLE atomic.events SET UNLOGGED",
    ],
    ids=["foreign key", "trigger", "child table", "publication", "unlogged"],
)
def test_a_table_that_others_look_at_is_loaded_as_ever(postgres: Postgres, tmp_path: Path, obstacle: str) -> None:
    for statement in PostgresWarehouse(postgres.url).set_up(Tables()):
        postgres.execute(statement.sql)
    postgres.execute("CREATE UNIQUE INDEX once ON atomic.events (event_id)")
    postgres.execute(obstacle)
    postgres.load(make_run(tmp_path, events(range(5))))
    assert postgres.query(EVENTS) == [(5,)]
    assert not is_frozen(postgres, "events")


def test_a_reader_is_not_waited_for(postgres: Postgres, tmp_path: Path) -> None:
    for statement in PostgresWarehouse(postgres.url).set_up(Tables()):
        postgres.execute(statement.sql)
    with psycopg.connect(postgres.url) as reader:
        assert reader.execute(EVENTS).fetchone() == (0,)
        postgres.load(make_run(tmp_path, events(range(5))))
        assert reader.execute(EVENTS).fetchone() == (5,)
