"""The data files of an Iceberg table, as they are written."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK_BYTES = 256 << 20
"""Of rows that are held at once, and become row groups."""


class DataFiles:
    """The data files of a commit, one for each event name of a table of events.

    They are written here, and added by name: pyiceberg's own writer makes empty arrays of structs out of null ones, and
    holds a partitioned table in memory.
    """

    def __init__(self, partitioned: bool) -> None:
        self.paths: list[str] = []
        self._partitioned = partitioned
        self._io: Any = None

    def write(self, reader: pa.RecordBatchReader, location: str, io: Any) -> None:
        import pyarrow.parquet as pq

        self._io = io
        with ExitStack() as stack:
            writers: dict[str | None, Any] = {}
            for chunk in _chunks(reader):
                for name, rows in self._apart(chunk):
                    if name not in writers:
                        path = f"{location}/data/{uuid.uuid4()}.parquet"
                        self.paths.append(path)
                        stream = stack.enter_context(io.new_output(path).create())
                        writers[name] = stack.enter_context(pq.ParquetWriter(stream, reader.schema, compression="zstd"))
                    writers[name].write_table(rows)

    def _apart(self, rows: pa.Table) -> Iterator[tuple[str | None, pa.Table]]:
        import pyarrow.compute as pc

        if not self._partitioned:
            yield None, rows
            return
        column = rows["event_name"]
        for name in pc.unique(column).to_pylist():
            yield name, rows.filter(pc.is_null(column) if name is None else pc.equal(column, name))

    def delete(self) -> None:
        """Leave no trace of a commit that failed."""
        for path in self.paths:
            with suppress(OSError):
                self._io.delete(path)


def _chunks(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    import pyarrow as pa

    held: list[Any] = []
    size = 0
    for batch in reader:
        held.append(batch)
        size += batch.nbytes
        if size > _CHUNK_BYTES:
            yield pa.Table.from_batches(held)
            held, size = [], 0
    if held:
        yield pa.Table.from_batches(held)
