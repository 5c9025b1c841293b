"""The warehouses that load wide rows in Parquet: how each is reached here, and how its tables are read back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from snowetl.errors import LoadError
from snowetl.load.engine import RunLoader
from snowetl.load.report import LoadReport
from snowetl.load.retries import Retries
from snowetl.load.run import read_run
from snowetl.load.target import Target
from snowetl.storage import filesystem
from tests.load.runs import Registry
from tests.load.warehouses import BUCKET


@dataclass
class WidePlace:
    """One warehouse of a test. ``put`` brings a run folder to where it shall be read from."""

    target: Target
    supports_not_null: bool = False
    put: Any = str
    said: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.target.warehouse

    def load(self, folder: str, **more: Any) -> LoadReport:
        return self.load_from(self.put(folder), **more)

    def load_from(
        self,
        url: str,
        *,
        bad: str | None = None,
        retries: int = 0,
        fail_on: str | None = None,
        skip: Sequence[Any] = (),
    ) -> LoadReport:
        """``fail_on``: the method of the session that a server would die in."""
        with self.target.open() as warehouse:
            if fail_on is not None:
                warehouse = _Failing(warehouse, fail_on)  # type: ignore[assignment]
            loader = RunLoader(
                warehouse, Registry(), retries=Retries(retries, backoff=0.01), warn=self.said.append, skip=skip
            )
            return loader.load(read_run(url), filesystem(bad).list(bad) if bad else ())

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query that names tables without their schema. Times are of UTC."""
        return self._run(sql).fetchall()  # type: ignore[no-any-return]

    def count(self, table: str = "events") -> int:
        return int(self.query(f"SELECT count(*) FROM {table}")[0][0]) if table in self.tables() else 0

    def tables(self) -> set[str]:
        with self.target.open() as warehouse, warehouse.session() as session:
            return set(session.tables().comments)

    def columns(self, table: str = "events") -> dict[str, str]:
        """DuckDB's types of a table's columns, by name."""
        return {row[0]: row[1] for row in self._run(f"DESCRIBE {table}").fetchall()}

    def _run(self, sql: str) -> Any:
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        if self.name == "duckdb":
            path = str(self.target.database).removeprefix("duckdb://")
            connection.execute(f"ATTACH '{path}' AS them (READ_ONLY); USE them.atomic")
        else:
            for name in self.tables():
                connection.register(name, self.read(name))
        return connection.execute(sql)

    def read(self, table: str) -> Any:
        """A table of a lake, as Arrow."""
        return READ[self.name](self.target, table)


class _Failing:
    """A warehouse whose server goes away in a certain method of the session."""

    def __init__(self, inner: Any, method: str) -> None:
        self._inner = inner
        self._method = method

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @contextmanager
    def session(self) -> Iterator[Any]:
        def fail(*_: Any) -> None:
            raise LoadError("the server went away", transient=True)

        with self._inner.session() as session:
            setattr(session, self._method, fail)
            yield session


def duckdb_file(tmp_path: Path) -> WidePlace:
    return WidePlace(Target(warehouse="duckdb", database=f"duckdb://{tmp_path}/warehouse/x.duckdb"), True)


def delta_folder(tmp_path: Path) -> WidePlace:
    return WidePlace(Target(warehouse="delta", database=f"{tmp_path}/lake"))


def delta_on_s3(tmp_path: Path) -> WidePlace:
    """Runs and tables on S3."""
    return WidePlace(Target(warehouse="delta", database=f"s3://{BUCKET}/{tmp_path.name}/lake"), put=_on_s3(tmp_path))


def iceberg_in_glue(tmp_path: Path) -> WidePlace:
    """Runs and tables on S3, the catalog in Glue."""
    address = f"glue:?warehouse=s3://{BUCKET}/{tmp_path.name}/lake"
    schema = re.sub(r"\W", "_", tmp_path.name.lower())
    return WidePlace(Target(warehouse="iceberg", database=address, schema=schema), put=_on_s3(tmp_path))


def _on_s3(tmp_path: Path) -> Callable[[str], str]:
    client = boto3.client("s3")

    def put(folder: str) -> str:
        base = Path(folder)
        for path in sorted(base.rglob("*")):
            if path.is_file():
                key = f"{tmp_path.name}/{base.parent.parent.name}/{base.name}/{path.relative_to(base)}"
                client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
        return f"s3://{BUCKET}/{tmp_path.name}/{base.parent.parent.name}/{base.name}"

    return put


def _read_delta(target: Target, table: str) -> Any:
    from deltalake import DeltaTable

    from snowetl.load.warehouses.delta import storage_options

    url = f"{target.database}/{target.schema}/{table}"
    return DeltaTable(url, storage_options=storage_options(url)).to_pyarrow_table()


def iceberg_folder(tmp_path: Path) -> WidePlace:
    return WidePlace(Target(warehouse="iceberg", database=f"{tmp_path}/lake"))


def _read_iceberg(target: Target, name: str) -> Any:
    """By Arrow, of the files that the table's scan names: pyiceberg reads null arrays of structs as empty ones."""
    from snowetl.load.evolution import canonical
    from snowetl.load.warehouses.iceberg import catalog_of

    table = catalog_of(str(target.database)).load_table((target.schema, name))
    types = {column.name: canonical(column.type) for column in table.schema().as_arrow()}
    schema = pa.schema([*types.items()])
    parts = [
        pq.ParquetFile(table.io.new_input(task.file.file_path).open()).read() for task in table.scan().plan_files()
    ]
    return pa.concat_tables([_in(schema, part) for part in parts]) if parts else schema.empty_table()


def _in(schema: pa.Schema, rows: pa.Table) -> pa.Table:
    """Rows of a file in the columns of its table, those and the fields it lacks as nulls."""
    columns = [
        rows[field.name].cast(field.type) if field.name in rows.column_names else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


READ = {"delta": _read_delta, "iceberg": _read_iceberg}
WIDE_PLACES = {"duckdb": duckdb_file, "delta": delta_folder, "iceberg": iceberg_folder}
ON_S3 = {"delta on s3": delta_on_s3, "iceberg in glue on s3": iceberg_in_glue}
