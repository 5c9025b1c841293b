"""``events`` tables of all ages: new ones hold the texts of every era, older ones are widened, or texts are cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from snowetl.ddl.atomic import LENGTHS, LONGEST, postgres_columns
from snowetl.ddl.tables import Held
from snowetl.load.plan import Request
from snowetl.load.run import Model, RowFolder
from snowetl.load.warehouse import NO_CHANGE, Tables
from snowetl.load.warehouses.postgres import PostgresWarehouse
from snowetl.load.widening import widened
from snowetl.transform.rows import RowColumn
from tests.load.places.postgres import InPostgres
from tests.load.runs import Registry, event_line, make_run

LONG = "https://a.io/" + "x" * 5_000
LATER = "run=2026-02-01-00-00-00"
MODEL = Model("com.snowplowanalytics.snowplow", "atomic", 1, "POSTGRES")


@pytest.fixture
def place(shredded: InPostgres) -> InPostgres:
    return shredded


def narrow(place: InPostgres, tmp_path: Path) -> None:
    """A table as loads of before made it, with one event."""
    place.load(make_run(tmp_path, [event_line(1)]))
    for column in ("page_url", "page_referrer", "mkt_clickid"):
        place.execute(f"ALTER TABLE atomic.events ALTER COLUMN {column} TYPE varchar({LENGTHS[column]})")


def long_run(tmp_path: Path) -> str:
    return make_run(tmp_path, [event_line(2, page_url=LONG, mkt_clickid="c" * 1_000)], run=LATER)


def test_a_new_table_holds_the_texts_of_every_era(place: InPostgres, tmp_path: Path) -> None:
    report = place.load(long_run(tmp_path))
    assert place.query("SELECT page_url, length(mkt_clickid) FROM atomic.events") == [(LONG, 1_000)]
    assert report.warnings == []


def test_an_older_table_is_widened(place: InPostgres, tmp_path: Path) -> None:
    narrow(place, tmp_path)
    report = place.load(long_run(tmp_path))
    assert place.query("SELECT page_url, length(mkt_clickid) FROM atomic.events WHERE page_url IS NOT NULL") == [
        (LONG, 1_000)
    ]
    assert report.warnings == []
    if place.kind == "postgres":  # Redshift has done it before the transaction that is reported
        assert report.tables[0].change == "page_url, page_referrer, mkt_clickid widened"
    again = place.load(make_run(tmp_path, [event_line(3)], run="run=2026-03-01-00-00-00"))
    assert again.tables[0].change is None


def test_a_table_that_cannot_be_widened_is_taken_as_it_is(place: InPostgres, tmp_path: Path) -> None:
    narrow(place, tmp_path)
    place.execute("CREATE VIEW atomic.pages AS SELECT page_url FROM atomic.events")
    report = place.load(long_run(tmp_path))
    cut = place.query("SELECT length(page_url), length(mkt_clickid) FROM atomic.events WHERE page_url IS NOT NULL")
    assert cut == [(4_096, 1_000)]
    [warning] = report.warnings
    assert "atomic.events stays as it is" in warning and "texts are cut to their columns" in warning


# --- which rows need what ---------------------------------------------------------------------------------------------


def request(tables: Tables) -> Request:
    return Request(None, [], tables, Registry(), PostgresWarehouse("postgresql://localhost/x"))  # type: ignore[arg-type]


def folder(lengths: dict[str, int] | None) -> RowFolder:
    columns = None
    if lengths is not None:
        columns = tuple(RowColumn(column.name, column.type.upper()) for column in postgres_columns(lengths))
    return RowFolder(MODEL, "vendor=…", columns=columns)


def held(page_url: str, without: str = "") -> Tables:
    """A table of all columns, of texts without a limit but for one."""
    columns = {column.name: Held("text", False) for column in postgres_columns()}
    columns |= {"page_url": Held(page_url, False), "load_tstamp": Held("timestamp without time zone", False)}
    columns.pop(without, None)
    return Tables({}, {"events": columns}, True)


HELD = held("character varying(4096)")


@pytest.mark.parametrize(
    ("tables", "lengths", "asked"),
    [
        (HELD, LENGTHS, []),
        (HELD, LONGEST, ['ALTER TABLE atomic.events ALTER COLUMN "page_url" TYPE VARCHAR(10000)']),
        (HELD, None, ['ALTER TABLE atomic.events ALTER COLUMN "page_url" TYPE VARCHAR(10000)']),
        (held("text"), LONGEST, []),
        (held("character varying(20000)"), LONGEST, []),
        (held("text", "true_tstamp"), LENGTHS, ['ALTER TABLE atomic.events ADD COLUMN "true_tstamp" TIMESTAMP']),
        (Tables(), LONGEST, []),
    ],
    ids=["short texts", "long texts", "rows without types", "a text", "a longer column", "a column less", "no table"],
)
def test_only_rows_that_need_it_ask_for_a_wider_table(
    tables: Tables, lengths: dict[str, int] | None, asked: list[str]
) -> None:
    change, note = widened(request(tables), "events", [folder(LENGTHS), folder(lengths)])
    assert [statement.sql for statement in change.inside] == asked
    assert all(statement.optional for statement in change.inside)
    assert (change == NO_CHANGE) == (note is None) == (not asked)
