"""Upkeep of an Iceberg table: small files of a partition are put together, and files that no snapshot names removed.

A compaction is a commit that names the files it replaces, and the snapshot it stands on. A load that commits meanwhile
wins: the compaction is committed again on top of it, unless a file that it replaces is gone by then. Rows of a load
lie in files of its own, which no compaction has read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from snowetl.errors import LoadError
from snowetl.load.evolution import canonical
from snowetl.load.warehouses.iceberg.catalog import not_committed
from snowetl.load.warehouses.iceberg.files import DataFiles
from snowetl.storage import filesystem
from snowetl.storage.base import scheme_of

if TYPE_CHECKING:
    import pyarrow as pa

TARGET_BYTES = 128 << 20
"""Of a file that is left alone; smaller ones are put together until they have as much."""
LEAST_FILES = 5
"""Of a partition, to be put together."""
_COMMITS_OF = 20
"""Files that one commit makes."""
_TRIES = 10
_OURS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.parquet")
"""Names of files that we write: those of other programs are left to them."""
_LISTED = ("file", "s3", "s3a", "s3n")
_NEWEST_FORMAT = 2
"""Of a table; in later ones rows have ids, which they must keep."""
_FIELD_ID = b"PARQUET:field_id"

Load = Callable[[], Any]
"""The table as it is now."""


@dataclass(slots=True)
class _Rewrite:
    """Files of one partition, and the one that has their rows."""

    old: Sequence[Any]
    new: DataFiles
    may_be_committed: bool = False


def compact(load: Load) -> None:
    """Put the small files of each partition together. Whatever is not plainly rows in columns of today is left alone:
    files with deletes, of another partitioning, or with columns that were renamed since.
    """
    table = load()
    if table.metadata.format_version > _NEWEST_FORMAT or any(field.required for field in table.schema().fields):
        return
    waiting: list[_Rewrite] = []
    try:
        for old in _groups(table):
            new = _rewritten(table, old)
            if new is not None:
                waiting.append(_Rewrite(old, new))
            if len(waiting) == _COMMITS_OF:
                _commit(load, table, waiting)
                waiting = []
        _commit(load, table, waiting)
    except BaseException:
        for rewrite in waiting:
            if not rewrite.may_be_committed:
                rewrite.new.delete()
        raise


def _groups(table: Any) -> Iterator[list[Any]]:
    """Files that become one: of one partition, small, without deletes."""
    small: dict[Any, list[Any]] = defaultdict(list)
    for task in table.scan().plan_files():
        file = task.file
        is_plain = not task.delete_files and file.spec_id == table.metadata.default_spec_id
        if is_plain and file.file_size_in_bytes < TARGET_BYTES * 3 // 4:
            small[file.partition].append(file)
    for files in small.values():
        yield from (group for group in _filled(files) if len(group) >= LEAST_FILES)


def _filled(files: Iterable[Any]) -> Iterator[list[Any]]:
    group: list[Any] = []
    size = 0
    for file in files:
        group.append(file)
        size += file.file_size_in_bytes
        if size >= TARGET_BYTES:
            yield group
            group, size = [], 0
    yield group


def _rewritten(table: Any, old: Sequence[Any]) -> DataFiles | None:
    """A file with the rows of others, in the columns that the table has now; ``None`` where one of them is of another
    shape.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(column.name, canonical(column.type)) for column in table.schema().as_arrow()])
    for file in old:
        with table.io.new_input(file.file_path).open() as stream:
            if not _is_of_today(table, pq.read_schema(stream), schema):
                return None
    new = DataFiles(partitioned=False)
    try:
        new.write(pa.RecordBatchReader.from_batches(schema, _rows(table, old, schema)), table.location(), table.io)
    except BaseException:
        new.delete()
        raise
    return new


def _is_of_today(table: Any, rows: pa.Schema, schema: pa.Schema) -> bool:
    """Whether each column of a file, and each field inside, is the table's of the same name."""
    known = table.schema()
    mapping = table.name_mapping()
    named = {} if mapping is None else {".".join(path): field.field_id for path, field in _mapped(mapping)}

    def fits(field: pa.Field, path: str, wanted: pa.DataType) -> bool:
        import pyarrow.types as kind

        given = (field.metadata or {}).get(_FIELD_ID)
        number = named.get(path) if given is None else int(given)
        if number is None or known.find_column_name(number) != path:
            return False
        if kind.is_struct(field.type) and kind.is_struct(wanted):
            return all(
                wanted.get_field_index(member.name) >= 0
                and fits(member, f"{path}.{member.name}", wanted.field(member.name).type)
                for member in field.type
            )
        if kind.is_list(field.type) and kind.is_list(wanted):
            return fits(field.type.value_field, f"{path}.element", wanted.value_type)
        return bool(canonical(field.type) == wanted)

    return all(name in schema.names for name in rows.names) and all(
        fits(field, field.name, schema.field(field.name).type) for field in rows
    )


def _mapped(mapping: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The fields of a name mapping, by the names that lead to them."""
    for field in getattr(mapping, "root", mapping):
        for name in field.names:
            yield (*path, name), field
            yield from _mapped(field.fields, (*path, name))


def _rows(table: Any, files: Sequence[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for file in files:
        try:
            with table.io.new_input(file.file_path).open() as stream:
                for batch in pq.ParquetFile(stream).iter_batches():
                    yield _in_columns(batch, schema)
        except (OSError, pa.ArrowException) as error:
            raise LoadError(f"{file.file_path} cannot be read, so nothing is put together: {error}") from error


def _in_columns(rows: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    there = set(rows.schema.names)
    columns = [
        rows.column(field.name).cast(field.type) if field.name in there else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _commit(load: Load, read: Any, rewrites: Sequence[_Rewrite]) -> None:
    """Replace files by those that have their rows, on top of whatever was committed meanwhile."""
    for attempt in range(_TRIES):
        table = load()
        rewrites = _still_fitting(table, read, rewrites)
        if not rewrites:
            return
        try:
            _replace(table, rewrites)
            return
        except not_committed():
            for rewrite in rewrites:
                rewrite.may_be_committed = False
            if attempt == _TRIES - 1:
                raise


def _replace(table: Any, rewrites: Sequence[_Rewrite]) -> None:
    """One commit, which is made upon this very state of the table, or fails."""
    from pyiceberg.io.pyarrow import parquet_files_to_data_files

    paths = iter([path for rewrite in rewrites for path in rewrite.new.paths])
    added = list(parquet_files_to_data_files(table.io, table.metadata, paths))
    _require_rows(rewrites, added)
    table.metadata.properties["commit.retry.num-retries"] = "0"
    with table.transaction() as transaction:
        with transaction.update_snapshot().overwrite() as change:
            for rewrite, file in zip(rewrites, added, strict=True):
                for old in rewrite.old:
                    change.delete_data_file(old)
                change.append_data_file(file)
        for rewrite in rewrites:
            rewrite.may_be_committed = True


def _still_fitting(table: Any, read: Any, rewrites: Sequence[_Rewrite]) -> list[_Rewrite]:
    """Those of which the table has all old files still, and the columns that were read; the others are given up."""
    there = {task.file.file_path for task in table.scan().plan_files() if not task.delete_files}
    is_same = table.schema() == read.schema() and table.spec() == read.spec()
    fitting = [rewrite for rewrite in rewrites if is_same and all(file.file_path in there for file in rewrite.old)]
    for rewrite in rewrites:
        if rewrite not in fitting:
            rewrite.new.delete()
    return fitting


def _require_rows(rewrites: Sequence[_Rewrite], added: Sequence[Any]) -> None:
    """Raises ``LoadError`` where a new file has other rows, or lies elsewhere, than those it stands for."""
    for rewrite, file in zip(rewrites, added, strict=True):
        rows = sum(old.record_count for old in rewrite.old)
        if file.record_count != rows or any(file.partition != old.partition for old in rewrite.old):
            raise LoadError(
                f"{file.file_path} has {file.record_count:,} rows of {file.partition}, and should have {rows:,} of "
                f"{rewrite.old[0].partition}: nothing is put together"
            )


def remove_orphans(load: Load, kept: timedelta) -> list[str]:
    """Remove data files that no snapshot names and that are older than ``kept``: of commits that failed, of snapshots
    that have expired. Gives their addresses.

    The files are listed before the snapshots are read, and told by their names, which are unique: one that is named by
    any snapshot, however its address is spelled, stays.
    """
    folder = f"{load().location().rstrip('/')}/data/"
    if scheme_of(folder) not in _LISTED or not filesystem(folder).exists(folder):
        return []
    until = (datetime.now(UTC) - kept).timestamp() * 1000
    old = [file.url for file in filesystem(folder).walk(folder) if 0 < file.modified < until]
    listed = [url for url in old if _OURS.fullmatch(url.rpartition("/")[2])]
    if not listed:
        return []
    table = load()
    named = {path.rpartition("/")[2] for path in _named(table)}
    orphans = [url for url in listed if url.rpartition("/")[2] not in named]
    for url in orphans:
        table.io.delete(url)
    return orphans


def _named(table: Any) -> Iterator[str]:
    """The data files that any snapshot names."""
    seen: set[str] = set()
    for snapshot in table.metadata.snapshots:
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in seen:
                seen.add(manifest.manifest_path)
                for entry in manifest.fetch_manifest_entry(table.io):
                    yield entry.data_file.file_path
