"""Parquet files as records: each row as the text of a JSON object, in bounded memory."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import msgspec

from snowetl.errors import UsageError
from snowetl.jvm.strings import decode_utf8
from snowetl.storage.pieces import CHUNK, Source
from snowetl.storage.records import MAX_DAMAGE_BYTES, MAX_RECORD_BYTES, Damage, Record

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC = b"PAR1"
EXTENSION = ".parquet"

_BATCH = 512
"""Rows that are held at a time."""
_IN_MEMORY = 16 << 20
"""Larger files are copied to disk: the table of contents of a Parquet file is at its end."""


def check_installed() -> None:
    """Raises :class:`UsageError` where the package that reads Parquet is missing."""
    if importlib.util.find_spec("pyarrow") is None:
        raise UsageError("input in Parquet needs one more package. Run: pip install 'snowetl[parquet]'")


def read_rows(source: Source) -> Iterator[Record | Damage]:
    """The rows of a file, numbered from 0. A row group that cannot be read is :class:`Damage`; the next one is read."""
    check_installed()
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, prefix="snowetl-") as copy:
        while data := source.take(4 * CHUNK):
            copy.write(data)
        copy.seek(0)
        yield from _rows(copy, source.url)


def _rows(file: IO[bytes], url: str) -> Iterator[Record | Damage]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    faults = (pa.ArrowException, OSError, ValueError, MemoryError, KeyError)
    try:
        parquet = pq.ParquetFile(file, buffer_size=CHUNK, memory_map=False)
    except faults as error:
        yield Damage(url, 0, f"this Parquet file cannot be read: {_told(error)}")
        return
    number = 0
    for group in range(parquet.num_row_groups):
        first = number
        try:
            for batch in parquet.iter_batches(_BATCH, row_groups=[group]):
                for row in _texts(batch):
                    yield _record(row, number, url)
                    number += 1
        except faults as error:
            yield Damage(url, 0, f"row group {group} of this Parquet file is broken at row {number}: {_told(error)}")
            number = first + parquet.metadata.row_group(group).num_rows


def _record(row: bytes, number: int, url: str) -> Record | Damage:
    if len(row) <= MAX_RECORD_BYTES:
        return Record(row.decode("utf-8"), number)
    return Damage(url, 0, f"row {number} of this Parquet file has {len(row)} bytes", row[:MAX_DAMAGE_BYTES])


def _told(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _texts(batch: pa.RecordBatch) -> Iterator[bytes]:
    """Each row as JSON in UTF-8."""
    try:
        rows = batch.to_pylist()
    except UnicodeDecodeError:
        rows = _as_bytes(batch).to_pylist()
    return map(_encode, rows)


def _as_bytes(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with bytes where texts are: some of them are not UTF-8."""
    import pyarrow as pa

    columns = [column.cast(pa.binary()) if pa.types.is_string(column.type) else column for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _plain(value: Any) -> Any:
    """What JSON has no form for: bytes are text, everything else is as Python prints it."""
    return decode_utf8(bytes(value)) if isinstance(value, (bytes, bytearray)) else str(value)


def _encode(row: dict[str, Any]) -> bytes:
    return _ENCODER.encode({name: _plain(value) if isinstance(value, bytes) else value for name, value in row.items()})


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)
