"""sql_query: statements, values and failures, against a real PostgreSQL and a real MariaDB."""

from __future__ import annotations

import json
import logging
import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest

from snowetl.enrich.draft import Draft, Entity
from snowetl.enrich.enrichments.sql_inputs import Value, typed
from snowetl.enrich.enrichments.sql_query import TIMEOUT_VARIABLE, SqlQuery
from snowetl.enrich.enrichments.sql_statements import MYSQL, POSTGRES, Dialect, cut
from snowetl.errors import ConfigError
from snowetl.jvm.json_number import JsonNumber
from tests.databases import ADMIN, ADMIN_PASSWORD, mariadb_server, postgres_server
from tests.enrich.enrichments.support import conf, draft, opened
from tests.growth import assert_linear
from tests.iglu.server import dripping

pytestmark = pytest.mark.slow  # database servers start

NAME = "sql_query_enrichment_config"
USER = "iglu:com.acme/user/jsonschema/1-0-0"
PASSWORD = "s3cret-pa55-ü"


def _tables(execute: Callable[[str], Any]) -> None:
    execute("CREATE TABLE users (id INTEGER PRIMARY KEY, user_name VARCHAR(40), plan VARCHAR(20))")
    execute("INSERT INTO users VALUES (1, 'ann', 'pro'), (2, 'bob', NULL), (3, 'b?b', 'a%b'), (4, 'bob', 'free')")


@pytest.fixture(scope="module")
def postgres() -> Iterator[int]:
    with postgres_server() as port:
        at = {"host": "127.0.0.1", "port": port, "user": ADMIN, "password": ADMIN_PASSWORD, "autocommit": True}
        with psycopg.connect(dbname="postgres", **at) as admin:
            admin.execute("CREATE DATABASE shop")
            admin.execute(f"CREATE USER etl PASSWORD '{PASSWORD}'")
        with psycopg.connect(dbname="shop", **at) as admin:
            _tables(admin.execute)
            admin.execute("CREATE TYPE mood AS ENUM ('true', 'sad')")
            admin.execute("GRANT SELECT ON users TO etl")
        yield port


@pytest.fixture(scope="module")
def mariadb() -> Iterator[int]:
    pymysql = pytest.importorskip("pymysql", reason="the mysql extra is not installed")
    with mariadb_server() as port:
        admin = pymysql.connect(
            host="127.0.0.1", port=port, user=ADMIN, password=ADMIN_PASSWORD, charset="utf8mb4", autocommit=True
        )
        with admin, admin.cursor() as cursor:
            cursor.execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
            cursor.execute("USE shop")
            _tables(cursor.execute)
            cursor.execute(f"CREATE USER etl@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
            cursor.execute("GRANT SELECT ON shop.* TO etl@'127.0.0.1'")
        yield port


@pytest.fixture(params=["postgresql", "mysql"])
def server(request: pytest.FixtureRequest) -> tuple[str, int]:
    """A kind of database and its port: tests that take it run on both."""
    return request.param, request.getfixturevalue({"postgresql": "postgres", "mysql": "mariadb"}[request.param])


def given(kind: str, port: int, sql: str, *fields: str, **changes: Any) -> dict[str, Any]:
    at = {"host": "127.0.0.1", "port": port, "sslMode": False, "username": "etl", "password": PASSWORD}
    at |= {"database": "shop"} | changes.pop("at", {})
    shape = {"schema": USER, "describes": "EVERY_ROW", "propertyNames": "AS_IS"} | changes.pop("json", {})
    return {
        "inputs": [{"placeholder": place, "pojo": {"field": name}} for place, name in enumerate(fields, 1)],
        "database": {kind: at},
        "query": {"sql": sql},
        "output": {"expectedRows": changes.pop("expectedRows", "AT_LEAST_ZERO"), "json": shape},
        "cache": {"size": 100, "ttl": 60},
    } | changes


def twice(column: str) -> list[dict[str, Any]]:
    return [{"placeholder": place, "pojo": {"field": column}} for place in (1, 2)]


def run(server: tuple[str, int], sql: str, *fields: str, event: Draft | None = None, **changes: Any) -> Draft:
    made = event or draft()
    with opened(conf(NAME, **given(*server, sql, *fields, **changes))) as step:
        step(made)
    return made


def rows(made: Draft) -> list[Any]:
    assert made.failures == []
    return [json.loads(entity.json)["data"] for entity in made.entities]


def error(made: Draft) -> str:
    first, second = made.failures
    assert first["enrichment"]["identifier"] == "sql-query"
    assert first["message"]["error"] == "Error while executing the sql lookup"
    return str(second["message"]["error"])


# --- statements -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "dialect", "pieces"),
    [
        ("a = ? AND b=?", POSTGRES, ["a = ", " AND b=", ""]),
        ("'?' \"?\" 'it''s ?' ?", POSTGRES, ["'?' \"?\" 'it''s ?' ", ""]),
        (r"'\' ?", POSTGRES, [r"'\' ", ""]),
        (r"E'\'?' ? e'?'", POSTGRES, [r"E'\'?' ", " e'?'"]),
        ("$$ ? $$ $a$ $$ ? $a$ ? $1", POSTGRES, ["$$ ? $$ $a$ $$ ? $a$ ", " $1"]),
        ("-- ?\n? /* ? /* ? */ ? */ ?", POSTGRES, ["-- ?\n", " /* ? /* ? */ ? */ ", ""]),
        ("a ?? b AND c ??| ? AND '??'", POSTGRES, ["a ? b AND c ?| ", " AND '??'"]),
        ("name'?'? % %s", POSTGRES, ["name'?'", " % %s"]),
        (r"'\'?' ? `?` " + '"?"', MYSQL, [r"'\'?' ", ' `?` "?"']),
        ("# ?\n? -- ?\n--? /* ? /* */ ?", MYSQL, ["# ?\n", " -- ?\n--", " /* ? /* */ ", ""]),
        ("'open ?", POSTGRES, ["'open ", ""]),
        ("/* open ?", MYSQL, ["/* open ?"]),
        ("", MYSQL, [""]),
    ],
)
def test_placeholders_stand_outside_of_quotes_and_comments(sql: str, dialect: Dialect, pieces: list[str]) -> None:
    assert list(cut(sql, dialect)) == pieces


def test_placeholders_and_literals_together(server: tuple[str, int]) -> None:
    sql = "SELECT id, '?' AS q, 'it''s 100%s' AS p FROM users /* ? */ WHERE plan LIKE 'a%%b' AND user_name = ? -- ?"
    assert rows(run(server, sql, "user_id", event=draft(user_id="b?b"))) == [{"id": 3, "q": "?", "p": "it's 100%s"}]


@pytest.mark.parametrize("name", ["' OR '1'='1", "\\' OR 1=1 -- ", "a\\", '"; DROP TABLE users; --', "ü😀", "%s", "$1"])
def test_values_are_values(server: tuple[str, int], name: str) -> None:
    sql = "SELECT ? AS given, (SELECT count(*) FROM users WHERE user_name = ?) AS n"
    made = run(server, sql, inputs=twice("user_id"), event=draft(user_id=name))
    assert rows(made) == [{"given": name, "n": 0}]


def test_text_a_database_refuses_fails_its_event_alone(server: tuple[str, int]) -> None:
    with opened(conf(NAME, **given(*server, "SELECT ? AS given", "user_id"))) as step:
        odd, nul, fine = draft(user_id="\udc80"), draft(user_id="a\0b"), draft(user_id="fine")
        for made in (odd, nul, fine):
            step(made)
    assert (rows(odd), rows(fine)) == ([{"given": "?"}], [{"given": "fine"}])
    if server[0] == "postgresql":
        assert error(nul) == 'ERROR: invalid byte sequence for encoding "UTF8": 0x00'
    else:
        assert rows(nul) == [{"given": "a\0b"}]


# --- inputs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("json_value", "type_", "value"),
    [
        (JsonNumber("1e3"), "int", 1000),
        (JsonNumber("9007199254740993.0"), "long", 9007199254740993),
        (2**63, "double", 2.0**63),
        (10**400, "double", float("inf")),
        (JsonNumber("1e999999999"), "double", float("inf")),
        ("1e999999999", "double", float("inf")),
        ("-2147483649", "long", -2147483649),
        ("tRuE", "boolean", True),
        ("0x1p3", "double", 8.0),
    ],
)
def test_types_of_json_values(json_value: Any, type_: str, value: Any) -> None:
    assert typed(json_value) == Value(type_, value)


def test_columns_have_their_types(postgres: int) -> None:
    names = ("user_id", "br_viewwidth", "br_cookies", "geo_latitude", "tr_total", "true_tstamp")
    sql = f"SELECT {', '.join('pg_typeof(?)::text AS ' + name for name in names)}"
    columns = {"user_id": "7", "br_viewwidth": "800", "br_cookies": "1", "geo_latitude": "42.5", "tr_total": "12.50"}
    made = run(("postgresql", postgres), sql, *names, event=draft(**columns, true_tstamp="2026-03-02 08:00:00.000"))
    types = ("character varying", "integer", "smallint", "real", "double precision", "character varying")
    assert rows(made) == [dict(zip(names, types, strict=True))]


def test_no_query_without_all_values(server: tuple[str, int]) -> None:
    for sql, fields in (("SELECT ?", ["user_id"]), ("SELECT 1", ["app_id"]), ("SELECT ?, ?", ["app_id"])):
        made = run(server, sql, *fields, event=draft(app_id="shop"), expectedRows="EXACTLY_ONE")
        assert (made.entities, made.failures) == ([], [])


def test_wrong_inputs_fail_each_event(server: tuple[str, int]) -> None:
    made = run(server, "SELECT ?", "nothing", event=draft(user_id="ann"))
    first, second = (failure["message"]["error"] for failure in made.failures)
    assert first == "Error while building the map of placeholders"
    invalid = "SQL Query enrichment: SQL Query Enrichment: Wrong POJO input field was specified"
    assert second == f"NonEmptyList({invalid})"


# --- values ---------------------------------------------------------------------------------------------------------

POSTGRES_VALUES = [
    ("12::smallint", "12"),
    ("9007199254740993", "9007199254740993"),
    ("true", "true"),
    ("NULL::int", "null"),
    ("'12'::text", '"12"'),
    ("'x'::char(3)", '"x  "'),
    ("1e10::float8", "1.0E10"),
    ("'NaN'::float8", "null"),
    ("0.1::real", "0.10000000149011612"),
    ("12.50::numeric(8,2)", "12.50"),
    ("0.0000001::numeric", "1E-7"),
    ("'NaN'::numeric", '"NaN"'),
    ("DATE '2016-06-10'", '"2016-06-10T00:00:00.000Z"'),
    ("TIMESTAMP '2016-01-07 10:10:34'", '"2016-01-07 10:10:34.0"'),
    ("TIMESTAMPTZ '2016-01-07 10:10:34.125+02'", '"2016-01-07 08:10:34.125"'),
    ("TIMESTAMP '0044-03-15 12:00:00 BC'", '"0044-03-15 12:00:00 BC"'),
    ("TIMESTAMP 'infinity'", '"infinity"'),
    ("TIME '10:10:34.5'", '"10:10:34"'),
    ("""'{"a": [1, 2.50]}'::jsonb""", '{"a":[1,2.50]}'),
    ("'123e4567-e89b-12d3-a456-426655440000'::uuid", '"123e4567-e89b-12d3-a456-426655440000"'),
    ("'{}'::int[]", "{}"),
    ("'true'::mood", '"true"'),
]
MYSQL_VALUES = [
    ("CAST(12 AS SIGNED)", "12"),
    ("CAST(18446744073709551615 AS UNSIGNED)", "18446744073709551615"),
    ("NULL", "null"),
    ("'12'", '"12"'),
    ("1e10", "1.0E10"),
    ("CAST(12.50 AS DECIMAL(8,2))", "12.50"),
    ("CAST(0.0000001 AS DECIMAL(10,7))", "1E-7"),
    ("DATE '2016-06-10'", '"2016-06-10T00:00:00.000Z"'),
    ("TIMESTAMP '2016-01-07 10:10:34'", '"2016-01-07T10:10:34"'),
    ("TIMESTAMP '2016-01-07 10:10:00'", '"2016-01-07T10:10"'),
    ("TIMESTAMP '2016-01-07 10:10:34.1250'", '"2016-01-07T10:10:34.125"'),
    ("TIME '10:10:34.5'", '"10:10:34"'),
    ("""JSON_EXTRACT('{"a": [1]}', '$')""", '"{\\"a\\": [1]}"'),
    ("CAST('12' AS BINARY)", "12"),
]


@pytest.mark.parametrize(("sql", "text"), POSTGRES_VALUES)
def test_values_of_postgres(postgres: int, sql: str, text: str) -> None:
    made = run(("postgresql", postgres), f"SELECT {sql} AS v")
    assert made.failures == []
    assert made.entities == [Entity(USER, f'{{"schema":"{USER}","data":{{"v":{text}}}}}')]


@pytest.mark.parametrize(("sql", "text"), MYSQL_VALUES)
def test_values_of_mysql(mariadb: int, sql: str, text: str) -> None:
    made = run(("mysql", mariadb), f"SELECT {sql} AS v")
    assert made.failures == []
    assert made.entities == [Entity(USER, f'{{"schema":"{USER}","data":{{"v":{text}}}}}')]


def test_columns_of_mysql(mariadb: int) -> None:
    import pymysql

    at = {"host": "127.0.0.1", "port": mariadb, "user": ADMIN, "password": ADMIN_PASSWORD, "database": "shop"}
    with pymysql.connect(autocommit=True, **at) as admin, admin.cursor() as cursor:
        cursor.execute("SET sql_mode = '', time_zone = '+02:00'")
        cursor.execute(
            "CREATE OR REPLACE TABLE kinds (yes TINYINT(1), tiny TINYINT, f FLOAT, y YEAR, b BIT(1), e ENUM('a','1'),"
            " t TIMESTAMP NULL, blobs BLOB, dec_ DECIMAL(6,3), zero DATE)"
        )
        cursor.execute(
            "INSERT INTO kinds VALUES (1, 2, 0.1, 2016, b'1', '1', '2016-01-07 10:10:34', '[1]', 1.5, '0000-00-00')"
        )
    made = run(("mysql", mariadb), "SELECT yes, tiny, f, y, b, e, t, blobs, dec_ FROM kinds")
    (row,) = rows(made)
    assert '"f":0.10000000149011612' in made.entities[0].json
    assert row | {"f": 0} == {
        "yes": True, "tiny": 2, "f": 0, "y": "2016-01-01T00:00:00.000Z", "b": True, "e": "1",
        "t": "2016-01-07 08:10:34.0", "blobs": [1], "dec_": 1.5,
    }  # fmt: skip
    assert error(run(("mysql", mariadb), "SELECT zero FROM kinds")) == "Zero date value prohibited"


def test_rows_as_entities(server: tuple[str, int]) -> None:
    sql = "SELECT id, user_name FROM users WHERE user_name = ? ORDER BY id"
    bob = draft(user_id="bob")
    assert rows(run(server, sql, "user_id", event=bob, json={"propertyNames": "PASCAL_CASE"})) == [
        {"Id": 2, "UserName": "bob"},
        {"Id": 4, "UserName": "bob"},
    ]
    every = run(server, sql, "user_id", event=draft(user_id="bob"), json={"describes": "ALL_ROWS"})
    assert rows(every) == [[{"id": 2, "user_name": "bob"}, {"id": 4, "user_name": "bob"}]]
    many = run(server, sql, "user_id", event=draft(user_id="bob"), expectedRows="AT_MOST_ONE")
    assert error(many) == "SQL Query Enrichment: at most one row was expected"
    ignored = run(server, sql, "user_id", event=draft(user_id="bob"), expectedRows="EXACTLY_ONE", ignoreOnError=True)
    assert (ignored.entities, ignored.failures) == ([], [])


# --- servers that fail ----------------------------------------------------------------------------------------------


def test_errors_of_the_server(server: tuple[str, int]) -> None:
    wrong = error(run(server, "SELECT nothing FROM users"))
    assert wrong == {
        "postgresql": 'ERROR: column "nothing" does not exist\n  Position: 8',
        "mysql": "Unknown column 'nothing' in 'SELECT'",
    }[server[0]].replace("'SELECT'", wrong.rpartition(" ")[2])
    refused = error(run(server, "SELECT 1", at={"password": "wr0ng-pa55"}))
    told = {
        "postgresql": 'FATAL: password authentication failed for user "etl"',
        "mysql": "Access denied for user 'etl'",
    }
    assert told[server[0]] in refused
    assert "wr0ng" not in refused
    assert "No results" in error(run(server, "SET @a = 1" if server[0] == "mysql" else "SET datestyle TO ISO")).replace(
        "Statement.executeQuery() cannot issue statements that do not produce result sets.", "No results"
    )


def test_an_error_leaves_the_connection_usable(server: tuple[str, int]) -> None:
    sql = "SELECT id, (SELECT id FROM users WHERE user_name = ?) AS other FROM users WHERE id = 1 AND user_name <> ?"
    with opened(conf(NAME, **given(*server, sql, inputs=twice("user_id")))) as step:
        made = [draft(user_id=name) for name in ("bob", "y")]
        for one in made:
            step(one)
    assert "more than one row" in error(made[0]) or "more than 1 row" in error(made[0])
    assert rows(made[1])[0]["id"] == 1


def test_nobody_listens() -> None:
    for kind, text in (("postgresql", "Connection refused"), ("mysql", "Connection refused")):
        assert text in error(run((kind, 1), "SELECT 1"))


def test_a_server_that_is_down_is_left_alone_for_a_while() -> None:
    with opened(conf(NAME, **given("postgresql", 1, "SELECT ?", "user_id"))) as step:
        made = [draft(user_id=str(number)) for number in range(7)]
        for one in made:
            step(one)
    assert ["No request was sent" in error(one) for one in made] == [False] * 5 + [True] * 2


def test_a_lost_connection_is_replaced(server: tuple[str, int]) -> None:
    kind, port = server
    with opened(conf(NAME, **given(*server, "SELECT ? AS v", "user_id"))) as step:
        before, after = draft(user_id="a"), draft(user_id="b")
        step(before)
        _end_sessions(kind, port)
        step(after)
    assert (rows(before), rows(after)) == ([{"v": "a"}], [{"v": "b"}])


def _end_sessions(kind: str, port: int) -> None:
    at = {"host": "127.0.0.1", "port": port, "user": ADMIN, "password": ADMIN_PASSWORD}
    if kind == "postgresql":
        with psycopg.connect(dbname="postgres", autocommit=True, **at) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'etl'")
            while admin.execute("SELECT 1 FROM pg_stat_activity WHERE usename = 'etl'").fetchone():
                admin.execute("SELECT pg_sleep(0.01)")
    else:
        import pymysql

        with pymysql.connect(**at) as admin, admin.cursor() as cursor:
            cursor.execute("KILL USER etl")


def test_slow_queries_end_in_time(server: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TIMEOUT_VARIABLE, "0.3")
    sleep = {"postgresql": "pg_sleep(60)", "mysql": "SLEEP(60)"}[server[0]]
    text = error(run(server, f"SELECT {sleep} AS v"))
    assert text.split("\n")[0] in (
        "ERROR: canceling statement due to statement timeout", "no answer within 0.3 seconds"
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_servers_that_say_nothing_or_nonsense(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sql_postgres", "sql_mysql"):
        monkeypatch.setattr(f"snowetl.enrich.enrichments.{module}.CONNECT_SECONDS", 2 if kind == "postgresql" else 0.3)
    with dripping(b"R" * 100, pause=0.1) as uri:
        assert error(run((kind, int(uri.rpartition(":")[2])), "SELECT 1"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert error(run((kind, silent.getsockname()[1]), "SELECT 1"))


def test_a_server_that_stops_in_the_middle(server: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TIMEOUT_VARIABLE, "0.5")
    with (
        _hanging(server[1]) as (port, hang),
        opened(conf(NAME, **given(server[0], port, "SELECT ? AS v", "user_id"))) as step,
    ):
        before, after = draft(user_id="a"), draft(user_id="b")
        step(before)
        hang.set()
        step(after)
    assert rows(before) == [{"v": "a"}]
    assert error(after) == "no answer within 0.5 seconds"


@contextmanager
def _hanging(port: int) -> Iterator[tuple[int, threading.Event]]:
    """A way to a server that passes nothing on any more once the event is set."""
    hang, over = threading.Event(), threading.Event()

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if hang.is_set():
                    over.wait()
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                behind = socket.create_connection(("127.0.0.1", port))
                for pair in ((client, behind), (behind, client)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listening.getsockname()[1], hang
        finally:
            over.set()


# --- cache, encryption, configuration -------------------------------------------------------------------------------


def test_equal_values_share_an_answer(postgres: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    ask = SqlQuery._ask
    monkeypatch.setattr(SqlQuery, "_ask", lambda self, values: (asked.append(values), ask(self, values))[1])
    now = [0.0]
    one = conf(NAME, **given("postgresql", postgres, "SELECT ? AS v", "user_id"))
    with opened(one, monotonic=lambda: now[0]) as step:
        for now[0], name in ((0.0, "a"), (60.0, "a"), (60.0, "1"), (61.0, "a")):
            step(draft(user_id=name))
    assert [values[0].value for values in asked] == ["a", "1", "a"]


def test_encryption_that_is_asked_for_is_not_done_without(server: tuple[str, int]) -> None:
    text = error(run(server, "SELECT 1", at={"sslMode": True}))
    assert "SSL" in text


def test_no_password_is_told(server: tuple[str, int]) -> None:
    one = conf(NAME, **given(*server, "SELECT 1"))
    assert PASSWORD not in repr(one)
    assert pickle.loads(pickle.dumps(one)) == one
    assert one.needs().secrets == (PASSWORD,)
    assert one.needs().network == (f"127.0.0.1:{server[1]}",)
    made = run(server, f"SELECT '{PASSWORD}' FROM nowhere WHERE '{PASSWORD}' = ")
    assert PASSWORD not in error(made)


def test_faults_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TIMEOUT_VARIABLE, "soon")
    broken = given("oracle", 1, "SELECT 1", inputs=[{"placeholder": 0}], json={"describes": "SOME_ROWS"})
    with pytest.raises(ConfigError) as refused:
        conf(NAME, **broken)
    for part in (
        "Placeholder must be greater than 1",
        "postgresql, mysql",
        "SOME_ROWS",
        f"{TIMEOUT_VARIABLE} is 'soon'",
    ):
        assert part in str(refused.value)


def test_another_number_of_inputs_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "snowetl"):
        conf(NAME, **given("postgresql", 1, "SELECT ?, '?'", "user_id", "app_id"))
    assert "the query has 1 placeholders, the inputs fill 2" in caplog.text


def test_time_grows_with_what_an_event_sends() -> None:
    source = {"field": "contexts", "schemaCriterion": "iglu:com.acme/x/jsonschema/1-*-*", "jsonPath": "$.a"}
    one = conf(NAME, **given("postgresql", 1, "SELECT ?, ?", inputs=[{"placeholder": 1, "json": source}]))
    with opened(one) as step:

        def prepare(size: int) -> Callable[[], None]:
            entity = '{"schema":"iglu:com.acme/x/jsonschema/1-0-0","data":{"a":"%s"}}' % ("1" * size)
            event = draft(contexts=f'{{"schema":"iglu:x","data":[{entity}]}}')
            return lambda: step(event)

        assert_linear(prepare, 20_000)
