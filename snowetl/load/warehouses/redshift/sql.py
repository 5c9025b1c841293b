"""Redshift's SQL: literals, and ``COPY`` from S3. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from snowetl.ddl.names import qualified, quoted
from snowetl.load.plan import Copy
from snowetl.load.warehouses.redshift.login import CopyCredentials


@dataclass(frozen=True, slots=True)
class CopySql:
    """``COPY`` into a schema. ``region`` is the bucket's; ``max_error`` faulty rows of a statement are let pass."""

    schema: str
    credentials: CopyCredentials
    region: str
    max_error: int

    def rows(self, copy: Copy, source: str, columns: Sequence[str], credentials: str | None = None) -> str:
        """``COPY`` of one folder or file. The columns are named: rows of earlier versions have fewer.

        A folder ends with a slash, so that ``model=1`` is not ``model=10`` too.
        """
        names = ",".join(map(quoted, columns))
        gzip = all(info.url.endswith(".gz") for info in copy.files)
        empty = " EMPTYASNULL FILLRECORD" if not copy.format.null else ""
        return (
            f"COPY {qualified(self.schema, copy.table)} ({names}) FROM {literal(source)}"
            f" CREDENTIALS {literal(credentials or self.credentials.text())} REGION {literal(self.region)}"
            f" MAXERROR {self.max_error} TIMEFORMAT 'auto' DELIMITER '\t'{empty} TRUNCATECOLUMNS ACCEPTINVCHARS"
            f"{' GZIP' if gzip else ''}"
        )

    def json_lines(self, table: str, source: str, gzip: bool) -> str:
        """``COPY`` of lines of JSON, each into one ``SUPER``."""
        return (
            f"COPY {table} FROM {literal(source)} CREDENTIALS {literal(self.credentials.text())} "
            f"REGION {literal(self.region)} FORMAT JSON 'noshred' MAXERROR {self.max_error} "
            f"ACCEPTINVCHARS{' GZIP' if gzip else ''}"
        )


def literal(value: str | int | None) -> str:
    """A value as SQL writes it."""
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def s3(url: str) -> str:
    """An address of S3 with the one scheme that Redshift knows."""
    return f"s3://{url.partition('://')[2]}"
