"""What is ClickHouse's own: turns instead of locks, publication that goes on, addresses and errors, its SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from snowetl.ddl import clickhouse as ddl
from snowetl.errors import ConfigError, LoadError, SnowetlError, TargetError
from snowetl.http import Response
from snowetl.load.engine import RunLoader
from snowetl.load.report import LoadReport
from snowetl.load.run import read_run
from snowetl.load.target import Target
from snowetl.load.warehouse import Tables
from snowetl.load.warehouses.clickhouse import ClickHouseWarehouse
from snowetl.load.warehouses.clickhouse import turns as clickhouse_turns
from snowetl.load.warehouses.clickhouse.client import Address, Client
from snowetl.load.warehouses.clickhouse.session import load_id
from snowetl.storage import filesystem
from tests.load import clickhouse_server
from tests.load.runs import ID, Registry, schema
from tests.load.transformed import click, event, wide_run

CLICK = {"1-0-0": schema(url={"type": "string"}, at={"type": "string", "format": "date-time"}, required=["url"])}


class Place:
    """The server, emptied."""

    def __init__(self, address: str) -> None:
        self.target = Target(warehouse="clickhouse", database=address)
        self.client = Client(Address.parse(address), 60)
        self.client.run("DROP DATABASE IF EXISTS atomic SYNC")

    def load(self, url: str, bad: str | None = None) -> LoadReport:
        with self.target.open() as warehouse:
            return RunLoader(warehouse, Registry()).load(read_run(url), filesystem(bad).list(bad) if bad else ())

    def ask(self, sql: str) -> list[list[Any]]:
        return self.client.rows(sql)

    def counts(self) -> tuple[int, ...]:
        """Rows of events, the manifest, bad rows."""
        return tuple(
            self.ask(f"SELECT count() FROM atomic.{name}")[0][0] for name in ("events", "manifest", "bad_rows")
        )

    def not_tables(self) -> list[str]:
        """Tables that are none of the warehouse's, but for the turn that was the last."""
        found = [row[0] for row in self.ask("SELECT name FROM system.tables WHERE startsWith(name, 'snowetl_')")]
        last = max((name for name in found if name.startswith("snowetl_turn_")), default="")
        return sorted({*found} - {last})


@pytest.fixture
def place() -> Iterator[Place]:
    if clickhouse_server.python() is None:
        pytest.skip("there is no chdb here: .ci/find-chdb installs it")
    found = Place(clickhouse_server.address())
    yield found
    found.client.close()


@pytest.fixture
def nobody_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds a turn counts as dead."""
    monkeypatch.setattr(clickhouse_turns, "EXPIRES_SECONDS", -1)


@pytest.fixture
def run(tmp_path: Path) -> str:
    return wide_run(tmp_path, [click(1, url="x"), event(2)], click=CLICK)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    file = tmp_path / "bad.txt"
    file.write_text("no json\n" * 3)
    return str(file)


# --- a loader that dies -------------------------------------------------------------------------------------------


class Dies(Exception):
    """As a killed process: nothing of its code is run any more that a server would hear of."""


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch, number: int) -> Iterator[list[str]]:
    """The loader dies after its ``number``-th statement that writes, before it hears the answer."""
    written: list[str] = []
    run = Client.run

    def run_or_die(self: Client, sql: str, *more: Any, **named: Any) -> bytes:
        if len(written) == number:
            raise Dies
        answer = run(self, sql, *more, **named)
        if not sql.startswith("SELECT"):
            written.append(sql)
            if len(written) == number:
                raise Dies
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(Client, "run", run_or_die)
        yield written


@pytest.mark.slow
def test_a_loader_that_dies_at_any_statement_is_followed_by_one_that_ends_its_work(
    place: Place, tmp_path: Path, run: str, bad: str, nobody_is_waited_for: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.load(wide_run(tmp_path / "other", [event(9)], run="run=2026-01-01-00-00-00"))
    steps: list[str] = []
    died = True
    while died:
        with dying(monkeypatch, len(steps) + 1) as written:
            try:
                place.load(run, bad=bad)
                died = False
            except Dies:
                pass
        steps = written
        assert place.counts()[0] in (1, 3)
        outcome = place.load(run, bad=bad).outcome
        assert place.counts() == (3, 2, 3), steps[-1]
        if outcome == "loaded":
            assert place.not_tables() == []
        for table in ("events", "manifest", "bad_rows"):
            place.client.run(f"DELETE FROM atomic.{table} WHERE load_id = '{load_id(read_run(run))}'")
    assert {step.split(" ")[0] for step in steps} == {"CREATE", "RENAME", "DROP", "INSERT", "ALTER"}
    place.load(run)
    assert place.not_tables() == []


def test_rows_that_a_server_that_died_took_in_by_half_are_taken_anew(
    place: Place, run: str, bad: str, nobody_is_waited_for: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.load(run)
    client = place.client
    client.run("ALTER TABLE atomic.manifest DELETE WHERE 1 SETTINGS mutations_sync = 2")
    client.run("DELETE FROM atomic.events WHERE event_name = 'click' AND notEmpty(contexts_com_acme_click_1)")
    assert place.counts()[0] == 1
    assert place.load(run).outcome == "loaded"
    assert place.counts() == (2, 1, 0)


def test_a_loader_that_was_only_slow_publishes_nothing(place: Place, run: str, nobody_is_waited_for: None) -> None:
    with place.target.open() as warehouse, warehouse.session() as slow:
        found = RunLoader(warehouse, Registry())
        place.load(run)  # makes the tables
        place.client.run("TRUNCATE TABLE atomic.events")
        place.client.run("TRUNCATE TABLE atomic.manifest")
        plan = found.plan(read_run(run))
        assert plan is not None
        with pytest.raises(LoadError, match="another loader has taken over") as caught, slow.transaction():
            slow.lock()
            slow.copy(plan.tables[0].copies[0], plan.run)
            slow.note_loaded(plan.manifest)
            assert place.load(run).outcome == "loaded"
        assert caught.value.transient
    assert place.counts() == (2, 1, 0)


def test_a_loader_waits_for_one_that_lives_and_says_so(place: Place, run: str) -> None:
    said: list[str] = []
    with place.target.open(said.append) as warehouse, warehouse.session() as first, warehouse.session() as second:
        second._turns._me = first._turns._me  # type: ignore[attr-defined]
        with first.transaction():
            first.lock()
            turns = second._turns  # type: ignore[attr-defined]
            original = turns._all

            def all_until_told() -> Any:
                if said:
                    first._turns.end()  # type: ignore[attr-defined]
                return original()

            turns._all = all_until_told
            with second.transaction():
                second.lock()
    assert len(said) == 1 and said[0].startswith("waiting for another loader of atomic: ")


def test_a_number_that_was_gone_already_is_no_turn(place: Place) -> None:
    """A loader that looked before others had their turns makes a table that is named like the first of these."""
    place.client.run("CREATE DATABASE atomic")
    turns = [clickhouse_turns.Turns(place.client, "atomic", str) for _ in range(3)]
    for _ in range(2):
        for left in turns[0].begin():
            turns[0].forget(left)
        turns[0].end()
    stale, original = turns[1], turns[1]._all
    looks = iter([[]])
    stale._all = lambda: next(looks, None) or original()  # type: ignore[method-assign]
    assert [turn.number for turn in stale.begin()] == [2]
    assert not place.ask("SELECT name FROM system.tables WHERE name = 'snowetl_turn_000000001'")
    place.client.run("CREATE TABLE atomic.snowetl_turn_000000001 (n UInt8) ENGINE = Memory")
    place.client.run("CREATE TABLE atomic.snowetl_turn_000000001_taken (n UInt8) ENGINE = Memory")
    stale.end()
    assert [turn.number for turn in turns[2].begin()] == [1, 2, 3]
    turns[2].end()


# --- what it holds ------------------------------------------------------------------------------------------------


def test_entities_are_asked_for_in_its_own_sql(place: Place, tmp_path: Path) -> None:
    lines = [
        click(1, url="x", at="0001-01-01T00:00:00Z"),
        click(2, url="y", at="9999-12-31T23:59:59.999999Z"),
        event(3),
    ]
    place.load(wide_run(tmp_path, lines, click=CLICK))
    assert place.ask(
        "SELECT event_id, e.url, toUnixTimestamp64Micro(assumeNotNull(e.at)) FROM atomic.events "
        "ARRAY JOIN contexts_com_acme_click_1 AS e ORDER BY event_id, e.url LIMIT 1 BY event_id",
    ) == [
        [ID.format(1), "x", -62135596800000000],
        [ID.format(2), "y", 253402300799999999],
    ]
    assert place.ask("SELECT unstruct_event_com_acme_click_1.url FROM atomic.events ORDER BY event_id") == [
        ["x"], ["y"], [None],
    ]  # fmt: skip
    [[partition, key]] = place.ask(
        "SELECT partition_key, sorting_key FROM system.tables WHERE database = 'atomic' AND name = 'events'"
    )
    assert partition == "toYYYYMM(load_tstamp)" and key.startswith("toDate(collector_tstamp), event_name")


def test_each_row_names_its_load(place: Place, run: str, bad: str) -> None:
    place.load(run, bad=bad)
    one = load_id(read_run(run))
    for table, count in (("events", 2), ("bad_rows", 3), ("manifest", 1)):
        assert place.ask(f"SELECT load_id, count() FROM atomic.{table} GROUP BY 1") == [[one, count]]


def test_statements_are_of_its_dialect() -> None:
    warehouse = ClickHouseWarehouse(Address("h", 1, False, "u", "p"))
    for statement in warehouse.set_up(Tables()):
        [parsed] = sqlglot.parse(statement.sql, dialect="clickhouse")
        assert parsed is not None and not isinstance(parsed, sqlglot.exp.Command), statement.sql


def test_names_and_texts_are_quoted() -> None:
    assert ddl.quoted("a`b\\") == "`a\\`b\\\\`"
    assert ddl.text("it's \\ \ud800") == "'it\\'s \\\\ ?'"
    assert ddl.text(None) == "NULL"


def test_scripts_and_vacuum(place: Place, run: str) -> None:
    place.load(run)
    with place.target.open() as warehouse, warehouse.session() as session:
        session.script("CREATE TABLE atomic.views ENGINE = Memory AS SELECT count() AS n FROM atomic.events; SELECT 1;")
        session.vacuum("events")
        assert session.number("SELECT n FROM atomic.views") == 2
        with pytest.raises(LoadError, match="UNKNOWN_DATABASE"):
            session.script("SELECT * FROM nothing.at_all")


# --- addresses and errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("clickhouse://u:p%2F@h", Address("h", 8123, False, "u", "p/")),
        ("clickhouse://h:9?secure=true", Address("h", 9, True, "default", "")),
        ("https://u@h", Address("h", 8443, True, "u", "")),
        ("http://[::1]:8/", Address("::1", 8, False, "default", "")),
    ],
)
def test_addresses(url: str, address: Address) -> None:
    assert Address.parse(url) == address


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "not the address of a ClickHouse server"),
        ("clickhouse:///x", "not the address"),
        ("clickhouse://h:x", "not the address"),
        ("clickhouse://h/db", "the database is --schema"),
        ("clickhouse://h?secur=1", "secur is unknown"),
        ("postgresql://h", "not the address"),
    ],
)
def test_addresses_that_are_none(url: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        ClickHouseWarehouse.check(Target(warehouse="clickhouse", database=url))


def test_who_is_not_let_in_is_told_without_the_password(place: Place) -> None:
    wrong = Target(warehouse="clickhouse", database=str(place.target.database).replace("pass%2F", "secret"))
    with wrong.open() as warehouse, pytest.raises(TargetError, match="does not let loader in") as caught:
        warehouse.preflight()
    assert not caught.value.transient and "secret" not in str(caught.value)
    with place.target.open() as warehouse:
        assert warehouse.preflight() == []


def test_a_server_that_is_not_there_may_be_there_later() -> None:
    gone = Target(warehouse="clickhouse", database="clickhouse://u:geheim@127.0.0.1:1")
    with gone.open() as warehouse, pytest.raises(TargetError, match=r"127\.0\.0\.1:1 cannot be asked") as caught:
        warehouse.preflight()
    assert caught.value.transient and "geheim" not in str(caught.value)


def answering(monkeypatch: pytest.MonkeyPatch, status: int, headers: dict[str, str], body: bytes) -> Client:
    client = Client(Address("h", 1, False, "u", "p"), 1)
    monkeypatch.setattr(client._http, "_exchange", lambda request: Response(status, headers, body))
    return client


@pytest.mark.parametrize(
    ("status", "code", "body", "told", "transient"),
    [
        (500, "241", b"Code: 241. DB::Exception: Memory limit (MEMORY_LIMIT_EXCEEDED) (version 26)", "Memory", True),
        (500, "62", b"Code: 62. DB::Exception: Syntax (SYNTAX_ERROR)", "Syntax", False),
        (403, "497", b"Code: 497. DB::Exception: it's necessary to have the grant INSERT", "grant it to u", False),
        (502, "", b"<html>Bad gateway</html>", "answers 502", True),
        (404, "", b"nothing here", "answers 404", False),
    ],
)
def test_what_a_refusal_means(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str, body: bytes, told: str, transient: bool
) -> None:
    client = answering(monkeypatch, status, {"x-clickhouse-exception-code": code} if code else {}, body)
    with pytest.raises(SnowetlError, match=told) as caught:
        client.run("SELECT 1")
    assert getattr(caught.value, "transient", None) is transient


def test_a_property_called_null_has_another_name(place: Place, tmp_path: Path) -> None:
    properties = {"null": {"type": "integer"}, "rows": {"type": "array", "items": {"type": "string"}}}
    published = {"1-0-0": schema(**properties), "1-0-1": schema(**properties, later={"type": "string"})}
    place.load(wide_run(tmp_path / "1", [click(1, null=5, rows=["a", "b"]), event(2)], click=published))
    later = [click(3, "1-0-1", null=6, later="x")]
    report = place.load(wide_run(tmp_path / "2", later, run="run=2026-01-03-00-00-00", click=published))
    assert report.tables[0].change == "2 columns added"
    assert (
        place.ask(
            "SELECT e.null_, e.rows, e.later FROM atomic.events ARRAY JOIN contexts_com_acme_click_1 AS e ORDER BY ALL"
        )
        == [[5, ["a", "b"], None]] * 2 + [[6, [], "x"]] * 2
    )
