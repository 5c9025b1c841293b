"""``loaders.jsonl``: one record through a loader, one container through the storage room, or one rule by itself."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from snowetl.collector import ip, loader_for
from snowetl.collector.cloudfront import clean_uri
from snowetl.collector.loader import parse_querystring, to_option
from snowetl.collector.path import is_ice_request, parse_path
from snowetl.collector.timestamp import parse_timestamp
from snowetl.errors import ConfigError
from snowetl.jvm.commons_codec import decode_base64
from snowetl.jvm.strings import decode_utf8
from snowetl.jvm.timestamps import to_iso
from snowetl.jvm.uuid import parse_uuid
from snowetl.model import badrow
from snowetl.model.badrow import Origin, collector_payload_json
from snowetl.model.text import UrlDecodeError, single_encode_percents, url_decode
from snowetl.storage import lzop
from snowetl.storage.pieces import Source
from tests.conformance.compare import differences
from tests.conformance.runner import Mismatch

FILES = "loaders.jsonl"

_ORIGIN = Origin("conformance", "1", 0)


def run(case: dict[str, Any], vectors: Path) -> list[Mismatch]:
    record = base64.b64decode(case["input_base64"]) if "input_base64" in case else case["input"]
    input_format, expect = case["format"], case["expect"]
    if input_format == "container/lzo":
        got = _lzop(record, with_index="index_base64" in expect)
    elif input_format.startswith("fn/"):
        got = _function(input_format.removeprefix("fn/"), record)
    else:
        got = _load(input_format, record, case.get("options") or {})
    return [_explained(mismatch) for mismatch in differences("", expect, got)]


def _lzop(data: bytes, with_index: bool) -> dict[str, Any]:
    """The records of an lzop file; its index as the places where the reader finds blocks."""
    got: dict[str, Any] = {"records_base64": [base64.b64encode(record).decode() for record in lzop.records(data)]}
    if with_index:
        source = Source("", lambda offset: BytesIO(data[offset:]))
        flags, offset, _ = lzop.read_header(source)
        index = b""
        while (end := lzop.block_end(source, flags)) is not None:
            index += offset.to_bytes(8, "big")
            source, offset = Source("", lambda start: BytesIO(data[start:]), end), end
        got["index_base64"] = base64.b64encode(index).decode()
    return got


def _load(input_format: str, record: bytes | str, options: dict[str, Any]) -> Any:
    loader = loader_for(input_format, _ORIGIN, try_base64=options.get("tryBase64Decoding", False))
    loaded = loader.load(record)
    if loaded is None:
        return {"discarded": True}
    if isinstance(loaded, list):
        shown = base64.b64encode(record).decode() if isinstance(record, bytes) else record
        assert all(row.data["payload"] == shown for row in loaded)
        return _failure([row.data["failure"]["message"] for row in loaded])
    return {"payload": collector_payload_json(loaded)}


def _failure(messages: list[dict[str, Any]]) -> dict[str, Any]:
    first = messages[0]
    return {"failure": first.get("error", first.get("expectation")), "messages": messages}


def _function(name: str, value: Any) -> dict[str, Any]:
    try:
        got = _FUNCTIONS[name](value)
    except ConfigError as error:
        return {"failure": str(error).split(";")[0]}
    return _failure([got]) if isinstance(got, dict) and "payloadField" in got else {"value": got}


def _path(path: str) -> Any:
    api = parse_path(path)
    return api if isinstance(api, dict) else {"vendor": api[0], "version": api[1]}


def _timestamp(value: dict[str, str]) -> Any:
    millis = parse_timestamp(value["date"], value["time"])
    return millis if isinstance(millis, dict) else to_iso(millis)


def _querystring(text: str | None) -> Any:
    pairs = parse_querystring(text, "UTF-8")
    return pairs if isinstance(pairs, dict) else [list(pair) for pair in pairs]


def _content_type(text: str) -> Any:
    try:
        return url_decode(text)
    except UrlDecodeError as error:
        return badrow.payload_field("contentType", text, str(error))


def _loader_name(input_format: str) -> Any:
    loader = loader_for(input_format, _ORIGIN)
    adapter = {"adapter": input_format.partition("/")[2]} if "/" in input_format else {}
    return {"loader": loader.name, **adapter}


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "querystring": _querystring,
    "path": _path,
    "is-ice-request": is_ice_request,
    "ip-headers": lambda value: ip.from_headers(value["headers"], value["fallback"]),
    "ip-cloudfront": lambda value: ip.from_column(value["xForwardedFor"], value["fallback"]),
    "timestamp": _timestamp,
    "to-option": lambda value: None if value is None else to_option(value),
    "clean-uri": clean_uri,
    "single-encode-pcts": single_encode_percents,
    "network-userid": lambda text: parse_uuid(text) or badrow.payload_field("networkUserId", text, "not valid UUID"),
    "content-type": _content_type,
    "base64url": lambda text: decode_utf8(decode_base64(text)),
    "loader-name": _loader_name,
}


def _explained(mismatch: Mismatch) -> Mismatch:
    """Name the field ``…(null-pointer-text)`` where only the JVM's words for a null pointer differ."""
    expected, got = mismatch.expected, mismatch.got
    if isinstance(expected, str) and expected.endswith(": null") and isinstance(got, str):
        said = got.removeprefix(expected.removesuffix("null"))
        if said.startswith("Cannot read ") and said.endswith(" is null"):
            return Mismatch(mismatch.field + "(null-pointer-text)", expected, got)
    return mismatch
