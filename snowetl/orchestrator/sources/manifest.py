"""The manifest of an S3 Inventory: which files the list of a bucket's objects is in, and which columns they have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from snowetl.errors import StorageError, UsageError
from snowetl.jvm import jsontext
from snowetl.storage import filesystem

NAME = "manifest.json"
FORMATS = ("CSV", "ORC", "Parquet")
_DATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\dZ")
_ARN = re.compile(r"arn:aws[\w-]*:s3:::(?P<bucket>[^/]+)")
NEEDED = ("bucket", "key", "size", "etag")
"""Columns without which a file is not known again: ``bucket`` and ``key`` are in every inventory."""
_FIELDS = {"size": "Size", "etag": "ETag", "lastmodifieddate": "LastModifiedDate"}
"""Columns that an inventory may lack, as its configuration calls them."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A part of the list. ``md5`` is that of its bytes; empty where the manifest has none."""

    url: str
    md5: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """``bucket`` is the one that is listed. ``columns`` are those of CSV files, as :func:`column_name` writes them;
    other files name their own.
    """

    url: str
    bucket: str
    file_format: str
    columns: tuple[str, ...]
    files: tuple[DataFile, ...]


def column_name(text: str) -> str:
    """One name for a column, which CSV (``LastModifiedDate``) and ORC (``last_modified_date``) spell in two ways."""
    return text.strip().replace("_", "").lower()


def check_columns(url: str, columns: tuple[str, ...], *, times: bool) -> None:
    """Raises ``UsageError`` for columns that lack what the ledger needs; ``times``: when an object was written."""
    needed = (*NEEDED, "lastmodifieddate") if times else NEEDED
    missing = [_FIELDS.get(name, name) for name in needed if name not in columns]
    if missing:
        raise UsageError(
            f"{url}: the inventory has no column {' and no '.join(missing)}. Add them to the optional fields of the "
            "inventory's configuration; the next inventory has them"
        )


def read(given: str) -> Manifest:
    """The manifest at an address, or the newest in the folder of an inventory's configuration.

    Raises ``UsageError``, ``StorageError``.
    """
    url = given if given.endswith(".json") else _newest(given)
    content = filesystem(url).get(url)
    try:
        return _manifest(url, jsontext.loads(content.decode("utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise StorageError(
            f"{url} is not the manifest of an S3 Inventory: {what}. Give its manifest.json, or the folder of the "
            "inventory's configuration"
        ) from None


def _newest(folder: str) -> str:
    """Folders of inventories are named by their times; one that is being written has no manifest yet."""
    folder = folder.rstrip("/")
    dated = [name for name in filesystem(folder).folders(folder) if _DATED.fullmatch(name)]
    for name in reversed(dated):
        url = f"{folder}/{name}/{NAME}"
        if filesystem(url).exists(url):
            return url
    raise UsageError(
        f"--inventory: there is no folder such as 2026-03-05T01-00Z with a {NAME} in {folder}. Give the folder "
        "DESTINATION/SOURCE-BUCKET/CONFIGURATION; the first inventory of a configuration may take 48 hours"
    )


def _manifest(url: str, document: Any) -> Manifest:
    if not isinstance(document, Mapping):
        raise ValueError("it is not a JSON object")
    file_format = document["fileFormat"]
    if file_format not in FORMATS:
        raise ValueError(f"its fileFormat is {file_format!r}, not one of {', '.join(FORMATS)}")
    arn = _ARN.fullmatch(document["destinationBucket"])
    bucket = arn["bucket"] if arn else document["destinationBucket"]
    csv = file_format == "CSV"
    return Manifest(
        url=url,
        bucket=str(document["sourceBucket"]),
        file_format=file_format,
        columns=tuple(map(column_name, document["fileSchema"].split(","))) if csv else (),
        files=tuple(
            DataFile(f"s3://{bucket}/{file['key']}", str(file.get("MD5checksum") or "")) for file in document["files"]
        ),
    )
