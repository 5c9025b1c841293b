"""Bytes at rest: list, stream in, write in two phases (local, S3, HDFS); containers as streams of records.

``filesystem(url)`` gives the file system of a url; :mod:`snowetl.storage.splits` cuts files into work and reads it.
Importing this package imports no client library: those are loaded by the first file system that needs them.
"""

from __future__ import annotations

import importlib
from functools import lru_cache

from snowetl.errors import UsageError
from snowetl.storage.base import FileInfo, FileSystem, StagedFile, scheme_of
from snowetl.storage.records import Damage, Record

__all__ = ["FILE_SYSTEMS", "Damage", "FileInfo", "FileSystem", "Record", "StagedFile", "filesystem"]

FILE_SYSTEMS = {
    "file": "snowetl.storage.local:LocalFileSystem",
    **dict.fromkeys(("s3", "s3a", "s3n"), "snowetl.storage.s3:S3FileSystem"),
    "hdfs": "snowetl.storage.hdfs:HdfsFileSystem",
}
"""Module and class for each scheme of urls."""


def filesystem(url: str) -> FileSystem:
    """The file system ``url`` belongs to: a local path or ``file:``, ``s3:`` ``s3a:`` ``s3n:``, ``hdfs:``.

    Raises :class:`UsageError` for any other scheme.
    """
    scheme = scheme_of(url)
    if scheme not in FILE_SYSTEMS:
        raise UsageError(
            f"no storage for {scheme}: urls; use a local path, file://, s3:// (s3a://, s3n://) or hdfs:// instead"
        )
    return _of_kind(FILE_SYSTEMS[scheme])


@lru_cache(maxsize=8)
def _of_kind(kind: str) -> FileSystem:
    module, name = kind.split(":")
    made: FileSystem = getattr(importlib.import_module(module), name)()
    return made
