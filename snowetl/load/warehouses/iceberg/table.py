"""A table of Iceberg: see :class:`snowetl.load.lake.LakeTable`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from snowetl.ddl.atomic import LOAD_TSTAMP
from snowetl.load.lake import BAD_ROWS, EVENTS, FAILED_EVENTS, MANIFEST, Marks
from snowetl.load.warehouses.iceberg import upkeep
from snowetl.load.warehouses.iceberg.catalog import driver, not_committed
from snowetl.load.warehouses.iceberg.files import DataFiles

if TYPE_CHECKING:
    import pyarrow as pa

_PARTITIONED = (EVENTS, FAILED_EVENTS)
_MARKS = "snowetl.marks"
"""In the summary of a snapshot."""
_KEPT = timedelta(days=7)
"""For how long a vacuum keeps snapshots, and files that none names. A load that was killed must be repeated within that
time.
"""


class IcebergTable:
    """See :class:`snowetl.load.lake.LakeTable`."""

    def __init__(self, catalog: Any, namespace: str, name: str) -> None:
        self._catalog = catalog
        self._namespace = namespace
        self._name = name

    def _table(self) -> Any:
        """The table as it is now; ``None`` where it is not there."""
        exceptions = driver().exceptions
        try:
            return self._catalog.load_table((self._namespace, self._name))
        except (exceptions.NoSuchTableError, exceptions.NoSuchNamespaceError):
            return None

    def schema(self) -> pa.Schema | None:
        table = self._table()
        return None if table is None else table.schema().as_arrow()

    def read(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        table = self._table()
        if table is not None:
            yield from table.scan(selected_fields=tuple(columns)).to_arrow_batch_reader()

    def content(self, marks: Marks) -> int | None:
        return self._content(self._table(), marks)

    def _content(self, table: Any, marks: Marks) -> int | None:
        if table is None:
            return None
        for snapshot in reversed(table.metadata.snapshots):
            summary = {} if snapshot.summary is None else snapshot.summary.additional_properties
            found = dict(mark.split(":") for mark in summary.get(_MARKS, "").split())
            for name in marks.names:
                if name in found:
                    return int(found[name])
        return self._content_of_rows(table, marks)

    def _content_of_rows(self, table: Any, marks: Marks) -> int | None:
        """What the rows tell of a run whose snapshot has expired."""
        from pyiceberg.expressions import EqualTo, Or

        wanted: Any = EqualTo("base", marks.row.base)  # type: ignore[arg-type, call-arg]
        if self._name == BAD_ROWS:
            found = table.scan(row_filter=wanted, selected_fields=("base",), limit=1).to_arrow()
            return marks.content if found.num_rows else None
        if self._name != MANIFEST:
            return None
        if marks.row.run_identity is not None:
            wanted = Or(wanted, EqualTo("run_identity", marks.row.run_identity))  # type: ignore[arg-type, call-arg]
        found = table.scan(row_filter=wanted, selected_fields=("run_identity",)).to_arrow()
        identities = found["run_identity"].to_pylist()
        if not identities:
            return None
        return marks.content if marks.row.run_identity in identities else -1

    def append(self, rows: Callable[[], pa.RecordBatchReader], marks: Marks) -> bool:
        table = self._table()
        if self._content(table, marks) is not None:
            return False
        properties = {_MARKS: " ".join(f"{name}:{marks.content}" for name in marks.names)}
        files, may_be_committed = DataFiles(self._name in _PARTITIONED), False
        try:
            with rows() as reader, self._transaction(table, reader.schema) as transaction:
                files.write(reader, transaction.table_metadata.location, self._io(transaction))
                transaction.add_files(files.paths, snapshot_properties=properties, check_duplicate_files=False)
                may_be_committed = True
        except BaseException as error:
            if not may_be_committed or isinstance(error, not_committed()):
                files.delete()
            raise
        return True

    def _io(self, transaction: Any) -> Any:
        """How the files of a table are written."""
        from pyiceberg.io import load_file_io

        return load_file_io(self._catalog.properties, transaction.table_metadata.location)

    @contextmanager
    def _transaction(self, table: Any, rows: pa.Schema) -> Iterator[Any]:
        """A transaction on the table that was looked into, with the columns the rows need; made if need be."""
        if table is None:
            self._catalog.create_namespace_if_not_exists(self._namespace)
            with self._catalog.create_table_transaction((self._namespace, self._name), schema=rows) as transaction:
                if self._name in _PARTITIONED:
                    _partition(transaction)
                yield transaction
            return
        # The client would add the rows once more after a conflict, without looking who was quicker.
        table.metadata.properties["commit.retry.num-retries"] = "0"
        with table.transaction() as transaction:
            with transaction.update_schema() as update:
                update.union_by_name(rows)
            yield transaction

    def tidy(self) -> None:
        """Expire old snapshots, put small files together, and remove those that no snapshot names any more."""
        table = self._table()
        if table is None:
            return
        table.maintenance.expire_snapshots().older_than(datetime.now(UTC) - _KEPT).commit()
        upkeep.compact(self._table)
        upkeep.remove_orphans(self._table, _KEPT)


def _partition(transaction: Any) -> None:
    from pyiceberg.transforms import DayTransform

    with transaction.update_spec() as spec:
        spec.add_field(LOAD_TSTAMP, DayTransform(), f"{LOAD_TSTAMP}_day")
        spec.add_identity("event_name")
