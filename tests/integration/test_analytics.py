"""The sample logs, asked in many ways: SQL on PostgreSQL, on ``read_enriched``, on DuckDB and lakes, by Spark, and the
models of ``examples/``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
import sqlglot

import snowetl
from snowetl.analytics.enriched import Enriched
from snowetl.ddl.atomic import EVENT_COLUMNS
from snowetl.load.embedded import embedded_postgres
from snowetl.load.target import Target
from tests.integration.support import ROOT
from tests.load.places.read_back import table_of
from tests.spark_shell import SparkShell, iceberg, spark_shell

duckdb = pytest.importorskip("duckdb")

MODELS = ROOT / "examples" / "models"
WEB_PAGE, TIMING = "com_snowplowanalytics_snowplow_web_page_1", "org_w3_performance_timing_1"


Ask = Callable[[str], list[tuple[Any, ...]]]


class Demo(NamedTuple):
    """The warehouse of the sample logs, and the folder of the runs it was loaded by."""

    connection: psycopg.Connection[Any]
    events: Enriched
    folder: Path

    def postgres(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def arrow(self, sql: str) -> list[tuple[Any, ...]]:
        return _in_duckdb(self.events.to_arrow(), sql)


def _in_duckdb(events: Any, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("events", events)
        found: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
    return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Duplicates stay, so that there is a row for each enriched event."""
    folder = tmp_path_factory.mktemp("demo")
    folder.chmod(0o755)
    resolver = str(ROOT / "fixtures" / "resolver.json")
    for number, name in enumerate(("cloudfront", "thrift")):
        report = snowetl.run(
            input_folder=str(ROOT / "fixtures" / "logs" / name),
            input_format=name,
            enrichments=str(ROOT / "fixtures" / "enrichments"),
            iglu_config=resolver,
            output_folder=str(folder),
            run_id=f"2026-03-05-00-00-0{number}",
            natural=False,
            synthetic="NONE",
            models=MODELS,
            master="none",
        )
        assert report is not None
    with embedded_postgres(folder / "warehouse") as url, psycopg.connect(url, autocommit=True) as connection:
        yield Demo(connection, snowetl.read_enriched(folder / "enriched", iglu_config=resolver), folder)


@pytest.fixture(scope="module")
def wide(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same events as wide rows in Parquet, and in a warehouse of each kind that loads them, as folders."""
    folder = tmp_path_factory.mktemp("wide")
    resolver = str(ROOT / "fixtures" / "resolver.json")
    snowetl.transform(
        input_folder=str(demo.folder / "enriched"),
        output_folder=str(folder / "parquet"),
        iglu_config=resolver,
        transformation="widerow-parquet",
        natural=False,
        synthetic="NONE",
        master="none",
    )
    for kind in TARGETS:
        snowetl.load(
            input_folder=str(folder / "parquet"), iglu_config=resolver, warehouse=kind, database=_address(folder, kind)
        )
    return folder


TARGETS = ("duckdb", "delta", "iceberg")
READERS = ("read_enriched", "parquet", *TARGETS)
IN_SPARK = ("parquet", "delta", "iceberg")


def _address(folder: Path, kind: str) -> str:
    return f"duckdb://{folder}/x.duckdb" if kind == "duckdb" else str(folder / kind)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkShell]:
    with spark_shell(tmp_path_factory.mktemp("spark")) as found:
        yield found


@pytest.fixture(params=[*READERS, *(pytest.param(f"{name}, Spark", marks=pytest.mark.spark) for name in IN_SPARK)])
def ask(request: pytest.FixtureRequest, demo: Demo) -> Ask:
    """Answers SQL of DuckDB about ``events``, from each place where they are."""
    kind, _, spark = request.param.partition(", ")
    if kind == "read_enriched":
        return demo.arrow
    folder: Path = request.getfixturevalue("wide")
    if spark:
        return _by_spark(request.getfixturevalue("shell"), kind, folder)
    if kind == "parquet":
        files = [str(path) for path in folder.glob("parquet/*/output=good/*.parquet")]
        with duckdb.connect() as connection:
            sql = "SELECT * FROM read_parquet(?, union_by_name = true, hive_partitioning = false)"
            events = connection.execute(sql, [files]).to_arrow_table()
    else:
        events = table_of(Target(warehouse=kind, database=_address(folder, kind)), "events")
    return lambda sql: _in_duckdb(events, sql)


def _by_spark(shell: SparkShell, kind: str, folder: Path) -> Ask:
    settings = iceberg(str(folder / "iceberg")) if kind == "iceberg" else {"spark.sql.ansi.enabled": "true"}
    name = {"delta": f"delta.`{folder}/delta/atomic/events`", "iceberg": "snowetl.atomic.events", "parquet": "wide"}[
        kind
    ]
    if kind == "parquet":
        files = f"path '{folder}/parquet/*/output=good/*.parquet', mergeSchema 'true'"
        shell.sql(f"CREATE OR REPLACE GLOBAL TEMPORARY VIEW wide USING parquet OPTIONS ({files})", settings)

    def ask(sql: str) -> list[tuple[Any, ...]]:
        spark = sqlglot.transpile(sql.replace("FROM events", "FROM the_events"), read="duckdb", write="spark")[0]
        return shell.sql(spark.replace("the_events", name), settings)

    return ask


# --- the same answers -----------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Values of both databases in one form."""
    if isinstance(value, (Decimal, float)):
        return None if math.isnan(value) else round(float(value), 6)
    if hasattr(value, "tzinfo"):
        return value.replace(tzinfo=None)
    return value if isinstance(value, (int, str, type(None))) else str(value)


def same(left: list[tuple[Any, ...]], right: list[tuple[Any, ...]]) -> None:
    assert left
    assert [tuple(map(plain, row)) for row in left] == [tuple(map(plain, row)) for row in right]


def test_every_column_of_every_event_is_the_same(demo: Demo, ask: Ask) -> None:
    columns = ", ".join(EVENT_COLUMNS)
    casts = ", ".join(f"CAST({name} AS text)" if name == "event_id" else name for name in EVENT_COLUMNS)
    order = "ORDER BY event_id, collector_tstamp, event_fingerprint, dvce_created_tstamp"
    there = demo.postgres(f"SELECT {casts} FROM atomic.events {order}")
    here = ask(f"SELECT {columns} FROM events {order}")
    assert len(there) == len(here) > 4000
    by_value = [sorted((tuple(map(plain, _trimmed(row))) for row in rows), key=repr) for rows in (there, here)]
    assert by_value[0] == by_value[1]


def _trimmed(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """CHAR columns of PostgreSQL are filled up with blanks."""
    return tuple(value.rstrip(" ") if isinstance(value, str) else value for value in row)


def test_sessions_a_day(demo: Demo, ask: Ask) -> None:
    sql = """
        SELECT CAST(derived_tstamp AS date) AS day, count(DISTINCT domain_sessionid), count(DISTINCT domain_userid),
               count(*) FILTER (WHERE event_name = 'page_view'), count(DISTINCT tr_orderid), sum(tr_total)
        FROM {} WHERE platform = 'web' GROUP BY 1 ORDER BY 1
    """
    same(demo.postgres(sql.format("atomic.events")), ask(sql.format("events")))


def test_pages_with_what_their_entities_say(demo: Demo, ask: Ask) -> None:
    there = demo.postgres(f"""
        SELECT e.page_urlpath, count(DISTINCT w.id), count(t.root_id), sum(t.load_event_end - t.navigation_start)
        FROM atomic.events e
        JOIN atomic.{WEB_PAGE} w ON w.root_id = e.event_id AND w.root_tstamp = e.collector_tstamp
        LEFT JOIN atomic.{TIMING} t ON t.root_id = e.event_id AND t.root_tstamp = e.collector_tstamp
          AND t.load_event_end > t.navigation_start
        WHERE e.event_name = 'page_view'
        GROUP BY 1 ORDER BY 1
    """)
    here = ask(f"""
        SELECT page_urlpath, count(DISTINCT contexts_{WEB_PAGE}[1].id),
               count(*) FILTER (WHERE took > 0), sum(took) FILTER (WHERE took > 0)
        FROM (SELECT *, contexts_{TIMING}[1].load_event_end - contexts_{TIMING}[1].navigation_start AS took FROM events)
        WHERE event_name = 'page_view' AND array_length(contexts_{WEB_PAGE}) > 0
        GROUP BY 1 ORDER BY 1
    """)
    same(there, here)


def test_every_entity_is_there_as_often(demo: Demo, ask: Ask) -> None:
    tables = [name for (name,) in demo.postgres(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'atomic' AND column_name = 'root_id'"
    ) if name != "rejected_values"]  # fmt: skip
    names = demo.events.schema.names
    assert len(tables) > 10
    expected, columns = [], []
    for table in tables:
        expected += demo.postgres(f"SELECT count(*) FROM atomic.{table}")[0]
        found = [name for name in (f"contexts_{table}", f"unstruct_event_{table}") if name in names]
        counted = [
            f"coalesce(sum(array_length({name})), 0)" if name.startswith("c") else f"count({name})" for name in found
        ]
        columns.append(f"{' + '.join(counted)} AS {table}")
    [counts] = ask(f"SELECT {', '.join(columns)} FROM events")
    assert dict(zip(tables, counts, strict=True)) == dict(zip(tables, expected, strict=True))


# --- examples/models ------------------------------------------------------------------------------------------------


def test_sessions_of_the_models(demo: Demo) -> None:
    expected = demo.arrow("""
        SELECT domain_sessionid, count(*), count(*) FILTER (WHERE event = 'page_view'),
               min(coalesce(derived_tstamp, collector_tstamp)), max(coalesce(derived_tstamp, collector_tstamp)),
               count(DISTINCT tr_orderid)
        FROM events WHERE domain_sessionid IS NOT NULL GROUP BY 1 ORDER BY 1
    """)
    found = demo.postgres("""
        SELECT domain_sessionid, events, page_views, started, ended, transactions FROM derived.sessions
        ORDER BY domain_sessionid COLLATE "C"
    """)
    same([_trimmed(row) for row in found], expected)
    [(first, there)] = demo.postgres(
        "SELECT count(first_page_path), count(*) FROM derived.sessions WHERE page_views > 0"
    )
    assert first == there > 0, "the first page view tells where a visit came from"


def test_page_views_of_the_models(demo: Demo) -> None:
    expected = demo.arrow(f"""
        WITH seen AS (SELECT event, contexts_{WEB_PAGE}[1].id AS id FROM events WHERE len(contexts_{WEB_PAGE}) > 0)
        SELECT v.id, (SELECT count(*) FROM seen p WHERE p.event = 'page_ping' AND p.id = v.id)
        FROM (SELECT DISTINCT id FROM seen WHERE event = 'page_view') v ORDER BY 1
    """)
    found = demo.postgres('SELECT page_view_id, page_pings FROM derived.page_views ORDER BY page_view_id COLLATE "C"')
    same(found, expected)
    assert demo.postgres("SELECT count(*) FROM derived.page_views WHERE seconds_read <> page_pings * 10") == [(0,)]


def test_users_of_the_models(demo: Demo) -> None:
    expected = demo.arrow("""
        SELECT domain_userid, count(*), sum(events) FROM (
          SELECT domain_sessionid, min(domain_userid) AS domain_userid, count(*) AS events
          FROM events WHERE domain_sessionid IS NOT NULL GROUP BY 1
        ) WHERE domain_userid IS NOT NULL GROUP BY 1 ORDER BY 1
    """)
    found = demo.postgres(
        'SELECT domain_userid, sessions, events FROM derived.users ORDER BY domain_userid COLLATE "C"'
    )
    same([_trimmed(row) for row in found], expected)


@pytest.mark.parametrize("dialect", ["postgres", "redshift"])
@pytest.mark.parametrize("path", sorted(MODELS.glob("*.sql")), ids=lambda path: path.stem)
def test_models_are_sql_of_both_warehouses(path: Path, dialect: str) -> None:
    statements = sqlglot.parse(path.read_text("utf-8").replace("{{.schema}}", "atomic"), dialect=dialect)
    assert len(statements) >= 2
