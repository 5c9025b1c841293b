"""ClickHouse by its HTTP interface: an address, statements, answers, and what its errors mean."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from snowetl.ddl.clickhouse import RESERVED, renamed
from snowetl.errors import ConfigError, LoadError, TargetError
from snowetl.http import Http, HttpError, Policy
from snowetl.jvm import jsontext

if TYPE_CHECKING:
    import pyarrow as pa

EXAMPLE = "clickhouse://USER:PASSWORD@HOST:8443?secure=true"
_SCHEMES = ("clickhouse", "http", "https")
_TRUE = ("true", "1", "yes", "")
_ONE_GIGABYTE, _ANY_SIZE = 1 << 30, 1 << 50
_CONNECT_SECONDS = 10.0
_SETTINGS = {
    "max_query_size": "16777216",  # a statement names each column of a wide row
    "async_insert": "0",
    "insert_deduplicate": "0",  # files of a run may hold equal blocks of rows
    "output_format_json_quote_64bit_integers": "0",
}
_PLAIN_TEXTS = "output_format_arrow_string_as_string = 1, output_format_arrow_low_cardinality_as_dictionary = 0"
UNKNOWN_TABLE, TABLE_EXISTS = 60, 57
_PASSING = frozenset((159, 164, 202, 203, 209, 210, 225, 236, 241, 242, 252, 279, 319, 425, 439, 473, 517, 722, 999))
"""Codes of what may be gone the next time: timeouts, the network, memory, too many queries or parts, Keeper."""
_NO_ENTRY = frozenset((192, 193, 194, 516))
_NO_RIGHT = 497


class Address(NamedTuple):
    """Where a server is, and who asks."""

    host: str
    port: int
    secure: bool
    user: str
    password: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """What ``--database`` says. Raises ``ConfigError``."""
        try:
            parts = urlsplit(url)
            port, options = parts.port, dict(parse_qsl(parts.query, keep_blank_values=True))
        except ValueError as error:
            raise ConfigError(
                f"--database is not the address of a ClickHouse server: {error}; write {EXAMPLE}"
            ) from None
        unknown = sorted(options.keys() - {"secure"})
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise ConfigError(f"--database is not the address of a ClickHouse server; write {EXAMPLE}")
        if parts.path.strip("/"):
            raise ConfigError(f"--database: the database is --schema; leave out {parts.path}, as in {EXAMPLE}")
        if unknown:
            raise ConfigError(f"--database: {', '.join(unknown)} is unknown; the one option is secure, as in {EXAMPLE}")
        secure = parts.scheme == "https" or options.get("secure", "false").lower() in _TRUE
        port = port or (8443 if secure else 8123)
        return cls(parts.hostname, port, secure, unquote(parts.username or "default"), unquote(parts.password or ""))

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}/"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class ClickHouseError(LoadError):
    """What the server refuses. ``code`` is its number of the error."""

    def __init__(self, message: str, code: int, transient: bool = False) -> None:
        super().__init__(message, transient)
        self.code = code


class Client:
    """Statements to one server, each an exchange of its own. It may serve threads; close it."""

    def __init__(self, address: Address, seconds: float) -> None:
        """``seconds`` is how long a statement may take; for copies, see :meth:`run`."""
        self._address = address
        self._seconds = seconds
        self._http = Http(secrets=[address.password])

    def close(self) -> None:
        self._http.close()

    def run(
        self,
        sql: str,
        rows: Iterable[bytes] | None = None,
        seconds: float | None = None,
        into: BinaryIO | None = None,
    ) -> bytes:
        """The answer to a statement. ``rows`` are data that follow it, in the format that it names at its end.

        ``into`` is a file for an answer of any size.
        Raises :class:`ClickHouseError` for what the server refuses, ``TargetError`` where it cannot be asked.
        """
        wait = seconds or self._seconds
        policy = Policy(
            connect=_CONNECT_SECONDS, read=wait, deadline=wait, max_bytes=_ONE_GIGABYTE if into is None else _ANY_SIZE,
            resend=False, redirects=0, retries=2 if rows is None else 0,
        )  # fmt: skip
        address = self._address
        statement = sql.encode("utf-8", "replace")
        try:
            answer = self._http.request(
                "POST",
                f"{address.url}?{urlencode(_SETTINGS)}",
                headers={"content-type": "application/octet-stream"},
                body=statement if rows is None else _followed(statement, rows),
                auth=(address.user, address.password),
                policy=policy,
                into=into,
            )
        except HttpError as error:
            raise TargetError(f"ClickHouse at {address} cannot be asked: {error}", transient=error.passing) from None
        code = int(answer.headers.get("x-clickhouse-exception-code", 0))
        if answer.status != 200 or code:
            raise _refusal(address, answer.status, code, answer.body.decode("utf-8", "replace"))
        return answer.body

    def rows(self, query: str) -> list[list[Any]]:
        """The rows of a query, as JSON has their values."""
        answer = self.run(f"{query} FORMAT JSONCompactEachRow").decode("utf-8", "replace")
        return [jsontext.loads(line) for line in answer.splitlines() if line]

    def values(self, query: str) -> list[Any]:
        """The first column of a query."""
        return [row[0] for row in self.rows(query)]

    def schema(self, table: str) -> pa.Schema:
        """The columns of a table as rows in Parquet have them."""
        import pyarrow as pa

        answer = self.run(f"SELECT * FROM {table} LIMIT 0 SETTINGS {_PLAIN_TEXTS} FORMAT ArrowStream")
        names = {given: name for name, given in RESERVED.items()}
        return pa.schema([field.with_type(renamed(field.type, names)) for field in pa.ipc.open_stream(answer).schema])

    def batches(self, query: str, seconds: float) -> Iterator[pa.RecordBatch]:
        """The rows of a query, by way of a file: the server answers when it has them all, or says why it has not."""
        import pyarrow as pa

        statement = f"{query} SETTINGS {_PLAIN_TEXTS}, http_wait_end_of_query = 1 FORMAT ArrowStream"
        with tempfile.TemporaryFile(prefix="snowetl-") as file:
            self.run(statement, seconds=seconds, into=file)
            file.seek(0)
            try:
                yield from pa.ipc.open_stream(file)
            except pa.ArrowInvalid as error:
                raise TargetError(f"ClickHouse at {self._address} broke off an answer: {error}", True) from error


def _followed(statement: bytes, rows: Iterable[bytes]) -> Iterator[bytes]:
    yield statement + b"\n"
    yield from rows


def _refusal(address: Address, status: int, code: int, text: str) -> LoadError | TargetError:
    words = " ".join(text.split()).removeprefix(f"Code: {code}. DB::Exception: ").partition(" (version ")[0][:1000]
    if code in _NO_ENTRY:
        return TargetError(f"ClickHouse at {address} does not let {address.user} in: {words}")
    if code == _NO_RIGHT:
        words += f"; grant it to {address.user}"
    if not code:  # somebody else answers, such as a proxy
        return TargetError(f"{address} answers {status}: {words}", transient=status >= 500 or status == 429)
    return ClickHouseError(f"ClickHouse at {address}: {words}", code, code in _PASSING)
