"""CloudFront real-time logs: rows without header, whose fields are those its owner chose, in that order.

``cloudfront-realtime`` alone stands for a log of all fields; ``cloudfront-realtime/timestamp,c-ip,…`` names them.
"""

from __future__ import annotations

from snowetl.collector.loader import Loaded, Loader, LoaderOptions, as_line
from snowetl.collector.request_fields import Columns, columns_of, decode_useragent, payload_of
from snowetl.model import badrow
from snowetl.model.badrow import Origin

_ALL_FIELDS = (
    "timestamp c-ip time-to-first-byte sc-status sc-bytes cs-method cs-protocol cs-host cs-uri-stem cs-bytes "
    "x-edge-location x-edge-request-id x-host-header time-taken cs-protocol-version c-ip-version cs-user-agent "
    "cs-referer cs-cookie cs-uri-query x-edge-response-result-type x-forwarded-for ssl-protocol ssl-cipher "
    "x-edge-result-type fle-encrypted-fields fle-status sc-content-type sc-content-len sc-range-start sc-range-end "
    "c-port x-edge-detailed-result-type c-country cs-accept-encoding cs-accept cache-behavior-path-pattern cs-headers "
    "cs-header-names cs-headers-count"
)
ALL_FIELDS = _ALL_FIELDS.split()
"""The fields in CloudFront's order. Later ones (``origin-fbl``, ``asn``, …) follow these, and are not read."""


class CloudfrontRealtimeLoader(Loader):
    """Columns are separated by tabs. Where fields are named a row has as many, else at least :data:`ALL_FIELDS`."""

    name = "cloudfront-realtime"
    takes_fields = True

    def __init__(self, origin: Origin, options: LoaderOptions = LoaderOptions()) -> None:  # noqa: B008 (immutable)
        super().__init__(origin)
        given = options.adapter
        self._exactly = bool(given)
        self._columns = columns_of(given.split(","), f"{self.name}/{given}") if given else Columns(ALL_FIELDS)

    def load(self, record: bytes | str) -> Loaded:
        line = as_line(record)
        if not line:
            return None
        row = line.split("\t")
        expected = self._columns.count
        if len(row) < expected or (self._exactly and len(row) > expected):
            at_least = "" if self._exactly else " at least"
            reason = f"row has {len(row)} columns, expected{at_least} {expected}"
            if not self._exactly:
                reason += "; name those of the log as cloudfront-realtime/<field>,<field>,..."
            return self.violations(line, badrow.simple_error(reason))
        loaded = payload_of(self._columns.request(row))
        return self.violations(line, *loaded) if isinstance(loaded, list) else loaded

    def decode_useragent(self, text: str) -> str:
        return decode_useragent(text)
