"""Warehouses that Snowplow's own loaders, and scripts of many years, have made: whatever an event holds is read back.

The tables are described by what was known of them: names and types of columns (reference 08 §1.5, §3; the columns of
``atomic.events`` came with the years).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from snowetl.ddl import names
from snowetl.ddl.atomic import EVENT_FIELDS, postgres_columns, redshift_columns
from snowetl.load.run import read_run
from snowetl.model.schema import SchemaKey
from tests.load.places.postgres import InPostgres
from tests.load.runs import ID, schema
from tests.load.transformed import click, event
from tests.transform.support import self_describing, unstruct

LATER = "run=2026-02-01-00-00-00"
CLICK = {"1-0-0": schema(url={"type": "string", "maxLength": 10}, n={"type": "integer"}, required=["url"])}

NARROW = {
    "user_ipaddress": "varchar(45)", "user_fingerprint": "varchar(50)", "domain_userid": "varchar(36)",
    "network_userid": "varchar(38)", "refr_domain_userid": "varchar(36)", "domain_sessionid": "char(36)",
    "domain_sessionidx": "smallint", "ip_organization": "varchar(100)", "ip_domain": "varchar(100)",
    "os_timezone": "varchar(50)", "se_label": "varchar(1000)",
}  # fmt: skip
"""Columns of the last script for PostgreSQL (0.7.1), and of Redshift before they were widened."""
LOADER = {
    "user_fingerprint": "varchar(50)", "os_timezone": "varchar(50)", "ip_organization": "varchar(100)",
    "ip_domain": "varchar(100)", "se_label": "varchar(1000)", "mkt_clickid": "varchar(128)",
}  # fmt: skip
"""Columns of Postgres Loader 0.1 to 0.3."""
SINCE_2016 = ("event_vendor", "event_name", "event_format", "event_version", "event_fingerprint", "true_tstamp")
SINCE_2015 = (
    "ti_currency", "tr_currency", "tr_total_base", "tr_tax_base", "tr_shipping_base", "ti_price_base", "base_currency",
    "geo_timezone", "mkt_clickid", "mkt_network", "etl_tags", "dvce_sent_tstamp", "refr_domain_userid",
    "refr_dvce_tstamp", "domain_sessionid", "derived_tstamp", "dvce_created_tstamp",
)  # fmt: skip
SINCE_2014 = ("geo_region_name", "ip_isp", "ip_organization", "ip_domain", "ip_netspeed", "se_value", "name_tracker")
LOAD = ("load_tstamp",)
MONEY = dict.fromkeys(("tr_total", "tr_tax", "tr_shipping", "ti_price"), "dec(18,2)")


class Made(NamedTuple):
    """A table of events: types that differ from today's, columns it lacks, and those that are there no longer."""

    types: Mapping[str, str] = {}
    absent: Sequence[str] = ()
    more: Mapping[str, str] = {}


EXISTING = {
    "loader": Made(LOADER, LOAD),
    "2018": Made(NARROW | MONEY, LOAD),
    "2015": Made(NARROW | MONEY | {"event_id": "char(36)"}, (*LOAD, *SINCE_2016)),
    "2014": Made(
        NARROW | MONEY | {"event_id": "char(36)", "geo_region": "char(2)"},
        (*LOAD, *SINCE_2016, *SINCE_2015),
        {"dvce_tstamp": "timestamp", "contexts": "varchar(10000)", "unstruct_event": "varchar(10000)"},
    ),
    "2013": Made(
        NARROW | {"event_id": "varchar(38)", "geo_region": "char(2)", "domain_userid": "varchar(16)"},
        (*LOAD, *SINCE_2016, *SINCE_2015, *SINCE_2014),
        {"dvce_tstamp": "timestamp", "ev_value": "double precision"},
    ),
}


def create_events(place: InPostgres, name: str) -> None:
    """The table, with an event of 2014."""
    types, absent, more = EXISTING[name]
    made = redshift_columns() if place.kind == "redshift" else postgres_columns()
    columns = {column.name: types.get(column.name, column.type) for column in made if column.name not in absent}
    required = {column.name for column in made if column.not_null}
    body = ", ".join(f"{n} {t}{' NOT NULL' if n in required else ''}" for n, t in {**columns, **more}.items())
    place.execute(f"CREATE SCHEMA IF NOT EXISTS atomic; CREATE TABLE atomic.events ({body}, PRIMARY KEY (event_id))")
    place.execute(
        "INSERT INTO atomic.events (event_id, collector_tstamp, v_collector, v_etl, app_id) VALUES "
        f"('{ID.format(999)}', '2014-01-01', 'c', 'e', 'before')"
    )


def filled(number: int) -> dict[str, str]:
    """Texts of every column of an event, such as trackers send them."""
    kinds = {"ts": "2026-01-02 03:04:05.678", "int": "17", "txn": "4711", "float": "-2.5", "dec": "19.99", "bool": "1"}
    found = {field.name: kinds.get(field.type, "t" * min(field.max_length or 16, 16)) for field in EVENT_FIELDS}
    return found | {
        "event_id": ID.format(number),
        "geo_region": "TX",
        "domain_sessionid": ID.format(7),
        "se_value": "1.5",
    }


def plain(value: Any) -> str:
    """A value of SQL as the enriched event writes it."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return value.isoformat(" ", "milliseconds")
    if isinstance(value, Decimal | float):
        return str(float(value))
    return str(value).rstrip()


@pytest.mark.parametrize("name", EXISTING)
def test_an_event_is_read_back_from_an_existing_table(shredded: InPostgres, name: str) -> None:
    create_events(shredded, name)
    sent = filled(1)
    report = shredded.load(shredded.make("first", [event(2), event(1, **sent)]), click=CLICK)
    assert not report.aside and not any(table.rejected or table.values for table in report.tables), report
    [row] = shredded.query(f"SELECT {', '.join(sent)} FROM events WHERE app_id = '{sent['app_id']}'")
    assert dict(zip(sent, map(plain, row), strict=True)) == sent
    assert shredded.query("SELECT app_id FROM events WHERE collector_tstamp < '2020-01-01'") == [("before",)]
    for column in EXISTING[name].absent:
        assert column in str(report.tables[0].change)
    again = shredded.load(shredded.make("second", [event(3)], run=LATER), click=CLICK)
    assert [table.change for table in again.tables] == [None]
    assert shredded.said == []


def test_what_does_not_fit_a_narrow_column_is_cut_or_kept_aside(shredded: InPostgres) -> None:
    """As ``TRUNCATECOLUMNS`` cuts it; a number that does not fit is kept beside its event."""
    create_events(shredded, "2018")
    sent = {"user_fingerprint": "f" * 60, "domain_sessionidx": "40000"}
    report = shredded.load(shredded.make("first", [event(1, **sent), event(2, user_fingerprint="g")]), click=CLICK)
    if shredded.kind == "redshift":  # refuses the row, as RDB Loader's loads do
        assert [table.rejected for table in report.tables] == [1]
        return
    assert [(table.rows, table.values) for table in report.tables] == [(2, 2)]
    found = shredded.query("SELECT user_fingerprint, domain_sessionidx FROM events WHERE app_id IS NULL")
    assert sorted(found) == [("f" * 50, None), ("g", None)]
    assert sorted(shredded.query("SELECT column_name, value, reason FROM rejected_values")) == [
        ("domain_sessionidx", '"40000"', "not a smallint"),
        ("user_fingerprint", f'"{"f" * 60}"', "longer than 50 characters"),
    ]


# --- tables of entities -----------------------------------------------------------------------------------------------

PROPERTIES = {
    "url": {"type": "string", "maxLength": 255},
    "n": {"type": ["integer", "null"]},
    "price": {"type": ["number", "null"]},
    "isNew": {"type": ["boolean", "null"]},
    "tags": {"type": ["array", "null"], "items": {"type": "string"}},
    "at": {"type": ["string", "null"], "format": "date-time"},
}
VERSIONS = {"1-0-0": schema(**PROPERTIES, required=["url"])}
WITH_NOTE = VERSIONS | {"1-0-1": schema(**PROPERTIES, note={"type": ["string", "null"], "maxLength": 50})}
SENT = {"url": "u", "n": 5, "price": 1.5, "isNew": True, "tags": ["a", "b"], "at": "2026-01-02T03:04:05Z"}
META = "schema_vendor varchar(128), schema_name varchar(128), schema_format varchar(128), schema_version varchar(128)"
REFS = "ref_root varchar(255) NOT NULL, ref_tree varchar(1500) NOT NULL, ref_parent varchar(255) NOT NULL"
ENTITIES = {
    "loader": f"{META}, root_id uuid, root_tstamp timestamp, url varchar(255), at timestamp, is_new boolean, n bigint, "
    "price double precision, tags jsonb",
    "by hand": f"{META}, root_id char(36) NOT NULL, root_tstamp timestamp NOT NULL, {REFS}, at timestamp, n int, "
    "tags varchar(5000), url varchar(255), is_new boolean, price double precision",
}
"""Postgres Loader's, and one as scripts for Redshift had them: in the order of the author, arrays as texts."""


@pytest.mark.parametrize("name", ENTITIES)
def test_an_entity_is_read_back_from_an_existing_table(shredded: InPostgres, name: str) -> None:
    if name == "loader" and shredded.kind != "postgres":
        pytest.skip("Postgres Loader loads PostgreSQL")
    shredded.execute(f"CREATE SCHEMA atomic; CREATE TABLE atomic.com_acme_click_1 ({ENTITIES[name]})")
    shredded.execute("COMMENT ON TABLE atomic.com_acme_click_1 IS 'iglu:com.acme/click/jsonschema/1-0-0'")
    report = shredded.load(shredded.make("first", [click(1, **SENT), click(2, url="only")], click=VERSIONS))
    assert not report.aside and not any(table.rejected or table.values for table in report.tables), report
    wanted = [("u", 5, 1.5, True, datetime(2026, 1, 2, 3, 4, 5), ["a", "b"])] * 3
    assert read(shredded, "url = 'u'") == wanted
    later = [click(3, "1-0-1", **SENT | {"note": "new"}), click(4, "1-0-1", **SENT)]
    report = shredded.load(shredded.make("second", later, run=LATER, click=WITH_NOTE))
    assert not report.aside and not any(table.rejected or table.values for table in report.tables), report
    assert shredded.said == []
    assert read(shredded, "url = 'u'") == wanted * 3
    assert sorted(shredded.query("SELECT note FROM com_acme_click_1 WHERE note <> ''")) == [("new",)] * 3
    assert len(shredded.query("SELECT 1 FROM com_acme_click_1")) == 12


@pytest.mark.parametrize("named", ["as the server cuts it", "with a hash"])
def test_a_table_of_a_long_name_is_found(shredded: InPostgres, named: str) -> None:
    """Postgres Loader lets the server cut names; earlier releases of ours ended them with a hash."""
    if shredded.kind != "postgres":
        pytest.skip("names of Redshift may be twice as long")
    key = SchemaKey.parse(f"iglu:com.acme/{'long_' * 12}name/jsonschema/1-0-0")
    plain, hashed = names.table_name(key), names.distinct_table_name(key, 63)
    table = plain if named == "as the server cuts it" else hashed
    properties = "at timestamp, is_new boolean, n bigint, price double precision, tags jsonb, url varchar(255)"
    shredded.execute(f"CREATE SCHEMA atomic; CREATE TABLE atomic.{table} ({META}, root_id uuid, root_tstamp timestamp, "
                     f"{properties}); COMMENT ON TABLE atomic.{table} IS '{key.uri}'")  # fmt: skip
    entity = unstruct(self_describing(key.uri, {"url": "u"}))
    run = shredded.make("first", [event(1, unstruct_event=entity)], **{key.name: VERSIONS})
    report = shredded.load(run)
    assert [(each.table, each.rows) for each in report.tables[1:]] == [(f"atomic.{table[:63]}", 1)]
    assert shredded.query(f"SELECT url FROM {table}") == [("u",)]


def read(place: InPostgres, condition: str) -> list[tuple[Any, ...]]:
    rows = place.query(f"SELECT url, n, price, is_new, at, tags FROM com_acme_click_1 WHERE {condition}")
    return [(*row[:-1], json.loads(row[-1]) if isinstance(row[-1], str) else row[-1]) for row in rows]


# --- the manifest -----------------------------------------------------------------------------------------------------


def test_the_manifest_of_old_loaders_is_kept_under_another_name(shredded: InPostgres) -> None:
    shredded.execute(
        "CREATE SCHEMA atomic; CREATE TABLE atomic.manifest (etl_tstamp timestamp, commit_tstamp timestamp, "
        "event_count bigint, shredded_cardinality int); INSERT INTO atomic.manifest VALUES (now(), now(), 7, 1)"
    )
    run = shredded.run("first", [event(1)], click=CLICK)
    with shredded.loader() as loader:
        assert loader.loaded([read_run(run)]) == []
        assert loader.plan(read_run(run)) is not None
    assert shredded.load_from(run).outcome == "loaded"
    assert shredded.query("SELECT event_count FROM manifest_legacy") == [(7,)]
    assert shredded.load_from(run).outcome == "already loaded"
    assert shredded.counts() == {"events": 1, "manifest": 1, "bad_rows": 0}
