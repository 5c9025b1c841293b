"""What a run is, wherever its folders lie: the same however they are spelled, mounted, moved or copied."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from snowetl.jvm.strings import to_utf8
from snowetl.spool import sorted_spool
from snowetl.storage import FileInfo


def run_identity(run: str, files: Iterable[FileInfo]) -> str:
    """32 hexadecimal digits for a run and the files it was made from: their names and sizes, not where they lay.

    Settings are not part of it: a run that is made again in another way still holds the same events.
    """
    digest = hashlib.sha256(to_utf8(f"{run}\n"))
    for line in sorted_spool(f"{file.url.rpartition('/')[2]}\t{file.size}\n" for file in files):
        digest.update(to_utf8(line))
    return digest.hexdigest()[:32]


def identity_of_failed(identity: str) -> str:
    """The identity of a run's failed events: they are loaded beside its good ones."""
    return hashlib.sha256(f"{identity} failed events".encode()).hexdigest()[:32]
