"""Wide rows in JSON: one for each event, in ``events``, with a JSON column for each model of an entity."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

from snowetl.ddl.atomic import EVENT_COLUMNS
from snowetl.ddl.names import index_name
from snowetl.errors import LoadError
from snowetl.jvm import jsontext
from snowetl.jvm.json_number import JsonNumber
from snowetl.load.plan import ATOMIC_KEY, Copy, Planned, Request, TablePlan, events_table, is_skipped
from snowetl.load.rows import FOR_POSTGRES
from snowetl.load.run import Model
from snowetl.load.warehouse import NO_CHANGE, EntityColumn, JsonWarehouse, TableChange
from snowetl.load.widening import widened
from snowetl.settings.words import count
from snowetl.transform.eventjson import column_name

_PREFIXES = {"SELF_DESCRIBING_EVENT": "unstruct_event_", "CONTEXT": "contexts_"}
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": "\ufffd"})
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""NUL in the text of JSON, which no value of PostgreSQL holds."""


def plan(request: Request) -> Planned:
    """The copy of a run into ``events``, and the columns that are added to it. Raises ``LoadError``.

    Columns are named as the keys of the rows are; a name that is longer than the warehouse keeps is cut, with a hash.
    """
    run = request.run
    [folder] = request.folders
    if folder.model in request.impossible:
        raise LoadError(f"{request.warehouse.schema}: {request.impossible[folder.model]}")
    skipped = [model for model in run.models() if is_skipped(model, request)]
    keys = _keys(request, skipped)
    limit = request.warehouse.capabilities.max_identifier
    columns = {key: index_name(key, "", limit) for key in keys}
    name, change, note = events_table(folder.model, request)
    present = request.tables.columns.get(name, {})
    lacking = [EntityColumn(columns[key], entity) for key, entity in keys.items() if columns[key] not in present]
    added = tuple(cast(JsonWarehouse, request.warehouse).add_json_columns(name, lacking))
    names = (*EVENT_COLUMNS, *columns.values())
    copy = Copy(
        name,
        ATOMIC_KEY,
        names,
        FOR_POSTGRES,
        folder,
        len(names),
        partial(rows_of, keys=tuple(columns)),
        run.load_tstamp,
        named=(*EVENT_COLUMNS, *columns),
    )
    if change is NO_CHANGE:
        change, note = widened(request, name, [folder])
    notes = [note] if note else []
    notes += [f"{count(len(lacking), 'column')} added"] if lacking and note != "created" else []
    change = TableChange(change.before, (*change.inside, *added), None)
    return Planned([TablePlan(folder.model, name, (copy,), change, ", ".join(notes) or None)], [], skipped)


def _keys(request: Request, skipped: Sequence[Model]) -> dict[str, str]:
    """Keys of the entities in the rows of a run, and what each holds: ``SELF_DESCRIBING_EVENT`` or ``CONTEXT``."""
    left_out = {model[:3] for model in skipped}
    return {
        column_name(_PREFIXES[type_.entity or "CONTEXT"], type_.key.uri): type_.entity or "CONTEXT"
        for type_ in request.run.types
        if (type_.key.vendor, type_.key.name, type_.key.version.model) not in left_out
    }


def rows_of(chunk: bytes, keys: tuple[str, ...]) -> bytes:
    """Lines of JSON as rows for ``COPY``. A line that is not an object stays one cell, so that it is put aside."""
    return "".join(_row(line, keys) + "\n" for line in chunk.decode("utf-8", "replace").split("\n")[:-1]).encode(
        "utf-8", "replace"
    )


def _row(line: str, keys: tuple[str, ...]) -> str:
    try:
        values = jsontext.loads(line)
    except jsontext.JsonError:
        values = None
    if not isinstance(values, Mapping):
        return line.translate(_ESCAPES)
    cells = [_cell(values.get(name)) for name in EVENT_COLUMNS]
    cells += [_json_cell(values.get(key)) for key in keys]
    return "\t".join(cells)


def _cell(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, bool):
        return "t" if value else "f"
    return value.text if isinstance(value, JsonNumber) else jsontext.dumps(value).translate(_ESCAPES)


def _json_cell(value: Any) -> str:
    if value is None:
        return "\\N"
    text = jsontext.dumps(value)
    return (_NUL.sub("\\1\ufffd", text) if "\\u0000" in text else text).translate(_ESCAPES)
