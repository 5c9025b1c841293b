"""BigQuery: wide rows in Parquet, by load jobs.

A load is a job for each table: the events, their bad rows, the row of the manifest. A job is atomic, and its id says
table and run: BigQuery refuses a second job of an id, so each is made once, however often the load is begun. A job
that failed leaves nothing; the next has the next number.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import IO, TYPE_CHECKING, Any, ClassVar, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.load import bigquery_rows as fields
from snowetl.load.lake import BAD_ROWS, EVENTS, FAILED_EVENTS, LakeSession, LakeStatements, Marks, content_of
from snowetl.load.plan import Copy
from snowetl.load.run import WIDE_PARQUET, TransformedRun
from snowetl.load.target import COPY_SECONDS, checked_schema
from snowetl.load.warehouse import Capabilities, Say, Statement
from snowetl.settings.words import count as counted

if TYPE_CHECKING:
    import pyarrow as pa

    from snowetl.load.target import Target

EXAMPLE = "bigquery://PROJECT?location=EU"
EMULATOR = "BIGQUERY_EMULATOR_HOST"
"""Environment variable of Google's client: another server than Google's, which asks for no login."""
_OPTIONS = frozenset(("location",))
_CLUSTERED = (EVENTS, FAILED_EVENTS)


class Place(NamedTuple):
    """Where datasets are."""

    project: str
    location: str | None

    @classmethod
    def parse(cls, url: str) -> Place:
        """What ``--database`` says. Raises ``ConfigError``."""
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.scheme != "bigquery" or not parts.netloc or parts.path.strip("/") or options.keys() - _OPTIONS:
            raise ConfigError(
                f"--database {url!r} is no project of BigQuery; write {EXAMPLE} (the dataset is --schema)"
            )
        return cls(parts.netloc, options.get("location") or None)


class BigQueryWarehouse(LakeStatements):
    """A dataset of a project."""

    name: ClassVar[str] = "bigquery"
    capabilities: ClassVar[Capabilities] = Capabilities(
        layouts=frozenset((WIDE_PARQUET,)),
        transformation="widerow-parquet",
        max_identifier=300,
        bad_rows_table=True,
        failed_events=True,
        dbt_adapter="bigquery",
        extra="bigquery",
        modules=("google.cloud.bigquery", "pyarrow"),
        required=(("database",),),
        database_example=EXAMPLE,
    )

    def __init__(self, place: Place, schema: str = "atomic", copy_timeout: int | None = None) -> None:
        self.schema = checked_schema(schema)
        self._place = place
        self._seconds = COPY_SECONDS if copy_timeout is None else copy_timeout or None

    @classmethod
    def check(cls, target: Target) -> None:
        checked_schema(target.schema)
        Place.parse(target.database or "")
        _driver()

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[BigQueryWarehouse]:
        yield cls(Place.parse(target.database or ""), target.schema, target.copy_timeout)

    @contextmanager
    def session(self) -> Iterator[BigQuerySession]:
        with _said_plainly(self._place):
            client = _client(self._place)
            try:
                yield BigQuerySession(client, f"{self._place.project}.{self.schema}", self.schema, self._seconds)
            finally:
                client.close()

    def copy_statement(self, copy: Copy, run: TransformedRun) -> Statement:
        files = counted(len(copy.files), "file")
        name = f"load {files} of {copy.folder.path} into {self.schema}.{copy.table}"
        return Statement(name, "\n".join(["-- one load job", *(f"-- adds {'.'.join(p)} {t}" for p, t in copy.added)]))

    def dbt_output(self) -> Mapping[str, Any]:
        found: dict[str, Any] = {"type": "bigquery", "method": "oauth", "project": self._place.project}
        return found if self._place.location is None else found | {"location": self._place.location}

    def preflight(self) -> list[str]:
        with self.session() as session:
            session.tables()
        return []


class BigQuerySession(LakeSession):
    """See :class:`snowetl.load.lake.LakeSession`. Statements run as jobs."""

    def __init__(self, client: Any, dataset: str, schema: str, seconds: int | None) -> None:
        super().__init__(lambda name: BigQueryTable(client, dataset, name, seconds), schema)
        self._client = client

    def script(self, sql: str) -> None:
        self._client.query_and_wait(sql)

    def number(self, query: str) -> int:
        [[found]] = self._client.query_and_wait(query)
        return int(found)


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
        except _errors().NotFound:
            return None

    def read(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        raise LoadError("tables of BigQuery are read by its own SQL")

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
        bigquery = _driver()
        parameters = [bigquery.ScalarQueryParameter(name, "STRING", value) for name, value in values.items()]
        return list(self._client.query_and_wait(query, job_config=bigquery.QueryJobConfig(query_parameters=parameters)))

    def append(self, rows: Callable[[], pa.RecordBatchReader], marks: Marks) -> bool:
        """One job. An earlier one of this run may have done it, or be at it, or have failed."""
        self._make_dataset()
        for number in count():
            job = self._job(f"snowetl_{self._name}_{marks.names[-1].rpartition('-')[2]}_{number}", rows)
            try:
                job.started.result(timeout=self._seconds)
            except _errors().GoogleAPICallError:  # of an earlier load: ours has the next number
                if job.is_ours or job.started.error_result is None:
                    raise
            else:
                return job.is_ours
        raise AssertionError("numbers have no end")

    def _make_dataset(self) -> None:
        bigquery = _driver()
        try:
            self._client.get_dataset(self._dataset)
        except _errors().NotFound:
            dataset = bigquery.Dataset(self._dataset)
            dataset.location = self._client.location
            self._client.create_dataset(dataset, exists_ok=True)

    def _job(self, name: str, rows: Callable[[], pa.RecordBatchReader]) -> _Job:
        """The job of a name: that which is there, else a new one."""
        errors = _errors()
        try:
            return _Job(self._client.get_job(name, location=self._client.location), False)
        except errors.NotFound:
            pass
        with tempfile.TemporaryFile(prefix="snowetl-") as file:
            schema = _write(fields.fitted(rows()), file)
            file.seek(0)
            try:
                return _Job(self._load(name, file, schema), True)
            except errors.Conflict:
                return _Job(self._client.get_job(name, location=self._client.location), False)

    def _load(self, name: str, file: IO[bytes], schema: pa.Schema) -> Any:
        bigquery = _driver()
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


def _client(place: Place) -> Any:
    from google.auth import credentials as logins

    nobody: Any = logins.AnonymousCredentials
    credentials = nobody() if os.environ.get(EMULATOR) else None
    return _driver().Client(project=place.project, location=place.location, credentials=credentials)


@contextmanager
def _said_plainly(place: Place) -> Iterator[None]:
    """Errors of Google's client as ours."""
    from google.api_core.exceptions import Forbidden, GoogleAPICallError, RetryError, ServerError, TooManyRequests
    from google.auth.exceptions import GoogleAuthError, TransportError

    where = f"BigQuery, project {place.project}"
    try:
        yield
    except (ServerError, TooManyRequests, RetryError) as error:
        raise LoadError(f"{where}: {_words(error)}", transient=True) from error
    except Forbidden as error:
        limited = "ratelimit" in str(error).lower().replace(" ", "")
        raise TargetError(f"{where}: {_words(error)}", transient=limited) from error
    except GoogleAPICallError as error:
        raise LoadError(f"{where}: {_words(error)}") from error
    except (OSError, TransportError) as error:
        if isinstance(error, OSError) and not type(error).__module__.startswith("requests"):
            raise  # of this machine
        raise TargetError(f"{where} cannot be reached: {_words(error)}", transient=True) from error
    except GoogleAuthError as error:
        raise TargetError(
            f"{where}: no login: {_words(error)}; set GOOGLE_APPLICATION_CREDENTIALS, or run "
            "`gcloud auth application-default login`"
        ) from error


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:1000]


def _errors() -> Any:
    from google.api_core import exceptions

    return exceptions


def _driver() -> Any:
    try:
        from google.cloud import bigquery
    except ImportError:
        raise ConfigError("loading into BigQuery needs its client: pip install 'snowetl[bigquery]'") from None
    return bigquery
