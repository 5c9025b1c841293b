"""Tables of DuckDB and of lakes as Arrow, read by other code than the loader's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from snowetl.load.evolution import canonical
from snowetl.load.target import Target


def table_of(target: Target, table: str) -> pa.Table:
    return _READ[target.warehouse](target, table)


def _duckdb(target: Target, table: str) -> pa.Table:
    path = str(target.database or target.data_folder / "events.duckdb").removeprefix("duckdb://")
    with duckdb.connect(path, read_only=True) as connection:
        return connection.sql(f"SELECT * FROM {target.schema}.{table}").to_arrow_table()


def _delta(target: Target, table: str) -> pa.Table:
    from deltalake import DeltaTable

    from snowetl.load.warehouses.delta import storage_options

    url = f"{target.database}/{target.schema}/{table}"
    return DeltaTable(url, storage_options=storage_options(url)).to_pyarrow_table()


def _iceberg(target: Target, table: str) -> pa.Table:
    """Of the files that the table's scan names: pyiceberg reads null arrays of structs as empty ones."""
    from snowetl.load.warehouses.iceberg.catalog import catalog_of

    found = catalog_of(str(target.database)).load_table((target.schema, table))
    types = {column.name: canonical(column.type) for column in found.schema().as_arrow()}
    schema = pa.schema([*types.items()])
    files = [task.file.file_path for task in found.scan().plan_files()]
    parts = [pq.ParquetFile(found.io.new_input(path).open()).read() for path in files]
    return pa.concat_tables([_in(schema, part) for part in parts]) if parts else schema.empty_table()


def _in(schema: pa.Schema, rows: pa.Table) -> pa.Table:
    """Rows of a file in the columns of its table, those and the fields it lacks as nulls."""
    columns: list[Any] = [
        rows[field.name].cast(field.type) if field.name in rows.column_names else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


_READ: dict[str, Callable[[Target, str], pa.Table]] = {"duckdb": _duckdb, "delta": _delta, "iceberg": _iceberg}
