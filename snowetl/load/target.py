"""Which warehouse a load goes to, as a user names it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from snowetl.errors import ConfigError
from snowetl.load.embedded import DEFAULT_FOLDER, embedded_postgres
from snowetl.load.engine import Warehouse
from snowetl.load.postgres import PostgresWarehouse

_SECRET = re.compile(r"(//[^:/@\s]*):[^@\s]*@|\b(password=)[^\s&]+|\?.*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """``database`` is a connection URL; PostgreSQL without one is the embedded server, on ``data_folder``.

    The last four are for Redshift: who may read the run's files, where they are, how many faulty rows are let pass.
    """

    warehouse: str = "postgres"
    database: str | None = None
    data_folder: Path = DEFAULT_FOLDER
    schema: str = "atomic"
    role_arn: str | None = None
    assume_role_arn: str | None = None
    region: str | None = None
    max_error: int = 10

    @property
    def takes_bad_rows(self) -> bool:
        return self.warehouse == "postgres"

    def __str__(self) -> str:
        """What tells this target from others, without passwords."""
        where = f"embedded in {self.data_folder.resolve()}" if self.database is None else self.database
        return f"{self.warehouse} {_SECRET.sub(_without_secret, where)}, schema {self.schema}"

    @contextmanager
    def open(self, say: Callable[[str], None] = lambda text: None) -> Iterator[Warehouse]:
        """The warehouse; an embedded server runs until it is left, and ``say`` hears its URL.

        Raises ``ConfigError`` or ``LoadError``.
        """
        if self.warehouse == "redshift":
            yield self._redshift()
        elif self.database is not None:
            yield PostgresWarehouse(self.database, self.schema)
        else:
            with embedded_postgres(self.data_folder) as url:
                say(f"embedded PostgreSQL: {url}")
                yield PostgresWarehouse(url, self.schema)

    def check(self) -> None:
        """Raises ``ConfigError`` or ``LoadError`` for what can be known to be wrong without connecting."""
        if self.warehouse == "redshift":
            self._redshift()
        else:
            PostgresWarehouse(self.database or "", self.schema)

    def _redshift(self) -> Warehouse:
        from snowetl.load.redshift import CopyCredentials, RedshiftWarehouse, connection_keywords

        if self.database is None:
            raise ConfigError("--warehouse redshift needs --database redshift://USER:PASSWORD@HOST:5439/DATABASE")
        credentials = CopyCredentials(role_arn=self.role_arn, assume_role_arn=self.assume_role_arn)
        keywords = connection_keywords(self.database)
        return RedshiftWarehouse(keywords, credentials, self.region or _region(), self.schema, self.max_error)


def _without_secret(match: re.Match[str]) -> str:
    if match[1] is not None:
        return f"{match[1]}@"
    return f"{match[2]}***" if match[2] is not None else ""


def _region() -> str:
    import boto3

    region = boto3.session.Session().region_name
    if region is None:
        raise ConfigError("--region is not given and the AWS configuration names none")
    return str(region)
