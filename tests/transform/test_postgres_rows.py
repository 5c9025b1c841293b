"""Rows made for Postgres: what ``COPY`` is given, cell by cell. What SQL then returns: ``test_values.py``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from snowetl.ddl import postgres
from snowetl.jvm import jsontext
from snowetl.model.badrow import BadRow
from snowetl.transform.rows import ShreddedRow, ShreddedRows
from snowetl.transform.transformer import SHRED, Transformer
from tests.transform.support import EVENT_ID, ORIGIN, Registry, line, self_describing

URI = "iglu:com.acme/thing/jsonschema/1-0-0"
WRAPPER = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"
TSTAMP = "2021-10-14 10:23:45.678"


def transform(text: str, *versions: Mapping[str, Any]) -> list[ShreddedRow]:
    registry = Registry({})
    registry.publish("com.acme", "thing", [{"type": "object", "properties": properties} for properties in versions])
    rows = Transformer(SHRED, registry, ORIGIN, target="postgres").rows(text)
    assert isinstance(rows, ShreddedRows), rows
    return list(rows.rows)


def entity_rows(data: str, *versions: Mapping[str, Any]) -> list[ShreddedRow]:
    """Rows of an event whose one entity has ``data``, given as JSON text."""
    entity = f'{{"schema":"{URI}","data":{data}}}'
    return transform(line(contexts=f'{{"schema":"{WRAPPER}","data":[{entity}]}}'), *versions)[1:]


def cell(value: str, schema: Mapping[str, Any]) -> tuple[str, list[list[str]]]:
    """The cell of a property whose value is ``value`` (JSON text), and the rows of rejected values."""
    row, *rejected = entity_rows(f'{{"a":{value}}}', {"a": schema})
    return row.text.split("\t")[9], [other.text.split("\t")[2:] for other in rejected]


UNION = {"type": ["string", "integer", "boolean", "null"]}


@pytest.mark.parametrize(
    ("value", "copied"),
    [
        ('"abc"', '"abc"'),
        ('"123"', '"123"'),
        ('"007"', '"007"'),
        ('""', '""'),
        ('"null"', '"null"'),
        ("true", "true"),
        ("1", "1"),
        ("1.50", "1.50"),
        ("null", r"\N"),
        (r'"\\N"', r'"\\\\N"'),
        (r'"a\tb\"c"', r'"a\\tb\\"c"'),
    ],
)
@pytest.mark.parametrize("schema", [UNION, {}, {"enum": ["a", 1]}, {"oneOf": [{"type": "string"}, {"type": "object"}]}])
def test_L5_json_columns_take_the_json_value_itself(value: str, copied: str, schema: Mapping[str, Any]) -> None:
    assert cell(value, schema) == (copied, [])


@pytest.mark.parametrize(
    ("value", "copied"),
    [
        ("2026-03-04T12:00:00+02:00", "2026-03-04 10:00:00"),
        ("2026-03-04T10:00:00Z", "2026-03-04 10:00:00"),
        ("2026-03-04 23:30:00.5-01:00", "2026-03-05 00:30:00.5"),
        ("2026-03-04T10:00Z", "2026-03-04 10:00:00"),
        ("2026-03-04T10:00:00.123456789Z", "2026-03-04 10:00:00.123456"),
        ("2016-12-31T23:59:60Z", "2017-01-01 00:00:00"),
        ("2024-02-29T00:00:00+14:00", "2024-02-28 10:00:00"),
    ],
)
def test_L6_date_times_are_utc(value: str, copied: str) -> None:
    assert cell(json.dumps(value), {"type": "string", "format": "date-time"}) == (copied, [])


def test_L6_date_times_of_redshift_are_utc_too() -> None:
    registry = Registry({"com.acme/thing/1-0-0": {"properties": {"at": {"type": "string", "format": "date-time"}}}})
    for given, written in (
        ("2026-03-04T12:00:00+02:00", "2026-03-04T10:00:00Z"),
        ("2026-03-04T12:00:00.50+00:00", "2026-03-04T12:00:00.50+00:00"),
        ("2026-03-04t12:00:00z", "2026-03-04T12:00:00Z"),
    ):
        contexts = json.dumps(self_describing(WRAPPER, [self_describing(URI, {"at": given})]))
        rows = Transformer(SHRED, registry, ORIGIN).rows(line(contexts=contexts))
        assert isinstance(rows, ShreddedRows)
        assert rows.rows[1].text.split("\t")[9] == written


def test_L7_a_folder_is_named_after_its_columns() -> None:
    older = entity_rows('{"a":"x"}', {"a": {"type": "string"}})[0].table
    newer = entity_rows('{"a":"x"}', {"a": {"type": "string"}}, {"a": {"type": "string"}, "b": {"type": "integer"}})[0]
    assert [column.name for column in older.columns][-2:] == ["ref_parent", "a"]
    assert newer.table.columns == (*older.columns, ("b", "BIGINT"))
    assert older.folder.startswith("vendor=com.acme/name=thing/format=postgres/model=1/columns=")
    assert older.folder != newer.table.folder


INTEGER = {"type": "integer", "minimum": 0, "maximum": 100}


@pytest.mark.parametrize(
    ("value", "schema", "copied"),
    [
        ("5.0", {"type": "number", "multipleOf": 1}, "5"),
        ("5E2", {"type": "number", "multipleOf": 1}, "500"),
        ("5.0", INTEGER, "5"),
        ("12345678901234567890", {"type": "integer", "minimum": 0, "maximum": 10**20}, "12345678901234567890"),
        ("3000000000", {"type": "integer", "minimum": -3000000000, "maximum": 3000000000}, "3000000000"),
        ('"abc"', {"multipleOf": 1}, '"abc"'),
        ("1e-400", {"type": "number"}, "0"),
        ("-0", {"type": "number"}, "-0"),
        ("1E5", {"type": "number"}, "1E5"),
        ('"2026-03-04"', {"type": "string", "format": "date"}, "2026-03-04"),
        (f'"{EVENT_ID.upper()}"', {"format": "uuid", "type": "string"}, EVENT_ID),
        ('"' + "x" * 5000 + '"', {"type": "string"}, "x" * 5000),
        ("true", {"type": "boolean"}, "true"),
    ],
)  # fmt: skip
def test_L8_valid_values_fit_their_columns(value: str, schema: Mapping[str, Any], copied: str) -> None:
    assert cell(value, schema) == (copied, [])


@pytest.mark.parametrize(
    ("value", "schema", "reason"),
    [
        ("12345678901234567890", {"type": "integer"}, "not between -9223372036854775808 and 9223372036854775807"),
        ("1e400", {"type": "integer"}, "not between -9223372036854775808 and 9223372036854775807"),
        ("1e400", {"type": "number"}, "beyond what DOUBLE PRECISION holds"),
        ("1e99999999999999999999", {}, "a number in it is beyond what JSONB holds"),
        ('{"deep":[1e200000]}', {}, "a number in it is beyond what JSONB holds"),
        ('"0000-01-01"', {"type": "string", "format": "date"}, "not between the years 1 and 9999"),
        ('"0000-01-01T00:00:00Z"', {"type": "string", "format": "date-time"}, "not between the years 1 and 9999"),
        ('"9999-12-31T23:59:59-01:00"', {"type": "string", "format": "date-time"}, "not between the years 1 and 9999"),
        ('"soon"', {"type": "string", "format": "date-time"}, "not a date-time"),
        ('"soon"', {"type": "string", "format": "date"}, "not a date"),
        ('"x"', {"type": "string", "format": "uuid"}, "not a UUID"),
        ('"x"', {"type": "boolean"}, "not a boolean"),
        ("1.5", {"type": "integer"}, "not a whole number"),
    ],
)
def test_L8_only_the_value_is_put_aside(value: str, schema: Mapping[str, Any], reason: str) -> None:
    assert cell(value, schema) == (r"\N", [[URI, "a", reason, value]])


def test_L8_a_text_longer_than_its_column_is_cut_and_kept_whole() -> None:
    text, rejected = cell('"abcdef"', {"type": "string", "maxLength": 3})
    assert text == "abc"
    assert rejected == [[URI, "a", "longer than 3 characters", '"abcdef"']]


@pytest.mark.slow
@pytest.mark.parametrize("levels", [900, 9_000])
def test_json_nested_deeply_keeps_its_row(levels: int) -> None:
    value = '{"a":[' * (levels // 2) + "1.50" + "]}" * (levels // 2)
    assert cell(f'["{"x" * 20_000}",{value}]', {})[0].endswith(f",{value}]")


def test_L9_a_backslash_u0000_that_is_text_stays() -> None:
    assert cell(r'"C:\\u0000new"', {"type": "string"})[0] == r"C:\\u0000new"
    assert cell(r'{"a":"C:\\u0000new"}', {})[0] == r'{"a":"C:\\\\u0000new"}'
    assert cell(r'{"a":"\\\u0000"}', {})[0] == '{"a":"\\\\\\\\\ufffd"}'


def test_L9_a_nul_becomes_the_replacement_character() -> None:
    assert cell(r'"a\u0000b"', {"type": "string"})[0] == "a\ufffdb"
    assert cell(r'["a\u0000b"]', {})[0] == '["a\ufffdb"]'


@pytest.mark.parametrize("column", ["derived_tstamp", "dvce_created_tstamp", "true_tstamp", "refr_dvce_tstamp"])
@pytest.mark.parametrize("text", ["-0005-01-01 00:00:00.000", "0000-01-01 00:00:00.000", "+12026-01-01 00:00:00.000"])
def test_L10_timestamps_outside_the_years_1_to_9999_are_null_and_kept(column: str, text: str) -> None:
    event, rejected = transform(line(**{column: text}))
    place = [name for name, _ in event.table.columns].index(column)
    assert event.text.split("\t")[place] == r"\N"
    iso = text[:-4].replace(" ", "T") + "Z"
    atomic = "iglu:com.snowplowanalytics.snowplow/atomic/jsonschema/1-0-0"
    wanted = [EVENT_ID, TSTAMP, atomic, column, "not between the years 1 and 9999", f'"{iso}"']
    assert rejected.text.split("\t") == wanted


def test_L10_an_event_without_a_readable_collector_time_is_a_bad_row() -> None:
    row = Transformer(SHRED, Registry({}), ORIGIN, target="postgres").rows(
        line(collector_tstamp="-0005-01-01 00:00:00.000")
    )
    assert isinstance(row, BadRow)
    failure = json.loads(row.to_json())["data"]["failure"]
    assert failure[0]["expected"] == "Timestamp"


def test_the_row_of_events_is_escaped_and_has_nulls() -> None:
    event, rejected = transform(line(app_id="a\\N", page_title="x\ry", geo_country="GBR"))
    cells = dict(zip([name for name, _ in event.table.columns], event.text.split("\t"), strict=True))
    assert (cells["app_id"], cells["page_title"], cells["platform"], cells["geo_country"]) == (
        r"a\\N",
        r"x\ry",
        r"\N",
        "GB",
    )
    assert rejected.text.split("\t")[3:] == ["geo_country", "longer than 2 characters", '"GBR"']
    assert len(cells) == 128


def test_B3_properties_beyond_the_limit_of_columns_share_one() -> None:
    versions = {f"p{number:04d}": {"type": "integer", "maximum": 9} for number in range(2000)}
    data = dict.fromkeys(versions, 1)
    row = entity_rows(json.dumps(data), versions)[0]
    cells = row.text.split("\t")
    assert len(row.table.columns) == len(cells) == 9 + 1500 + 1
    assert row.table.columns[-1] == ("_overflow", "JSONB")
    left = json.loads(cells[-1])
    shown = {name: int(text) for (name, _), text in zip(row.table.columns, cells, strict=True) if text == "1"}
    assert left | shown == data
    types = dict(row.table.columns)
    assert sum(postgres.cell_width(types[name], "1") for name in shown) <= 7_000


def test_B3_a_row_too_big_for_a_page_moves_its_last_values() -> None:
    versions = {f"p{number:03d}": {"type": "string"} for number in range(500)}
    data = dict.fromkeys(versions, "twenty characters or so")
    cells = entity_rows(json.dumps(data), versions)[0].text.split("\t")
    left = jsontext.loads(cells[-1])
    assert cells[9:-1].count(r"\N") == len(left) > 100
    assert list(left) == sorted(left, reverse=True)
    small = entity_rows('{"p499":"x"}', versions)[0].text.split("\t")
    assert small[-2:] == ["x", r"\N"]


@pytest.mark.parametrize(
    ("length", "folder", "kept"),
    [
        (4_096, "format=postgres/model=1", 4_096),
        (4_097, "format=postgres/model=1/columns=long", 4_097),
        (10_001, "format=postgres/model=1/columns=long", 10_000),
    ],
)
def test_texts_of_later_releases_stand_in_rows_of_their_own(length: int, folder: str, kept: int) -> None:
    row, *rejected = transform(line(page_url="x" * length))
    assert row.table.folder.endswith(folder)
    names = [column.name for column in row.table.columns]
    assert row.text.split("\t")[names.index("page_url")] == "x" * kept
    assert dict(row.table.columns)["page_url"] == ("VARCHAR(10000)" if "long" in folder else "VARCHAR(4096)")
    assert [other.text.split("\t")[3:5] for other in rejected] == (
        [] if length == kept else [["page_url", "longer than 10000 characters"]]
    )
