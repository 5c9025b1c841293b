"""Redshift and Postgres: types, statements, and that a parser of the dialect takes every one of them."""

from __future__ import annotations

from typing import Any

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st

from snowetl.ddl import postgres, redshift
from snowetl.ddl.schema import Schema, parse
from snowetl.ddl.tables import Table
from snowetl.model.schema import SchemaKey
from tests.examples import examples

KEY = SchemaKey.parse("iglu:com.acme/event/jsonschema/1-0-2")


def read(document: dict[str, Any]) -> Schema:
    schema = parse(document)
    assert schema is not None
    return schema


def in_redshift(versions: list[Schema]) -> Table:
    table = redshift.table(versions)
    assert isinstance(table, Table)
    return table


def obj(required: list[str] | None = None, **properties: Any) -> Schema:
    return read({"type": "object", "properties": properties, "required": required or []})


@pytest.mark.parametrize(
    ("schema", "in_redshift", "encoding", "in_postgres"),
    [
        ({"type": "string"}, "VARCHAR(4096)", "ZSTD", "VARCHAR(4096)"),
        ({"type": ["string", "null"], "maxLength": 20}, "VARCHAR(20)", "ZSTD", "VARCHAR(20)"),
        ({"type": "string", "minLength": 12, "maxLength": 12}, "CHAR(12)", "ZSTD", "CHAR(12)"),
        ({"type": "string", "format": "uuid"}, "CHAR(36)", "ZSTD", "UUID"),
        ({"type": "string", "format": "date-time"}, "TIMESTAMP", "ZSTD", "TIMESTAMP"),
        ({"type": ["string", "null"], "format": "date"}, "DATE", "ZSTD", "DATE"),
        ({"type": "string", "format": "ipv4"}, "VARCHAR(15)", "ZSTD", "VARCHAR(4096)"),
        ({"type": "string", "format": "ipv6"}, "VARCHAR(4096)", "ZSTD", "VARCHAR(4096)"),
        ({"type": "string", "format": "email"}, "VARCHAR(255)", "ZSTD", "VARCHAR(4096)"),
        ({"type": "string", "enum": ["one", "three"]}, "VARCHAR(5)", "TEXT255", "VARCHAR(5)"),
        ({"type": "string", "enum": ["one"]}, "CHAR(3)", "ZSTD", "VARCHAR(3)"),
        ({"type": "string", "enum": ["one", "two"], "maxLength": 42}, "VARCHAR(3)", "TEXT255", "VARCHAR(42)"),
        ({"enum": ["a", 1]}, "VARCHAR(3)", "TEXT255", "JSONB"),
        ({"enum": [True, False]}, "VARCHAR(5)", "TEXT255", "JSONB"),
        ({"enum": [1, 2]}, "SMALLINT", "ZSTD", "INTEGER"),
        ({"enum": [1, 3000000000]}, "BIGINT", "ZSTD", "BIGINT"),
        ({"type": "integer"}, "BIGINT", "ZSTD", "BIGINT"),
        ({"type": "integer", "maximum": 100}, "SMALLINT", "ZSTD", "INTEGER"),
        ({"type": "integer", "maximum": 100000}, "INT", "ZSTD", "INTEGER"),
        ({"type": "integer", "maximum": 3000000000}, "BIGINT", "ZSTD", "BIGINT"),
        ({"type": "integer", "maximum": 1.5}, "DECIMAL", "ZSTD", "INTEGER"),
        ({"type": "number"}, "DOUBLE PRECISION", "RAW", "DOUBLE PRECISION"),
        ({"type": "number", "multipleOf": 0.01}, "DECIMAL (36, 2)", "ZSTD", "DOUBLE PRECISION"),
        ({"type": "number", "multipleOf": 1}, "INT", "ZSTD", "INTEGER"),
        ({"type": ["integer", "number", "null"]}, "DOUBLE PRECISION", "RAW", "DOUBLE PRECISION"),
        ({"type": "boolean"}, "BOOLEAN", "RUNLENGTH", "BOOLEAN"),
        ({"type": ["boolean", "integer"]}, "VARCHAR(10)", "ZSTD", "JSONB"),
        ({"type": ["string", "object"]}, "VARCHAR(4096)", "ZSTD", "JSONB"),
        ({"type": "array"}, "VARCHAR(65535)", "ZSTD", "JSONB"),
        ({"type": "object"}, "VARCHAR(4096)", "ZSTD", "JSONB"),
        ({}, "VARCHAR(4096)", "ZSTD", "JSONB"),
    ],
)  # fmt: skip
def test_types(schema: dict[str, Any], in_redshift: str, encoding: str, in_postgres: str) -> None:
    parsed = read(schema)
    assert redshift.column_type(parsed) == in_redshift
    assert redshift.encoding(parsed, in_redshift) == encoding
    assert postgres.column_type(parsed) == in_postgres


def test_a_redshift_table() -> None:
    table = in_redshift([obj(["url"], url={"type": "string", "maxLength": 10}, isNew={"type": "boolean"})])
    lines = redshift.create("atomic", "com_acme_event_1", table, KEY)[0].split("\n")
    assert lines[0] == "CREATE TABLE IF NOT EXISTS atomic.com_acme_event_1 ("
    assert lines[1] == '    "schema_vendor"  VARCHAR(128)  ENCODE ZSTD      NOT NULL,'
    assert lines[10:] == [
        '    "url"            VARCHAR(10)   ENCODE ZSTD      NOT NULL,',
        '    "is_new"         BOOLEAN       ENCODE RUNLENGTH,',
        "    FOREIGN KEY (root_id) REFERENCES atomic.events(event_id)",
        ")",
        "DISTSTYLE KEY",
        "DISTKEY (root_id)",
        "SORTKEY (root_tstamp)",
    ]


def test_a_redshift_migration() -> None:
    before = obj(a={"type": "string", "maxLength": 10}, e={"enum": ["x", "yy"]})
    after = obj(a={"type": "string", "maxLength": 20}, e={"enum": ["x", "yyy"]}, b={"type": "integer"})
    held, wanted = in_redshift([before]).held(), in_redshift([before, after])
    migration = redshift.alter("atomic", "t", KEY, held, wanted)
    assert migration.before == [
        'ALTER TABLE atomic.t ALTER "a" TYPE VARCHAR(20)',
        'ALTER TABLE atomic.t ALTER "e" TYPE VARCHAR(3)',  # TEXT255: the server refuses, the load warns and goes on
    ]
    assert migration.inside == [
        'ALTER TABLE atomic.t ADD COLUMN "b" BIGINT ENCODE ZSTD',
        "COMMENT ON TABLE atomic.t IS 'iglu:com.acme/event/jsonschema/1-0-2'",
    ]
    assert redshift.alter("atomic", "t", KEY, wanted.held(), wanted).before == [migration.inside[-1]]


def test_a_postgres_table_fits_every_version() -> None:
    first = obj(["a", "b"], a={"type": "string", "maxLength": 10}, b={"type": "integer", "maximum": 5})
    second = obj(["b", "c"], a={"type": "string", "maxLength": 20}, b={"type": "integer"}, c={"type": "number"})
    table = postgres.table([first, second])
    assert [column[:4] for column in table.columns] == [
        ("a", "VARCHAR(20)", False, ("a",)),
        ("b", "BIGINT", False, ("b",)),  # a number of twenty digits is valid, and its cell null
        ("c", "DOUBLE PRECISION", False, ("c",)),
    ]
    assert postgres.alter("atomic", "t", KEY, postgres.table([first]).held(), table).inside == [
        'ALTER TABLE atomic.t ALTER COLUMN "a" TYPE VARCHAR(20)',
        'ALTER TABLE atomic.t ALTER COLUMN "a" DROP NOT NULL',
        'ALTER TABLE atomic.t ALTER COLUMN "b" TYPE BIGINT',
        'ALTER TABLE atomic.t ADD COLUMN "c" DOUBLE PRECISION',
        "COMMENT ON TABLE atomic.t IS 'iglu:com.acme/event/jsonschema/1-0-2'",
    ]


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("INTEGER", "INTEGER", "INTEGER"), ("INTEGER", "BIGINT", "BIGINT"), ("BIGINT", "DOUBLE PRECISION", "NUMERIC"),
        ("NUMERIC", "INTEGER", "NUMERIC"), ("CHAR(3)", "VARCHAR(2)", "VARCHAR(3)"), ("DATE", "TIMESTAMP", "TIMESTAMP"),
        ("UUID", "VARCHAR(3)", "TEXT"), ("JSONB", "BOOLEAN", "JSONB"), ("TEXT", "INTEGER", "TEXT"),
    ],
)  # fmt: skip
def test_joined_types(one: str, other: str, both: str) -> None:
    assert postgres.joined(one, other) == both
    assert postgres.joined(other, one) == both


@pytest.mark.parametrize(
    ("type_", "stored"), [("VARCHAR(0)", "TEXT"), ("VARCHAR(99999999)", "TEXT"), ("CHAR(3)", "CHAR(3)")]
)
def test_lengths_postgres_does_not_take(type_: str, stored: str) -> None:
    assert postgres.storable(type_) == stored


HOSTILE = ['a"b', "'; DROP TABLE events; --", "select", "a.b c", "ü", "", "x" * 200, "a\\b", "%s", "$1"]


@pytest.mark.parametrize("dialect", ["redshift", "postgres"])
def test_names_cannot_break_out(dialect: str) -> None:
    schema = obj(**{name: {"type": "string"} for name in HOSTILE})
    if dialect == "redshift":
        statements = redshift.create("atomic", "t", in_redshift([schema]), KEY)
        statements += redshift.alter("atomic", "t", KEY, {}, in_redshift([obj(), schema])).inside
    else:
        statements = postgres.create("atomic", "t", postgres.table([schema]), KEY)
        statements += postgres.alter("atomic", "t", KEY, {}, postgres.table([obj(z={}), schema])).inside
    for statement in statements:
        parsed = sqlglot.parse(statement, dialect=dialect)
        assert len(parsed) == 1
        assert parsed[0] is not None
        assert parsed[0].key in ("create", "alter", "comment")


PROPERTY = st.sampled_from(
    [{"type": "string"}, {"type": "integer", "maximum": 5}, {"type": "array"},
    {"type": ["string", "null"], "maxLength": 7},
     {"enum": [1, "a"]}, {"type": "boolean"}, {"type": "number", "multipleOf": 0.01},
     {"type": "string", "format": "date"}]
)  # fmt: skip
MODELS = st.lists(st.dictionaries(st.text(min_size=1, max_size=6), PROPERTY, max_size=5), min_size=1, max_size=3)


@examples(0.6)
@given(MODELS)
def test_every_statement_parses(model: list[dict[str, Any]]) -> None:
    schemas = [obj(**properties) for properties in model]
    statements = {
        "redshift": [
            *redshift.create("atomic", "t", in_redshift(schemas), KEY),
            *redshift.alter("atomic", "t", KEY, in_redshift(schemas[:1]).held(), in_redshift(schemas)).before,
            *redshift.alter("atomic", "t", KEY, in_redshift(schemas[:1]).held(), in_redshift(schemas)).inside,
        ],
        "postgres": [
            *postgres.create("atomic", "t", postgres.table(schemas), KEY),
            *postgres.alter("atomic", "t", KEY, postgres.table(schemas[:1]).held(), postgres.table(schemas)).inside,
        ],
    }
    for dialect, texts in statements.items():
        for text in texts:
            assert len(sqlglot.parse(text, dialect=dialect)) == 1


def test_three_hundred_properties() -> None:
    schema = obj(**{f"property{number}": {"type": "string"} for number in range(300)})
    assert redshift.create("atomic", "t", in_redshift([schema]), KEY)[0].count("\n") == 300 + 9 + 5


@pytest.mark.parametrize(
    ("schema", "held"),
    [
        ({"type": "number", "multipleOf": 1}, "BIGINT"),
        ({"type": "number", "multipleOf": 5, "maximum": 100}, "INTEGER"),
        ({"type": "number", "multipleOf": 1, "maximum": 3000000000}, "BIGINT"),
        ({"type": ["number", "null"], "multipleOf": 1, "minimum": 0}, "BIGINT"),
        ({"type": "number", "multipleOf": 1, "enum": [1, 2]}, "INTEGER"),
    ],
)
def test_L8_whole_numbers_without_a_maximum_have_64_bits(schema: dict[str, Any], held: str) -> None:
    assert postgres.holding_type(read(schema)) == held
