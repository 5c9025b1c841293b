"""Wide rows in Parquet: one for each event, in ``events``, with a typed column for each model of an entity.

Columns come and grow with the rows: what a run has and the table lacks is added, and may be null.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from snowetl.ddl.atomic import EVENT_COLUMNS
from snowetl.errors import LoadError
from snowetl.load import parquet_files
from snowetl.load.evolution import Evolution, evolve, grown, types_of
from snowetl.load.plan import ATOMIC_KEY, Copy, Planned, Request, TablePlan, events_table, is_skipped
from snowetl.load.rows import PARQUET
from snowetl.load.run import Model, RowFolder
from snowetl.load.warehouse import ColumnarWarehouse, TableChange
from snowetl.settings.words import count
from snowetl.transform.eventjson import column_name

if TYPE_CHECKING:
    import pyarrow as pa

_PREFIXES = {"SELF_DESCRIBING_EVENT": "unstruct_event_", "CONTEXT": "contexts_"}


class _Columns(NamedTuple):
    """Those of the files, the table's for each (``""`` for one that is left out), what the table lacks, and what it has
    then.
    """

    names: tuple[str, ...]
    evolution: Evolution
    grown: Mapping[str, pa.DataType]


def plan(request: Request) -> Planned:
    """The copy of a run into ``events``, and what is added to its columns. Raises ``LoadError``."""
    [folder] = request.folders
    if folder.model in request.impossible:
        raise LoadError(f"{request.warehouse.schema}: {request.impossible[folder.model]}")
    skipped = [model for model in request.run.models() if is_skipped(model, request)]
    name, change, note = events_table(folder.model, request)
    columns = _columns(request, name, folder, skipped)
    added, retyped = columns.evolution.added, columns.evolution.retyped
    places = tuple(columns.evolution.columns.get(column, "") for column in columns.names)
    copy = Copy(
        name,
        ATOMIC_KEY,
        places,
        PARQUET,
        folder,
        len(places),
        load_tstamp=request.run.load_tstamp,
        named=columns.names,
        added=added,
    )
    notes = [note] if note else []
    notes += [f"{count(len(added), 'column')} added"] if added and name in request.tables.schemas else []
    warehouse = cast(ColumnarWarehouse, request.warehouse)
    statements = (*change.inside, *warehouse.add_columns(name, added, columns.grown))
    change = TableChange(change.before, statements, None)
    return Planned([TablePlan(folder.model, name, (copy,), change, ", ".join([*notes, *retyped]) or None)], [], skipped)


def _columns(request: Request, table: str, folder: RowFolder, skipped: Sequence[Model]) -> _Columns:
    if not folder.files:
        return _Columns((), Evolution({}, (), ()), {})
    rows = types_of(parquet_files.schema_of(folder.files[0]))
    left_out = _skipped_columns(request, rows, skipped)
    wanted = {name: type_ for name, type_ in rows.items() if name not in left_out}
    present = request.tables.schemas.get(table)
    if present is None:  # it is made with those that all events have
        columns = {name: rows[name] for name in EVENT_COLUMNS if name in rows}
    else:
        columns = types_of(present)
    evolution = evolve(columns, wanted)
    return _Columns(tuple(rows), evolution, grown(columns, evolution.added))


def _skipped_columns(request: Request, rows: Iterable[str], skipped: Sequence[Model]) -> set[str]:
    """Columns of the models that are left out, those of versions that do not go with the others included."""
    left_out = {model[:3] for model in skipped}
    names = {
        column_name(_PREFIXES[type_.entity or "CONTEXT"], type_.key.uri)
        for type_ in request.run.types
        if (type_.key.vendor, type_.key.name, type_.key.version.model) in left_out
    }
    return {name for name in rows if name in names or name.partition("_recovered_")[0] in names}
