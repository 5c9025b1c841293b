"""Folders in which Amazon Data Firehose keeps what it could not deliver, beside or below the data.

Their files hold JSON documents about records (``attemptsMade``, ``errorCode``, ``rawData``, …), not records. The kind
of failure is part of the path: Firehose puts it there itself where no prefix for errors is configured, and wants
``!{firehose:error-output-type}`` in it where one is.
"""

from __future__ import annotations

import re

_FAILURES = (
    "processing-failed",
    "format-conversion-failed",
    "elasticsearch-failed",
    "AmazonOpenSearchService_failed",
    "AmazonOpenSearchServerless_failed",
    "splunk-failed",
    "http-endpoint-failed",
    "snowflake-failed",
    "iceberg-failed",
)
_UNDELIVERED = re.compile(rf"(?:^|[^A-Za-z])({'|'.join(_FAILURES)})(?:[^A-Za-z/][^/]*)?/")


def undelivered(url: str) -> str | None:
    """Why the records in ``url`` did not arrive, if it lies in a folder of such; ``None`` for any other file."""
    match = _UNDELIVERED.search(url) if "failed" in url else None
    return None if match is None else f"{match.group(1)}: what Firehose could not deliver, as documents about records"
