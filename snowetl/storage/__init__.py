"""Bytes at rest: list, stream in, write in two phases (local, S3, HDFS); containers as streams of records.

``filesystem(url)`` gives the file system of a url; :mod:`snowetl.storage.splits` cuts files into work and reads it.
Importing this package imports no client library: those are loaded by the first file system that needs them.
"""

from __future__ import annotations

from snowetl.storage.base import FileInfo, FileSystem, StagedFile, filesystem
from snowetl.storage.records import Damage, Record

__all__ = ["Damage", "FileInfo", "FileSystem", "Record", "StagedFile", "filesystem"]
