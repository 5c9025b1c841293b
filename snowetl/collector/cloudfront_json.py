"""CloudFront standard logging v2 in JSON or Parquet: one object a request, whatever fields its owner chose."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from snowetl.collector.loader import Loaded, Loader, as_line
from snowetl.collector.request_fields import PLACES, Request, decode_useragent, payload_of
from snowetl.jvm import jsontext
from snowetl.model import badrow
from snowetl.model.badrow import Message
from snowetl.storage.records import TextForm

_NO_OBJECT = badrow.simple_error("expected a JSON object with the fields of a request")
_FIELDS = len(Request._fields)
_decode = msgspec.json.Decoder().decode


class CloudfrontJsonLoader(Loader):
    """Lines hold JSON objects; rows of Parquet files come as such lines."""

    name = "cloudfront-json"
    text: ClassVar[TextForm] = TextForm(objects=True)

    def load(self, record: bytes | str) -> Loaded:
        line = as_line(record)
        if not line.strip():
            return None
        request = _request(line)
        loaded = payload_of(request) if isinstance(request, Request) else [request]
        return self.violations(line, *loaded) if isinstance(loaded, list) else loaded

    def decode_useragent(self, text: str) -> str:
        return decode_useragent(text)


def _request(line: str) -> Request | Message:
    fields = _parse(line)
    if not isinstance(fields, dict):
        return badrow.simple_error(f"invalid json: {fields}") if isinstance(fields, jsontext.JsonError) else _NO_OBJECT
    values: list[str | None] = [None] * _FIELDS
    for name, value in fields.items():
        place = PLACES[name]
        if place is None or value is None:
            continue
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            return badrow.payload_field(name, jsontext.dumps(value), "expected a text or a number")
        values[place] = value if isinstance(value, str) else str(value)
    return Request(*values)


def _parse(line: str) -> Any:
    """Parsed JSON; a :class:`~snowetl.jvm.jsontext.JsonError`, in the words of bad rows, for what is none."""
    try:
        return _decode(line)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        try:
            return jsontext.loads_exact(line)
        except jsontext.JsonError as error:
            return error
