"""Snowflake: the real driver against a stand-in on a loopback port (tests/load/snowflake_standin.py)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
import sqlglot

from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.load.engine import RunLoader
from snowetl.load.preflight import check_target
from snowetl.load.retries import Retries
from snowetl.load.run import read_run
from snowetl.load.target import Target
from snowetl.load.warehouses.snowflake.login import login_of
from snowetl.storage import filesystem
from tests.load.places.on_s3 import BUCKET
from tests.load.runs import Registry, schema
from tests.load.snowflake_standin import SnowflakeServer, snowflake_server
from tests.load.transformed import click, event, wide_run

CLICK = {"1-0-0": schema(url={"type": "string"}, n={"type": "integer"})}
COLUMN, ENTITIES = "unstruct_event_com_acme_click_1", "contexts_com_acme_click_1"


class Snow:
    """An empty Snowflake, and how a test loads into it and looks into it."""

    def __init__(self, server: SnowflakeServer, port: int, s3: dict[str, Any], folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.address = f"snowflake://loader@acme/DB?warehouse=W&host=127.0.0.1&port={port}&protocol=http"
        self._s3 = boto3.client("s3", **s3)

    def target(self, more: str = "", **settings: Any) -> Target:
        return Target(warehouse="snowflake", database=self.address + more, **settings)

    def run(self, lines: list[str], run: str = "run=2026-01-02-03-04-05", **more: Any) -> str:
        folder = self.folder / run
        return wide_run(folder, lines, run, transformation="widerow-json", click=CLICK, **more)

    def load(self, run: str, target: Target | None = None, bad: str | None = None, retries: int = 0) -> Any:
        with (target or self.target()).open() as warehouse:
            loader = RunLoader(warehouse, Registry(), retries=Retries(retries, backoff=0.01))
            return loader.load(read_run(run), filesystem(bad).list(bad) if bad else ())

    def put(self, run: str) -> str:
        """The run on S3."""
        base = Path(run)
        for path in sorted(base.rglob("*")):
            if path.is_file():
                key = f"{self.folder.name}/{base.name}/{path.relative_to(base)}"
                self._s3.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
        return f"s3://{BUCKET}/{self.folder.name}/{base.name}"

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Of the Postgres behind it."""
        with psycopg.connect(self.server.url) as connection:
            return connection.execute(sql).fetchall()  # type: ignore[call-overload, no-any-return]

    def count(self, table: str = "events") -> int:
        return int(self.query(f"SELECT count(*) FROM atomic.{table}")[0][0])


@pytest.fixture
def snow(database: str, aws: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Snow]:
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "secret")
    with snowflake_server(database, aws) as (server, port):
        yield Snow(server, port, aws, tmp_path)


def test_a_local_run_is_uploaded_and_copied(snow: Snow) -> None:
    lines = [click(1, url="x", n=5), event(2, page_title="a\tb".replace("\t", " "), tr_total="1.50", br_cookies="1")]
    report = snow.load(snow.run(lines))
    [events] = report.tables
    assert (events.rows, events.rejected, events.change) == (2, 0, "2 columns added")
    found = snow.query(
        f"SELECT {COLUMN}, {ENTITIES}, page_title, tr_total::text, br_cookies, collector_tstamp::text, "
        "load_tstamp::text FROM atomic.events ORDER BY event_id"
    )
    times = ("2026-01-02 03:04:05.678", "2026-01-02 03:04:05")
    entity = {"url": "x", "n": 5}
    assert found == [
        (entity, [entity, entity], None, None, None, *times),
        (None, None, "a b", "1.50", True, *times),
    ]
    assert any(statement.startswith("PUT 'file://") for statement in snow.server.statements)
    assert snow.server.implicit_commits == []


def test_entities_have_the_types_of_the_loader_of_snowplow(snow: Snow) -> None:
    snow.load(snow.run([click(1, url="x")]))
    types = dict(snow.query("SELECT lower(column_name), data_type FROM sf.columns WHERE table_name = 'EVENTS'"))
    assert types[COLUMN] == "OBJECT" and types[ENTITIES] == "ARRAY"
    assert types["collector_tstamp"] == types["load_tstamp"] == "TIMESTAMP_NTZ"


def test_no_statement_commits_what_stands_before_it(snow: Snow) -> None:
    """Of a load that fails anywhere, nothing is left but columns: DDL stands before the transaction."""
    snow.load(snow.run([event(1)]))
    bad = snow.folder / "bad.txt"
    bad.write_text("no json\n")
    run = snow.run([click(2, url="x")], "run=2026-01-03-00-00-00")
    for place in (
        "BEGIN TRANSACTION", "UPDATE atomic.loader_lock", "COPY INTO atomic.events", "INSERT INTO atomic.manifest",
        "INSERT INTO atomic.bad_rows", "UPDATE atomic.manifest SET bad_rows", "COMMIT",
    ):  # fmt: skip
        snow.server.fail_on = place
        with pytest.raises(LoadError) as caught:
            snow.load(run, bad=str(bad))
        assert caught.value.transient
        assert (snow.count(), snow.count("manifest"), snow.count("bad_rows")) == (1, 1, 0), place
    snow.server.fail_on = None
    assert snow.load(run, bad=str(bad)).outcome == "loaded"
    assert (snow.count(), snow.count("manifest"), snow.count("bad_rows")) == (2, 2, 1)
    assert snow.load(run, bad=str(bad)).outcome == "already loaded"
    assert snow.server.implicit_commits == []


def test_of_several_loaders_at_once_one_loads(snow: Snow) -> None:
    run = snow.run([event(number) for number in range(50)])
    with ThreadPoolExecutor(3) as pool:
        found = sorted(report.outcome for report in pool.map(lambda _: snow.load(run, retries=3), range(3)))
    assert found == ["already loaded", "already loaded", "loaded"]
    assert (snow.count(), snow.count("manifest")) == (50, 1)


# --- rows that do not fit -----------------------------------------------------------------------------------------


def change_row(run: str, number: int = 0, **changes: Any) -> None:
    """Change keys of a row of a run, as another transformer might have written it."""
    [part] = Path(run).glob("output=good/*.gz")
    lines = gzip.decompress(part.read_bytes()).decode().splitlines()
    lines[number] = json.dumps(json.loads(lines[number]) | changes)
    part.write_bytes(gzip.compress("\n".join([*lines, ""]).encode()))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tr_total": 1e20}, "tr_total is not of the type NUMBER(18, 2)"),
        ({"etl_tstamp": "some day"}, "etl_tstamp is not of the type TIMESTAMP_NTZ"),
        ({"txn_id": "many"}, "txn_id is not of the type NUMBER(38, 0)"),
        ({"br_cookies": "maybe"}, "br_cookies is not of the type BOOLEAN"),
        ({"geo_latitude": "north"}, "geo_latitude is not of the type DOUBLE"),
        ({"v_etl": None}, "v_etl is missing"),
        ({COLUMN: ["no", "object"]}, f"{COLUMN} is not of the type OBJECT"),
    ],
)
def test_a_row_that_does_not_fit_is_kept_aside(snow: Snow, changes: dict[str, Any], reason: str) -> None:
    run = snow.run([click(1, url="x"), click(2, url="y")])
    change_row(run, **changes)
    [events] = snow.load(run).tables
    assert (events.rows, events.rejected) == (1, 1)
    [(found, line, table)] = snow.query("SELECT reason, line, table_name FROM atomic.rejected_rows")
    assert (found, table) == (reason, "events") and json.loads(line)["event_id"].endswith("1")
    assert snow.query(f"SELECT {COLUMN} ->> 'url' FROM atomic.events") == [("y",)]


def test_a_line_that_is_not_json_is_kept_aside(snow: Snow) -> None:
    run = snow.run([event(1), event(2)])
    [part] = Path(run).glob("output=good/*.gz")
    first, second, _ = gzip.decompress(part.read_bytes()).split(b"\n")
    part.write_bytes(gzip.compress(first + b"\n" + second[:50] + b"\n"))
    [events] = snow.load(run).tables
    assert (events.rows, events.rejected) == (1, 1)
    assert snow.query("SELECT reason FROM atomic.rejected_rows") == [("the line is not a JSON object",)]


def test_a_longer_text_is_cut_to_its_column(snow: Snow) -> None:
    run = snow.run([event(1), event(2)])
    change_row(run, app_id="x" * 300)
    assert snow.load(run).tables[0].rejected == 0
    assert snow.query("SELECT max(length(app_id)) FROM atomic.events") == [(255,)]
    again = snow.run([event(1), event(2)], "run=2026-01-03-00-00-00")
    change_row(again, app_id="y" * 300)
    change_row(again, 1, tr_total=1e20)  # so that the lines are taken apart
    assert snow.load(again).tables[0].rejected == 1
    assert snow.query("SELECT max(app_id) FROM atomic.events") == [("y" * 255,)]


def test_rejected_rows_are_loaded_when_they_fit(snow: Snow) -> None:
    run = snow.run([click(1, url="x"), click(2, url="y")])
    change_row(run, v_etl=None)
    snow.load(run)
    with snow.target().open() as warehouse:
        loader = RunLoader(warehouse, Registry())
        [report] = loader.retry_rejected()
        assert (report.tables[0].rows, report.tables[0].rejected) == (0, 1)
        with psycopg.connect(snow.server.url) as connection:
            connection.execute("ALTER TABLE atomic.events ALTER v_etl DROP NOT NULL")
        [report] = loader.retry_rejected()
        assert (report.tables[0].rows, report.tables[0].rejected) == (1, 0)
        assert loader.retry_rejected() == []
    assert snow.query(f"SELECT {COLUMN} ->> 'url', load_tstamp::text FROM atomic.events ORDER BY 1") == [
        ("x", "2026-01-02 03:04:05"),
        ("y", "2026-01-02 03:04:05"),
    ]
    assert snow.server.implicit_commits == []


# --- where the rows are -------------------------------------------------------------------------------------------


def test_rows_on_s3_are_read_by_an_integration(snow: Snow) -> None:
    report = snow.load(snow.put(snow.run([event(1)])), snow.target("&integration=SNOWPLOW"))
    assert report.rows == 1
    [stage] = [statement for statement in snow.server.statements if "STAGE" in statement]
    assert stage.endswith("/output=good/' STORAGE_INTEGRATION = SNOWPLOW") and "CREDENTIALS" not in stage


def test_rows_on_s3_are_read_by_keys_of_a_role(snow: Snow) -> None:
    target = snow.target(assume_role_arn="arn:aws:iam::123456789012:role/loader")
    run = snow.put(snow.run([event(1)]))
    with target.open() as warehouse:
        plan = RunLoader(warehouse, Registry()).plan(read_run(run))
        assert plan is not None
        shown = [statement.sql for statement in plan.statements(warehouse)]
    assert any("CREDENTIALS = (AWS_KEY_ID = '…' AWS_SECRET_KEY = '…' AWS_TOKEN = '…')" in sql for sql in shown)
    assert snow.load(run, target).rows == 1
    [stage] = [statement for statement in snow.server.statements if "CREDENTIALS" in statement]
    assert "…" not in stage


def test_rows_on_s3_are_read_by_a_stage_there_is(snow: Snow) -> None:
    snow.server.external["UTIL.PUBLIC.SNOWPLOW"] = f"s3://{BUCKET}/{snow.folder.name}/"
    run = snow.put(snow.run([event(1)]))
    assert snow.load(run, snow.target("&stage=UTIL.PUBLIC.SNOWPLOW")).rows == 1
    assert not any(statement.startswith("CREATE OR REPLACE") for statement in snow.server.statements)
    snow.server.external["UTIL.PUBLIC.SNOWPLOW"] = "s3://elsewhere/"
    other = snow.put(snow.run([event(2)], "run=2026-01-03-00-00-00"))
    with pytest.raises(LoadError, match=r"UTIL.PUBLIC.SNOWPLOW is s3://elsewhere/, which s3://.* is not below"):
        snow.load(other, snow.target("&stage=UTIL.PUBLIC.SNOWPLOW"))


def test_rows_on_s3_need_a_way_to_be_read(snow: Snow) -> None:
    with pytest.raises(ConfigError, match=r"&stage=NAME.*&integration=NAME.*--assume-role-arn"):
        snow.load(snow.put(snow.run([event(1)])))


# --- tables of others ---------------------------------------------------------------------------------------------


def test_tables_of_rdb_loader_are_taken_as_they_are(snow: Snow) -> None:
    """Its manifest lacks two columns, its events have narrower texts and no time of the load."""
    snow.load(snow.run([event(1)]))
    with psycopg.connect(snow.server.url) as connection:
        connection.execute("ALTER TABLE atomic.manifest DROP run_identity, DROP bad_rows")
        connection.execute("ALTER TABLE atomic.events DROP load_tstamp, ALTER page_url TYPE varchar(4096)")
        connection.execute("DROP TABLE atomic.loader_lock")
    report = snow.load(snow.run([event(2)], "run=2026-01-03-00-00-00"))
    assert report.tables[0].change == "load_tstamp added, page_url widened"
    assert snow.query("SELECT load_tstamp::text FROM atomic.events") == [("2026-01-03 00:00:00",)] * 2
    assert snow.load(snow.run([event(3)], "run=2026-01-04-00-00-00")).tables[0].change is None


def test_failed_events_have_a_table_of_their_own(snow: Snow) -> None:
    report = snow.load(snow.run([click(1, url="f")], failed=True))
    assert [(table.table, table.rows, table.change) for table in report.tables] == [
        ("atomic.failed_events", 1, "created")
    ]
    assert snow.query(f"SELECT {COLUMN} ->> 'url' FROM atomic.failed_events") == [("f",)]
    assert snow.count() == 0 and snow.server.implicit_commits == []


def test_bad_rows_become_a_table(snow: Snow) -> None:
    bad = snow.folder / "bad.txt"
    bad.write_text(
        "no json\n"
        '{"schema":"iglu:com.snowplowanalytics.snowplow.badrows/generic_error/jsonschema/1-0-0","data":{"processor":'
        '{"artifact":"a","version":"1"},"failure":{"timestamp":"2026-01-02T03:04:05.678Z","errors":["x"]},'
        '"payload":"p"}}\n'
    )
    run = snow.run([event(1)])
    snow.load(run)
    report = snow.load(run, bad=str(bad))
    assert report.outcome == "already loaded" and [table.rows for table in report.tables] == [2]
    assert snow.load(run, bad=str(bad)).tables == []
    found = snow.query(
        "SELECT type, failure_tstamp::text, processor, failure #>> '{errors,0}', payload #>> '{}' "
        "FROM atomic.bad_rows ORDER BY type"
    )
    assert found == [
        ("generic_error", "2026-01-02 03:04:05.678", "a 1", "x", "p"),
        ("unreadable", None, None, None, "no json"),
    ]


# --- dry run, look before the work --------------------------------------------------------------------------------


def test_a_dry_run_prints_statements_of_snowflake(snow: Snow) -> None:
    with snow.target().open() as warehouse:
        plan = RunLoader(warehouse, Registry()).plan(read_run(snow.run([click(1, url="x")])))
        assert plan is not None
        statements = [statement.sql for statement in plan.statements(warehouse)]
    for statement in statements:
        sqlglot.parse_one(statement, read="snowflake", error_level=sqlglot.ErrorLevel.RAISE)
    kinds = [" ".join(statement.split()[:2]) for statement in statements]
    assert kinds == [
        "CREATE SCHEMA", *["CREATE TABLE"] * 5, "ALTER TABLE", "ALTER TABLE", "CREATE OR", *kinds[9:10], "COPY INTO",
    ]  # fmt: skip
    assert kinds[9].startswith("PUT 'file://") and f"$1:{COLUMN}::OBJECT" in statements[-1]
    assert snow.query("SELECT 1 FROM pg_namespace WHERE nspname = 'atomic'") == []


def test_a_target_is_looked_at_before_the_work(snow: Snow, monkeypatch: pytest.MonkeyPatch) -> None:
    check_target(snow.target())
    with pytest.raises(TargetError, match="no virtual warehouse is in use"):
        check_target(Target(warehouse="snowflake", database=snow.address.replace("warehouse=W&", "")))
    with pytest.raises(TargetError, match="UTIL.NONE.*does not exist or not authorized"):
        check_target(snow.target("&stage=UTIL.NONE"))
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "wrong")
    with pytest.raises(TargetError, match="Incorrect username or password") as caught:
        check_target(snow.target())
    assert "wrong" not in str(caught.value)


# --- logins -------------------------------------------------------------------------------------------------------


def key_file(folder: Path, passphrase: bytes | None) -> Path:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    how = serialization.NoEncryption() if passphrase is None else serialization.BestAvailableEncryption(passphrase)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = folder / "key.p8"
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how))
    return path


@pytest.mark.parametrize("passphrase", [None, b"open sesame"])
def test_a_key_pair_logs_in(snow: Snow, monkeypatch: pytest.MonkeyPatch, passphrase: bytes | None) -> None:
    monkeypatch.delenv("SNOWFLAKE_PASSWORD")
    monkeypatch.setenv("SNOWFLAKE_PRIVATE_KEY_FILE", str(key_file(snow.folder, passphrase)))
    if passphrase:
        monkeypatch.setenv("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", passphrase.decode())
    check_target(snow.target())
    login = snow.server.logins[-1]
    assert login["AUTHENTICATOR"] == "SNOWFLAKE_JWT" and login["TOKEN"].count(".") == 2 and "PASSWORD" not in login
    assert login["SESSION_PARAMETERS"]["TIMEZONE"] == "UTC"


def test_an_oauth_token_logs_in(snow: Snow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNOWFLAKE_PASSWORD")
    monkeypatch.setenv("SNOWFLAKE_TOKEN", "t0ken")
    check_target(snow.target())
    assert (snow.server.logins[-1]["AUTHENTICATOR"], snow.server.logins[-1]["TOKEN"]) == ("OAUTH", "t0ken")


@pytest.mark.parametrize(
    ("url", "environment", "told"),
    [
        ("snowflake://ACCOUNT/DB", {}, "needs --database snowflake://USER@ACCOUNT/DATABASE"),
        ("snowflake://u@acme/DB", {}, "there is no login to Snowflake: set one of SNOWFLAKE_PRIVATE_KEY_FILE"),
        ("snowflake://u@acme/DB", {"SNOWFLAKE_TOKEN": "a", "SNOWFLAKE_PASSWORD": "b"}, "are several ways to log in"),
        ("snowflake://u:p@acme/DB?private_key_file=k", {}, "two ways to log in"),
        ("snowflake://u@acme/DB?private_key_file=no.p8", {}, r"the private key no.p8 is not there \(looked for in"),
        ("snowflake://u:p@acme/DB?wharehouse=W", {}, "wharehouse is not known; behind . may stand warehouse"),
        ("snowflake://u:p@acme/DB?warehouse=W;DROP", {}, "is not a name of Snowflake's"),
        ("snowflake://u:p@acme/DB?stage=a.b&integration=c", {}, "stage= and integration= are two ways"),
    ],
)
def test_what_is_wrong_with_an_address_is_told(url: str, environment: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        login_of(url, environment)


def test_dbt_gets_the_same_login(tmp_path: Path) -> None:
    key = key_file(tmp_path, None)
    with Target(
        warehouse="snowflake", database=f"snowflake://u@acme/DB?warehouse=W&role=R&private_key_file={key}"
    ).open() as warehouse:
        assert warehouse.dbt_output() == {
            "type": "snowflake", "account": "acme", "user": "u", "database": "DB", "warehouse": "W", "role": "R",
            "private_key_path": str(key),
        }  # fmt: skip
