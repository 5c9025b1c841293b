"""Bad rows as a table: one row a failure, to be counted and searched with SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from snowetl.jvm import jsontext
from snowetl.load.report import TableLoad
from snowetl.load.rows import read_chunks
from snowetl.load.sqlstate import caused_by_rows
from snowetl.storage import FileInfo

TABLE = "bad_rows"
CREATE = """
CREATE TABLE IF NOT EXISTS {schema}.bad_rows (
    "base" VARCHAR(512) NOT NULL,
    "type" VARCHAR(128) NOT NULL,
    "schema" VARCHAR(512) NULL,
    "failure_tstamp" TIMESTAMP NULL,
    "processor" VARCHAR(1024) NULL,
    "failure" JSONB NULL,
    "payload" JSONB NULL
)"""
COLUMNS = ("base", "type", "schema", "failure_tstamp", "processor", "failure", "payload")

_LONGEST_REJECTED = 1 << 20
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_NUL_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class BadRowRecord(NamedTuple):
    """The columns after ``base``; JSON as text."""

    type: str
    schema: str | None
    failure_tstamp: str | None
    processor: str | None
    failure: str | None
    payload: str | None


def batches(files: Iterable[FileInfo]) -> Iterator[list[BadRowRecord]]:
    """Every line of ``files``, a megabyte or so at a time.

    A line that is not a bad row comes with type ``unreadable`` and itself as payload.
    """
    for chunk in read_chunks(files):
        yield [parse_bad_row(line) for line in chunk.decode("utf-8", "replace").split("\n")[:-1]]


def copy(connection: Any, schema: str, base: str, records: Iterable[BadRowRecord]) -> int:
    """Copy bad rows into the table; all of them or, with the server's error, none."""
    names = ", ".join(f'"{column}"' for column in COLUMNS)
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {schema}.{TABLE} ({names}) FROM STDIN") as out:
            for record in records:
                out.write_row((base, *record))
        return int(cursor.rowcount)


def copy_one_by_one(connection: Any, schema: str, base: str, records: Iterable[BadRowRecord]) -> TableLoad:
    """Insert bad rows of which some do not fit ``jsonb``: what does not is stored as the text of its JSON.

    What not even text can hold (over 1 GB) goes to ``rejected_rows``, cut.
    """
    from psycopg import Error

    loaded = TableLoad(f"{schema}.{TABLE}")
    for record in records:
        for attempt in (record, _as_text(record)):
            try:
                with connection.transaction():
                    loaded.rows += copy(connection, schema, base, [attempt])
                break
            except Error as error:
                if not caused_by_rows(error.sqlstate):
                    raise
                reason = str(error).partition("\n")[0]
        else:
            line = "\t".join(part or "" for part in record)[:_LONGEST_REJECTED]
            connection.execute(
                f"INSERT INTO {schema}.rejected_rows (base, table_name, reason, line) VALUES (%s, %s, %s, %s)",
                [base, TABLE, reason, line],
            )
            loaded.rejected += 1
    return loaded


def _as_text(record: BadRowRecord) -> BadRowRecord:
    """The JSON of failure and payload as JSON strings of their texts: a number of 10^9 digits is a few letters then."""
    failure, payload = (None if text is None else jsontext.dumps(text) for text in (record.failure, record.payload))
    return record._replace(failure=failure, payload=payload)


def parse_bad_row(line: str) -> BadRowRecord:
    try:
        row = jsontext.loads(line)
        schema, data = str(row["schema"]), row["data"]
        processor = data["processor"]
        return BadRowRecord(
            type=_bounded(schema.split("/")[1], 128),
            schema=_bounded(schema, 512),
            failure_tstamp=_tstamp(data.get("failure")),
            processor=_bounded(f"{processor['artifact']} {processor['version']}", 1024),
            failure=_jsonb(data.get("failure")),
            payload=_jsonb(data.get("payload")),
        )
    except (jsontext.JsonError, KeyError, TypeError, IndexError, AttributeError):
        return BadRowRecord("unreadable", None, None, None, None, _jsonb(line))


def _tstamp(failure: Any) -> str | None:
    stamp = failure.get("timestamp") if isinstance(failure, dict) else None
    return stamp.rstrip("Z") if isinstance(stamp, str) and _INSTANT.fullmatch(stamp) else None


def _bounded(text: str, limit: int) -> str:
    return text.replace("\x00", "")[:limit]


def _jsonb(value: Any) -> str:
    """JSON text without NUL characters and lone surrogates, which ``jsonb`` does not hold."""
    text = jsontext.dumps(value).encode("utf-8", "replace").decode("utf-8")
    return _NUL_ESCAPE.sub(r"\1", text) if "\\u0000" in text else text
