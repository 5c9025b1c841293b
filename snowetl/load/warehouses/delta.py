"""Delta Lake, by delta-rs: tables in a local folder or on S3, which Databricks, Spark, DuckDB and others read.

Each commit bears transaction ids of its run. Of two commits with one id, Delta lets the first through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.errors import ConfigError, LoadError
from snowetl.load.drivers import needed
from snowetl.load.lake import EVENTS, FAILED_EVENTS, LakeSession, LakeStatements, Marks
from snowetl.load.s3_access import s3_access
from snowetl.load.target import checked_schema
from snowetl.load.warehouse import LOADS_PARQUET, Capabilities, Say
from snowetl.storage.base import scheme_of

if TYPE_CHECKING:
    import pyarrow as pa

    from snowetl.load.target import Target

DAY = f"{LOAD_TSTAMP}_date"
"""Column of the day of ``load_tstamp``, by which events lie apart."""
_PARTITIONS = {EVENTS: [DAY, "event_name"], FAILED_EVENTS: [DAY, "event_name"]}
_SCHEMES = ("file", "s3", "s3a", "s3n")
_ORNAMENTS = re.compile(r"\x1b\[\d*m|↳")
_LASTING = ("AccessDenied", "NoSuchBucket", "InvalidAccessKeyId", "SignatureDoesNotMatch")
"""In errors of S3 that no further try helps."""
_PASSING = ("already exists", "Generic S3 error", "error sending request", "Concurrent")


class DeltaWarehouse(LakeStatements):
    """A folder of Delta tables, ``<root>/<schema>/<table>``."""

    name: ClassVar[str] = "delta"
    capabilities: ClassVar[Capabilities] = replace(
        LOADS_PARQUET,
        reads_back=True,
        extra="delta",
        modules=("deltalake", "pyarrow"),
        required=(("database",),),
        database_example="s3://BUCKET/FOLDER",
    )

    def __init__(self, root: str, schema: str = "atomic") -> None:
        self.root = root
        self.schema = checked_schema(schema)

    @classmethod
    def check(cls, target: Target) -> None:
        checked_schema(target.schema)
        _driver()
        _root(target)

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[DeltaWarehouse]:
        yield cls(_root(target), target.schema)

    @contextmanager
    def session(self) -> Iterator[LakeSession]:
        try:
            yield LakeSession(self._table, self.schema)
        except (_driver().exceptions.DeltaError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # of this machine; those of delta-rs have no number
            raise _load_error(self.root, error) from error

    def _table(self, name: str) -> DeltaTable:
        return DeltaTable(f"{self.root}/{self.schema}/{name}", _PARTITIONS.get(name, []))

    def dbt_output(self) -> Mapping[str, Any]:
        raise ConfigError("dbt has no adapter for Delta alone: it builds in Databricks, Spark or DuckDB")

    def preflight(self) -> list[str]:
        if scheme_of(self.root) == "file" and Path(self.root).is_file():
            return [f"{self.root} is a file: give a folder"]
        with self.session() as session:
            session.tables()
        return []


class DeltaTable:
    """See :class:`snowetl.load.lake.LakeTable`."""

    def __init__(self, url: str, partitions: Sequence[str]) -> None:
        self.url = url
        self._partitions = list(partitions)

    def _table(self) -> Any:
        """The table as it is now; ``None`` where it is not there."""
        deltalake = _driver()
        try:
            return deltalake.DeltaTable(self.url, storage_options=storage_options(self.url))
        except deltalake.exceptions.TableNotFoundError:
            return None

    def schema(self) -> pa.Schema | None:
        import pyarrow as pa

        table = self._table()
        return None if table is None else pa.schema(table.schema().to_arrow())

    def read(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        table = self._table()
        if table is not None:
            yield from table.to_pyarrow_dataset().to_batches(columns=list(columns))

    def content(self, marks: Marks) -> int | None:
        return _content(self._table(), marks.names)

    def append(self, rows: Callable[[], pa.RecordBatchReader], marks: Marks) -> bool:
        deltalake = _driver()
        table = self._table()
        if _content(table, marks.names) is not None:
            return False
        if scheme_of(self.url) == "file":
            Path(self.url).mkdir(parents=True, exist_ok=True)
        marked = [deltalake.Transaction(name, marks.content) for name in marks.names]
        try:
            deltalake.write_deltalake(
                table or self.url,
                _with_day(rows()) if self._partitions else rows(),
                mode="append" if table else "error",
                schema_mode="merge" if table else None,
                partition_by=self._partitions or None,
                storage_options=storage_options(self.url),
                commit_properties=deltalake.CommitProperties(
                    app_transactions=marked,
                    max_commit_retries=None if table else 0,  # of several that make the table, one does
                ),
            )
            return True
        except deltalake.exceptions.DeltaError as error:
            raise _load_error(self.url, error) from error

    def tidy(self) -> None:
        """Files that were replaced are kept for a week, for whoever reads them."""
        table = self._table()
        if table is not None:
            table.optimize.compact()
            table.vacuum(dry_run=False)
            table.create_checkpoint()


def _content(table: Any, names: Sequence[str]) -> int | None:
    found = [] if table is None else [table.transaction_version(name) for name in names]
    return next((content for content in found if content is not None), None)


def storage_options(url: str) -> dict[str, str]:
    """What delta-rs needs to reach a table."""
    if scheme_of(url) == "file":
        return {}
    access = s3_access()
    options = {
        "AWS_REGION": access.region,
        "AWS_ENDPOINT_URL": access.endpoint,
        "AWS_ALLOW_HTTP": "true" if access.endpoint.startswith("http:") else "",
        "AWS_ACCESS_KEY_ID": access.key,
        "AWS_SECRET_ACCESS_KEY": access.secret,
        "AWS_SESSION_TOKEN": access.token,
    }
    return {name: value for name, value in options.items() if value}


def _with_day(rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
    import pyarrow as pa

    schema = rows.schema.append(pa.field(DAY, pa.date32()))

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in rows:
            day = batch.column(LOAD_TSTAMP).cast(pa.date32())
            yield pa.RecordBatch.from_arrays([*batch.columns, day], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _load_error(url: str, error: Exception) -> LoadError:
    words = " ".join(_ORNAMENTS.sub("", str(error)).split())
    passing = isinstance(error, _driver().exceptions.CommitFailedError) or any(text in words for text in _PASSING)
    return LoadError(f"{url}: {words}", transient=passing and not any(text in words for text in _LASTING))


def _root(target: Target) -> str:
    """The folder a user named. Raises ``ConfigError``."""
    root = (target.database or "").rstrip("/")
    scheme = scheme_of(root)
    if not root or scheme not in _SCHEMES:
        raise ConfigError(
            f"--database {target.database!r} is not a folder or s3://BUCKET/FOLDER, where Delta tables lie"
        )
    if scheme == "file":
        from snowetl.load.parquet_files import local_path

        return str(Path(local_path(root) or root).absolute())
    return "s3://" + root.partition("://")[2]


def _driver() -> Any:
    with needed("loading into Delta Lake needs delta-rs", "delta"):
        import deltalake
        import deltalake.exceptions
    return deltalake
