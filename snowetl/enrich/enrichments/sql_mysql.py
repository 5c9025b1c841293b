"""A connection to MySQL or MariaDB over pymysql: literals in the statement, as Connector/J puts them."""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
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
    value_of,
)
from snowetl.enrich.enrichments.sql_inputs import Value
from snowetl.enrich.enrichments.sql_statements import MYSQL, Dialect
from snowetl.enrich.enrichments.sql_values import Row
from snowetl.jvm.strings import to_utf8

_MYSQL_CLASSES: dict[int, tuple[str, JavaText]] = {
    **dict.fromkeys((0, 246), ("BigDecimal", sql_values.java_decimal)),
    **dict.fromkeys((1, 2, 3, 9), ("Integer", as_it_is)),
    4: ("Float", as_it_is),
    5: ("Double", as_it_is),
    7: ("Timestamp", sql_values.java_timestamp),
    8: ("Long", as_it_is),
    10: ("Date", as_it_is),
    11: ("Time", sql_values.java_time),
    12: ("LocalDateTime", sql_values.java_local_time),
    13: ("Date", lambda text: f"{text}-01-01"),
    **dict.fromkeys((15, 245, 247, 248, 249, 250, 251, 252, 253, 254), ("String", as_it_is)),
}
_TINY, _BIT = 1, 16
_DATES = (7, 10, 12)
_LOST = frozenset((2006, 2013, 2014, 2055))


class MySql:
    """A connection to MySQL, MariaDB, or what speaks like them."""

    scheme: ClassVar[str] = "mysql"
    extra: ClassVar[tuple[str, str]] = ("mysql", "pymysql")
    dialect: ClassVar[Dialect] = MYSQL

    def __init__(self, address: Address, seconds: float) -> None:
        import pymysql
        from pymysql.converters import conversions

        self._seconds = seconds
        writers: dict[Any, Any] = {kind: convert for kind, convert in conversions.items() if not isinstance(kind, int)}
        self._connection: Any = pymysql.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password.encode(),
            database=address.database,
            charset="utf8mb4",
            ssl=_unchecked() if address.encrypted else None,
            read_timeout=seconds + 5,
            write_timeout=seconds + 5,
            init_command="SET time_zone = '+00:00'",
            autocommit=True,
            conv=writers | {float: _float_literal},
            program_name="snowetl",
            defer_connect=True,
        )
        try:
            sock = socket.create_connection((address.host, address.port), CONNECT_SECONDS)
        except OSError as error:
            message = f"Can't connect to MySQL server on '{address.host}' ({error})"
            raise DatabaseFault(message, lost=True) from None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._handle = sock.dup()  # encryption takes the socket itself over
        try:
            with self._timed(CONNECT_SECONDS):
                self._connection.connect(sock)
        except DatabaseFault:
            self.close()
            raise

    def close(self) -> None:
        with suppress(Exception):
            self._connection.close()
        self._handle.close()

    def rows(self, pieces: Sequence[str], values: Sequence[Value]) -> list[Row]:
        statement = "%s".join(piece.replace("%", "%%") for piece in pieces)
        parameters = [to_utf8(one.value).decode() if one.type == "string" else one.value for one in values]
        with self._timed(self._seconds), self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            found = cursor.fetchall()
            description = cursor.description
        if description is None:
            raise DatabaseFault("Statement.executeQuery() cannot issue statements that do not produce result sets.")
        columns = [(label, code, length) for label, code, _, length, *_ in description]
        return [
            {
                label: _mysql_value(code, length, value)
                for (label, code, length), value in zip(columns, row, strict=True)
            }
            for row in found
        ]

    @contextmanager
    def _timed(self, seconds: float) -> Iterator[None]:
        import pymysql

        with deadline(self._handle.fileno(), seconds) as over:
            try:
                yield
            except (pymysql.MySQLError, OSError, ValueError, RuntimeError) as error:
                if over.is_set():
                    raise late(seconds) from None
                code, text = error.args[:2] if len(error.args) > 1 else (0, str(error))
                lost = not isinstance(error, pymysql.MySQLError) or code in _LOST or not self._connection.open
                raise DatabaseFault(str(text), lost=lost, again=lost and code in _LOST) from None


def _float_literal(number: float, _: object = None) -> str:
    """As Connector/J prints it; pymysql would make a ``DOUBLE`` of each."""
    if not math.isfinite(number):
        raise DatabaseFault(f"'{number}' is not a valid numeric or approximate numeric value")
    return repr(number)


def _unchecked() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _mysql_value(code: int, length: int, value: str | bytes | None) -> Any:
    if value is None:
        return None
    if isinstance(value, bytes):
        if code == _BIT and length == 1:
            return value != b"\0"
        return sql_values.to_json("byte[]", value.decode("utf-8", "replace"))
    if code in _DATES and value.startswith("0000-00-00"):
        raise DatabaseFault("Zero date value prohibited")
    if code == _TINY and length == 1:
        return value_of("Boolean", _tiny_is_true, value)
    return value_of(*_MYSQL_CLASSES.get(code, OTHER), value)


def _tiny_is_true(text: str) -> str:
    return "true" if int(text) > 0 or text == "-1" else "false"
