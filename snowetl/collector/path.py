"""The vendor and version a request path stands for (enrich 3.9.0 ``CollectorPayload.parseApi``)."""

from __future__ import annotations

import re
from typing import Final

from snowetl.caching import Memo
from snowetl.model import badrow
from snowetl.model.badrow import Message

Api = tuple[str, str]

SNOWPLOW_TP1: Final[Api] = ("com.snowplowanalytics.snowplow", "tp1")

_API_PATH: Final = re.compile(r"/?([^/]+)/([^/]+)/?")
_MISMATCH: Final = "path does not match (/)vendor/version(/) nor is a legacy /i(ce.png) request"

_REMEMBERED: Final = 1024
_LONGEST: Final = 256


def parse_path(path: str) -> Api | Message:
    """(vendor, version) as they stand in the path, or the fault that bad rows report."""
    return _parsed[path]


def _parse(path: str) -> Api | Message:
    match = _API_PATH.fullmatch(path)
    if match is not None:
        return match.group(1), match.group(2)
    return SNOWPLOW_TP1 if is_ice_request(path) else badrow.payload_field("path", path, _MISMATCH)


_parsed: Final = Memo(_parse, _REMEMBERED, _LONGEST)


def is_ice_request(path: str) -> bool:
    """Whether this is a request for the tracking pixel under its oldest names."""
    return path == "/i" or path.startswith(("/ice.png", "/i?"))
