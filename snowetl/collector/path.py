"""The vendor and version a request path stands for (enrich 3.9.0 ``CollectorPayload.parseApi``)."""

from __future__ import annotations

import re

from snowetl.model import badrow
from snowetl.model.badrow import Message

Api = tuple[str, str]

SNOWPLOW_TP1: Api = ("com.snowplowanalytics.snowplow", "tp1")

_API_PATH = re.compile(r"/?([^/]+)/([^/]+)/?")
_MISMATCH = "path does not match (/)vendor/version(/) nor is a legacy /i(ce.png) request"

_CACHE_SIZE = 1024
_CACHED_LENGTH = 256
_cache: dict[str, Api] = {}


def parse_path(path: str) -> Api | Message:
    """(vendor, version) as they stand in the path, or the fault that bad rows report."""
    api = _cache.get(path)
    if api is not None:
        return api
    match = _API_PATH.fullmatch(path)
    if match is not None:
        api = (match.group(1), match.group(2))
    elif is_ice_request(path):
        api = SNOWPLOW_TP1
    else:
        return badrow.payload_field("path", path, _MISMATCH)
    if len(path) <= _CACHED_LENGTH:
        if len(_cache) >= _CACHE_SIZE:
            _cache.clear()
        _cache[path] = api
    return api


def is_ice_request(path: str) -> bool:
    """Whether this is a request for the tracking pixel under its oldest names."""
    return path == "/i" or path.startswith(("/ice.png", "/i?"))
