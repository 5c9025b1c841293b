"""Files of Parquet as the bodies of requests to ClickHouse."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING

from snowetl.ddl import clickhouse as ddl
from snowetl.load import parquet_files
from snowetl.storage import FileInfo, filesystem

if TYPE_CHECKING:
    import pyarrow as pa


_CHUNK = 1 << 20


def body_of(file: FileInfo) -> Iterator[bytes]:
    """The bytes of a file, unchanged unless some of its fields have names that the server reserves."""
    schema = parquet_files.schema_of(file)
    types = [ddl.renamed(field.type, ddl.RESERVED) for field in schema]
    if types == schema.types:
        with filesystem(file.url).open(file.url, expected=file) as source:
            yield from _pieces(source)
        return
    with tempfile.TemporaryFile(prefix="snowetl-") as copy:
        _write(file, schema, types, copy)
        copy.seek(0)
        yield from _pieces(copy)


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk


def _write(file: FileInfo, schema: pa.Schema, types: Sequence[pa.DataType], target: IO[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    named = pa.schema([field.with_type(type_) for field, type_ in zip(schema, types, strict=True)])
    with pq.ParquetWriter(target, named) as writer:
        for batch in parquet_files.batches(file, schema.names):
            arrays = [column.view(type_) for column, type_ in zip(batch.columns, types, strict=True)]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=named))
