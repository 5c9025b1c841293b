"""A stand-in for Redshift: its SQL on the embedded Postgres, and ``COPY`` from a real S3 endpoint."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import boto3
import psycopg
import sqlglot
from sqlglot import exp

from tests.load import redshift_copy

_COPY = re.compile(
    r'COPY (?P<table>[\w.]+|[\w.]*"(?:[^"]|"")*")(?: \((?P<columns>(?:"(?:[^"]|"")*",?)*)\))?'
    r" FROM 's3://(?P<bucket>[^/]+)/(?P<prefix>[^']*)' (?P<rest>.*)",
    re.DOTALL,
)
_SUPER_PATH = re.compile(r'(?P<text>CAST\()?b\.line(?P<path>(?:\.\w+|\."\w+")+)(?(text) AS VARCHAR\))')
_NAME = re.compile(r'"((?:[^"]|"")*)"')
_PROPERTIES = (exp.DistStyleProperty, exp.DistKeyProperty, exp.SortKeyProperty)


class StandIn:
    """What ``redshift_connector.connect`` returns, as far as the loader uses it. ``statements`` is what it was told."""

    statements: ClassVar[list[str]] = []
    text255: ClassVar[set[str]] = set()

    def __init__(self, url: str, s3: dict[str, Any]) -> None:
        self._connection = psycopg.connect(url)
        self._s3 = boto3.client("s3", **s3)
        self._is_gone = False
        self.last_copy_count = 0
        self.load_errors: list[str] = []

    @property
    def autocommit(self) -> bool:
        return self._connection.autocommit

    @autocommit.setter
    def autocommit(self, on: bool) -> None:
        self._connection.autocommit = on

    def go_away(self) -> None:
        """The cluster is restarted: nothing more is answered, and what was not committed is lost."""
        self._is_gone = True
        self._connection.close()

    def commit(self) -> None:
        if self._is_gone:
            raise psycopg.OperationalError({"M": "the cluster went away", "C": "08006"})
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
        if self._is_gone:
            raise psycopg.OperationalError({"M": "the cluster went away", "C": "08006"})
        parsed = sqlglot.parse_one(statement, read="redshift", error_level=sqlglot.ErrorLevel.RAISE)
        copy = _COPY.match(statement)
        if copy and "FORMAT JSON 'noshred'" in copy["rest"]:
            self._copy_json(copy)
            return []
        if copy:
            self._copy(copy)
            return []
        if "pg_last_copy_count" in statement:
            return [(self.last_copy_count,)]
        if "stl_load_errors" in statement:
            return [(len(self.load_errors),)]
        self._refuse_encoded(statement)
        if isinstance(parsed, exp.Command | exp.Set) or "LOCK TABLE" in statement:
            here = statement.replace("VACUUM SORT ONLY", "VACUUM")  # as there, not within a transaction
            self._connection.execute(here)  # type: ignore[call-overload]
            return []
        sql = _SUPER_PATH.sub(_as_json_path, _transpiled(parsed).replace("SUPER", "JSONB"))
        cursor = self._connection.execute(sql)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []

    def _refuse_encoded(self, statement: str) -> None:
        """Columns of some encodings cannot be altered; which ones have them, the statements that made them said."""
        StandIn.text255.update(re.findall(r'"([^"]+)"\s+\S+\s+ENCODE TEXT255', statement))
        altered = re.search(r'ALTER "([^"]+)" TYPE', statement)
        if altered and altered[1] in StandIn.text255:
            reason = f'cannot alter column "{altered[1]}" of relation "t", column has text255 encoding'
            raise psycopg.ProgrammingError({"S": "ERROR", "C": "0A000", "M": reason})

    def _copy_json(self, copy: re.Match[str]) -> None:
        """Each line that is JSON into one ``SUPER``."""
        assert "CREDENTIALS 'aws_" in copy["rest"]
        good, self.load_errors = [], []
        for data in self._objects(copy["bucket"], copy["prefix"], "GZIP" in copy["rest"]):
            for line in data.removesuffix(b"\n").split(b"\n") if data else ():
                try:
                    json.loads(line)
                    good.append(line.decode())
                except ValueError:
                    self.load_errors.append(f"1207 not JSON: {line[:200]!r}")
        most = int(re.search(r"MAXERROR (\d+)", copy["rest"])[1])  # type: ignore[index]
        if len(self.load_errors) >= most > 0:
            raise psycopg.ProgrammingError({"S": "ERROR", "C": "XX000", "M": "Check 'stl_load_errors'"})
        with self._connection.cursor() as cursor, cursor.copy(f"COPY {copy['table']} FROM STDIN") as out:  # type: ignore[arg-type]
            for text in good:
                out.write_row((text,))
        self.last_copy_count = len(good)

    def _copy(self, copy: re.Match[str]) -> None:
        """Rows that are refused are counted; at ``MAXERROR`` of them nothing is loaded."""
        assert "CREDENTIALS 'aws_" in copy["rest"] and "DELIMITER '\t'" in copy["rest"]
        assert "TRUNCATECOLUMNS ACCEPTINVCHARS" in copy["rest"] and "TIMEFORMAT 'auto'" in copy["rest"]
        columns = self._columns(copy["table"], copy["columns"])
        options = {"fill": "FILLRECORD" in copy["rest"], "empty_as_null": "EMPTYASNULL" in copy["rest"]}
        most = int(re.search(r"MAXERROR (\d+)", copy["rest"])[1])  # type: ignore[index]
        good, self.load_errors = [], []
        for data in self._objects(copy["bucket"], copy["prefix"], "GZIP" in copy["rest"]):
            for line in data.removesuffix(b"\n").split(b"\n") if data else ():
                try:
                    good.append(redshift_copy.values(line, columns, **options))
                except redshift_copy.Refused as refused:
                    self.load_errors.append(f"{refused}: {line[:200]!r}")
        if len(self.load_errors) >= most > 0:
            reason = f"Load into table '{copy['table']}' failed.  Check 'stl_load_errors' system table for details."
            raise psycopg.ProgrammingError({"S": "ERROR", "C": "XX000", "M": reason})
        names = f"({copy['columns']})" if copy["columns"] else ""
        with self._connection.cursor() as cursor, cursor.copy(f"COPY {copy['table']} {names} FROM STDIN") as out:  # type: ignore[arg-type]
            for values in good:
                out.write_row(values)
        self.last_copy_count = len(good)

    def _objects(self, bucket: str, prefix: str, gzipped: bool) -> Iterator[bytes]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                data: bytes = self._s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
                yield gzip.decompress(data) if gzipped else data

    def _columns(self, table: str, names: str | None) -> list[redshift_copy.Column]:
        columns = {column.name: column for column in redshift_copy.table_columns(self._connection, table)}
        wanted = [name.replace('""', '"') for name in _NAME.findall(names)] if names else list(columns)
        return [columns[name] for name in wanted]


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


def _as_json_path(match: re.Match[str]) -> str:
    """Navigation into a ``SUPER`` as one into ``jsonb``: as text where it is cast."""
    path = ",".join(part.strip('"') for part in match["path"].strip(".").split("."))
    return f"(b.line {'#>>' if match['text'] else '#>'} '{{{path}}}')"


def as_postgres(statement: str) -> str:
    """A statement of Redshift's as Postgres takes it."""
    return _transpiled(sqlglot.parse_one(statement, read="redshift", error_level=sqlglot.ErrorLevel.RAISE))


def _transpiled(parsed: exp.Expression) -> str:
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
