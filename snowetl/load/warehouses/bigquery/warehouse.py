"""A dataset of a project of BigQuery: how it is reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from snowetl.load.lake import LakeSession, LakeStatements
from snowetl.load.plan import Copy
from snowetl.load.run import TransformedRun
from snowetl.load.target import COPY_SECONDS, checked_schema
from snowetl.load.warehouse import LOADS_PARQUET, Capabilities, Say, Statement
from snowetl.load.warehouses.bigquery.client import EXAMPLE, Place, connect, driver, said_plainly
from snowetl.load.warehouses.bigquery.table import BigQueryTable
from snowetl.settings.words import count as counted

if TYPE_CHECKING:
    from snowetl.load.target import Target


class BigQueryWarehouse(LakeStatements):
    """A dataset of a project."""

    name: ClassVar[str] = "bigquery"
    capabilities: ClassVar[Capabilities] = replace(
        LOADS_PARQUET,
        reads_back=True,
        max_identifier=300,
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
        driver()

    @classmethod
    @contextmanager
    def open(cls, target: Target, say: Say) -> Iterator[BigQueryWarehouse]:
        yield cls(Place.parse(target.database or ""), target.schema, target.copy_timeout)

    @contextmanager
    def session(self) -> Iterator[BigQuerySession]:
        with said_plainly(self._place):
            client = connect(self._place)
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
