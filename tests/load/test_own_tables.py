"""The statements that make the tables of ours, from what a schema holds."""

from __future__ import annotations

from snowetl.ddl.tables import Held
from snowetl.load.own_tables import OwnTables
from snowetl.load.warehouse import Statement, Tables

OURS = OwnTables(
    create={
        "manifest": "CREATE TABLE {schema}.manifest ()",
        "rejected": ["CREATE TABLE {schema}.rejected ()", "INDEX"],
    },
    added={"events": {"load_tstamp": "TIMESTAMP"}, "manifest": {"bad_rows": "BIGINT"}},
)
EVENTS = Statement("create s.events", "CREATE TABLE s.events ()")


def held(**tables: tuple[str, ...]) -> Tables:
    columns = {table: dict.fromkeys(names, Held("text", False)) for table, names in tables.items()}
    return Tables(dict.fromkeys(tables), columns, True)


def test_an_empty_database_gets_everything() -> None:
    assert OURS.set_up("s", Tables(), [EVENTS]) == [
        Statement("create schema s", "CREATE SCHEMA IF NOT EXISTS s"),
        EVENTS,
        Statement("create s.manifest", "CREATE TABLE s.manifest ()"),
        Statement("create s.rejected", "CREATE TABLE s.rejected ()"),
        Statement("create s.rejected", "INDEX"),
    ]


def test_older_tables_get_their_new_columns() -> None:
    there = held(events=("event_id",), manifest=("base", "bad_rows"), rejected=())
    assert OURS.set_up("s", there, [EVENTS]) == [
        Statement("alter s.events", "ALTER TABLE s.events ADD COLUMN IF NOT EXISTS load_tstamp TIMESTAMP")
    ]


def test_a_warehouse_says_how_it_adds_a_column() -> None:
    ours = OURS._replace(add_column="ADD COLUMNS ({column} {type})")
    there = held(events=("load_tstamp",), manifest=("base",), rejected=())
    assert [statement.sql for statement in ours.set_up("s", there, [EVENTS])] == [
        "ALTER TABLE s.manifest ADD COLUMNS (bad_rows BIGINT)"
    ]


def test_nothing_is_made_twice() -> None:
    there = held(events=("load_tstamp",), manifest=("bad_rows",), rejected=())
    assert OURS.set_up("s", there, [EVENTS]) == []
