"""Amazon Redshift: ``COPY`` from S3, migrations before the load's transaction (rdb-loader 5.6.3)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from snowetl.ddl import flat
from snowetl.ddl import redshift as ddl
from snowetl.ddl.schema import Schema
from snowetl.errors import ConfigError
from snowetl.jvm import jsontext
from snowetl.load import atomic
from snowetl.load.plan import LoadError, Migration, TablePlan
from snowetl.load.report import TableLoad
from snowetl.load.run import ATOMIC, TransformedRun
from snowetl.model.schema import SchemaKey
from snowetl.storage import FileInfo

Connect = Callable[..., Any]

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_FATAL = (
    "illegalstate",
    "invalid operation",
    "disk full",
    "out of memory",
    "data loading error iam role",
    "cannot copy into nonexistent table",
    "permission denied for",
    "stl_load_errors",
)
"""Texts (lower case) of errors that a second try does not cure."""
_SAME_SIZE = re.compile(r'cannot alter column "[^\s]+" of relation "[^\s]+", target column size should be different')
_NO_PERMISSION = "42501"
_MANIFEST = """
CREATE TABLE IF NOT EXISTS {schema}.manifest (
    "base" VARCHAR(512) ENCODE ZSTD NOT NULL PRIMARY KEY,
    "types" VARCHAR(65535) ENCODE ZSTD NOT NULL,
    "shredding_started" TIMESTAMP ENCODE ZSTD NOT NULL,
    "shredding_completed" TIMESTAMP ENCODE ZSTD NOT NULL,
    "min_collector_tstamp" TIMESTAMP ENCODE RAW NULL,
    "max_collector_tstamp" TIMESTAMP ENCODE ZSTD NULL,
    "ingestion_tstamp" TIMESTAMP ENCODE ZSTD NOT NULL,
    "compression" VARCHAR(16) ENCODE ZSTD NOT NULL,
    "processor_artifact" VARCHAR(64) ENCODE ZSTD NOT NULL,
    "processor_version" VARCHAR(32) ENCODE ZSTD NOT NULL,
    "count_good" INT ENCODE ZSTD NULL
)"""


@dataclass(frozen=True, slots=True)
class CopyCredentials:
    """How Redshift reads S3: by the cluster's role ``role_arn``, or by keys of ``assume_role_arn`` lent for a while."""

    role_arn: str | None = None
    assume_role_arn: str | None = None
    role_session_name: str = "rdb_loader"
    ttl_seconds: int = 3600

    def __post_init__(self) -> None:
        if bool(self.role_arn) == bool(self.assume_role_arn):
            raise ConfigError(
                "redshift: COPY needs either roleArn (NoCreds) or loadAuthMethod TempCreds with a roleArn of its own"
            )

    def text(self) -> str:
        """The value of ``CREDENTIALS``. Never log it."""
        if self.role_arn:
            return f"aws_iam_role={self.role_arn}"
        import boto3

        lent = boto3.client("sts").assume_role(
            RoleArn=self.assume_role_arn, RoleSessionName=self.role_session_name, DurationSeconds=self.ttl_seconds
        )["Credentials"]
        return (
            f"aws_access_key_id={lent['AccessKeyId']};aws_secret_access_key={lent['SecretAccessKey']};"
            f"token={lent['SessionToken']}"
        )


def connection_keywords(url: str) -> dict[str, Any]:
    """Keywords of the driver from ``redshift://USER:PASSWORD@HOST:PORT/DATABASE``.

    The password may be a reference instead: ``?secret=NAME`` (Secrets Manager, JSON with ``password`` or plain text) or
    ``?parameter=NAME`` (SSM Parameter Store). Raises ``ConfigError``.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("redshift", "postgresql") or not parts.hostname or not parts.path.strip("/"):
        raise ConfigError("--database must read redshift://USER:PASSWORD@HOST:5439/DATABASE")
    query = dict(parse_qsl(parts.query))
    password = unquote(parts.password) if parts.password else _stored_password(query)
    return {
        "host": parts.hostname,
        "port": parts.port or 5439,
        "database": parts.path.strip("/"),
        "user": unquote(parts.username or ""),
        "password": password,
        "ssl": query.get("ssl", "true") == "true",
    }


def _stored_password(query: dict[str, str]) -> str:
    import boto3

    if "secret" in query:
        text = str(boto3.client("secretsmanager").get_secret_value(SecretId=query["secret"])["SecretString"])
        with suppress(jsontext.JsonError, KeyError, TypeError):
            return str(jsontext.loads(text)["password"])
        return text
    if "parameter" in query:
        found = boto3.client("ssm").get_parameter(Name=query["parameter"], WithDecryption=True)
        return str(found["Parameter"]["Value"])
    raise ConfigError("--database has no password: write it, or ?secret=NAME or ?parameter=NAME")


class RedshiftWarehouse:
    """A schema in a Redshift database. ``connection`` holds the keywords of ``redshift_connector.connect``.

    ``connect`` is the driver's function (its place can be taken by another DB-API driver). Raises ``ConfigError``.
    """

    name = "redshift"

    def __init__(
        self,
        connection: dict[str, Any],
        credentials: CopyCredentials,
        region: str,
        schema: str = "atomic",
        max_error: int = 10,
        connect: Connect | None = None,
    ) -> None:
        if not _IDENTIFIER.fullmatch(schema):
            raise ConfigError(f"{schema!r} is no schema name: letters, digits and underscores only")
        self.schema = schema
        self.dialect = RedshiftDialect()
        self._connection = connection
        self._credentials = credentials
        self._region = region
        self._max_error = max_error
        self._connect = connect

    @property
    def shown(self) -> str:
        return f"redshift://{self._connection.get('host')}/{self._connection.get('database')}"

    @contextmanager
    def session(self) -> Iterator[RedshiftSession]:
        connect = self._connect or _driver()
        try:
            connection = connect(**self._connection)
        except Exception as error:
            raise LoadError(f"cannot connect to {self.shown}: {_reason(error)}", transient=True) from None
        try:
            connection.autocommit = True
            yield RedshiftSession(connection, self)
        except LoadError:
            raise
        except Exception as error:
            if not _is_driver_error(error):
                raise
            reason = _reason(error)
            transient = not any(text in reason.lower() for text in _FATAL)
            raise LoadError(f"{self.shown}: {reason}", transient=transient) from error
        finally:
            with suppress(Exception):  # a connection that broke cannot be closed, and need not be
                connection.close()

    def set_up(self) -> list[str]:
        width = max(len(column.name) for column in atomic.redshift_columns())
        lines = [
            f"    {column.name.ljust(width)} {column.type}{_unique(column.name)}{_encode(column.name)}"
            + (" NOT NULL" if column.not_null else "")
            for column in atomic.redshift_columns()
        ]
        lines.append(f"    {'load_tstamp'.ljust(width)} timestamp DEFAULT GETDATE() ENCODE AZ64 NULL")
        lines.append("    CONSTRAINT event_id_0110_pk PRIMARY KEY (event_id)")
        return [
            f"CREATE SCHEMA IF NOT EXISTS {self.schema}",
            f"CREATE TABLE IF NOT EXISTS {self.schema}.events (\n" + ",\n".join(lines) + "\n)\n"
            "DISTSTYLE KEY\nDISTKEY (event_id)\nSORTKEY (collector_tstamp)",
            _MANIFEST.format(schema=self.schema),
        ]

    def copy_events_sql(self, folder: str, gzip: bool) -> str:
        """``COPY`` of ``events`` from the folder of the atomic rows; the 128 columns are named."""
        return (
            f"COPY {self.schema}.events ({','.join(atomic.EVENT_COLUMNS)}) FROM {_literal(folder)}"
            f" CREDENTIALS {_literal(self._credentials.text())} REGION {_literal(self._region)}"
            f" MAXERROR {self._max_error} TIMEFORMAT 'auto' DELIMITER '\t' EMPTYASNULL FILLRECORD TRUNCATECOLUMNS"
            f" ACCEPTINVCHARS{' GZIP' if gzip else ''}"
        )

    def copy_entities_sql(self, table: str, folder: str, gzip: bool) -> str:
        """``COPY`` of one entity table. The folder ends with a slash, so that ``model=1`` is not ``model=10`` too."""
        return (
            f"COPY {self.schema}.{table} FROM {_literal(folder)} DELIMITER '\t'"
            f" CREDENTIALS {_literal(self._credentials.text())} REGION AS {_literal(self._region)}"
            f" MAXERROR {self._max_error} TIMEFORMAT 'auto' TRUNCATECOLUMNS ACCEPTINVCHARS{' GZIP' if gzip else ''}"
        )


class RedshiftDialect:
    max_identifier = 127

    def create_entity(self, schema: str, table: str, versions: Sequence[Schema], key: SchemaKey) -> list[str]:
        return [ddl.create_table(schema, table, flat.ordered(versions)), ddl.comment_on_table(schema, table, key)]

    def migrate_entity(
        self, schema: str, table: str, key: SchemaKey, versions: Sequence[Schema], current: int
    ) -> Migration:
        migration = ddl.migrate(schema, table, key, versions[current:])
        return Migration(migration.before, migration.inside)


class RedshiftSession:
    def __init__(self, connection: Any, warehouse: RedshiftWarehouse) -> None:
        self._connection = connection
        self._warehouse = warehouse
        self._schema = warehouse.schema
        self._base = ""
        self._gzip = True

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._connection.autocommit = False
        try:
            yield
            self._connection.commit()
        except BaseException:
            with suppress(Exception):  # the first error says what happened
                self._connection.rollback()
            raise
        finally:
            with suppress(Exception):
                self._connection.autocommit = True

    def lock(self) -> None:
        """Taken on the manifest; before its first creation there is nothing to lock."""
        if "manifest" in self.table_comments():
            self._execute(f"LOCK TABLE {self._schema}.manifest")

    def run(self, statements: Sequence[str]) -> None:
        for statement in statements:
            try:
                self._execute(statement)
            except Exception as error:
                if _SAME_SIZE.search(str(error)):  # an earlier try widened the column already
                    continue
                raise

    def table_comments(self) -> dict[str, str | None]:
        rows = self._query(
            "SELECT c.relname, obj_description(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            f"WHERE n.nspname = {_literal(self._schema)} AND c.relkind = 'r'"
        )
        return dict(rows)

    def is_loaded(self, base: str) -> bool:
        self._base = base
        return bool(self._query(f"SELECT 1 FROM {self._schema}.manifest WHERE base = {_literal(base)}"))

    def note_loaded(self, run: TransformedRun, types: str) -> None:
        values = [
            _literal(run.base),
            _literal(types),
            _timestamp(run.started),
            _timestamp(run.completed),
            _timestamp(run.min_collector_tstamp),
            _timestamp(run.max_collector_tstamp),
            "GETDATE()",
            _literal(run.compression),
            _literal(run.processor[0]),
            _literal(run.processor[1]),
            "NULL" if run.good is None else str(run.good),
        ]
        self._execute(f"INSERT INTO {self._schema}.manifest VALUES ({', '.join(values)})")

    def copy_events(self, files: list[FileInfo]) -> TableLoad:
        folder = f"{self._base}output=good/{ATOMIC.folder}"
        return self._copy("events", files, lambda gzip: self._warehouse.copy_events_sql(folder, gzip))

    def copy_entities(self, plan: TablePlan, files: list[FileInfo]) -> TableLoad:
        folder = f"{self._base}output=good/{plan.model.folder}"
        return self._copy(plan.table, files, lambda gzip: self._warehouse.copy_entities_sql(plan.table, folder, gzip))

    def copy_bad_rows(self, files: list[FileInfo]) -> TableLoad:
        raise LoadError("bad rows are loaded into Postgres only; query them in place, or leave --bad-rows out")

    def _copy(self, table: str, files: list[FileInfo], statement: Callable[[bool], str]) -> TableLoad:
        started = time.monotonic()
        loaded = TableLoad(f"{self._schema}.{table}", files=len(files))
        if files:
            self._execute(statement(all(info.url.endswith(".gz") for info in files)))
            count = self._query("SELECT pg_last_copy_count()")
            loaded.rows = int(count[0][0]) if count else 0
        loaded.seconds = time.monotonic() - started
        return loaded

    def _execute(self, statement: str) -> None:
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement)
        finally:
            cursor.close()

    def _query(self, statement: str) -> list[Any]:
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement)
            return list(cursor.fetchall())
        finally:
            cursor.close()


def _driver() -> Connect:
    try:
        import redshift_connector
    except ImportError:
        raise ConfigError("loading into Redshift needs its driver: pip install 'snowetl[redshift]'") from None
    connect: Connect = redshift_connector.connect
    return connect


def _is_driver_error(error: Exception) -> bool:
    """DB-API drivers raise subclasses of their own ``Error``, whatever module it lives in."""
    return any(base.__name__ == "Error" for base in type(error).__mro__) or isinstance(error, OSError)


def _reason(error: Exception) -> str:
    """What the server said: the driver wraps it in a dict of protocol fields."""
    detail = error.args[0] if error.args else error
    if isinstance(detail, dict):
        return f"{detail.get('M', detail)} = SqlState: {detail.get('C', 'unknown')}"
    return str(detail).strip()


def _unique(column: str) -> str:
    return " UNIQUE" if column == "event_id" else ""


def _encode(column: str) -> str:
    return " ENCODE RAW" if column == "collector_tstamp" else " ENCODE ZSTD"


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _timestamp(instant: str | None) -> str:
    return "NULL" if instant is None else _literal(instant.rstrip("Z").replace("T", " "))
