"""Bad rows as a table: one row a failure, to be counted and searched with SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from snowetl.jvm import jsontext
from snowetl.load.rows import read_chunks
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


def read_bad_rows(files: Iterable[FileInfo]) -> Iterator[BadRowRecord]:
    """Every line of ``files``; one that is no bad row comes with type ``unreadable`` and itself as payload."""
    for chunk in read_chunks(list(files)):
        for line in chunk.decode("utf-8", "replace").split("\n")[:-1]:
            yield parse_bad_row(line)


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
