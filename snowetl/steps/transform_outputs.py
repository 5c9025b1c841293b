"""What one task of a transform writes: a part for each kind of row, staged."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from snowetl.ddl.parquet import Field
from snowetl.model.badrow import BadRow
from snowetl.reporting.transform import Table
from snowetl.runs.parts import Part, PartWriter, part_name
from snowetl.storage import StagedFile, filesystem
from snowetl.transform.arrow import arrow_schema, record_batch
from snowetl.transform.rows import Rows, RowTable, ShreddedRows, WideLine
from snowetl.transform.transformer import SHRED, WIDE_JSON

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_PER_BATCH = 2_000
_ROW_GROUP_BYTES = 64 << 20


class Outputs:
    """All parts of one split. ``base`` is the run folder, ``index`` the number of the split."""

    def __init__(
        self, base: str, transformation: str, index: int, run: str, compression: str, fields: Sequence[Field]
    ) -> None:
        self._base = base.rstrip("/")
        self._transformation = transformation
        self._name = part_name(index, run, compression)
        self._compression = compression
        self._lines: dict[str, PartWriter] = {}
        self._rows: dict[str, tuple[PartWriter, RowTable]] = {}
        self._parquet = (
            ParquetPart(f"{self._base}/output=good", f"part-{index:05d}-{run}.snappy.parquet", fields)
            if transformation not in (SHRED, WIDE_JSON)
            else None
        )

    def add(self, rows: Rows) -> None:
        """Write the rows of one event. Raises ``StorageError``."""
        if isinstance(rows, ShreddedRows):
            for row in rows.rows:
                self._writer_of(row.table).add(row.text)
        elif isinstance(rows, WideLine):
            self._writer("output=good").add(rows.line)
        elif self._parquet is not None:
            self._parquet.add(rows.values)

    def add_bad(self, row: BadRow) -> None:
        """Write a bad row. Raises ``StorageError``."""
        folder = "output=bad"
        if self._transformation == SHRED:
            vendor, name, _, version = row.schema_key.removeprefix("iglu:").split("/")
            folder += f"/vendor={vendor}/name={name}/format=json/model={version.partition('-')[0]}"
        self._writer(folder).add(row.to_json())

    def _writer_of(self, table: RowTable) -> PartWriter:
        found = self._rows.get(table.folder)
        if found is None:
            found = self._rows[table.folder] = (self._open(f"output=good/{table.folder}"), table)
        return found[0]

    def _writer(self, folder: str) -> PartWriter:
        writer = self._lines.get(folder)
        if writer is None:
            writer = self._lines[folder] = self._open(folder)
        return writer

    def _open(self, folder: str) -> PartWriter:
        return PartWriter(f"{self._base}/{folder}", self._name, self._compression)

    def finish(self) -> list[Table]:
        """Complete all parts; none is published yet. Raises ``StorageError``."""
        found: list[tuple[str, Part | None, RowTable | None]]
        found = [(folder, writer.finish(), None) for folder, writer in self._lines.items()]
        found += [(f"output=good/{table.folder}", writer.finish(), table) for writer, table in self._rows.values()]
        if self._parquet is not None:
            found.append(("output=good", self._parquet.finish(), None))
        return [Table(folder, part, table) for folder, part, table in sorted(found, key=itemgetter(0)) if part]

    def abort(self) -> None:
        """Leave no trace."""
        for writer in (*self._lines.values(), *(writer for writer, _ in self._rows.values())):
            writer.abort()
        if self._parquet is not None:
            self._parquet.abort()


# --- Parquet --------------------------------------------------------------------------------------------------------


class _Sink:
    """A staged file as Arrow wants one."""

    def __init__(self, file: StagedFile) -> None:
        self._file = file
        self.written = 0
        self.closed = False

    def write(self, data: Any) -> int:
        content = bytes(data)
        self._file.write(content)
        self.written += len(content)
        return len(content)

    def tell(self) -> int:
        return self.written

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


class ParquetPart:
    """Rows in one Parquet file, in row groups of bounded size; staged with the first of them."""

    def __init__(self, folder: str, name: str, fields: Sequence[Field]) -> None:
        self._url = f"{folder}/{name}"
        self._fields = fields
        self._rows: list[Sequence[Any]] = []
        self._batches: list[pa.RecordBatch] = []
        self._bytes = 0
        self._count = 0
        self._file: StagedFile | None = None
        self._sink: _Sink | None = None
        self._writer: Any = None
        self._part: Part | None = None

    def add(self, values: Sequence[Any]) -> None:
        self._rows.append(values)
        self._count += 1
        if len(self._rows) >= _ROWS_PER_BATCH:
            self._pack()

    def _pack(self) -> None:
        if not self._rows:
            return
        batch = record_batch(arrow_schema(self._fields), self._rows)
        self._rows.clear()
        self._batches.append(batch)
        self._bytes += batch.nbytes
        if self._bytes >= _ROW_GROUP_BYTES:
            self._write()

    def _write(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self._batches:
            return
        if self._writer is None:
            self._file = filesystem(self._url).stage(self._url)
            self._sink = _Sink(self._file)
            self._writer = pq.ParquetWriter(
                pa.PythonFile(self._sink, mode="w"),
                arrow_schema(self._fields),
                compression="snappy",
                version="1.0",
                coerce_timestamps="us",
                store_decimal_as_integer=True,
            )
        self._writer.write_table(pa.Table.from_batches(self._batches))
        self._batches.clear()
        self._bytes = 0

    def finish(self) -> Part | None:
        self._pack()
        self._write()
        if self._writer is None or self._file is None or self._sink is None:
            return None
        self._writer.close()
        self._part = Part(self._url, self._file.close(), self._count, self._sink.written)
        return self._part

    def abort(self) -> None:
        if self._part is not None:
            filesystem(self._url).abort(self._part.token)
        elif self._file is not None:
            self._file.abort()
