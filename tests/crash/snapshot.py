"""What a verb leaves behind, in a form that two runs have in common."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from snowetl.load.embedded import embedded_postgres
from snowetl.load.target import Target
from tests.load.places.read_back import table_of

CLOCK_COLUMNS = ("ingestion_tstamp", "shredding_started", "shredding_completed", "failure_tstamp")
CLOCK_KEYS = {
    "started",
    "finished",
    "seconds",
    "shredding",
    "timestamps",
    "eventsPerSecond",
    "files",
    "workers",
    "splits",
}
OPTIONAL = "_load_report.json"
"""Not there after a load that was committed and then killed: the report of the whole run has it."""
REPORTS = ("_report.json", "shredding_complete.json")
_PRESENT_ONLY = ("_plan.json", "_work.jsonl.gz", "plan.json", "report.json", "summary.json", ".html")


def files_of(objects: Mapping[str, bytes]) -> dict[str, Any]:
    """Files by name: parts as they are, reports without times, which steps are done, that plans and pages are there."""
    return {name: _content(name, data) for name, data in objects.items() if not name.endswith(OPTIONAL)}


def _content(name: str, data: bytes) -> Any:
    if name.endswith(REPORTS):
        return _timeless(json.loads(data))
    if name.endswith("state.json"):  # it tells of each attempt
        return {step["name"]: step["done"] for step in json.loads(data)["steps"]}
    return bool(data) if name.endswith(_PRESENT_ONLY) else data


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in CLOCK_KEYS}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def local_files(folder: Path) -> dict[str, bytes]:
    """All files, hidden ones and locks too."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def rows_of(target: Target) -> dict[str, list[str]]:
    """All rows of all tables, the manifest among them, but the times at which they came there."""
    if target.warehouse == "postgres":
        return _rows_in_postgres(target.data_folder)
    with target.open() as warehouse, warehouse.session() as session:
        columns = session.tables().columns
    return {
        f"table {name}": sorted(map(repr, zip(*map(_values, kept), strict=True)))
        for name, held in columns.items()
        if (kept := _kept(target, name, held))
    }


def _kept(target: Target, table: str, held: Mapping[str, Any]) -> list[Any]:
    found = table_of(target, table)
    return [found[name] for name in held if name not in CLOCK_COLUMNS]


def _values(column: Any) -> list[Any]:
    values: list[Any] = column.to_pylist()
    return values


def _rows_in_postgres(data_folder: Path) -> dict[str, list[str]]:
    with embedded_postgres(data_folder) as url, psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT table_name, array_agg(quote_ident(column_name) ORDER BY ordinal_position) "
            "FROM information_schema.columns WHERE table_schema = 'atomic' AND column_name <> ALL(%s) GROUP BY 1",
            [list(CLOCK_COLUMNS)],
        ).fetchall()
        return {
            f"table {name}": sorted(
                row
                for (row,) in connection.execute(f'SELECT ROW({", ".join(columns)})::text FROM atomic."{name}"')  # type: ignore[arg-type]
            )
            for name, columns in tables
        }


def differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """In words; empty where all is the same."""
    told = [f"missing: {name}" for name in sorted(expected.keys() - found.keys())]
    told += [f"left behind: {name}" for name in sorted(found.keys() - expected.keys())]
    for name in sorted(expected.keys() & found.keys()):
        if expected[name] != found[name]:
            told.append(f"differs: {name}{_how(expected[name], found[name])}")
    return told


def _how(expected: Any, found: Any) -> str:
    if isinstance(expected, dict):
        keys = [key for key in {**expected, **found} if expected.get(key) != found.get(key)]
        return f" ({', '.join(f'{key}: {expected.get(key)!r} -> {found.get(key)!r}' for key in keys)})"[:600]
    if isinstance(expected, bytes) and expected[:2] == found[:2] == b"\x1f\x8b":
        expected, found = (gzip.decompress(data).splitlines() for data in (expected, found))
        if expected == found:
            return " (compressed in another way: the lines are the same)"
    if isinstance(expected, list):
        gone, new = (sorted({*one} - {*other}) for one, other in ((expected, found), (found, expected)))
        return f" ({len(expected)} -> {len(found)} lines; gone: {gone[:1]}, new: {new[:1]})"[:3000]
    return f" ({len(expected)} -> {len(found)} bytes)" if isinstance(expected, bytes) else ""
