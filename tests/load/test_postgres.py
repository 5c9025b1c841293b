"""The Postgres loader against a real server."""

import psycopg
import pytest

from snowetl.load.engine import Loader
from snowetl.load.plan import LoadError
from snowetl.load.postgres import PostgresWarehouse
from snowetl.load.retries import Retries
from snowetl.load.run import read_run
from tests.load.runs import CLICK, Registry, click_line, event_line, make_run, query, schema


def load(url, run, **models):
    models = models or {"click": CLICK}
    return Loader(PostgresWarehouse(url), Registry(**models), retries=Retries(0)).load(read_run(run))


def test_a_run_lands_in_events_and_entity_tables(database, tmp_path):
    run = make_run(tmp_path, [event_line(1, page_title="a\\tb"), event_line(2)], [click_line(1, "x", "5")])
    report = load(database, run)
    assert report.outcome == "loaded"
    assert [(table.table, table.rows, table.change) for table in report.tables] == [
        ("atomic.events", 2, None),
        ("atomic.com_acme_click_1", 1, "created"),
    ]
    assert query(database, "SELECT page_title FROM atomic.events ORDER BY event_id") == [("a\\tb",), (None,)]
    joined = "SELECT c.url, c.n FROM atomic.events e JOIN atomic.com_acme_click_1 c ON c.root_id = e.event_id"
    assert query(database, joined) == [("x", 5)]
    comment = "SELECT obj_description('atomic.com_acme_click_1'::regclass)"
    assert query(database, comment) == [("iglu:com.acme/click/jsonschema/1-0-0",)]


def test_loading_twice_is_a_no_op(database, tmp_path):
    run = make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")])
    load(database, run)
    assert load(database, run).outcome == "already loaded"
    assert query(database, "SELECT count(*) FROM atomic.events") == [(1,)]
    assert query(database, "SELECT count_good, compression FROM atomic.manifest") == [(1, "GZIP")]


def test_a_later_version_migrates_the_table(database, tmp_path):
    load(database, make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]))
    later = CLICK | {
        "1-0-1": schema(url={"type": "string", "maxLength": 20}, n={"type": "integer"}, t={"type": "string"}),
        "1-0-2": schema(url={"type": "string", "maxLength": 20}, n={"type": "integer"}, t={"type": "string"},
                        u={"type": ["integer", "null"]}),
    }  # fmt: skip
    line = click_line(2, "y" * 20, "\\N", "t", "9", version="1-0-2")
    run = make_run(tmp_path, [event_line(2)], [line], types=("1-0-2",), run="run=2026-01-02-04-00-00")
    report = load(database, run, click=later)
    assert report.tables[1].change == "migrated to 1-0-2"
    assert query(database, "SELECT url, n, t, u FROM atomic.com_acme_click_1 ORDER BY root_id") == [
        ("x", 5, None, None),
        ("y" * 20, None, "t", 9),
    ]


def test_rows_that_do_not_fit_are_cut_or_put_aside(database, tmp_path):
    events = [event_line(1, app_id="a" * 300), event_line(2, txn_id="no number"), event_line(3), "too\tfew"]
    clicks = [click_line(1, "u" * 50, "5"), click_line(3, "x", "99999999999999999999"), click_line(3, "\\", "\\N")]
    report = load(database, make_run(tmp_path, events, clicks))
    assert [(table.rows, table.rejected) for table in report.tables] == [(2, 2), (2, 1)]
    assert query(database, "SELECT length(app_id) FROM atomic.events ORDER BY event_id") == [(255,), (None,)]
    assert query(database, "SELECT url FROM atomic.com_acme_click_1 ORDER BY root_id") == [("u" * 10,), ("\\",)]
    reasons = query(database, "SELECT table_name, reason FROM atomic.rejected_rows ORDER BY 1, 2")
    assert reasons == [
        ("com_acme_click_1", "value does not fit column n"),
        ("events", "the row has not 128 columns"),
        ("events", "value does not fit column txn_id"),
    ]


def test_awkward_text_survives(database, tmp_path):
    awkward = 'back\\slash "quote" \r cr \\N é 😀 \x01'
    load(database, make_run(tmp_path, [event_line(1, page_title=awkward + "\x00")], gz=False))
    assert query(database, "SELECT page_title FROM atomic.events") == [(awkward,)]


def test_names_that_are_keywords_or_injections_are_only_names(database, tmp_path):
    evil = 'x"; DROP TABLE atomic.events; --'
    versions = {"1-0-0": schema(select={"type": "string"}, **{evil: {"type": "integer"}})}
    load(database, make_run(tmp_path, [event_line(1)], [click_line(1, "a", "7")]), click=versions)
    assert query(database, "SELECT count(*) FROM atomic.events") == [(1,)]
    assert query(database, 'SELECT "select" FROM atomic.com_acme_click_1') == [("a",)]


def test_a_schema_with_too_many_columns_is_refused_and_nothing_is_loaded(database, tmp_path):
    wide = {"1-0-0": schema(**{f"p{n}": {"type": "string"} for n in range(1700)})}
    run = make_run(tmp_path, [event_line(1)], [click_line(1, *["\\N"] * 1700)])
    with pytest.raises(LoadError, match="lacks the column"):
        load(database, run, click=wide)
    assert query(database, "SELECT count(*) FROM atomic.events") == [(0,)]
    assert query(database, "SELECT count(*) FROM atomic.manifest") == [(0,)]


def test_a_table_of_unknown_version_is_not_touched(database, tmp_path):
    load(database, make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5")]))
    with psycopg.connect(database) as connection:
        connection.execute("COMMENT ON TABLE atomic.com_acme_click_1 IS 'mine'")
    run = make_run(tmp_path, [event_line(2)], [click_line(2, "x", "5")], run="run=2026-01-03-00-00-00")
    with pytest.raises(LoadError, match="no schema URI"):
        load(database, run)
    assert query(database, "SELECT count(*) FROM atomic.events") == [(1,)]


def test_tables_of_the_streaming_loader_are_used_as_they_are(database, tmp_path):
    with psycopg.connect(database) as connection:
        connection.execute("CREATE SCHEMA atomic")
        connection.execute(
            "CREATE TABLE atomic.com_acme_click_1 (schema_vendor varchar, schema_name varchar, schema_format varchar, "
            "schema_version varchar, root_id uuid, root_tstamp timestamp, url varchar(10), n bigint)"
        )
        connection.execute("COMMENT ON TABLE atomic.com_acme_click_1 IS 'iglu:com.acme/click/jsonschema/1-0-0'")
    load(database, make_run(tmp_path, [event_line(1)], [click_line(1, "x", "5"), click_line(1, "events", "6")]))
    assert query(database, "SELECT url, n FROM atomic.com_acme_click_1 ORDER BY n") == [("x", 5), ("events", 6)]


def test_a_server_that_is_not_there_is_named_without_its_password():
    warehouse = PostgresWarehouse("postgresql://jo:secret@127.0.0.1:1/db")
    refused = r"cannot connect to postgresql://jo:\*\*\*@127.0.0.1:1/db"
    with pytest.raises(LoadError, match=refused) as caught, warehouse.session():
        pass
    assert "secret" not in str(caught.value)


def test_two_loaders_at_once_one_waits(database, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    run = make_run(tmp_path, [event_line(n) for n in range(2000)], [click_line(1, "x", "5")])
    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(report.outcome for report in pool.map(lambda _: load(database, run), range(4)))
    assert outcomes == ["already loaded"] * 3 + ["loaded"]
    assert query(database, "SELECT count(*) FROM atomic.events") == [(2000,)]


def test_bad_rows_become_a_table(database, tmp_path):
    from snowetl.storage import filesystem

    run = make_run(tmp_path, [event_line(1)])
    lines = [
        '{"schema":"iglu:com.snowplowanalytics.snowplow.badrows/generic_error/jsonschema/1-0-0","data":{"processor":'
        '{"artifact":"snowetl","version":"1.0.0"},"failure":{"timestamp":"2026-01-02T03:04:05.678Z","errors":["x"]},'
        '"payload":"a\\u0000b\\ud800"}}',
        "no json \x00",
    ]
    bad = tmp_path / "bad.txt"
    bad.write_text("\n".join(lines) + "\n")
    files = filesystem(str(bad)).list(str(bad))
    report = Loader(PostgresWarehouse(database), Registry(), retries=Retries(0)).load(read_run(run), files)
    assert report.tables[-1].rows == 2
    found = query(database, "SELECT type, processor, failure->'errors'->>0, payload #>> '{}' FROM atomic.bad_rows")
    assert found == [("generic_error", "snowetl 1.0.0", "x", "ab?"), ("unreadable", None, None, "no json ")]
