"""Databricks without Spark: addresses, logins, the client's requests, types and statements."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlglot

from snowetl.ddl import databricks as ddl
from snowetl.ddl.tables import Held
from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.load.manifest import row_of
from snowetl.load.plan import ATOMIC_KEY, Copy
from snowetl.load.rows import PARQUET
from snowetl.load.run import read_run
from snowetl.load.target import Target
from snowetl.load.warehouse import AddedColumn, Tables
from snowetl.load.warehouses.databricks import DatabricksWarehouse, rows
from snowetl.load.warehouses.databricks.client import Client, DatabricksError, address_of
from snowetl.load.warehouses.databricks.session import DatabricksSession
from tests.load.runs import schema
from tests.load.transformed import click, event, wide_run

ENVIRONMENT = {"DATABRICKS_TOKEN": "dapi"}
INNER = pa.struct([("a", pa.int64()), ("b", pa.list_(pa.field("element", pa.struct([("c", pa.bool_())]))))])


# --- types --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "printed"),
    [
        (pa.string(), "STRING"),
        (pa.int32(), "INT"),
        (pa.int64(), "BIGINT"),
        (pa.float64(), "DOUBLE"),
        (pa.bool_(), "BOOLEAN"),
        (pa.date32(), "DATE"),
        (pa.timestamp("us", "UTC"), "TIMESTAMP"),
        (pa.decimal128(18, 2), "DECIMAL(18, 2)"),
        (pa.list_(pa.field("element", pa.string())), "ARRAY<STRING>"),
        (INNER, "STRUCT<`a`: BIGINT, `b`: ARRAY<STRUCT<`c`: BOOLEAN>>>"),
    ],
)
def test_types_there_and_back(type_: pa.DataType, printed: str) -> None:
    assert ddl.sql_type(type_) == printed
    assert ddl.arrow_type(printed) == type_


@pytest.mark.parametrize(
    ("printed", "type_"),
    [
        ("struct<a:bigint,b:array<struct<c:boolean>>>", INNER),
        ("STRUCT<a: BIGINT NOT NULL COMMENT 'x, y>', `b`: ARRAY<STRUCT<c: BOOLEAN>>>", INNER),
        ("VARCHAR(255)", pa.string()),
        ("SMALLINT", pa.int32()),
        ("TIMESTAMP_NTZ", pa.timestamp("us", "UTC")),
        ("MAP<STRING, INT>", pa.string()),
    ],
)
def test_types_of_tables_of_others(printed: str, type_: pa.DataType) -> None:
    assert ddl.arrow_type(printed) == type_


def test_values_get_the_fields_their_column_has() -> None:
    table = pa.struct([("b", pa.list_(pa.struct([("d", pa.string()), ("c", pa.bool_())]))), ("a", pa.int64())])
    sql = ddl.converted("`x`", INNER, table)
    sqlglot.parse_one(f"SELECT {sql}", read="databricks", error_level=sqlglot.ErrorLevel.RAISE)
    assert sql == (
        "CASE WHEN `x` IS NULL THEN NULL ELSE NAMED_STRUCT('b', TRANSFORM(`x`.`b`, x0 -> CASE WHEN x0 IS NULL "
        "THEN NULL ELSE NAMED_STRUCT('d', CAST(NULL AS STRING), 'c', x0.`c`) END), 'a', `x`.`a`) END"
    )
    assert ddl.converted("`x`", INNER, INNER) == "`x`"


# --- statements ---------------------------------------------------------------------------------------------------


def parsed(sql: str) -> sqlglot.exp.Expression:
    return sqlglot.parse_one(sql, read="databricks", error_level=sqlglot.ErrorLevel.RAISE)


def test_every_statement_is_databricks(tmp_path: Path) -> None:
    run = read_run(wide_run(tmp_path, [click(1, url="it's")], click={"1-0-0": schema(url={"type": "string"})}))
    warehouse = DatabricksWarehouse(address=address_of("databricks://h/main?warehouse=w", ENVIRONMENT))
    made = [statement.sql for statement in warehouse.set_up(Tables())]
    assert [" ".join(sql.split()[:2]) for sql in made] == ["CREATE SCHEMA", *["CREATE TABLE"] * 3]
    old = {"events": {"event_id": Held("STRING", True)}, "manifest": {"base": Held("STRING", True)}}
    made += [statement.sql for statement in warehouse.set_up(Tables(dict.fromkeys(old), old, True))]
    added = [AddedColumn(("contexts_x_1",), INNER), AddedColumn(("contexts_x_1", "element", "d"), pa.string())]
    made += [statement.sql for statement in warehouse.add_columns("events", added, {})]
    made.append(rows.select_manifest("atomic", run))
    made.append(rows.merge_manifest("atomic", row_of(run), 3))
    made.append(rows.merge_bad_rows("atomic", "it's", ["s3://b/bad/", "s3://b/x`y.txt"]))
    for sql in made:
        parsed(sql)


def test_a_run_is_merged_by_event_and_time_of_the_run(tmp_path: Path) -> None:
    run = read_run(wide_run(tmp_path, [event(1)]))
    [folder] = run.row_folders()
    copy = Copy("events", ATOMIC_KEY, ("event_id", "", "app_id"), PARQUET, folder, 3, load_tstamp=run.load_tstamp,
                named=("event_id", "left_out", "app_id"))  # fmt: skip
    held = {"app_id": Held("VARCHAR(255)", False)}
    sql = rows.merge_events("atomic", copy, run, "s3://b/output=good/", {}, {}, held)
    merge = parsed(sql)
    assert isinstance(merge, sqlglot.exp.Merge)
    assert "FROM parquet.`s3://b/output=good/`" in sql and "LEFT(`app_id`, 255) AS `app_id`" in sql
    assert "left_out" not in sql and "WHEN MATCHED" not in sql
    assert "t.load_tstamp = TIMESTAMP '2026-01-02 03:04:05Z'" in sql
    assert "t.collector_tstamp_date BETWEEN DATE '2026-01-01' AND DATE '2026-01-03'" in sql


# --- addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "environment", "told"),
    [
        ("databricks://h/main", ENVIRONMENT, "needs --database databricks://HOST/CATALOG"),
        (
            "databricks://h/main?warehouse=w",
            {},
            "set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SEC",
        ),
        ("databricks://h/main?warehouse=w", {**ENVIRONMENT, "DATABRICKS_CLIENT_ID": "c"}, "are two ways to log in"),
        ("databricks://h/main?warehouse=w&volume=/tmp/x", ENVIRONMENT, "is not a volume such as /Volumes/"),
        ("databricks://h/main?wharehouse=w", ENVIRONMENT, "wharehouse is not known"),
    ],
)
def test_what_is_wrong_with_an_address_is_told(url: str, environment: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        address_of(url, environment)


def test_a_local_run_needs_a_volume(tmp_path: Path) -> None:
    run = read_run(wide_run(tmp_path, [click(1, url="x")], click={"1-0-0": schema(url={"type": "string"})}))
    session = DatabricksSession(None, "atomic", None, 0, 0)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="&volume=/Volumes/CATALOG/SCHEMA/VOLUME"):
        session.stage(run, run.row_folders(), [])


# --- requests -----------------------------------------------------------------------------------------------------


class Server:
    """Answers requests in order; ``asked`` is what came."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, str, str, Any]] = []


@pytest.fixture
def server() -> Iterator[tuple[Server, str]]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            document = json.loads(body) if body[:1] == b"{" else body.decode()
            state.asked.append((self.command, self.path, self.headers.get("Authorization", ""), document))
            status, answer = state.answers.pop(0)
            out = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield state, f"databricks://127.0.0.1:{http.server_port}/main?warehouse=w&protocol=http"
    http.shutdown()
    http.server_close()


def client(url: str, environment: dict[str, str] | None = None) -> Client:
    return Client(address_of(url, environment or ENVIRONMENT), sleep=lambda seconds: None)


def succeeded(rows: list[list[str | None]], **more: Any) -> tuple[int, Any]:
    columns = [{"name": "n", "type_text": "INT"}]
    return 200, {"statement_id": "s1", "status": {"state": "SUCCEEDED"}, "manifest": {"schema": {"columns": columns}},
                 "result": {"data_array": rows, **more}}  # fmt: skip


def test_a_statement_is_asked_for_until_it_is_done(server: tuple[Server, str]) -> None:
    state, url = server
    state.answers = [
        (200, {"statement_id": "s1", "status": {"state": "PENDING"}}),
        (200, {"statement_id": "s1", "status": {"state": "RUNNING"}}),
        succeeded([["1"]], next_chunk_internal_link="/api/2.0/sql/statements/s1/result/chunks/1"),
        (200, {"data_array": [["2"], [None]]}),
    ]
    found = client(url).run("SELECT n", 60)
    assert (found.columns, found.rows) == ([("n", "INT")], [["1"], ["2"], [None]])
    first = state.asked[0]
    assert first[:3] == ("POST", "/api/2.0/sql/statements", "Bearer dapi")
    assert (first[3]["warehouse_id"], first[3]["catalog"], first[3]["statement"]) == ("w", "main", "SELECT n")
    assert [asked[1] for asked in state.asked[1:]] == [
        "/api/2.0/sql/statements/s1", "/api/2.0/sql/statements/s1", "/api/2.0/sql/statements/s1/result/chunks/1",
    ]  # fmt: skip


def test_a_statement_that_takes_too_long_is_cancelled(server: tuple[Server, str]) -> None:
    state, url = server
    running = (200, {"statement_id": "s1", "status": {"state": "RUNNING"}})
    state.answers = [running, (200, {})]
    with pytest.raises(LoadError, match="took longer than") as caught:
        client(url).run("SELECT n", 1e-9)
    assert caught.value.transient and state.asked[-1][:2] == ("POST", "/api/2.0/sql/statements/s1/cancel")


@pytest.mark.parametrize(
    ("message", "state_", "passing"),
    [
        ("[TABLE_OR_VIEW_NOT_FOUND] x. SQLSTATE: 42P01", "42P01", False),
        ("[DELTA_CONCURRENT_APPEND] ConcurrentAppendException. SQLSTATE: 2D521", "2D521", True),
        ("io.delta.exceptions.ConcurrentAppendException: Files were added", "", True),
    ],
)
def test_why_a_statement_failed(server: tuple[Server, str], message: str, state_: str, passing: bool) -> None:
    state, url = server
    error = {"error_code": "BAD_REQUEST", "message": message}
    state.answers = [(200, {"statement_id": "s1", "status": {"state": "FAILED", "error": error}})]
    with pytest.raises(DatabricksError) as caught:
        client(url).run("SELECT n", 60)
    assert (caught.value.state, caught.value.passing) == (state_, passing)


@pytest.mark.parametrize(("status", "transient"), [(401, False), (403, False), (404, False), (429, True), (503, True)])
def test_a_server_that_refuses(server: tuple[Server, str], status: int, transient: bool) -> None:
    state, url = server
    state.answers = [(status, {"error_code": "X", "message": "no"})] * 4
    with pytest.raises(TargetError, match=f"answers {status}: X no") as caught:
        client(url).run("SELECT n", 60)
    assert caught.value.transient is transient and len(state.asked) == 1  # a statement is sent once
    assert "dapi" not in str(caught.value)


def test_a_service_principal_logs_in(server: tuple[Server, str]) -> None:
    state, url = server
    environment = {"DATABRICKS_CLIENT_ID": "c", "DATABRICKS_CLIENT_SECRET": "s3cret"}
    lent = client(url, environment)
    state.answers = [(200, {"access_token": "t1", "expires_in": 3600}), succeeded([]), succeeded([])]
    lent.run("SELECT n", 60)
    lent.run("SELECT n", 60)
    assert [asked[1:3] for asked in state.asked] == [
        ("/oidc/v1/token", "Basic YzpzM2NyZXQ="),
        ("/api/2.0/sql/statements", "Bearer t1"),
        ("/api/2.0/sql/statements", "Bearer t1"),
    ]
    state.answers = [(401, {"error": "invalid_client"})]
    with pytest.raises(TargetError, match="lends no token to the client of DATABRICKS_CLIENT_ID") as caught:
        client(url, environment).run("SELECT n", 60)
    assert "s3cret" not in str(caught.value)


def test_dbt_gets_the_same_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi")
    with Target(warehouse="databricks", database="databricks://h/main?warehouse=w").open() as warehouse:
        assert warehouse.dbt_output() == {
            "type": "databricks", "catalog": "main", "host": "h", "http_path": "/sql/1.0/warehouses/w", "token": "dapi",
        }  # fmt: skip
