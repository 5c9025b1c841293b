"""Wide rows into PostgreSQL: one row an event, entities as JSON columns of ``events``."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from snowetl.errors import LoadError
from snowetl.load.layouts.wide_json import rows_of
from snowetl.model.schema import SchemaCriterion
from tests.load.places import start
from tests.load.runs import ID, make_run

URL = "contexts_com_acme_" + "long_" * 12 + "1"


@pytest.fixture
def postgres(request):
    return start("postgres", request)


def wide_run(folder: Path, lines: list[str], file_format: str = "JSON", run: str = "run=2026-01-02-03-04-05") -> str:
    base = Path(make_run(folder, [], run=run, report=False))
    message = json.loads((base / "shredding_complete.json").read_text())
    types = [
        {"schemaKey": "iglu:com.acme/click/jsonschema/1-0-0", "snowplowEntity": "SELF_DESCRIBING_EVENT"},
        {"schemaKey": f"iglu:com.acme/{'long_' * 12}/jsonschema/1-0-0".replace("_/", "/"), "snowplowEntity": "CONTEXT"},
    ]
    message["data"]["typesInfo"] = {"transformation": "WIDEROW", "fileFormat": file_format, "types": types}
    message["data"]["count"] = {"good": len(lines)}
    (base / "shredding_complete.json").write_text(json.dumps(message))
    for left in sorted((base / "output=good").rglob("*"), reverse=True):
        left.unlink() if left.is_file() else left.rmdir()
    (base / "output=good/part-0.txt.gz").write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return str(base)


def wide_line(number: int, **more: object) -> str:
    values = {"event_id": ID.format(number), "collector_tstamp": "2026-01-02T03:04:05.678Z", "v_collector": "c",
              "v_etl": "e"}  # fmt: skip
    return json.dumps(values | more)


def test_entities_become_json_columns_of_events(postgres, tmp_path):
    lines = [
        wide_line(1, page_title="a\tb\\c\nd", br_cookies=True, txn_id=7, se_value=1.5,
                  unstruct_event_com_acme_click_1={"url": "x\ty", "n": None}, **{URL: [{"a": "1"}]}),
        wide_line(2),
    ]  # fmt: skip
    report = postgres.load(wide_run(tmp_path, lines))
    [events] = report.tables
    assert (events.rows, events.rejected, events.change) == (2, 0, "2 columns added")
    found = postgres.query(
        "SELECT page_title, br_cookies, txn_id, se_value, collector_tstamp::text, unstruct_event_com_acme_click_1 "
        "FROM atomic.events ORDER BY event_id"
    )
    assert found[0] == ("a\tb\\c\nd", True, 7, 1.5, "2026-01-02 03:04:05.678", {"url": "x\ty", "n": None})
    assert found[1][:4] == (None, None, None, None)
    [(column,)] = postgres.query(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_name = 'events' AND column_name LIKE 'contexts%'"
    )
    assert len(column) == 63
    assert postgres.query(f"SELECT {column} FROM atomic.events ORDER BY event_id LIMIT 1") == [([{"a": "1"}],)]
    again = postgres.load(wide_run(tmp_path, lines[1:], run="run=2026-01-03-00-00-00"))
    assert again.tables[0].change is None


def test_what_does_not_fit_is_put_aside_and_loaded_again(postgres, tmp_path):
    lines = [wide_line(1, txn_id="no number"), "no json", wide_line(2, event_id=None)]
    report = postgres.load(wide_run(tmp_path, lines))
    assert (report.tables[0].rows, report.tables[0].rejected, report.tables[0].values) == (1, 2, 1)
    postgres.execute("ALTER TABLE atomic.events ALTER COLUMN event_id DROP NOT NULL")
    assert sum(one.tables[0].rows for one in postgres.retry_rejected()) == 1
    assert postgres.query("SELECT count(*) FROM atomic.events") == [(2,)]


def test_a_skipped_schema_has_no_column(postgres, tmp_path):
    run = wide_run(tmp_path, [wide_line(1, unstruct_event_com_acme_click_1={})])
    report = postgres.load(run, skip=[SchemaCriterion.parse("iglu:com.acme/click/jsonschema/1-*-*")])
    assert report.skipped == ["iglu:com.acme/click/jsonschema/1"]
    columns = "SELECT 1 FROM information_schema.columns WHERE column_name = 'unstruct_event_com_acme_click_1'"
    assert postgres.query(columns) == []


def test_parquet_is_refused_in_words(postgres, tmp_path):
    with pytest.raises(LoadError, match="postgres loads shredded or wide JSON ones"):
        postgres.load(wide_run(tmp_path, [wide_line(1)], "PARQUET"))


@pytest.mark.slow
def test_warehouses_that_load_no_wide_rows_say_so(request, tmp_path):
    redshift = start("redshift", request)
    with pytest.raises(LoadError, match="redshift loads shredded ones"):
        redshift.load(wide_run(tmp_path, [wide_line(1)]))


def test_lines_become_rows_for_copy():
    assert rows_of(b"{}\n[1]\n", ("k",)).decode() == "\\N\t" * 128 + "\\N\n[1]\n"
