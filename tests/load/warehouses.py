"""The warehouses of the parametrised tests: how each is reached here, and what it supports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psycopg

from snowetl.load.engine import RunLoader
from snowetl.load.redshift_login import CopyCredentials, Login
from snowetl.load.report import LoadReport
from snowetl.load.retries import Retries
from snowetl.load.run import read_run
from snowetl.load.warehouse import Warehouse
from snowetl.load.warehouses.postgres import PostgresWarehouse
from snowetl.load.warehouses.redshift import RedshiftWarehouse
from snowetl.storage import filesystem
from tests.load.redshift_standin import StandIn
from tests.load.runs import CLICK, Registry, query

ROLE = CopyCredentials(role_arn="arn:aws:iam::123456789012:role/copy")
BUCKET = "warehouse-tests"


@dataclass
class Place:
    """One warehouse of a test. ``url`` looks into it; ``put`` brings a run folder to where it reads from."""

    name: str
    url: str
    make: Callable[..., Warehouse]
    put: Callable[[str], str]
    supports_rejected_rows: bool
    supports_bad_rows: bool
    keeps_the_runs_time: bool
    """Whether ``load_tstamp`` is the run's own time; else it is the server's time of the load."""
    said: list[str] = field(default_factory=list)

    def load(
        self, folder: str, *, bad: str | None = None, retries: int = 0, skip: Any = (), **models: Any
    ) -> LoadReport:
        return self.load_from(self.put(folder), bad=bad, retries=retries, skip=skip, **models)

    def load_from(
        self,
        url: str,
        *,
        bad: str | None = None,
        retries: int = 0,
        skip: Any = (),
        fail_on: str | None = None,
        **models: Any,
    ) -> LoadReport:
        loader = self.loader(retries=retries, skip=skip, fail_on=fail_on, **models)
        return loader.load(read_run(url), filesystem(bad).list(bad) if bad else ())

    def loader(self, *, retries: int = 0, skip: Any = (), fail_on: str | None = None, **models: Any) -> RunLoader:
        registry = Registry(**(models or {"click": CLICK}))
        return RunLoader(
            self.make(fail_on), registry, retries=Retries(retries, backoff=0.01), warn=self.said.append, skip=skip
        )

    def execute(self, sql: str, values: list[Any] | None = None) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(sql, values)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return query(self.url, sql)


def postgres(url: str, tmp_path: Path) -> Place:
    return Place("postgres", url, lambda fail_on: Failing(url, fail_on), str, True, True, True)


def redshift(url: str, s3: dict[str, Any]) -> Place:
    client = boto3.client("s3", **s3)

    def make(fail_on: str | None) -> Warehouse:
        connect = lambda **_: StandIn(url, s3, fail_on)  # noqa: E731
        return RedshiftWarehouse(Login({"host": "cluster", "database": "dev"}), ROLE, "eu-west-1", connect=connect)

    prefix = url.rpartition("/")[2].partition("?")[0]

    def put(folder: str) -> str:
        base = Path(folder)
        for path in sorted(base.rglob("*")):
            if path.is_file():
                key = f"{prefix}/{base.parent.name}/{base.name}/{path.relative_to(base)}"
                client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
        return f"s3://{BUCKET}/{prefix}/{base.parent.name}/{base.name}"

    return Place("redshift", url, make, put, False, True, False)


class Failing(PostgresWarehouse):
    """A server that goes away when a statement with a certain text comes."""

    def __init__(self, url: str, fail_on: str | None) -> None:
        super().__init__(url)
        self._fail_on = fail_on

    def session(self) -> Any:
        return _failing_session(super().session(), self._fail_on)


def _failing_session(session: Any, fail_on: str | None) -> Any:
    from contextlib import contextmanager

    @contextmanager
    def opened() -> Any:
        with session as inner:
            if fail_on is not None:
                copy = inner.copy

                def failing(plan: Any, run: Any) -> Any:
                    if fail_on in plan.table:
                        with psycopg.connect(inner.connection.info.dsn, autocommit=True) as other:
                            other.execute("SELECT pg_terminate_backend(%s)", [inner.connection.info.backend_pid])
                    return copy(plan, run)

                inner.copy = failing
            yield inner

    return opened()
