"""CloudFront standard logging v2 in W3C form: the ``#Fields:`` line before a row names its columns.

Files without such a line (the format CloudFront calls plain) are read when the format names the fields:
``cloudfront-w3c/date,time,cs-uri-stem,…``.
"""

from __future__ import annotations

import re
from typing import ClassVar

from snowetl.caching import Memo
from snowetl.collector.loader import Loaded, Loader, LoaderOptions, as_line
from snowetl.collector.request_fields import Columns, Request, columns_of, decode_useragent, payload_of
from snowetl.model import badrow
from snowetl.model.badrow import Message, Origin
from snowetl.storage.records import LONGEST_HEADER, TextForm

_FIELDS = "#Fields:"
_HEADERS = ("#Version:", _FIELDS)
_BLANKS = re.compile(" +")
_NO_HEADER = badrow.simple_error(
    "no #Fields: line before it names its columns; name them as cloudfront-w3c/<field>,<field>,..."
)


def _named(header: str) -> Columns:
    return Columns(header.removeprefix(_FIELDS).replace(",", " ").split())


_columns = Memo(_named, 64, LONGEST_HEADER)


class CloudfrontW3cLoader(Loader):
    """A record is a row with the header line before it, or a row alone where the format names the fields."""

    name = "cloudfront-w3c"
    takes_fields = True
    text: ClassVar[TextForm] = TextForm(header=_FIELDS)

    def __init__(self, origin: Origin, options: LoaderOptions = LoaderOptions()) -> None:  # noqa: B008 (immutable)
        super().__init__(origin)
        given = options.adapter
        self._columns = columns_of(given.split(","), f"{self.name}/{given}") if given else None

    def load(self, record: bytes | str) -> Loaded:
        text = as_line(record)
        header, joined, line = text.partition("\n")
        if not joined:
            header, line = "", text
        if line.startswith(_HEADERS) or not line:
            return None
        columns = _columns[header] if header.startswith(_FIELDS) else self._columns
        request = _NO_HEADER if columns is None else _request(line, columns)
        loaded = payload_of(request) if isinstance(request, Request) else [request]
        return self.violations(text, *loaded) if isinstance(loaded, list) else loaded

    def decode_useragent(self, text: str) -> str:
        return decode_useragent(text)


def _request(line: str, columns: Columns) -> Request | Message:
    row = line.split("\t") if "\t" in line else _BLANKS.split(line)
    if len(row) == columns.count:
        return columns.request(row)
    return badrow.simple_error(f"row has {len(row)} columns, but {columns.count} are named")
