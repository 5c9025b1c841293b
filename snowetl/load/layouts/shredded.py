"""Shredded rows: ``events``, and a table for each model of an entity.

Failed events have tables of their own, ``failed_events`` and ``failed_<table of the entity>``: an entity table never
holds rows whose event is not in ``events``, and an event that is mended and loaded again does not find its entities
there already.

Versions that break the table of their model have recovery tables (:mod:`snowetl.ddl.families`) where the transform made
rows for these: it says so in the message, or by a folder for each version, as RDB Loader 6 does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from snowetl.ddl import flat
from snowetl.ddl.atomic import EVENT_COLUMNS
from snowetl.ddl.families import ALL, MERGED, family, is_recovery_table, merged_columns, recovery_table
from snowetl.ddl.models import Version
from snowetl.ddl.names import FAILED, choose_table, failed_table, is_failed_table
from snowetl.ddl.postgres import REJECTED_VALUES as REJECTED_VALUES_COLUMNS
from snowetl.ddl.tables import Alterations, Held, NoTable, Table
from snowetl.errors import LoadError
from snowetl.load.plan import ATOMIC_KEY, Aside, Copy, Planned, Request, TablePlan, events_table, is_skipped
from snowetl.load.rows import ATOMIC_TSV, ENTITY_TSV, FOR_POSTGRES, RowFormat
from snowetl.load.run import ATOMIC, POSTGRES, REJECTED_VALUES, Model, RowFolder
from snowetl.load.schemas import NoSchema
from snowetl.load.warehouse import NO_CHANGE, Statement, TableChange, Tables, Warehouse
from snowetl.load.widening import widened
from snowetl.model.schema import ParseError, SchemaKey, SchemaVer
from snowetl.settings.words import count

REJECTED_KEY = SchemaKey.parse("iglu:com.snowplowanalytics.snowetl/rejected_values/jsonschema/1-0-0")
REJECTED_COLUMNS = tuple(column.name for column in REJECTED_VALUES_COLUMNS)
META = (
    "schema_vendor", "schema_name", "schema_format", "schema_version", "root_id", "root_tstamp",
    "ref_root", "ref_tree", "ref_parent",
)  # fmt: skip
"""Columns before the properties, in the order of the rows."""
REFS = META[6:]
_OTHER_KIND = ":"
"""No vendor of a schema."""


def plan(request: Request) -> Planned:
    """Tables and copies of a run. Raises ``LoadError`` for rows this warehouse does not read."""
    _refuse_formats(request)
    owners = _owners(request.tables, request.warehouse.capabilities.max_identifier, request.run.failed_events)
    planned = Planned([], [], [], _without_recovery(request))
    for model, folders in _by_model(request).items():
        if model[:3] == ATOMIC[:3]:
            planned.tables.append(_events(model, folders, request))
        elif model[:3] == REJECTED_VALUES[:3]:
            planned.tables.append(_rejected_values(model, folders))
        elif is_skipped(model, request):
            planned.skipped.append(model)
        else:
            table = _entity(model, folders, owners, request)
            (planned.aside if isinstance(table, Aside) else planned.tables).append(table)  # type: ignore[arg-type]
    return planned


def _without_recovery(request: Request) -> tuple[str, ...]:
    """A warning of versions in a run that was made without recovery tables, where the warehouse has tables for them."""
    shared = {folder.model[:3] for folder in request.folders if folder.version is None and folder.model.versions == ALL}
    sent = {type_.key for type_ in request.run.types if (*type_.key[:2], type_.key.version.model) in shared}
    limit, failed = request.warehouse.capabilities.max_identifier, request.run.failed_events
    room = limit - (len(FAILED) if failed else 0)
    owners = {table: owner_of(comment) for table, comment in request.tables.comments.items()}
    found = sorted(
        f"{request.warehouse.schema}.{table}"
        for table, owner in owners.items()
        if owner in sent
        and is_failed_table(table, owner, limit) == failed
        and is_recovery_table(table.removeprefix(FAILED) if failed else table, owner, room)
    )
    if not found:
        return ()
    more = f" and {len(found) - 3:,} more" if len(found) > 3 else ""
    return (
        f"rows of {count(len(found), 'version')} are in the tables of their models, not in "
        f"{', '.join(found[:3])}{more}: the run was transformed without --recovery-tables; set recovery-tables: true "
        "for those to come",
    )


def _by_model(request: Request) -> dict[Model, tuple[RowFolder, ...]]:
    """The folders that go to one table each."""
    found: dict[Model, list[RowFolder]] = {}
    for folder in request.folders:
        model = folder.model
        if folder.version is not None:
            model = model._replace(versions=_sharing(model, folder.version, request))
        found.setdefault(model, []).append(folder)
    return {model: tuple(folders) for model, folders in found.items()}


def _sharing(model: Model, version: tuple[int, int], request: Request) -> str:
    """Which versions share the table of one that has a folder of its own; itself, where no registry has it."""
    versions = request.schemas.versions(model.vendor, model.name, model.model)
    if isinstance(versions, NoSchema):
        return MERGED
    own = SchemaVer(model.model, *version)
    merged = family(versions, _rows_for(model)).merged
    return MERGED if own in {key.version for key, _ in merged} else str(own)


def _rows_for(model: Model) -> str:
    """The warehouse that rows were made for."""
    return "postgres" if model.format == POSTGRES else "redshift"


def _refuse_formats(request: Request) -> None:
    accepted = request.warehouse.capabilities.row_formats
    refused = sorted({folder.model for folder in request.folders if folder.model.format not in accepted})
    if refused:
        shown = ", ".join(f"{model.vendor}/{model.name}" for model in refused)
        formats = " and ".join(sorted({model.format for model in refused}))
        raise LoadError(
            f"{request.run.base} holds {formats} rows of {shown}; {request.warehouse.name} loads "
            f"{' or '.join(sorted(accepted))} rows: transform the run again with --target "
            f"{request.warehouse.capabilities.rows_for}, and without --json and --skip"
        )


def entity_table(key: SchemaKey, tables: Tables, limit: int) -> str:
    """The table that holds, or would hold, the rows of a schema's model in a warehouse with these tables."""
    return choose_table(key, _owners(tables, limit, failed=False), limit)


def _owners(tables: Tables, limit: int, failed: bool) -> dict[str, SchemaKey | None]:
    """The schema that each table belongs to; tables of failed events under their names without ``failed_``.

    Tables of the other kind, and recovery tables, are taken, too, but belong to no model.
    """
    owners: dict[str, SchemaKey | None] = {}
    for table, comment in tables.comments.items():
        owner = owner_of(comment)
        plain = table.removeprefix(FAILED) if failed else table
        if owner is not None:
            room = limit - (len(FAILED) if failed else 0)
            if is_failed_table(table, owner, limit) != failed or is_recovery_table(plain, owner, room):
                owner = owner._replace(vendor=_OTHER_KIND)
        if not failed or table.startswith(FAILED):
            owners[plain] = owner
    return owners


def _events(model: Model, folders: tuple[RowFolder, ...], request: Request) -> TablePlan:
    table, change, note = events_table(model, request)
    if change is NO_CHANGE:
        change, note = widened(request, table, folders)
    copies = [
        Copy(
            table,
            ATOMIC_KEY,
            _names(folder) or EVENT_COLUMNS,
            _format(model, ATOMIC_TSV),
            folder,
            len(EVENT_COLUMNS),
            load_tstamp=request.run.load_tstamp,
        )
        for folder in folders
    ]
    return TablePlan(model, table, tuple(copies), change, note)


def _rejected_values(model: Model, folders: tuple[RowFolder, ...]) -> TablePlan:
    """Values that the transform left out of rows, because no column holds them."""
    copies = [
        Copy(
            "rejected_values",
            REJECTED_KEY,
            _names(folder) or REJECTED_COLUMNS,
            _format(model, ENTITY_TSV),
            folder,
            len(REJECTED_COLUMNS),
        )
        for folder in folders
    ]
    return TablePlan(model, "rejected_values", tuple(copies))


def _entity(
    model: Model, folders: tuple[RowFolder, ...], owners: dict[str, SchemaKey | None], request: Request
) -> TablePlan | Aside:
    """The plan for one model, whose table is noted among ``owners``, or why it can have none."""
    if model in request.impossible:
        return Aside(model, request.impossible[model], folders)
    versions = request.schemas.versions(model.vendor, model.name, model.model)
    if isinstance(versions, NoSchema):
        return Aside(model, versions.reason, folders)
    warehouse = request.warehouse
    room = warehouse.capabilities.max_identifier - (len(FAILED) if model.failed else 0)
    own, end = _own(model, versions)
    if not own:
        return Aside(model, _not_breaking(model), folders)
    plain = choose_table(versions[-1].key, owners, room)
    plain = recovery_table(plain, end, room) if end else plain
    latest = own[-1].key
    wanted = warehouse.dialect.table([version.schema for version in own])
    if isinstance(wanted, NoTable):
        return Aside(model, f"{model.schema} cannot be a table: {wanted.reason}", folders)
    if model.versions != ALL:
        wanted = replace(wanted, columns=merged_columns(wanted.columns))
    name = failed_table(plain) if model.failed else plain
    comment, present = request.tables.comments.get(name), request.tables.columns.get(name)
    current = owner_of(comment)
    if present is not None and current is None:
        return Aside(model, _foreign(f"{warehouse.schema}.{name}", comment, latest), folders)
    if not end:
        owners[plain] = latest
    misfit = _misfit(model, folders, wanted, latest)
    if misfit is not None:
        return Aside(model, misfit, folders)
    cells = (*META, *_row_columns(model, own, wanted, warehouse))
    if present is not None and not set(REFS) & set(present):  # made by the Postgres loader, which has no such columns
        cells = tuple("" if cell in REFS else cell for cell in cells)
    copies = tuple(
        Copy(name, latest, _cells(folder, cells), _format(model, ENTITY_TSV), folder, len(META)) for folder in folders
    )
    if present is None:
        change = _created(warehouse, name, wanted, latest, failed_table("events") if model.failed else "events")
        return TablePlan(model, name, copies, change, "created")
    is_complete = {column.name for column in wanted.columns} <= set(present)
    if is_complete and (current == latest or _is_ahead(model, current, latest, request)):
        return TablePlan(model, name, copies)
    return TablePlan(
        model, name, copies, _altered(warehouse, name, wanted, latest, present), f"migrated to {latest.version}"
    )


def _misfit(model: Model, folders: Sequence[RowFolder], wanted: Table, latest: SchemaKey) -> str | None:
    """Why no table can hold the rows of a model."""
    columns = [column.name for column in wanted.columns]
    if wanted.overflow and model.format != POSTGRES:
        return _too_many(model, len(columns) - 1 + len(wanted.overflow))
    unknown = {column for folder in folders for column in _names(folder) or ()} - {*META, *columns}
    return _unknown_columns(model, unknown, latest) if unknown else None


def _own(model: Model, versions: Sequence[Version]) -> tuple[list[Version], str]:
    """Of the versions of a model those that share its table, and the end of the name of a recovery table."""
    if model.versions == ALL:
        return list(versions), ""
    recovered = family(versions, _rows_for(model)).recovered
    if model.versions == MERGED:
        return [version for version in versions if version.key not in recovered], ""
    own = [each for each in versions if str(each.key.version) == model.versions and each.key in recovered]
    return own, "".join(recovered[each.key] for each in own)


def _row_columns(model: Model, own: Sequence[Version], wanted: Table, warehouse: Warehouse) -> list[str]:
    """The table's columns in the order of rows that do not name theirs. In those made for Redshift, a property that was
    gone for some versions has two cells, as in RDB Loader 5; the second is for a table there, and none elsewhere."""
    named = {column.path: column.name for column in wanted.columns if column.path is not None}
    if model.versions != ALL or _rows_for(model) == warehouse.dialect.name:
        return [column.name for column in wanted.columns if column.path is not None]
    paths = [leaf.path for leaf in flat.ordered([version.schema for version in own]) if leaf.path]
    return ["" if path in paths[:place] else named.get(path, "") for place, path in enumerate(paths)]


def _is_ahead(model: Model, current: SchemaKey | None, latest: SchemaKey, request: Request) -> bool:
    """Whether a table stands at a later version than its merged ones: it is older than the recovery tables."""
    if model.versions != MERGED or current is None:
        return False
    versions = request.schemas.versions(model.vendor, model.name, model.model)
    keys = [] if isinstance(versions, NoSchema) else [version.key for version in versions]
    return current in keys and keys.index(current) > keys.index(latest)


def _not_breaking(model: Model) -> str:
    return (
        f"its rows were made for a recovery table or a version that is unknown here: no registry of --iglu-config has "
        f"a version {model.schema} that breaks the table of its model; add the registry that the transform asked"
    )


def _foreign(table: str, comment: str | None, latest: SchemaKey) -> str:
    return (
        f"{table} is there, but its comment ({comment!r}) is not a schema URI; if it is the table of this schema, "
        f"say so: COMMENT ON TABLE {table} IS '{latest.uri}'"
    )


def _too_many(model: Model, count: int) -> str:
    return (
        f"{model.schema} has {count:,} properties, more than a table has columns: transform the run again with "
        "--target postgres, whose rows keep the rest together in one column"
    )


def _unknown_columns(model: Model, unknown: set[str], latest: SchemaKey) -> str:
    return (
        f"its rows have the columns {', '.join(sorted(unknown))}, which no version of {model.schema} up to "
        f"{latest.version} has; publish the version that has them, or add its registry to --iglu-config"
    )


def _created(warehouse: Warehouse, table: str, wanted: Table, key: SchemaKey, events: str) -> TableChange:
    what = f"create {warehouse.schema}.{table}"
    return _change(what, Alterations([], warehouse.dialect.create(warehouse.schema, table, wanted, key, events)))


def _altered(
    warehouse: Warehouse, table: str, wanted: Table, key: SchemaKey, present: Mapping[str, Held]
) -> TableChange:
    what = f"alter {warehouse.schema}.{table}"
    return _change(what, warehouse.dialect.alter(warehouse.schema, table, key, present, wanted))


def _change(what: str, alterations: Alterations) -> TableChange:
    """Changes of a column's type are optional: a view may forbid them, and the narrower column will do."""
    every = [*alterations.before, *alterations.inside]
    comment = next((sql for sql in every if sql.startswith("COMMENT ON TABLE")), None)

    def statements(texts: Sequence[str]) -> tuple[Statement, ...]:
        return tuple(Statement(what, sql, " ALTER " in sql.partition("(")[0]) for sql in texts if sql != comment)

    return TableChange(
        statements(alterations.before),
        statements(alterations.inside),
        None if comment is None else Statement(what, comment),
    )


def _cells(folder: RowFolder, cells: tuple[str, ...]) -> tuple[str, ...]:
    """Columns of a folder's rows: as its message names them, else all of the table's (rows may have fewer cells).

    Of the columns that lead to the event, those the table lacks are left out.
    """
    return tuple("" if name in META and name not in cells else name for name in _names(folder) or cells)


def _names(folder: RowFolder) -> tuple[str, ...] | None:
    return None if folder.columns is None else tuple(column.name for column in folder.columns)


def _format(model: Model, other: RowFormat) -> RowFormat:
    return FOR_POSTGRES if model.format == POSTGRES else other


def owner_of(comment: str | None) -> SchemaKey | None:
    """The schema a table's comment names; ``None`` for any other text."""
    try:
        return SchemaKey.parse(comment or "")
    except ParseError:
        return None
