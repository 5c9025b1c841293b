"""A table of BigQuery, filled by load jobs: see :class:`snowetl.load.lake.LakeTable`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.load.lake import BAD_ROWS, EVENTS, FAILED_EVENTS, Marks, content_of
from snowetl.load.warehouses.bigquery import rows as fields
from snowetl.load.warehouses.bigquery.client import driver, errors

if TYPE_CHECKING:
    import pyarrow as pa

_READ_ROWS = 50_000
"""Rows of a page; BigQuery makes it smaller where they are more than 10 MB."""
_CLUSTERED = (EVENTS, FAILED_EVENTS)


class BigQueryTable:
    """See :class:`snowetl.load.lake.LakeTable`."""

    def __init__(self, client: Any, dataset: str, name: str, seconds: int | None) -> None:
        self._client = client
        self._dataset = dataset
        self._name = name
        self._seconds = seconds

    def schema(self) -> pa.Schema | None:
        table = self._table()
        return None if table is None else fields.schema_of(field.to_api_repr() for field in table.schema)

    def _table(self) -> Any:
        try:
            return self._client.get_table(f"{self._dataset}.{self._name}")
        except errors().NotFound:
            return None

    def read(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows are listed: that is no query, and costs none."""
        table = self._table()
        if table is None:
            return
        wanted = [field for field in table.schema if field.name in columns]  # they come in the table's order
        rows = self._client.list_rows(table, selected_fields=wanted, page_size=_READ_ROWS)
        for batch in rows.to_arrow_iterable():
            yield batch.select(list(columns))

    def content(self, marks: Marks) -> int | None:
        """By the rows of the table itself, of the manifest or of bad rows: jobs are forgotten after half a year."""
        if self._table() is None:
            return None
        row = marks.row
        known = {"base": row.base, "identity": row.run_identity, "folder": _folder(row.base)}
        if self._name == BAD_ROWS:
            found = self._ask(f"SELECT base FROM `{self._dataset}.{BAD_ROWS}` WHERE base = @base LIMIT 1", known)
            return 0 if found else None
        times = {"started": row.shredding_started, "completed": row.shredding_completed}
        found = self._ask(
            f"SELECT run_identity FROM `{self._dataset}.{self._name}` WHERE base = @base OR run_identity = @identity "
            "OR (shredding_started = TIMESTAMP(@started) AND shredding_completed = TIMESTAMP(@completed) AND "
            "ENDS_WITH(CONCAT('/', base), @folder)) ORDER BY run_identity = @identity DESC LIMIT 1",
            known | times,
        )
        return content_of(found[0][0]) if found else None

    def _ask(self, query: str, values: Mapping[str, str | None]) -> list[Any]:
        bigquery = driver()
        parameters = [bigquery.ScalarQueryParameter(name, "STRING", value) for name, value in values.items()]
        return list(self._client.query_and_wait(query, job_config=bigquery.QueryJobConfig(query_parameters=parameters)))

    def append(self, rows: Callable[[], pa.RecordBatchReader], marks: Marks) -> bool:
        """Append by one job. An earlier job of this run may have done it, may be running, or may have failed."""
        self._make_dataset()
        for number in count():
            job = self._job(f"snowetl_{self._name}_{marks.names[-1].rpartition('-')[2]}_{number}", rows)
            try:
                job.started.result(timeout=self._seconds)
            except errors().GoogleAPICallError:  # of an earlier load: ours has the next number
                if job.is_ours or job.started.error_result is None:
                    raise
            else:
                return job.is_ours
        raise AssertionError("numbers have no end")

    def _make_dataset(self) -> None:
        bigquery = driver()
        try:
            self._client.get_dataset(self._dataset)
        except errors().NotFound:
            dataset = bigquery.Dataset(self._dataset)
            dataset.location = self._client.location
            self._client.create_dataset(dataset, exists_ok=True)

    def _job(self, name: str, rows: Callable[[], pa.RecordBatchReader]) -> _Job:
        """The job of that name: the existing one, or a new one."""
        try:
            return _Job(self._client.get_job(name, location=self._client.location), False)
        except errors().NotFound:
            pass
        with tempfile.TemporaryFile(prefix="snowetl-") as file:
            schema = _write(fields.fitted(rows()), file)
            file.seek(0)
            try:
                return _Job(self._load(name, file, schema), True)
            except errors().Conflict:
                return _Job(self._client.get_job(name, location=self._client.location), False)

    def _load(self, name: str, file: IO[bytes], schema: pa.Schema) -> Any:
        bigquery = driver()
        parquet = bigquery.ParquetOptions()
        parquet.enable_list_inference = True
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            schema=[bigquery.SchemaField.from_api_repr(fields.field_of(field.name, field.type)) for field in schema],
            write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
            create_disposition=bigquery.CreateDisposition.CREATE_IF_NEEDED,
            schema_update_options=[bigquery.SchemaUpdateOption.ALLOW_FIELD_ADDITION],
            labels={"program": "snowetl"},
            parquet_options=parquet,
        )
        if self._name in _CLUSTERED and self._table() is None:
            config.time_partitioning = bigquery.TimePartitioning(field=LOAD_TSTAMP)
            config.clustering_fields = ["event_name"]
        return self._client.load_table_from_file(
            file, f"{self._dataset}.{self._name}", job_id=name, location=self._client.location, job_config=config
        )

    def tidy(self) -> None:
        """BigQuery does it by itself."""


class _Job(NamedTuple):
    started: Any
    is_ours: bool


def _write(rows: pa.RecordBatchReader, file: IO[bytes]) -> pa.Schema:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(file, rows.schema, compression="snappy") as writer:
        for batch in rows:
            writer.write_batch(batch)
    return rows.schema


def _folder(base: str) -> str:
    return f"/{base.rstrip('/').rpartition('/')[2]}/"
