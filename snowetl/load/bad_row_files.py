"""Files of bad rows as a server reads them that takes whole folders."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from snowetl.storage import FileInfo, filesystem


class Source(NamedTuple):
    """What one statement reads: a folder (with a slash at its end) or a file."""

    url: str
    gzip: bool


def sources(files: Sequence[FileInfo]) -> list[Source]:
    """Folders of which all files are wanted, as wholes; other files one by one. Raises ``StorageError``."""
    found: list[Source] = []
    for folder, group in groupby(sorted(files, key=lambda file: file.url), key=_folder):
        wanted = [file.url for file in group]
        gzipped = {url.endswith(".gz") for url in wanted}
        there = {info.url for info in filesystem(folder).list(folder)}
        if len(gzipped) == 1 and there <= set(wanted):
            found.append(Source(folder, gzipped.pop()))
        else:
            found += [Source(url, url.endswith(".gz")) for url in wanted]
    return found


def _folder(file: FileInfo) -> str:
    return file.url.rpartition("/")[0] + "/"
