"""A stand-in for Redshift: its SQL on the embedded Postgres, and ``COPY`` from a real S3 endpoint."""

from __future__ import annotations

import gzip
import re
from typing import Any, ClassVar

import boto3
import psycopg
import sqlglot
from sqlglot import exp

_COPY = re.compile(
    r"COPY (?P<table>[\w.]+)(?: \((?P<columns>[^)]*)\))? FROM 's3://(?P<bucket>[^/]+)/(?P<prefix>[^']*)' (?P<rest>.*)",
    re.DOTALL,
)
_PROPERTIES = (exp.DistStyleProperty, exp.DistKeyProperty, exp.SortKeyProperty)


class StandIn:
    """What ``redshift_connector.connect`` returns, as far as the loader uses it. ``statements`` is what it was told."""

    statements: ClassVar[list[str]] = []

    def __init__(self, url: str, s3: dict[str, Any], fail_on: str | None = None) -> None:
        self._connection = psycopg.connect(url)
        self._s3 = boto3.client("s3", **s3)
        self._fail_on = fail_on
        self.last_copy_count = 0

    @property
    def autocommit(self) -> bool:
        return self._connection.autocommit

    @autocommit.setter
    def autocommit(self, on: bool) -> None:
        self._connection.autocommit = on

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()

    def close(self) -> None:
        self._connection.close()

    def cursor(self) -> _Cursor:
        return _Cursor(self)

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Raises errors as Redshift's driver does: with a dict of the protocol's fields."""
        try:
            return self._execute(statement)
        except psycopg.Error as error:
            if error.sqlstate is None:
                raise
            raise psycopg.ProgrammingError({"S": "ERROR", "C": error.sqlstate, "M": str(error)}) from error

    def _execute(self, statement: str) -> list[tuple[Any, ...]]:
        StandIn.statements.append(statement)
        if self._fail_on and self._fail_on in statement:
            raise psycopg.OperationalError({"M": "the cluster went away", "C": "08006"})
        parsed = sqlglot.parse_one(statement, read="redshift", error_level=sqlglot.ErrorLevel.RAISE)
        copy = _COPY.match(statement)
        if copy:
            self._copy(copy)
            return []
        if "pg_last_copy_count" in statement:
            return [(self.last_copy_count,)]
        if "stl_load_errors" in statement:  # here a faulty row fails the COPY, so none is let pass
            return [(0,)]
        if isinstance(parsed, exp.Command) or "LOCK TABLE" in statement:
            self._connection.execute(statement)  # type: ignore[call-overload]
            return []
        cursor = self._connection.execute(_as_postgres(parsed))  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []

    def _copy(self, copy: re.Match[str]) -> None:
        assert "CREDENTIALS 'aws_" in copy["rest"] and "DELIMITER '\t'" in copy["rest"]
        null = "" if "EMPTYASNULL" in copy["rest"] else "\\N"
        columns = f"({copy['columns']})" if copy["columns"] else ""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=copy["bucket"], Prefix=copy["prefix"])
        count = 0
        with self._connection.cursor() as cursor:
            text = f"COPY {copy['table']} {columns} FROM STDIN WITH (NULL '{null}')"
            with cursor.copy(text) as out:  # type: ignore[arg-type]
                for page in pages:
                    for entry in page.get("Contents", []):
                        data = self._s3.get_object(Bucket=copy["bucket"], Key=entry["Key"])["Body"].read()
                        data = gzip.decompress(data) if "GZIP" in copy["rest"] else data
                        count += data.count(b"\n")
                        out.write(re.sub(rb"\\(?!N[\t\n])", rb"\\\\", data))
        self.last_copy_count = count


class _Cursor:
    def __init__(self, standin: StandIn) -> None:
        self._standin = standin
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, statement: str) -> None:
        self._rows = self._standin.execute(statement)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows

    def close(self) -> None:
        pass


def _as_postgres(parsed: exp.Expression) -> str:
    """Drop what only Redshift has (keys, encodings); the rest is transpiled."""
    if isinstance(parsed, exp.Create):
        properties = parsed.args.get("properties")
        if properties:
            properties.set("expressions", [p for p in properties.expressions if not isinstance(p, _PROPERTIES)])
        for constraint in list(parsed.find_all(exp.ColumnConstraint)):
            if isinstance(constraint.kind, exp.EncodeColumnConstraint):
                constraint.pop()
        for foreign in list(parsed.find_all(exp.ForeignKey)):
            foreign.pop()  # Redshift declares them without enforcing them
    sql = parsed.sql(dialect="postgres")
    sql = re.sub(r" ENCODE \w+", "", sql)
    return sql.replace("GETDATE()", "NOW()").replace("CURRENT_TIMESTAMP", "NOW()")
