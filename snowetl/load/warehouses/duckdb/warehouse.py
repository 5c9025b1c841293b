"""A schema in a DuckDB file: where it lies, and which statements make its tables."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from snowetl.ddl import duckdb as ddl
from snowetl.errors import ConfigError, LoadError
from snowetl.load import parquet_files
from snowetl.load.plan import Copy
from snowetl.load.run import TransformedRun
from snowetl.load.target import checked_schema
from snowetl.load.warehouse import LOADS_PARQUET, AddedColumn, Capabilities, Say, Statement, Tables
from snowetl.load.warehouses.duckdb.driver import driver, is_passing, words
from snowetl.load.warehouses.duckdb.session import DuckDbSession, insert
from snowetl.load.warehouses.duckdb.tables import OWN_TABLES
from snowetl.settings.words import count
from snowetl.storage.base import scheme_of

if TYPE_CHECKING:
    import pyarrow as pa

    from snowetl.load.target import Target

FILE = "events.duckdb"
"""In a data folder."""
_ONE_AT_A_TIME: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
"""Sessions of this process, by file."""


class DuckDbWarehouse:
    """A schema in a DuckDB file, which the first load makes."""

    name: ClassVar[str] = "duckdb"
    capabilities: ClassVar[Capabilities] = replace(
        LOADS_PARQUET,
        reads_back=True,
        dbt_adapter="duckdb",
        embedded=True,
        extra="duckdb",
        modules=("duckdb", "pyarrow"),
        database_example="duckdb:///FOLDER/FILE.duckdb",
    )

    def __init__(self, path: Path, schema: str = "atomic") -> None:
        self.path = path
        self.schema = checked_schema(schema)

    @classmethod
    def check(cls, target: Target) -> None:
        checked_schema(target.schema)
        driver()
        _path(target)

    @classmethod
    def check_folder(cls, target: Target) -> None:
        """What :meth:`preflight` finds."""

    @classmethod
    def is_unmade(cls, target: Target) -> bool:
        """Never: a file that is missing is looked into as an empty one."""
        return False

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[DuckDbWarehouse]:
        yield cls(_path(target), target.schema)

    @contextmanager
    def session(self) -> Iterator[DuckDbSession]:
        with _ONE_AT_A_TIME[str(self.path.resolve())]:
            session = DuckDbSession(self.path, self.schema)
            try:
                yield session
            except driver().Error as error:
                raise LoadError(f"{self.path}: {words(error)}", transient=is_passing(error)) from error
            finally:
                session.close()

    def set_up(self, tables: Tables) -> list[Statement]:
        return OWN_TABLES.set_up(self.schema, tables, self.create_events("events"))

    def create_events(self, table: str) -> list[Statement]:
        return [Statement(f"create {self.schema}.{table}", ddl.create_events(self.schema, table))]

    def add_columns(
        self, table: str, added: Sequence[AddedColumn], columns: Mapping[str, pa.DataType]
    ) -> list[Statement]:
        name = f"alter {self.schema}.{table}"
        return [Statement(name, ddl.add_column(self.schema, table, path, type_)) for path, type_ in added]

    def copy_statement(self, copy: Copy, run: TransformedRun) -> Statement:
        name = f"copy {count(len(copy.files), 'file')} of {copy.folder.path} into {self.schema}.{copy.table}"
        return Statement(name, insert(self.schema, copy, f"{run.base}{copy.folder.path}*.parquet"))

    def dbt_output(self) -> Mapping[str, Any]:
        return {"type": "duckdb", "path": str(self.path.resolve())}

    def preflight(self) -> list[str]:
        folder = self.path.absolute().parent
        if self.path.is_dir():
            return [f"{self.path} is a folder; name a file in it: {self.path}/{FILE}"]
        if not self.path.exists():
            above = next(one for one in (folder, *folder.parents) if one.exists())
            return [] if above.is_dir() else [f"{above} is a file: give another place"]
        with self.session() as session:
            session.tables()
        return []


def _path(target: Target) -> Path:
    """The file a user named. Raises ``ConfigError``."""
    url = target.database
    if url is None:
        return target.data_folder / FILE
    if scheme_of(url) == "file":
        return Path(parquet_files.local_path(url) or "")
    rest = url[len("duckdb:") :]
    if scheme_of(url) != "duckdb" or (rest.startswith("//") and not rest.startswith("///")) or not rest.strip("/"):
        raise ConfigError(
            f"--database {url!r} is not the address of a DuckDB file, such as duckdb:///FOLDER/FILE.duckdb or "
            "duckdb:FILE.duckdb"
        )
    return Path(rest.removeprefix("//"))
