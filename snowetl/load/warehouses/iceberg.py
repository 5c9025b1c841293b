"""Apache Iceberg, by pyiceberg: tables of a catalog (SQLite in a local folder, Glue, REST), without a JVM.

A snapshot bears the names of its run in its summary. Snapshots expire; then the rows of ``manifest`` and of
``bad_rows`` tell what is loaded.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.errors import ConfigError, LoadError
from snowetl.load.drivers import needed
from snowetl.load.lake import BAD_ROWS, EVENTS, FAILED_EVENTS, MANIFEST, LakeSession, LakeStatements, Marks
from snowetl.load.parquet_files import local_path
from snowetl.load.s3_access import s3_access
from snowetl.load.target import checked_schema
from snowetl.load.warehouse import LOADS_PARQUET, Capabilities, Say
from snowetl.storage.base import scheme_of

if TYPE_CHECKING:
    import pyarrow as pa

    from snowetl.load.target import Target

_PARTITIONED = (EVENTS, FAILED_EVENTS)
_MARKS = "snowetl.marks"
"""In the summary of a snapshot."""
_CHUNK_BYTES = 256 << 20
"""Of rows that are held at once, and become row groups."""
_KEPT = timedelta(days=7)
"""For how long a vacuum keeps snapshots. A load that was killed must be repeated within that time."""
_MANY_FILES = 50
_EXAMPLES = "a folder, glue:?warehouse=s3://BUCKET/FOLDER, https://REST-CATALOG?warehouse=NAME, or catalog:NAME"


class IcebergWarehouse(LakeStatements):
    """A namespace of an Iceberg catalog."""

    name: ClassVar[str] = "iceberg"
    capabilities: ClassVar[Capabilities] = replace(
        LOADS_PARQUET,
        reads_back=True,
        extra="iceberg",
        modules=("pyiceberg", "pyiceberg_core", "sqlalchemy", "pyarrow"),
        required=(("database",),),
        database_example="glue:?warehouse=s3://BUCKET/FOLDER",
    )

    def __init__(self, address: str, schema: str = "atomic") -> None:
        self.address = address
        self.schema = checked_schema(schema)

    @classmethod
    def check(cls, target: Target) -> None:
        checked_schema(target.schema)
        _driver()
        _properties(target.database or "")

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[IcebergWarehouse]:
        yield cls(target.database or "", target.schema)

    @contextmanager
    def session(self) -> Iterator[LakeSession]:
        with _explained(urlsplit(self.address)._replace(query="").geturl()):
            catalog = catalog_of(self.address)
            yield LakeSession(lambda name: IcebergTable(catalog, self.schema, name), self.schema)

    def dbt_output(self) -> Mapping[str, Any]:
        raise ConfigError("dbt has no adapter for Iceberg alone: it builds in Spark, Athena or Trino")

    def preflight(self) -> list[str]:
        folder = local_path(self.address)
        if folder is not None:
            return [f"{folder} is a file: give a folder"] if Path(folder).is_file() else []
        with self.session() as session:
            session.tables()
        return []


class IcebergTable:
    """See :class:`snowetl.load.lake.LakeTable`."""

    def __init__(self, catalog: Any, namespace: str, name: str) -> None:
        self._catalog = catalog
        self._namespace = namespace
        self._name = name

    def _table(self) -> Any:
        """The table as it is now; ``None`` where it is not there."""
        exceptions = _driver().exceptions
        try:
            return self._catalog.load_table((self._namespace, self._name))
        except (exceptions.NoSuchTableError, exceptions.NoSuchNamespaceError):
            return None

    def schema(self) -> pa.Schema | None:
        table = self._table()
        return None if table is None else table.schema().as_arrow()

    def read(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        table = self._table()
        if table is not None:
            yield from table.scan(selected_fields=tuple(columns)).to_arrow_batch_reader()

    def content(self, marks: Marks) -> int | None:
        return self._content(self._table(), marks)

    def _content(self, table: Any, marks: Marks) -> int | None:
        if table is None:
            return None
        for snapshot in reversed(table.metadata.snapshots):
            summary = {} if snapshot.summary is None else snapshot.summary.additional_properties
            found = dict(mark.split(":") for mark in summary.get(_MARKS, "").split())
            for name in marks.names:
                if name in found:
                    return int(found[name])
        return self._content_of_rows(table, marks)

    def _content_of_rows(self, table: Any, marks: Marks) -> int | None:
        """What the rows tell of a run whose snapshot has expired."""
        from pyiceberg.expressions import EqualTo, Or

        wanted: Any = EqualTo("base", marks.row.base)  # type: ignore[arg-type, call-arg]
        if self._name == BAD_ROWS:
            found = table.scan(row_filter=wanted, selected_fields=("base",), limit=1).to_arrow()
            return marks.content if found.num_rows else None
        if self._name != MANIFEST:
            return None
        if marks.row.run_identity is not None:
            wanted = Or(wanted, EqualTo("run_identity", marks.row.run_identity))  # type: ignore[arg-type, call-arg]
        found = table.scan(row_filter=wanted, selected_fields=("run_identity",)).to_arrow()
        identities = found["run_identity"].to_pylist()
        if not identities:
            return None
        return marks.content if marks.row.run_identity in identities else -1

    def append(self, rows: Callable[[], pa.RecordBatchReader], marks: Marks) -> bool:
        table = self._table()
        if self._content(table, marks) is not None:
            return False
        properties = {_MARKS: " ".join(f"{name}:{marks.content}" for name in marks.names)}
        files = _Files(self._name in _PARTITIONED)
        try:
            with rows() as reader, self._transaction(table, reader.schema) as transaction:
                files.write(reader, transaction.table_metadata.location, self._io(transaction))
                transaction.add_files(files.paths, snapshot_properties=properties, check_duplicate_files=False)
        except BaseException:
            files.delete()
            raise
        return True

    def _io(self, transaction: Any) -> Any:
        """How the files of a table are written."""
        from pyiceberg.io import load_file_io

        return load_file_io(self._catalog.properties, transaction.table_metadata.location)

    @contextmanager
    def _transaction(self, table: Any, rows: pa.Schema) -> Iterator[Any]:
        """A transaction on the table that was looked into, with the columns the rows need; made if need be."""
        if table is None:
            self._catalog.create_namespace_if_not_exists(self._namespace)
            with self._catalog.create_table_transaction((self._namespace, self._name), schema=rows) as transaction:
                if self._name in _PARTITIONED:
                    _partition(transaction)
                yield transaction
            return
        # The client would add the rows once more after a conflict, without looking who was quicker.
        table.metadata.properties["commit.retry.num-retries"] = "0"
        with table.transaction() as transaction:
            with transaction.update_schema() as update:
                update.union_by_name(rows)
            yield transaction

    def tidy(self) -> None:
        """Expire old snapshots, and put the manifest's many files together. The files of events are for an engine."""
        table = self._table()
        if table is None:
            return
        table.maintenance.expire_snapshots().older_than(datetime.now(UTC) - _KEPT).commit()
        table.refresh()
        if self._name == MANIFEST and table.inspect.files().num_rows > _MANY_FILES:
            table.overwrite(table.scan().to_arrow())


def _partition(transaction: Any) -> None:
    from pyiceberg.transforms import DayTransform

    with transaction.update_spec() as spec:
        spec.add_field(LOAD_TSTAMP, DayTransform(), f"{LOAD_TSTAMP}_day")
        spec.add_identity("event_name")


class _Files:
    """The data files of a commit, one for each event name of a table of events.

    They are written here, and added by name: pyiceberg's own writer makes empty arrays of structs out of null ones, and
    holds a partitioned table in memory.
    """

    def __init__(self, partitioned: bool) -> None:
        self.paths: list[str] = []
        self._partitioned = partitioned
        self._io: Any = None

    def write(self, reader: pa.RecordBatchReader, location: str, io: Any) -> None:
        import pyarrow.parquet as pq

        self._io = io
        with ExitStack() as stack:
            writers: dict[str | None, Any] = {}
            for chunk in _chunks(reader):
                for name, rows in self._apart(chunk):
                    if name not in writers:
                        path = f"{location}/data/{uuid.uuid4()}.parquet"
                        self.paths.append(path)
                        stream = stack.enter_context(io.new_output(path).create())
                        writers[name] = stack.enter_context(pq.ParquetWriter(stream, reader.schema, compression="zstd"))
                    writers[name].write_table(rows)

    def _apart(self, rows: pa.Table) -> Iterator[tuple[str | None, pa.Table]]:
        import pyarrow.compute as pc

        if not self._partitioned:
            yield None, rows
            return
        column = rows["event_name"]
        for name in pc.unique(column).to_pylist():
            yield name, rows.filter(pc.is_null(column) if name is None else pc.equal(column, name))

    def delete(self) -> None:
        """Leave no trace of a commit that failed."""
        for path in self.paths:
            with suppress(OSError):
                self._io.delete(path)


def _chunks(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    import pyarrow as pa

    held: list[Any] = []
    size = 0
    for batch in reader:
        held.append(batch)
        size += batch.nbytes
        if size > _CHUNK_BYTES:
            yield pa.Table.from_batches(held)
            held, size = [], 0
    if held:
        yield pa.Table.from_batches(held)


def catalog_of(address: str) -> Any:
    """The catalog of an address. Raises what pyiceberg raises."""
    pyiceberg = _driver()
    name, properties = _properties(address)
    folder = local_path(address)
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
    return pyiceberg.catalog.load_catalog(name, **properties)


def _properties(address: str) -> tuple[str, dict[str, str]]:
    """Name and properties of a catalog. Raises ``ConfigError`` for an address of another kind."""
    scheme, parts = scheme_of(address), urlsplit(address)
    given = dict(parse_qsl(parts.query))
    if scheme == "catalog":
        return parts.path.strip("/") or parts.netloc, {}
    if scheme == "file" and address:
        folder = str(Path(local_path(address) or "").absolute())
        return "snowetl", {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}"}
    if scheme == "glue" and "warehouse" in given:
        return "snowetl", {"type": "glue", **_s3(), **given}
    if scheme in ("http", "https"):
        return "snowetl", {"type": "rest", "uri": parts._replace(query="").geturl(), **_s3(), **given}
    raise ConfigError(f"--database {address!r} is not an Iceberg catalog: give {_EXAMPLES}")


def _s3() -> dict[str, str]:
    access = s3_access()
    names = ("region", "endpoint", "access-key-id", "secret-access-key", "session-token")
    found = {f"s3.{name}": value for name, value in zip(names, access, strict=True) if value}
    return found | {"glue.region": access.region} | ({"glue.endpoint": access.endpoint} if access.endpoint else {})


@contextmanager
def _explained(where: str) -> Iterator[None]:
    """Raises ``LoadError``; transient where another loader was quicker, or the catalog does not answer."""
    exceptions = _driver().exceptions
    from sqlalchemy.exc import SQLAlchemyError

    passing = (
        exceptions.CommitFailedException,
        exceptions.TableAlreadyExistsError,
        exceptions.NamespaceAlreadyExistsError,
        exceptions.ServerError,
        exceptions.ServiceUnavailableError,
        SQLAlchemyError,
        ConnectionError,
    )
    try:
        yield
    except passing as error:
        raise LoadError(f"{where}: {str(error).partition(chr(10))[0]}", transient=True) from error
    except (exceptions.RESTError, exceptions.ValidationError, ValueError) as error:
        raise LoadError(f"{where}: {error}") from error


def _driver() -> Any:
    with needed("loading into Iceberg needs pyiceberg", "iceberg"):
        import pyiceberg
        import pyiceberg.catalog
        import pyiceberg.exceptions
    return pyiceberg
