"""A connection to PostgreSQL over libpq: parameters typed as JDBC types them, values as the server prints them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from snowetl.enrich.enrichments import sql_values
from snowetl.enrich.enrichments.sql_connection import (
    CONNECT_SECONDS,
    OTHER,
    Address,
    DatabaseFault,
    JavaText,
    as_it_is,
    deadline,
    late,
    utf8_text,
    value_of,
)
from snowetl.enrich.enrichments.sql_inputs import Value
from snowetl.enrich.enrichments.sql_statements import POSTGRES, Dialect
from snowetl.enrich.enrichments.sql_values import Row
from snowetl.jvm.strings import to_utf8

_OIDS = {"string": 1043, "int": 23, "long": 20, "byte": 21, "float": 700, "double": 701, "boolean": 16}
"""The types JDBC sends parameters as; ``varchar`` for text."""

_PG_CLASSES: dict[int, tuple[str, JavaText]] = {
    16: ("Boolean", lambda text: "true" if text == "t" else "false"),
    **dict.fromkeys((21, 23), ("Integer", as_it_is)),
    **dict.fromkeys((20, 26), ("Long", as_it_is)),
    **dict.fromkeys((18, 19, 25, 1042, 1043), ("String", as_it_is)),
    700: ("Float", as_it_is),
    701: ("Double", as_it_is),
    1082: ("Date", as_it_is),
    1083: ("Time", sql_values.java_time),
    **dict.fromkeys((1114, 1184), ("Timestamp", sql_values.java_timestamp)),
    1700: ("BigDecimal", sql_values.java_decimal),
}
_FIRST_OF_USER = 16_384
"""Object ids from here on are of types users made."""
_ENUM = b"e"
_DETAILS = (("Detail", "MESSAGE_DETAIL"), ("Hint", "MESSAGE_HINT"), ("Position", "STATEMENT_POSITION"))
_SESSION = ("SET TIME ZONE 'UTC'", "SET datestyle TO ISO")


class Postgres:
    """A connection to PostgreSQL, or what speaks like it."""

    scheme: ClassVar[str] = "postgresql"
    extra: ClassVar[tuple[str, str]] = ("postgres", "psycopg")
    dialect: ClassVar[Dialect] = POSTGRES

    def __init__(self, address: Address, seconds: float) -> None:
        import psycopg

        self._seconds = seconds
        try:
            self._connection = psycopg.connect(
                host=address.host,
                port=address.port,
                user=address.user,
                password=address.password,
                dbname=address.database,
                sslmode="require" if address.encrypted else "prefer",
                connect_timeout=CONNECT_SECONDS,
                client_encoding="UTF8",
                application_name="snowetl",
                autocommit=True,
            )
        except (psycopg.Error, OSError, ValueError) as error:
            raise DatabaseFault(" ".join(str(error).split()), lost=True) from None
        self._pgconn = self._connection.pgconn
        self._enums: dict[int, bool] = {}
        for statement in (*_SESSION, f"SET statement_timeout TO {math.ceil(seconds * 1000)}"):
            self._exec(statement.encode())

    def close(self) -> None:
        self._connection.close()

    def rows(self, pieces: Sequence[str], values: Sequence[Value]) -> list[Row]:
        from psycopg.pq import ExecStatus

        numbered = (f"{piece}${place}" for place, piece in enumerate(pieces[:-1], 1))
        result = self._exec(
            to_utf8("".join((*numbered, pieces[-1]))),
            [_pg_text(value) for value in values],
            [_OIDS[value.type] for value in values],
        )
        if result.status in (ExecStatus.COMMAND_OK, ExecStatus.EMPTY_QUERY):
            raise DatabaseFault("No results were returned by the query.")
        if result.status != ExecStatus.TUPLES_OK:
            raise DatabaseFault(_pg_error(result))
        columns = [(utf8_text(result.fname(at)), *(self._class(result.ftype(at)))) for at in range(result.nfields)]
        return [
            {
                label: value_of(java_class, java_text, result.get_value(row, at))
                for at, (label, java_class, java_text) in enumerate(columns)
            }
            for row in range(result.ntuples)
        ]

    def _exec(self, statement: bytes, values: list[bytes] | None = None, types: list[int] | None = None) -> Any:
        from psycopg import Error
        from psycopg.pq import ConnStatus

        with deadline(self._connection.fileno(), self._seconds + 1) as over:
            try:
                result = self._pgconn.exec_params(statement, values, types)
            except Error as error:
                raise DatabaseFault(" ".join(str(error).split()), lost=True) from None
        if over.is_set():
            raise late(self._seconds)
        if self._pgconn.status != ConnStatus.OK:
            raise DatabaseFault(_pg_error(result), lost=True, again=True)
        return result

    def _class(self, oid: int) -> tuple[str, JavaText]:
        known = _PG_CLASSES.get(oid)
        if known is None and oid >= _FIRST_OF_USER:
            if oid not in self._enums:
                found = self._exec(b"SELECT typtype FROM pg_type WHERE oid = %d" % oid)
                self._enums[oid] = found.ntuples == 1 and found.get_value(0, 0) == _ENUM
            known = ("String", as_it_is) if self._enums[oid] else None
        return known or OTHER


def _pg_text(value: Value) -> bytes:
    if value.type == "boolean":
        return b"t" if value.value else b"f"
    text = to_utf8(str(value.value))
    if b"\0" in text:  # libpq would send what comes before it
        raise DatabaseFault('ERROR: invalid byte sequence for encoding "UTF8": 0x00')
    return text


def _pg_error(result: Any) -> str:
    """As JDBC words it: severity and message, then a line for each detail."""
    from psycopg.pq import DiagnosticField

    def part(name: str) -> str:
        return utf8_text(result.error_field(DiagnosticField[name]) or b"")

    message = part("MESSAGE_PRIMARY")
    if not message:
        return " ".join(utf8_text(result.error_message or b"").split()) or "the connection is lost"
    details = [f"\n  {title}: {part(name)}" for title, name in _DETAILS if part(name)]
    return "".join((f"{part('SEVERITY')}: {message}", *details))
