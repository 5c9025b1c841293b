"""Parquet files of a run, wherever they lie: their columns, and their rows a batch at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from snowetl.errors import LoadError
from snowetl.load.drivers import needed
from snowetl.storage import FileInfo, filesystem
from snowetl.storage.base import scheme_of

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_BATCH = 16_384


def schema_of(file: FileInfo) -> pa.Schema:
    """The columns of a file, from its last bytes. Raises ``LoadError`` for one that is not whole."""
    with _opened(file) as parquet:
        return parquet.schema_arrow


def count_of(file: FileInfo) -> int:
    """The number of its rows. Raises ``LoadError`` for one that is not whole."""
    with _opened(file) as parquet:
        return int(parquet.metadata.num_rows)


def batches(file: FileInfo, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a file. Raises ``LoadError`` for one that is not whole, or lacks a column."""
    with _opened(file) as parquet:
        lacking = sorted(set(columns) - set(parquet.schema_arrow.names))
        if lacking:
            raise LoadError(f"{file.url} lacks the columns {', '.join(lacking)} that others of its run have")
        yield from parquet.iter_batches(batch_size=ROWS_PER_BATCH, columns=list(columns))


def local_path(url: str) -> str | None:
    """The path of a file of this machine; ``None`` for any other."""
    if scheme_of(url) != "file":
        return None
    return unquote(urlsplit(url).path) if url.lower().startswith("file:") else url


@contextmanager
def _opened(file: FileInfo) -> Iterator[Any]:
    pa, pq = _arrow()
    try:
        with pq.ParquetFile(local_path(file.url) or pa.PythonFile(_Ranges(file), "r"), pre_buffer=True) as parquet:
            yield parquet
    except (pa.ArrowInvalid, OSError) as error:
        raise LoadError(f"{file.url} is damaged ({error}); transform the run again") from None


class _Ranges(io.RawIOBase):
    """A stored file, read where it is asked for, as Arrow wants one."""

    def __init__(self, file: FileInfo) -> None:
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def size(self) -> int:
        return self._file.size

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._file.size if size < 0 else min(self._at + size, self._file.size)
        if end <= self._at:
            return b""
        url = self._file.url
        with filesystem(url).open(url, self._at, end, expected=self._file) as source:
            data = source.read(end - self._at)
        self._at += len(data)
        return data


def _arrow() -> tuple[Any, Any]:
    with needed("reading Parquet needs one more package", "parquet"):
        import pyarrow as pa
        import pyarrow.parquet as pq
    return pa, pq
