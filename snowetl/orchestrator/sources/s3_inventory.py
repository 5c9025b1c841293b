"""S3 inventories: lists of all objects of a bucket, which S3 writes daily or weekly, instead of a listing.

An inventory is behind: objects that are newer than it come with the next one. Its files are read one after the other,
in a stream: CSV in a few kilobytes, ORC and Parquet stripe by stripe.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import importlib.util
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import unquote_plus

from snowetl.errors import StorageError, UsageError
from snowetl.orchestrator.sources.base import Source, Wanted
from snowetl.orchestrator.sources.manifest import DataFile, Manifest, check_columns, column_name, read
from snowetl.runs.scratch import scratch_folder
from snowetl.settings.words import count
from snowetl.storage import FileInfo, filesystem

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK = 1 << 20
_ROWS = 10_000
_READ = ("bucket", "key", "islatest", "isdeletemarker", "size", "lastmodifieddate", "etag")
_AGAIN = "Fetch the inventory anew, or wait for the next one"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class S3Inventory(Source):
    """``given`` are manifests, or folders of configurations, one for each bucket of the input. ``times``: whether it
    matters when an object was written.
    """

    given: Sequence[str]
    wanted: Wanted
    times: bool

    def manifests(self) -> list[Manifest]:
        """Raises ``UsageError`` where a bucket of the input has no inventory, or one has two; ``StorageError``."""
        found = [read(each) for each in self.given]
        listed = [f"s3://{manifest.bucket}" for manifest in found]
        if len(set(listed)) < len(listed):
            raise UsageError(f"--inventory: two inventories of one bucket ({', '.join(listed)}): give one for each")
        missing = sorted(self.wanted.buckets.difference(listed))
        if missing:
            raise UsageError(
                f"--inventory: the inventories are of {', '.join(listed)}, and the input lies in {', '.join(missing)}: "
                "give one for each bucket of --input-folder"
            )
        for manifest in found:
            if manifest.file_format == "CSV":
                check_columns(manifest.url, manifest.columns, times=self.times)
            elif importlib.util.find_spec("pyarrow") is None:
                raise UsageError(
                    f"{manifest.url}: an inventory in {manifest.file_format} needs one more package. Run: "
                    "pip install 'snowetl[parquet]', or let S3 write it in CSV"
                )
        return found

    def files(self) -> Iterator[FileInfo]:
        for manifest in self.manifests():
            for part in manifest.files:
                rows = csv_rows(part, manifest.columns) if manifest.file_format == "CSV" else self._arrow(part)
                for place, row in rows:
                    file = _file(row, place)
                    if file is not None and self.wanted(file.url):
                        yield file

    def note(self) -> str:
        return "; ".join(
            f"the inventory {each.url} of s3://{each.bucket}: {count(len(each.files), 'file')} in {each.file_format}"
            for each in self.manifests()
        )

    def _arrow(self, part: DataFile) -> Iterator[tuple[str, Row]]:
        return _arrow_rows(part, self.times)


def _file(row: Row, place: str) -> FileInfo | None:
    """The object of a row; ``None`` for one that is not there: an old version, a deletion."""
    if row.get("islatest") in ("false", False) or row.get("isdeletemarker") in ("true", True):
        return None
    try:
        return FileInfo(
            f"s3://{row['bucket']}/{row['key']}",
            int(row["size"]),
            str(row["etag"]).strip('"'),
            _millis(row.get("lastmodifieddate")),
        )
    except (ValueError, TypeError) as error:
        raise StorageError(f"{place}: this is not an object's row: {error}. {_AGAIN}") from None


def _millis(time: Any) -> int:
    if isinstance(time, str) and time:
        moment = datetime.fromisoformat(time)
        return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
    return time or 0


# --- CSV --------------------------------------------------------------------------------------------------------------


def csv_rows(part: DataFile, columns: tuple[str, ...]) -> Iterator[tuple[str, Row]]:
    """(place, row) of each line; ``place`` names file and line. Keys are URL-encoded in CSV, and only there."""
    with filesystem(part.url).open(part.url) as stored:
        hashed = _Hashed(stored)
        lines = csv.reader(io.TextIOWrapper(gzip.GzipFile(fileobj=cast(BinaryIO, hashed)), "utf-8", newline=""))
        place = part.url
        try:
            for fields in lines:
                place = f"{part.url}, line {lines.line_num}"
                if len(fields) != len(columns):
                    raise StorageError(
                        f"{place}: {len(fields)} fields, and the manifest names {len(columns)} columns. {_AGAIN}"
                    )
                row: Row = dict(zip(columns, fields, strict=True))
                yield place, row | {"key": unquote_plus(row["key"])}
        except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
            raise StorageError(f"{part.url}, after line {lines.line_num}: cannot be read: {error}. {_AGAIN}") from None
        hashed.check(part)


class _Hashed(io.RawIOBase):
    """A stream, whose MD5 is known when it is read."""

    def __init__(self, stored: BinaryIO) -> None:
        self._stored = stored
        self._md5 = hashlib.md5(usedforsecurity=False)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stored.read(size)
        self._md5.update(data)
        return data

    def check(self, part: DataFile) -> None:
        """Raises ``StorageError`` where it is another file than the manifest names."""
        while self.read(_CHUNK):
            pass
        if part.md5 and self._md5.hexdigest() != part.md5:
            raise StorageError(f"{part.url} is not the file of the manifest: its MD5 is another. {_AGAIN}")


# --- ORC and Parquet --------------------------------------------------------------------------------------------------


def _arrow_rows(part: DataFile, times: bool) -> Iterator[tuple[str, Row]]:
    """(place, row) of each row; ``place`` names file and row, from 1. The file is copied to the local disk first."""
    import pyarrow as pa

    with scratch_folder() as folder:
        path = folder / "part"
        _fetch(part, path)
        number = 0
        try:
            for batch in _batches(part, path, times):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{part.url}, row {number}", row
        except (pa.ArrowException, OSError) as error:
            raise StorageError(f"{part.url}, after row {number}: cannot be read: {error}. {_AGAIN}") from None


def _fetch(part: DataFile, path: Path) -> None:
    with filesystem(part.url).open(part.url) as stored, path.open("wb") as copy:
        hashed = _Hashed(stored)
        while data := hashed.read(_CHUNK):
            copy.write(data)
        hashed.check(part)


def _batches(part: DataFile, path: Path, times: bool) -> Iterator[pa.RecordBatch]:
    """The columns that are read, under the names that CSV's have, times in epoch milliseconds."""
    import pyarrow as pa

    for table in _stripes(part, path, times):
        columns = {}
        for name, column in zip(table.column_names, table.columns, strict=True):
            if pa.types.is_timestamp(column.type):
                column = column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
            columns[column_name(name)] = column
        yield from pa.table(columns).to_batches(max_chunksize=_ROWS)


def _stripes(part: DataFile, path: Path, times: bool) -> Iterator[pa.Table]:
    with path.open("rb") as start:
        is_parquet = start.read(4) == b"PAR1"
    if is_parquet:
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as parquet:
            names = _names(part, parquet.schema_arrow.names, times)
            for number in range(parquet.num_row_groups):
                yield parquet.read_row_group(number, columns=names)
        return
    import pyarrow as pa
    from pyarrow import orc

    stripes = orc.ORCFile(path)
    names = _names(part, stripes.schema.names, times)
    for number in range(stripes.nstripes):
        yield pa.Table.from_batches([stripes.read_stripe(number, columns=names)])


def _names(part: DataFile, names: Sequence[str], times: bool) -> list[str]:
    check_columns(part.url, tuple(map(column_name, names)), times=times)
    return [name for name in names if column_name(name) in _READ]
