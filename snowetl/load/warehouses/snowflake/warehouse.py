"""A schema in a database of Snowflake: what is checked, how it is reached, and which statements make its tables."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from snowetl.ddl import snowflake as ddl
from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.ddl.tables import Dialect, Held
from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.load.drivers import is_driver_error, needed
from snowetl.load.plan import Copy
from snowetl.load.run import WIDE_JSON, TransformedRun
from snowetl.load.target import COPY_SECONDS, STATEMENT_SECONDS, checked_schema
from snowetl.load.warehouse import Capabilities, EntityColumn, Say, Statement, Tables
from snowetl.load.warehouses.snowflake import faults, rows
from snowetl.load.warehouses.snowflake.login import EXAMPLE, SnowflakeLogin, login_of
from snowetl.load.warehouses.snowflake.session import SnowflakeSession
from snowetl.load.warehouses.snowflake.stage import HIDDEN, source_of, stage_name, staged
from snowetl.load.warehouses.snowflake.tables import OWN_TABLES
from snowetl.storage import FileInfo

if TYPE_CHECKING:
    from snowetl.load.target import Target

Connect = Callable[..., Any]


_GRANTS = (
    "the role needs USAGE on the database and on its virtual warehouse, and on the schema {schema} USAGE, CREATE "
    "TABLE and CREATE STAGE (to make it: CREATE SCHEMA on the database), and OWNERSHIP of the tables it alters"
)
_SESSION = {
    "TIMEZONE": "UTC",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "QUERY_TAG": "snowetl load",
    "CLIENT_TELEMETRY_ENABLED": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SnowflakeWarehouse:
    """A schema in a database of Snowflake. ``connect`` is the driver's function.

    ``copy_seconds`` and ``statement_seconds`` are the longest that a ``COPY`` and any other statement may take; 0: as
    long as Snowflake lets it. Raises ``ConfigError``.
    """

    name: ClassVar[str] = "snowflake"
    capabilities: ClassVar[Capabilities] = Capabilities(
        layouts=frozenset((WIDE_JSON,)),
        transformation="widerow-json",
        max_identifier=ddl.MAX_NAME_BYTES,
        reads_from=frozenset(("file", "s3", "s3a", "s3n")),
        bad_rows_table=True,
        failed_events=True,
        rejected_rows=True,
        ddl_in_transaction=False,
        stages=True,
        dbt_adapter="snowflake",
        extra="snowflake",
        modules=("snowflake.connector",),
        required=(("database",),),
        database_example=EXAMPLE,
    )
    login: SnowflakeLogin
    schema: str = "atomic"
    assume_role_arn: str | None = None
    copy_seconds: int = COPY_SECONDS
    statement_seconds: int = STATEMENT_SECONDS
    connect: Connect | None = field(default=None, repr=False)

    @classmethod
    def check(cls, target: Target) -> None:
        cls._of(target)
        _driver()

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[SnowflakeWarehouse]:
        yield cls._of(target)

    @classmethod
    def _of(cls, target: Target) -> SnowflakeWarehouse:
        login = login_of(target.database or "")
        if target.assume_role_arn and (login.stage or login.integration):
            raise ConfigError("--assume-role-arn, stage= and integration= are ways to read the same files: give one")
        return cls(
            login=login,
            schema=checked_schema(target.schema),
            assume_role_arn=target.assume_role_arn,
            copy_seconds=target.copy_seconds,
            statement_seconds=target.statement_seconds,
        )

    @property
    def dialect(self) -> Dialect:
        return ddl.SNOWFLAKE

    @contextmanager
    def session(self) -> Iterator[SnowflakeSession]:
        connect = self.connect or _driver()
        try:
            connection = connect(
                **self.login.keywords,
                autocommit=True,
                application="snowetl",
                client_session_keep_alive=True,
                enable_server_session_keep_alive_auto_detection=False,
                session_parameters=_SESSION,
            )
        except Exception as error:
            if not is_driver_error(error):
                raise
            reason = faults.words(error)
            lasting = faults.is_lasting_refusal(reason)
            raise TargetError(f"cannot connect to {self.login.shown}: {reason}", transient=not lasting) from None
        try:
            yield SnowflakeSession(
                connection, self.schema, self.login, self.assume_role_arn, self.copy_seconds, self.statement_seconds
            )
        except Exception as error:
            if not is_driver_error(error):
                raise
            denied = "insufficient privileges" in str(error).lower() or "not authorized" in str(error).lower()
            remedy = f"; {_GRANTS.format(schema=self.schema)}" if denied else ""
            raise LoadError(
                f"{self.login.shown}: {faults.words(error)}{remedy}", transient=faults.is_passing(error)
            ) from error
        finally:
            with suppress(Exception):  # a connection that broke cannot be closed, and need not be
                connection.close()

    def set_up(self, tables: Tables) -> list[Statement]:
        return OWN_TABLES.set_up(self.schema, tables, self.create_events("events"))

    def create_events(self, table: str) -> list[Statement]:
        return [Statement(f"create {self.schema}.{table}", ddl.create_events(self.schema, table))]

    def add_json_columns(self, table: str, columns: Sequence[EntityColumn]) -> list[Statement]:
        name = f"alter {self.schema}.{table}"
        return [Statement(name, ddl.add_column(self.schema, table, *column)) for column in columns]

    def add_load_tstamp(self, table: str, moment: datetime) -> Statement:
        """Rows that are there already get the time, too: it is the default, and stays it."""
        name = f"{self.schema}.{table}"
        sql = f"ALTER TABLE {name} ADD COLUMN {LOAD_TSTAMP} TIMESTAMP_NTZ DEFAULT '{moment}'::TIMESTAMP_NTZ"
        return Statement(f"alter {name}", sql, optional=True)

    def staging(self, run: TransformedRun, folder: str, files: Sequence[FileInfo]) -> list[Statement]:
        if not files or self.login.stage is not None:
            return []
        keys = dict.fromkeys(("AWS_KEY_ID", "AWS_SECRET_KEY", "AWS_TOKEN"), HIDDEN) if self.assume_role_arn else None
        return list(staged(self.schema, stage_name(0), files, source_of(self.login, keys=keys)).statements)

    def copy_statement(self, copy: Copy, run: TransformedRun) -> Statement:
        """If ``--database`` names a stage, only the server knows which part of the folder's address is below it."""
        name = f"copy {copy.folder.path} into {self.schema}.{copy.table}"
        place = f"@{self.schema}.{stage_name(0)}/" if self.login.stage is None else f"@{self.login.stage}/{HIDDEN}/"
        files = [file.url.rpartition("/")[2] for file in copy.files]
        held = {column: Held("", False) for column in copy.columns}
        cells = rows.cells(copy.named, held)
        return Statement(name, rows.copy_rows(self.schema, copy.table, cells, copy.load_tstamp, place, files))

    def dbt_output(self) -> Mapping[str, Any]:
        given = self.login.keywords
        renamed = {"private_key_file": "private_key_path", "private_key_file_pwd": "private_key_passphrase"}
        taken = ("account", "user", "database", "warehouse", "role", "password", "token", "host", "port", *renamed)
        output = {renamed.get(key, key): given[key] for key in taken if key in given}
        return {"type": "snowflake", **output, **({"authenticator": "oauth"} if "token" in given else {})}

    def preflight(self) -> list[str]:
        try:
            return self._problems()
        except LoadError as error:
            raise TargetError(str(error), transient=error.transient) from error

    def _problems(self) -> list[str]:
        problems = []
        with self.session() as session:
            warehouse, database = session.query("SELECT CURRENT_WAREHOUSE(), CURRENT_DATABASE()")[0]
            if warehouse is None:
                problems.append(
                    "no virtual warehouse is in use: name one in --database (&warehouse=NAME) that the role may use"
                )
            if database is None:
                problems.append(f"there is no database {self.login.keywords['database']} that the role may use")
            if not problems:
                session.tables()
                session.stage_url()
        return problems


def _driver() -> Connect:
    with needed("loading into Snowflake needs its driver", "snowflake"):
        import snowflake.connector
    logging.getLogger("snowflake.connector").setLevel(logging.ERROR)
    connect: Connect = snowflake.connector.connect
    return connect
