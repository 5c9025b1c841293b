"""A load into Databricks as statements. Pure.

Databricks has no transaction over several statements, but each is one commit. So each is made such that it does nothing
where it was done: a ``MERGE`` that only inserts. The manifest's row comes last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.ddl.databricks import DAY, converted, qualified, quoted, text
from snowetl.ddl.tables import Held, text_length
from snowetl.load.manifest import COLUMNS, ManifestRow, addresses, end_of_address, row_of
from snowetl.load.plan import Copy
from snowetl.load.run import TransformedRun

if TYPE_CHECKING:
    import pyarrow as pa

_TIMES = ("shredding_started", "shredding_completed", "min_collector_tstamp", "max_collector_tstamp")
_BAD_ROW = {
    "type": "COALESCE(NULLIF(LEFT(SPLIT_PART(GET_JSON_OBJECT(value, '$.schema'), '/', 2), 128), ''), 'unreadable')",
    "schema": "LEFT(GET_JSON_OBJECT(value, '$.schema'), 512)",
    "failure_tstamp": "TRY_CAST(GET_JSON_OBJECT(value, '$.data.failure.timestamp') AS TIMESTAMP)",
    "processor": "LEFT(CONCAT(GET_JSON_OBJECT(value, '$.data.processor.artifact'), ' ', "
    "GET_JSON_OBJECT(value, '$.data.processor.version')), 1024)",
    "failure": "GET_JSON_OBJECT(value, '$.data.failure')",
    "payload": "CASE WHEN GET_JSON_OBJECT(value, '$.schema') IS NULL THEN value "
    "ELSE GET_JSON_OBJECT(value, '$.data.payload') END",
}
"""Columns of a line of bad rows; what is none has the type ``unreadable``, and itself as payload."""


def files(form: str, place: str) -> str:
    """A folder or a file as a table: ``parquet.`s3://…/` ``."""
    return f"{form}.{quoted(place)}"


def merge_events(
    schema: str,
    copy: Copy,
    run: TransformedRun,
    place: str,
    rows: Mapping[str, pa.DataType],
    table: Mapping[str, pa.DataType],
    held: Mapping[str, Held],
) -> str:
    """All rows of a run into their table, but where rows of the run are there already: none then.

    ``rows`` and ``table`` are types of columns by name, ``held`` what the table holds of texts.
    """
    moment = _moment(str(copy.load_tstamp))
    selected = {
        place_: _value(name, rows.get(name), table.get(place_), held.get(place_))
        for name, place_ in zip(copy.named, copy.columns, strict=True)
        if place_
    }
    selected |= {LOAD_TSTAMP: moment, DAY: f"CAST({quoted('collector_tstamp')} AS DATE)"}
    values = ", ".join(f"{value} AS {quoted(column)}" for column, value in selected.items())
    names = ", ".join(quoted(column) for column in selected)
    given = ", ".join(f"s.{quoted(column)}" for column in selected)
    return (
        f"MERGE INTO {qualified(schema, copy.table)} AS t USING (SELECT {values} FROM {files('parquet', place)}) AS s "
        f"ON t.event_id = s.event_id AND t.{LOAD_TSTAMP} = {moment}{_days(run)} "
        f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({given})"
    )


def _value(name: str, rows: pa.DataType | None, table: pa.DataType | None, held: Held | None) -> str:
    """The value of a column of the rows in the table's type; a text is cut to a column that is shorter."""
    value = quoted(name)
    length = None if held is None else text_length(held.type.upper())
    if length is not None:
        return f"LEFT({value}, {length})"
    return value if rows is None or table is None else converted(value, rows, table)


def _days(run: TransformedRun) -> str:
    """The partitions that hold the run's events, a day more at each end: days are those of the session's time zone."""
    try:
        first, last = (
            date.fromisoformat((stamp or "")[:10]) for stamp in (run.min_collector_tstamp, run.max_collector_tstamp)
        )
        first, last = first - timedelta(1), last + timedelta(1)
    except (ValueError, OverflowError):
        return ""
    return f" AND t.{DAY} BETWEEN DATE '{first}' AND DATE '{last}'"


def merge_bad_rows(schema: str, base: str, places: Sequence[str]) -> str:
    """Lines of bad rows, but where bad rows of the run are there already: none then."""
    lines = " UNION ALL ".join(f"SELECT value FROM {files('text', place)}" for place in places)
    selected = {"base": text(base), **_BAD_ROW}
    values = ", ".join(f"{value} AS {quoted(column)}" for column, value in selected.items())
    names = ", ".join(map(quoted, selected))
    given = ", ".join(f"s.{quoted(column)}" for column in selected)
    return (
        f"MERGE INTO {schema}.bad_rows AS t USING (SELECT {values} FROM ({lines}) AS lines) AS s "
        f"ON t.base = s.base AND t.base = {text(base)} WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({given})"
    )


def merge_manifest(schema: str, row: ManifestRow, bad_rows: int) -> str:
    """The row that says a run is loaded, unless one of its folder is there."""
    selected = {name: _literal(name, value) for name, value in zip(COLUMNS, row, strict=True)}
    selected |= {"ingestion_tstamp": "CURRENT_TIMESTAMP()", "bad_rows": str(bad_rows)}
    values = ", ".join(f"{value} AS {column}" for column, value in selected.items())
    return (
        f"MERGE INTO {schema}.manifest AS t USING (SELECT {values}) AS s ON t.base = s.base "
        f"WHEN NOT MATCHED THEN INSERT ({', '.join(selected)}) VALUES ({', '.join(f's.{name}' for name in selected)})"
    )


def select_manifest(schema: str, run: TransformedRun) -> str:
    """Rows of the manifest that may be the run's."""
    wanted = row_of(run)
    end = end_of_address(run)
    conditions = [
        f"base IN ({', '.join(map(text, addresses(run)))})",
        f"(shredding_started = {_moment(wanted.shredding_started)} "
        f"AND shredding_completed = {_moment(wanted.shredding_completed)})",
        f"RIGHT(CONCAT('/', base), {len(end)}) = {text(end)}",
    ]
    if wanted.run_identity is not None:
        conditions.append(f"run_identity = {text(wanted.run_identity)}")
    shown = [
        f"DATE_FORMAT(TO_UTC_TIMESTAMP({name}, CURRENT_TIMEZONE()), 'yyyy-MM-dd HH:mm:ss.SSSSSS') AS {name}"
        if name in _TIMES
        else name
        for name in COLUMNS
    ]
    return f"SELECT {', '.join(shown)} FROM {schema}.manifest WHERE {' OR '.join(conditions)}"


def _literal(name: str, value: str | int | None) -> str:
    if value is None:
        return f"CAST(NULL AS {'TIMESTAMP' if name in _TIMES else 'BIGINT' if name == 'count_good' else 'STRING'})"
    if isinstance(value, int):
        return str(value)
    return _moment(value) if name in _TIMES else text(value)


def _moment(time: str) -> str:
    return f"TIMESTAMP '{time}Z'"
