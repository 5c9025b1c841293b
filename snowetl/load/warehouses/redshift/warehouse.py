"""A schema in a Redshift database: what is checked, how it is reached, and which statements make its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.ddl.dialects import DIALECTS
from snowetl.ddl.tables import Dialect
from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.load import ssh_tunnel
from snowetl.load.drivers import is_driver_error, needed
from snowetl.load.manifest import canonical
from snowetl.load.plan import Copy
from snowetl.load.run import SHREDDED, TSV, TransformedRun
from snowetl.load.sqlstate import is_lasting_refusal
from snowetl.load.target import COPY_SECONDS, STATEMENT_SECONDS, checked_schema
from snowetl.load.warehouse import Capabilities, Say, Statement, Tables
from snowetl.load.warehouses.redshift import faults
from snowetl.load.warehouses.redshift.login import EXAMPLE, CopyCredentials, Login, login_of
from snowetl.load.warehouses.redshift.session import RedshiftSession
from snowetl.load.warehouses.redshift.sql import CopySql
from snowetl.load.warehouses.redshift.tables import OWN_TABLES, create_events

if TYPE_CHECKING:
    from snowetl.load.target import Target

Connect = Callable[..., Any]


_GRANTS = (
    "an administrator may say GRANT CREATE ON DATABASE …, GRANT USAGE, CREATE ON SCHEMA {schema}, and "
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} to the user of --database"
)


class RedshiftWarehouse:
    """A schema in a Redshift database. ``connection`` says how it is reached.

    ``copy_seconds`` and ``statement_seconds`` are the longest that a ``COPY`` and any other statement may take; 0: as
    long as it likes. ``connect`` is the driver's function (another DB-API driver can take its place).
    Raises ``ConfigError``.
    """

    name: ClassVar[str] = "redshift"
    capabilities: ClassVar[Capabilities] = Capabilities(
        layouts=frozenset((SHREDDED,)),
        rows_for="redshift",
        row_formats=frozenset((TSV,)),
        max_identifier=127,
        reads_from=frozenset(("s3", "s3a", "s3n")),
        extra="redshift",
        modules=("redshift_connector",),
        bad_rows_table=True,
        failed_events=True,
        rejected_rows=True,
        tunnels=True,
        renames_schemas=True,
        dbt_adapter="redshift",
        required=(("database",), ("role_arn", "assume_role_arn")),
        database_example=EXAMPLE,
    )

    def __init__(
        self,
        connection: Login,
        credentials: CopyCredentials,
        region: str,
        schema: str = "atomic",
        max_error: int = 10,
        connect: Connect | None = None,
        copy_seconds: int = COPY_SECONDS,
        statement_seconds: int = STATEMENT_SECONDS,
    ) -> None:
        self.schema = checked_schema(schema)
        self.dialect: Dialect = DIALECTS["redshift"]
        self._connection = connection
        self._copies = CopySql(self.schema, credentials, region, max_error)
        self._connect = connect
        self.copy_seconds = copy_seconds
        self.statement_seconds = statement_seconds

    @classmethod
    def check(cls, target: Target) -> None:
        cls._of(target)
        if target.ssh_tunnel is not None:
            ssh_tunnel.checked(target.ssh_tunnel)
        _driver()

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[RedshiftWarehouse]:
        warehouse = cls._of(target)
        if target.ssh_tunnel is None:
            yield warehouse
            return
        given = warehouse._connection.keywords
        with ssh_tunnel.tunnel(target.ssh_tunnel, given["host"], given["port"]) as port:
            warehouse._connection = warehouse._connection.at("127.0.0.1", port)
            yield warehouse

    @classmethod
    def _of(cls, target: Target) -> RedshiftWarehouse:
        if target.database is None:
            raise ConfigError(f"--warehouse redshift needs --database {EXAMPLE}")
        login = login_of(target.database, target.region)
        credentials = CopyCredentials(role_arn=target.role_arn, assume_role_arn=target.assume_role_arn)
        return cls(
            login,
            credentials,
            target.region or _region(),
            target.schema,
            target.max_error,
            copy_seconds=target.copy_seconds,
            statement_seconds=target.statement_seconds,
        )

    @property
    def shown(self) -> str:
        given = self._connection.keywords
        return f"redshift://{given.get('host')}/{given.get('database')}"

    @contextmanager
    def session(self) -> Iterator[RedshiftSession]:
        connect = self._connect or _driver()
        keywords = self._connection.complete()
        try:
            connection = connect(**keywords)
        except Exception as error:
            reason = faults.words(error)
            transient = not is_lasting_refusal(reason)
            raise TargetError(f"cannot connect to {self.shown}: {reason}", transient=transient) from None
        try:
            yield RedshiftSession(connection, self._copies, self.copy_seconds, self.statement_seconds)
        except Exception as error:
            if not is_driver_error(error):
                raise
            reason = faults.words(error)
            remedy = f"; {_GRANTS.format(schema=self.schema)}" if "permission denied" in reason.lower() else ""
            raise LoadError(f"{self.shown}: {reason}{remedy}", transient=faults.is_passing(reason)) from error
        finally:
            with suppress(Exception):  # a connection that broke cannot be closed, and need not be
                connection.close()

    def set_up(self, tables: Tables) -> list[Statement]:
        return OWN_TABLES.set_up(self.schema, tables, self.create_events("events"))

    def create_events(self, table: str) -> list[Statement]:
        return [Statement(f"create {self.schema}.{table}", create_events(self.schema, table))]

    def add_load_tstamp(self, table: str, moment: datetime) -> Statement:
        """``COPY`` knows no constants: the column has the server's time of the load, as RDB Loader adds it."""
        name = f"{self.schema}.{table}"
        sql = f"ALTER TABLE {name} ADD COLUMN {LOAD_TSTAMP} TIMESTAMP DEFAULT GETDATE() NULL"
        return Statement(f"alter {name}", sql, optional=True)

    def copy_statement(self, copy: Copy, run: TransformedRun) -> Statement:
        name = f"copy {copy.folder.path} into {self.schema}.{copy.table}"
        sql = self._copies.rows(copy, canonical(run.base) + copy.folder.path, copy.columns, "…")
        return Statement(name, sql)

    def dbt_output(self) -> Mapping[str, Any]:
        given = self._connection.complete()
        return {
            "type": "redshift",
            "host": given["host"],
            "port": given["port"],
            "user": given["user"],
            "password": given["password"],
            "dbname": given["database"],
            "sslmode": "prefer" if given.get("ssl", True) else "disable",
        }

    def preflight(self) -> list[str]:
        """Rights to make what is missing, and to write what is there."""
        with self.session() as session:
            tables = session.tables()
            if not tables.schema_exists:
                missing = not session.has("has_database_privilege(current_database(), 'CREATE')")
            else:
                missing = not session.has(f"has_schema_privilege('{self.schema}', 'CREATE')")
            return [f"no right to create tables: {_GRANTS.format(schema=self.schema)}"] if missing else []


def _driver() -> Connect:
    with needed("loading into Redshift needs its driver", "redshift"):
        import redshift_connector
    connect: Connect = redshift_connector.connect
    return connect


def _region() -> str:
    import boto3

    region = boto3.session.Session().region_name
    if region is None:
        raise ConfigError("--region is missing, and the AWS configuration names none")
    return str(region)
