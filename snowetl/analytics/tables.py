"""Tables of texts and whole numbers as files: CSV, Excel, Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from snowetl.errors import UsageError

Row = Sequence[str | int | None]
_CHUNK = 10_000
_EXCEL_ROWS = 1_048_576
_EXCEL_TEXT = 32_767


def csv_lines(header: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """A table as CSV (RFC 4180, but with plain line feeds), line by line; null is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in chain((header,), rows):
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _write_csv(path: Path, header: Sequence[str], texts: int, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        file.writelines(csv_lines(header, rows))


def _write_xlsx(path: Path, header: Sequence[str], texts: int, rows: Iterable[Row]) -> None:
    """One sheet with a filter. Texts are written as texts: what begins with ``=`` does not become a formula."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet("cube")
        bold = book.add_format({"bold": True})
        for place, name in enumerate(header):
            sheet.write_string(0, place, name, bold)
        sheet.freeze_panes(1, 0)
        number = 0
        for number, row in enumerate(rows, 1):
            if number >= _EXCEL_ROWS:
                raise UsageError(
                    f"a sheet of Excel holds {_EXCEL_ROWS:,} rows, and this has more: use fewer dimensions, or csv"
                )
            for place, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(number, place, value[:_EXCEL_TEXT])
                elif value is not None:
                    sheet.write_number(number, place, value)
        sheet.autofilter(0, 0, number, len(header) - 1)


def _write_parquet(path: Path, header: Sequence[str], texts: int, rows: Iterable[Row]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = [pa.string() if place < texts else pa.int64() for place in range(len(header))]
    schema = pa.schema(list(zip(header, types, strict=True)))
    remaining = iter(rows)
    with pq.ParquetWriter(path, schema) as writer:
        while some := list(islice(remaining, _CHUNK)):
            columns = [
                pa.array(values, type=field.type) for values, field in zip(zip(*some, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


class FileKind(NamedTuple):
    """``write`` takes path, header, how many of the first columns are texts, and rows; ``module`` is what it needs."""

    write: Callable[[Path, Sequence[str], int, Iterable[Row]], Any]
    module: str | None = None


KINDS = {
    "csv": FileKind(_write_csv),
    "xlsx": FileKind(_write_xlsx, "xlsxwriter"),
    "parquet": FileKind(_write_parquet, "pyarrow"),
}
