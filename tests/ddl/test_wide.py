"""``snowetl ddl`` for warehouses that keep entities in columns of events."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
import sqlglot

from snowetl.cli.main import main
from snowetl.ddl import bigquery, clickhouse, duckdb
from snowetl.load.wide_ddl import WIDE_DIALECTS
from tests.cli.test_ddl import write

TEXTS = pa.list_(pa.string())


@pytest.fixture
def folder(tmp_path: Path) -> str:
    write(tmp_path, "1-0-0", n={"type": "integer"}, tags={"type": "array", "items": {"type": "string"}})
    write(tmp_path, "1-0-1", n={"type": "integer"}, at={"type": "string", "format": "date-time"})
    write(tmp_path, "1-0-2", n={"type": "boolean"})
    return str(tmp_path)


@pytest.mark.parametrize("dialect", WIDE_DIALECTS)
def test_the_table_of_events_has_the_columns_of_models(
    folder: str, dialect: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ddl", folder, "--dialect", dialect, "--schema", "shop"]) == 0
    printed = capsys.readouterr().out
    created, *added = sqlglot.parse(printed, dialect=dialect)
    assert created is not None and created.key == "create" and len(created.find(sqlglot.exp.Schema).expressions) >= 129  # type: ignore[union-attr]
    columns = [statement.find(sqlglot.exp.ColumnDef).name for statement in added if statement is not None]  # type: ignore[union-attr]
    plain_columns = ["unstruct_event_com_acme_event_1", "contexts_com_acme_event_1"]
    if not WIDE_DIALECTS[dialect].typed:
        assert columns == plain_columns
        return
    for column in plain_columns:
        plain, recovered = (name for name in columns if name.startswith(column))
        assert plain == column and recovered.startswith(f"{column}_recovered_1_0_2_")
    assert len(columns) == 4


@pytest.mark.parametrize("option", [["--from", "1-0-0"], ["--recovery-tables"]])
def test_what_is_for_tables_of_entities_is_refused(
    folder: str, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ddl", folder, "--dialect", "bigquery", *option]) == 2
    assert "bigquery keeps them in columns of events" in capsys.readouterr().err


@pytest.mark.parametrize("dialect", WIDE_DIALECTS)
def test_schemas_are_checked_one_by_one(folder: str, dialect: str) -> None:
    assert main(["ddl", folder, "--dialect", dialect, "--check", "--level", "error"]) == 0


@pytest.mark.parametrize(
    ("type_", "in_duckdb", "in_clickhouse", "in_bigquery"),
    [
        (pa.string(), "VARCHAR", "Nullable(String)", "STRING"),
        (pa.int32(), "INTEGER", "Nullable(Int32)", "INT64"),
        (pa.int64(), "BIGINT", "Nullable(Int64)", "INT64"),
        (pa.float64(), "DOUBLE", "Nullable(Float64)", "FLOAT64"),
        (pa.bool_(), "BOOLEAN", "Nullable(Bool)", "BOOL"),
        (pa.date32(), "DATE", "Nullable(Date32)", "DATE"),
        (pa.timestamp("us", "UTC"), "TIMESTAMP", "Nullable(DateTime64(6, 'UTC'))", "TIMESTAMP"),
        (pa.decimal128(9, 2), "DECIMAL(9, 2)", "Nullable(Decimal(9, 2))", "NUMERIC(9, 2)"),
        (pa.decimal128(38, 9), "DECIMAL(38, 9)", "Nullable(Decimal(38, 9))", "NUMERIC(38, 9)"),
        (pa.decimal128(38, 8), "DECIMAL(38, 8)", "Nullable(Decimal(38, 8))", "BIGNUMERIC(38, 8)"),
        (pa.decimal128(18, 10), "DECIMAL(18, 10)", "Nullable(Decimal(18, 10))", "BIGNUMERIC(18, 10)"),
        (TEXTS, "VARCHAR[]", "Array(Nullable(String))", "ARRAY<STRING>"),
        (
            pa.list_(TEXTS),
            "VARCHAR[][]",
            "Array(Array(Nullable(String)))",
            "ARRAY<STRUCT<`nested_array` ARRAY<STRING>>>",
        ),
        (
            pa.struct([("a", pa.int64()), ("b", pa.list_(pa.struct([("c", pa.bool_())])))]),
            'STRUCT("a" BIGINT, "b" STRUCT("c" BOOLEAN)[])',
            "Tuple(`a` Nullable(Int64), `b` Array(Tuple(`c` Nullable(Bool))))",
            "STRUCT<`a` INT64, `b` ARRAY<STRUCT<`c` BOOL>>>",
        ),
    ],
)
def test_types(type_: pa.DataType, in_duckdb: str, in_clickhouse: str, in_bigquery: str) -> None:
    assert duckdb.sql_type(type_) == in_duckdb
    assert clickhouse.sql_type(type_) == in_clickhouse
    assert bigquery.sql_type(type_) == in_bigquery
