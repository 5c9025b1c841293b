"""What is PostgreSQL's own: values and rows aside, bad rows, tables of others, errors. Against a real server."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import psycopg
import pytest

from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.load.engine import RunLoader
from snowetl.load.retries import Retries
from snowetl.load.run import read_run
from snowetl.load.warehouses.postgres import PostgresWarehouse
from tests.load.places import start
from tests.load.runs import CLICK, ID, Registry, click_line, event_line, make_run, query, schema

BAD_ROW = (
    '{"schema":"iglu:com.snowplowanalytics.snowplow.badrows/generic_error/jsonschema/1-0-0","data":{"processor":'
    '{"artifact":"snowetl","version":"1.0.0"},"failure":{"timestamp":"2026-01-02T03:04:05.678Z","errors":["x"]},'
    '"payload":%s}}'
)


@pytest.fixture
def postgres(request):
    return start("postgres", request)


def load(place, tmp_path, clicks, properties, required=(), **options):
    """Load rows of one entity with the given properties."""
    versions = {"1-0-0": schema(required=required, **properties)}
    return place.load(make_run(tmp_path, [event_line(1)], clicks, **options), click=versions)


def test_awkward_text_survives(postgres, tmp_path):
    awkward = 'back\\slash "quote" \r cr \\N é 😀 \x01'
    postgres.load(make_run(tmp_path, [event_line(1, page_title=awkward + "\x00")], gz=False))
    assert postgres.query("SELECT page_title FROM atomic.events") == [(awkward,)]


def test_names_that_are_keywords_or_injections_are_only_names(postgres, tmp_path):
    evil = 'x"; DROP TABLE atomic.events; --'
    load(postgres, tmp_path, [click_line(1, "a", "7")], {"select": {"type": "string"}, evil: {"type": "integer"}})
    assert postgres.query("SELECT count(*) FROM atomic.events") == [(1,)]
    assert postgres.query('SELECT "select" FROM atomic.com_acme_click_1') == [("a",)]


def test_tables_of_the_streaming_loader_are_used_as_they_are(postgres, tmp_path):
    postgres.execute("CREATE SCHEMA atomic")
    postgres.execute(
        "CREATE TABLE atomic.com_acme_click_1 (schema_vendor varchar, schema_name varchar, schema_format varchar, "
        "schema_version varchar, root_id uuid, root_tstamp timestamp, url varchar(10), n bigint)"
    )
    postgres.execute("COMMENT ON TABLE atomic.com_acme_click_1 IS 'iglu:com.acme/click/jsonschema/1-0-0'")
    postgres.load(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5"), click_line(1, "events", "6")]))
    assert postgres.query("SELECT url, n FROM atomic.com_acme_click_1 ORDER BY n") == [("x", 5), ("events", 6)]


def test_a_server_that_is_not_there_is_named_without_its_password():
    warehouse = PostgresWarehouse("postgresql://jo:secret@127.0.0.1:1/db")
    refused = r"cannot connect to postgresql://jo:\*\*\*@127.0.0.1:1/db"
    with pytest.raises(TargetError, match=refused) as caught, warehouse.session():
        pass
    assert "secret" not in str(caught.value)


def test_a_server_that_went_away_is_asked_again(postgres, tmp_path):
    gone = RunLoader(PostgresWarehouse("postgresql://jo@127.0.0.1:1/db"), Registry(), retries=Retries(2, backoff=0.01),
                  warn=postgres.said.append)  # fmt: skip
    with pytest.raises(LoadError, match="cannot connect"):
        gone.load(read_run(make_run(tmp_path, [event_line(1)])))
    assert len(postgres.said) == 2


# --- rows made for Postgres -----------------------------------------------------------------------------------------


def made_for_postgres(folder: Path, columns: dict[str, str], cells: list[str], rows: int | None = None) -> str:
    """A run as ``snowetl transform --target postgres`` leaves it, with one entity."""
    meta = dict.fromkeys(("schema_vendor", "schema_name", "schema_format", "schema_version"), "VARCHAR(128)")
    meta |= {"root_id": "UUID", "root_tstamp": "TIMESTAMP", "ref_root": "VARCHAR(255)", "ref_tree": "VARCHAR(1500)"}
    meta |= {"ref_parent": "VARCHAR(255)"}
    base = Path(make_run(folder, [event_line(1)], report=False))
    message = json.loads((base / "shredding_complete.json").read_text())
    atomic = base / "output=good/vendor=com.snowplowanalytics.snowplow/name=atomic"
    (atomic / "format=tsv").rename(atomic / "format=postgres")
    path = atomic / "format=postgres/model=1/part-0.txt.gz"
    line = "\t".join(cell or "\\N" for cell in event_line(1).split("\t"))
    path.write_bytes(gzip.compress(f"{line}\n".encode()))
    place = "vendor=com.acme/name=click/format=postgres/model=1/columns=abc"
    (base / "output=good" / place).mkdir(parents=True)
    text = "".join(click_line(1, *row.split("|")) + "\n" for row in cells)
    (base / "output=good" / place / "part-0.txt.gz").write_bytes(gzip.compress(text.encode()))
    from snowetl.ddl.atomic import postgres_columns

    def entry(name, folder, columns, rows):
        listed = [{"name": column, "type": type_} for column, type_ in columns.items()]
        return {"schemaCriterion": name, "folder": folder, "columns": listed, "rows": rows}

    message["data"]["typesInfo"] = {
        "transformation": "SHREDDED",
        "types": [{"schemaKey": "iglu:com.acme/click/jsonschema/1-0-0", "format": "POSTGRES",
                   "snowplowEntity": "CONTEXT"}],
        "tables": [
            entry("iglu:com.snowplowanalytics.snowplow/atomic/jsonschema/1-*-*",
                  "vendor=com.snowplowanalytics.snowplow/name=atomic/format=postgres/model=1",
                  {column.name: column.type.upper() for column in postgres_columns()}, 1),
            entry("iglu:com.acme/click/jsonschema/1-*-*", place, meta | columns, len(cells) if rows is None else rows),
        ],
    }  # fmt: skip
    (base / "shredding_complete.json").write_text(json.dumps(message))
    return str(base)


def test_rows_made_for_postgres_are_copied_as_they_are(postgres, tmp_path):
    versions = {"1-0-0": schema(s={"type": ["string", "integer"]}, t={"type": "string"})}
    run = made_for_postgres(tmp_path, {"s": "JSONB", "t": "TEXT"}, ['"123"|a\\tb', "123|\\N", '"null"|\\\\N'])
    report = postgres.load(run, click=versions)
    assert [(table.rows, table.rejected) for table in report.tables] == [(1, 0), (3, 0)]
    found = postgres.query("SELECT jsonb_typeof(s), s #>> '{}', t FROM atomic.com_acme_click_1 ORDER BY 2")
    assert found == [("string", "123", "a\tb"), ("number", "123", None), ("string", "null", "\\N")]


def test_L7_rows_made_for_an_earlier_version_name_their_columns(postgres, tmp_path):
    versions = {"1-0-0": schema(t={"type": "string"}), "1-0-1": schema(a={"type": "string"}, t={"type": "string"})}
    postgres.load(made_for_postgres(tmp_path, {"t": "TEXT"}, ["x"]), click=versions)
    assert postgres.query("SELECT t, a FROM atomic.com_acme_click_1") == [("x", None)]


def test_L4_rows_made_for_postgres_are_counted_by_their_message(postgres, tmp_path):
    run = made_for_postgres(tmp_path, {"t": "TEXT"}, ["x"], rows=2)
    with pytest.raises(LoadError, match="1 rows were read from .*name=click.*, but 2 were written"):
        postgres.load(run, click={"1-0-0": schema(t={"type": "string"})})


def test_rows_made_before_a_column_became_json_are_made_json(postgres, tmp_path):
    versions = {"1-0-0": schema(t={"type": "string"}), "1-0-1": schema(t={"type": ["string", "integer"]})}
    postgres.load(made_for_postgres(tmp_path, {"t": "TEXT"}, ["x", "12"]), click=versions)
    assert postgres.query("SELECT t FROM atomic.com_acme_click_1 ORDER BY 1") == [("12",), ("x",)]


# --- L5 to L10: values ----------------------------------------------------------------------------------------------


def test_L5_text_of_a_union_is_a_json_string(postgres, tmp_path):
    lines = [click_line(n, text) for n, text in enumerate(("abc", '{"a":1}', "", "12"))]
    report = load(postgres, tmp_path, lines, {"v": {"type": ["string", "integer", "object"]}})
    assert (report.tables[1].rows, report.tables[1].rejected) == (4, 0)
    found = postgres.query("SELECT v FROM atomic.com_acme_click_1 ORDER BY root_id")
    assert found == [("abc",), ({"a": 1},), ("",), (12,)]


def test_L6_times_with_an_offset_are_in_utc(postgres, tmp_path):
    lines = [click_line(n, at) for n, at in enumerate(("2026-03-04T12:00:00+02:00", "2026-03-04T12:00:00Z",
                                                       "2026-01-01T00:30:00.5-01:00", "no time"))]  # fmt: skip
    load(postgres, tmp_path, lines, {"at": {"type": "string", "format": "date-time"}})
    found = postgres.query("SELECT at::text FROM atomic.com_acme_click_1 ORDER BY root_id")
    assert found == [("2026-03-04 10:00:00",), ("2026-03-04 12:00:00",), ("2026-01-01 01:30:00.5",), (None,)]


def test_L8_a_number_that_does_not_fit_is_put_aside_and_its_row_is_loaded(postgres, tmp_path):
    values = ("5.0", "5.5", "9" * 20, "1e3", "\\N")
    lines = [click_line(n, text, "2020-01-01") for n, text in enumerate(values)] + [click_line(9, "1", "0000-01-01")]
    report = load(postgres, tmp_path, lines, {"d": {"type": "integer"}, "on": {"type": "string", "format": "date"}})
    assert [(table.rows, table.rejected, table.values) for table in report.tables] == [(1, 0, 0), (6, 0, 3)]
    found = postgres.query("SELECT d FROM atomic.com_acme_click_1 ORDER BY root_id")
    assert found == [(5,), (None,), (None,), (1000,), (None,), (1,)]
    aside = "SELECT root_id::text, schema_key, column_name, value FROM atomic.rejected_values ORDER BY 1"
    key = "iglu:com.acme/click/jsonschema/1-0-0"
    assert postgres.query(aside) == [
        (ID.format(1), key, "d", '"5.5"'),
        (ID.format(2), key, "d", f'"{"9" * 20}"'),
        (ID.format(9), key, "on", '"0000-01-01"'),
    ]


def test_L9_a_backslash_before_u0000_is_text(postgres, tmp_path):
    lines = [click_line(1, '{"p":"C:\\\\u0000new"}'), click_line(2, '{"p":"a\\u0000\\u0000b"}')]
    load(postgres, tmp_path, lines, {"v": {"type": "array"}})
    found = postgres.query("SELECT v ->> 'p' FROM atomic.com_acme_click_1 ORDER BY root_id")
    assert found == [("C:\\u0000new",), ("ab",)]


@pytest.mark.parametrize("year", ["0000", "-0001", "10000", "+10000"])
def test_L10_a_time_no_column_holds_is_null_and_noted(postgres, tmp_path, year):
    strange = f"{year}-05-06 07:08:09.123"
    report = postgres.load(make_run(tmp_path, [event_line(1, derived_tstamp=strange), event_line(2)]))
    assert (report.tables[0].rows, report.tables[0].values) == (2, 1)
    assert postgres.query("SELECT count(derived_tstamp) FROM atomic.events") == [(0,)]
    aside = "SELECT column_name, value FROM atomic.rejected_values"
    assert postgres.query(aside) == [("derived_tstamp", f'"{strange}"')]


# --- B1: bad rows ---------------------------------------------------------------------------------------------------


def load_bad(place, tmp_path, lines):
    bad = tmp_path / "bad.txt"
    bad.write_text("".join(f"{line}\n" for line in lines))
    return place.load(make_run(tmp_path, [event_line(1)]), bad=str(bad)).tables[-1]


def test_bad_rows_become_a_table(postgres, tmp_path):
    assert load_bad(postgres, tmp_path, [BAD_ROW % '"a\\u0000b\\ud800"', "no json \x00"]).rows == 2
    found = postgres.query("SELECT type, processor, failure->'errors'->>0, payload #>> '{}' FROM atomic.bad_rows")
    assert found == [("generic_error", "snowetl 1.0.0", "x", "ab?"), ("unreadable", None, None, "no json ")]


@pytest.mark.parametrize(
    "payload",
    [
        '{"x":1e999999999}',
        '{"x":-1E+400000}',
        "[" * 400 + "]" * 400,
        "[" * 20000 + "]" * 20000,
        '"\\udc00\\u0000"',
        '{"\\u0000":1}',
        "1" * 200_000,
    ],
    ids=["number", "negative", "deep", "deeper", "surrogate", "key", "digits"],
)
def test_B1_a_bad_row_that_jsonb_cannot_hold_does_not_stop_the_load(postgres, tmp_path, payload):
    loaded = load_bad(postgres, tmp_path, [BAD_ROW % '"good"', BAD_ROW % payload, BAD_ROW % '"too"'])
    assert (loaded.rows, loaded.rejected) == (3, 0)
    assert postgres.query("SELECT count(*) FROM atomic.bad_rows WHERE payload IN ('\"good\"', '\"too\"')") == [(2,)]
    assert postgres.query("SELECT count(*) FROM atomic.manifest") == [(1,)]


# --- B2: rows that violate a constraint -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "constraint",
    [
        "ALTER COLUMN n SET NOT NULL",
        "ADD CHECK (n < 100)",
        "ADD UNIQUE (n)",
        "ADD CONSTRAINT c EXCLUDE (n WITH =)",
        "ADD FOREIGN KEY (n) REFERENCES atomic.known (n)",
    ],
)
def test_B2_a_row_that_violates_a_constraint_is_put_aside(postgres, tmp_path, constraint):
    postgres.load(make_run(tmp_path, [event_line(1)], [click_line(1, "first", "1")]))
    postgres.execute("CREATE TABLE atomic.known AS SELECT n FROM generate_series(1, 99) n WHERE n <> 7")
    postgres.execute("ALTER TABLE atomic.known ADD PRIMARY KEY (n)")
    postgres.execute(f"ALTER TABLE atomic.com_acme_click_1 {constraint}")
    bad = {"NOT NULL": "\\N", "CHECK": "100", "UNIQUE": "1", "EXCLUDE": "1", "FOREIGN": "7"}
    value = next(value for name, value in bad.items() if name in constraint)
    lines = [click_line(2, "a", "2"), click_line(3, "bad", value), click_line(4, "c", "4")]
    run = make_run(tmp_path, [event_line(2)], lines, run="run=2026-01-03-00-00-00")
    report = postgres.load(run, retries=3)
    assert (report.tables[1].rows, report.tables[1].rejected) == (2, 1)
    assert postgres.said == []
    [(reason, line)] = postgres.query("SELECT reason, line FROM atomic.rejected_rows")
    assert reason and "\tbad\t" in line
    urls = "SELECT url FROM atomic.com_acme_click_1 ORDER BY 1"
    assert postgres.query(urls) == [("a",), ("c",), ("first",)]

    postgres.execute("ALTER TABLE atomic.com_acme_click_1 ALTER COLUMN n DROP NOT NULL")
    for (name,) in postgres.query(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'atomic.com_acme_click_1'::regclass AND contype <> 'n'"
    ):
        postgres.execute(f'ALTER TABLE atomic.com_acme_click_1 DROP CONSTRAINT "{name}"')
    [retried] = postgres.retry_rejected()
    assert (retried.tables[0].rows, retried.tables[0].rejected) == (1, 0)
    assert postgres.query(urls) == [("a",), ("bad",), ("c",), ("first",)]
    assert postgres.query("SELECT count(*) FROM atomic.rejected_rows") == [(0,)]


@pytest.mark.parametrize(
    "constraint",
    [
        "UNIQUE (n) DEFERRABLE INITIALLY DEFERRED",
        "EXCLUDE USING btree (n WITH =) DEFERRABLE INITIALLY DEFERRED",
        "FOREIGN KEY (n) REFERENCES atomic.known DEFERRABLE INITIALLY DEFERRED",
    ],
)
def test_B2_a_deferred_constraint_is_checked_with_its_row(postgres, tmp_path, constraint):
    """At the commit it would fail the whole run, on every try."""
    postgres.load(make_run(tmp_path, [event_line(1)], [click_line(1, "first", "1")]))
    postgres.execute("CREATE TABLE atomic.known (n bigint PRIMARY KEY)")
    postgres.execute("INSERT INTO atomic.known VALUES (1), (2)")
    postgres.execute(f"ALTER TABLE atomic.com_acme_click_1 ADD {constraint}")
    refused = "3" if "FOREIGN" in constraint else "1"
    run = make_run(tmp_path, [event_line(2)], [click_line(2, "a", refused), click_line(3, "b", "2")], run="run=2026-02")
    report = postgres.load(run)
    assert (report.tables[1].rows, report.tables[1].rejected) == (1, 1)


@pytest.mark.parametrize(
    "raised", ["SQLSTATE 'U0001'", "SQLSTATE '38001'", "division_by_zero", "cardinality_violation"]
)
def test_B2_whatever_a_trigger_raises_is_about_its_row(postgres, tmp_path, raised):
    postgres.load(make_run(tmp_path, [event_line(1)], [click_line(1, "first", "1")]))
    postgres.execute(
        "CREATE FUNCTION atomic.no() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF NEW.n = 7 THEN RAISE {raised}; END IF; RETURN NEW; END $$"
    )
    postgres.execute(
        "CREATE TRIGGER no BEFORE INSERT ON atomic.com_acme_click_1 FOR EACH ROW EXECUTE FUNCTION atomic.no()"
    )
    run = make_run(tmp_path, [event_line(2)], [click_line(2, "a", "7"), click_line(3, "b", "8")], run="run=2026-02")
    report = postgres.load(run)
    assert (report.tables[1].rows, report.tables[1].rejected) == (1, 1)


def test_B2_a_trigger_may_refuse_a_row(postgres, tmp_path):
    postgres.load(make_run(tmp_path, [event_line(1)], [click_line(1, "first", "1")]))
    postgres.execute(
        "CREATE FUNCTION atomic.no() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.n = 7 THEN RAISE EXCEPTION 'no sevens'; END IF; RETURN NEW; END $$"
    )
    postgres.execute(
        "CREATE TRIGGER no BEFORE INSERT ON atomic.com_acme_click_1 FOR EACH ROW EXECUTE FUNCTION atomic.no()"
    )
    run = make_run(tmp_path, [event_line(2)], [click_line(2, "a", "7"), click_line(3, "b", "8")], run="run=2026-02-01")
    report = postgres.load(run)
    assert (report.tables[1].rows, report.tables[1].rejected) == (1, 1)
    assert postgres.query("SELECT reason FROM atomic.rejected_rows") == [("no sevens",)]


@pytest.mark.slow
def test_B2_the_cost_of_bad_rows_is_linear(postgres, tmp_path):
    def seconds(count: int, run: str) -> float:
        lines = [click_line(n, "x", "1") for n in range(count)]
        folder = make_run(tmp_path, [event_line(1)], lines, run=run)
        started = time.process_time()
        report = postgres.load(folder)
        assert report.tables[1].rejected == count
        return time.process_time() - started

    postgres.load(make_run(tmp_path, [event_line(1)], [click_line(1, "first", "1")]))
    postgres.execute("ALTER TABLE atomic.com_acme_click_1 ADD UNIQUE (n)")
    few = seconds(500, "run=2026-02-01-00-00-00")
    assert seconds(2000, "run=2026-02-02-00-00-00") < 6 * few + 0.5


# --- B5: a column that cannot be widened ----------------------------------------------------------------------------


def test_B5_texts_are_cut_to_a_column_that_a_view_holds(postgres, tmp_path):
    postgres.load(make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]))
    postgres.execute("CREATE VIEW atomic.v AS SELECT url FROM atomic.com_acme_click_1")
    later = {
        "1-0-0": schema(url={"type": "string", "maxLength": 10}, n={"type": "integer"}, required=["url"]),
        "1-0-1": schema(url={"type": "string", "maxLength": 20}, n={"type": "integer"}, required=["url"]),
    }
    run = make_run(tmp_path, [event_line(2)], [click_line(2, "y" * 20, "6")], run="run=2026-01-03-00-00-00")
    report = postgres.load(run, click=later)
    assert report.tables[1].rows == 1 and len(report.warnings) == 1
    assert postgres.query("SELECT url FROM atomic.com_acme_click_1 WHERE n = 6") == [("y" * 10,)]


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://me@host/db", "MySQL is not a warehouse"),
        ("jdbc:postgresql://host/db", "leave out jdbc:"),
        ("postgresql+psycopg2://host/db", r"leave out \+psycopg2"),
        ("redshift://host/db", "--warehouse redshift"),
        ("host.example.com", "connection URL is needed"),
        ("postgresql://host/db?nonsense=1", "cannot be read"),
    ],
)
def test_B7_urls_of_other_kinds_are_refused_in_words(url, words):
    with pytest.raises(ConfigError, match=words):
        PostgresWarehouse(url)


def test_libpq_keywords_are_taken():
    assert PostgresWarehouse("host=/tmp dbname=x password='a b'").shown_url == "host=/tmp dbname=x password=***"


def test_no_right_to_create_names_the_grant(database, tmp_path):
    role = f"loader_{abs(hash(database))}"
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {role}")
        name = admin.execute("SELECT current_database()").fetchone()[0]
        admin.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")

    warehouse = PostgresWarehouse(f"{database}&options=-c%20role%3D{role}")
    problems = warehouse.preflight()
    assert f'GRANT CREATE ON DATABASE "{name}" TO "{role}"' in problems
    assert f'GRANT TEMPORARY ON DATABASE "{name}" TO "{role}"' in problems
    assert query(database, "SELECT 1 FROM pg_namespace WHERE nspname = 'atomic'") == []
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"GRANT CREATE, TEMPORARY ON DATABASE {name} TO {role}")
    assert warehouse.preflight() == []


# --- load_tstamp ----------------------------------------------------------------------------------------------------


def test_rows_that_go_in_by_another_way_have_the_time_of_their_run_too(postgres, tmp_path):
    postgres.load(make_run(tmp_path, [event_line(1, doc_width="not a number"), event_line(2)]))
    assert postgres.query("SELECT DISTINCT load_tstamp::text FROM atomic.events") == [("2026-01-02 03:04:05",)]


def test_events_that_are_loaded_later_have_the_time_of_their_run(postgres, tmp_path):
    postgres.load(make_run(tmp_path, [event_line(1)]))
    postgres.execute("ALTER TABLE atomic.events ADD CONSTRAINT only_web CHECK (platform = 'web') NOT VALID")
    report = postgres.load(make_run(tmp_path, [event_line(2, platform="app")], run="run=2026-01-03-00-00-00"))
    assert report.tables[0].rejected == 1
    postgres.execute("ALTER TABLE atomic.events DROP CONSTRAINT only_web")
    postgres.retry_rejected()
    assert postgres.query("SELECT load_tstamp::text FROM atomic.events WHERE platform = 'app'") == [
        ("2026-01-03 00:00:00",)
    ]


def test_a_table_that_may_not_be_altered_is_loaded_without_the_time(postgres, tmp_path):
    postgres.load(make_run(tmp_path, [event_line(1)]))
    postgres.execute("ALTER TABLE atomic.events DROP COLUMN load_tstamp")
    database = postgres.url.rpartition("/")[2].partition("?")[0]
    role = f"loader_{database}"
    postgres.execute(
        f"CREATE ROLE {role} LOGIN; GRANT CREATE, TEMPORARY ON DATABASE {database} TO {role}; "
        f"GRANT ALL ON SCHEMA atomic TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA atomic TO {role}"
    )
    run = make_run(tmp_path, [event_line(2)], run="run=2026-01-03-00-00-00")
    warehouse = PostgresWarehouse(f"{postgres.url}&options=-c%20role%3D{role}")
    report = RunLoader(warehouse, Registry(click=CLICK)).load(read_run(run))
    assert report.tables[0].rows == 1 and "must be owner" in report.warnings[0]
    postgres.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


QUESTIONS = {
    "a time of collection": "collector_tstamp >= '2026-01-02' AND collector_tstamp < '2026-01-02 00:10'",
    "a time of the event": "derived_tstamp >= '2026-01-02' AND derived_tstamp < '2026-01-02 00:10'",
    "an event": "event_id = '11111111-2222-4333-8444-000000000007'",
    "a session": "domain_sessionid = 'session 7'",
    "what was loaded since": "load_tstamp > '2026-01-02 23:00'",
}


def test_documented_questions_are_answered_by_an_index(postgres, tmp_path):
    """Of a table that is large enough for it to matter: twenty thousand events of one day, in runs of an hour."""
    postgres.load(make_run(tmp_path, [event_line(1)]))
    postgres.execute(
        "INSERT INTO atomic.events (collector_tstamp, derived_tstamp, event_id, domain_sessionid, load_tstamp, "
        "v_collector, v_etl, useragent) SELECT t, t, gen_random_uuid(), 'session ' || n / 8, date_trunc('hour', t), "
        "'c', 'e', repeat('x', 200) FROM (SELECT n, timestamp '2026-01-02' + n * interval '4 seconds' AS t "
        "FROM generate_series(1, 20000) n) x"
    )
    postgres.execute("ANALYZE atomic.events")
    for question, condition in QUESTIONS.items():
        plan = "\n".join(row for (row,) in postgres.query(f"EXPLAIN SELECT * FROM atomic.events WHERE {condition}"))
        assert "Index" in plan and "Seq Scan" not in plan, f"{question}: {plan}"
