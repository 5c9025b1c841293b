"""Where Databricks reads files: on S3 where they are; those of this machine in a volume."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from snowetl.errors import ConfigError
from snowetl.load.manifest import canonical as canonical_base
from snowetl.load.run import TransformedRun
from snowetl.storage.base import scheme_of


class Places(NamedTuple):
    """Where the server reads folders: those on S3 where they are, those of this machine in the volume."""

    volume: str | None
    run: TransformedRun

    def of(self, folder: str) -> str:
        """Raises ``ConfigError`` for a folder of this machine, where no volume is named."""
        if scheme_of(folder) != "file":
            return canonical_base(folder)
        if self.volume is None:
            raise ConfigError(
                f"{folder} is a folder of this machine, which Databricks reads by way of a volume: add to --database "
                "&volume=/Volumes/CATALOG/SCHEMA/VOLUME"
            )
        known = hashlib.sha256(f"{self.run.identity} {folder}".encode()).hexdigest()[:16]
        return f"{self.volume}/snowetl/{known}/"
