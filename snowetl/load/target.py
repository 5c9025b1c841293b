"""The warehouse of a load, as a user names it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from snowetl.errors import ConfigError, TargetError
from snowetl.load.warehouse import Capabilities, EmbeddedWarehouse, Warehouse
from snowetl.load.warehouses import warehouse_class
from snowetl.references import has_reference, in_address

DEFAULT_FOLDER = Path("warehouse")
"""Of an embedded warehouse."""
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_SECRET = re.compile(
    r"(//[^:/@\s]*):(?:[^/\s?#]*|[^\s@]*)@|\b(password\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^\s&]+)|\?.*$", re.IGNORECASE
)
_OF_A_CATALOG = re.compile(r"[?&](warehouse=[^&]*)")
"""What tells catalogs at one address apart."""
_PLACEHOLDER = "//USER:PASSWORD@HOST"
COPY_SECONDS, STATEMENT_SECONDS = 45 * 60, 10 * 60
"""As RDB Loader has them: ``timeouts.loading``, ``timeouts.nonLoading``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """``database`` is a connection URL; without one, an embedded warehouse lies in ``data_folder``.

    Instead of its password, the URL may have a reference to it (:mod:`snowetl.references`), looked up to connect.
    The four after ``schema`` are for Redshift: who may read the run's files, where they are, how many faulty rows are
    let pass. Timeouts are in seconds, 0 for none, ``None`` for the warehouse's own. ``ssh_tunnel`` is the host
    (``[USER@]HOST[:PORT]``) by way of which the database is reached. ``partition_by`` is ``month`` where new tables
    are made in partitions.
    """

    warehouse: str = "postgres"
    database: str | None = None
    data_folder: Path = DEFAULT_FOLDER
    schema: str = "atomic"
    role_arn: str | None = None
    assume_role_arn: str | None = None
    region: str | None = None
    max_error: int = 10
    copy_timeout: int | None = None
    statement_timeout: int | None = None
    ssh_tunnel: str | None = None
    partition_by: str | None = None

    @property
    def copy_seconds(self) -> int:
        """Time limit of a copy, in warehouses that have one; 0 for none."""
        return COPY_SECONDS if self.copy_timeout is None else self.copy_timeout

    @property
    def statement_seconds(self) -> int:
        """Time limit of any other statement; 0 for none."""
        return STATEMENT_SECONDS if self.statement_timeout is None else self.statement_timeout

    @property
    def capabilities(self) -> Capabilities:
        """Raises ``ConfigError`` for a kind of warehouse that is unknown."""
        return warehouse_class(self.warehouse).capabilities

    @property
    def embedded(self) -> type[EmbeddedWarehouse] | None:
        """The kind of warehouse, where it runs here, on the data folder."""
        if self.database is not None or not self.capabilities.embedded:
            return None
        return cast(type[EmbeddedWarehouse], warehouse_class(self.warehouse))

    def __str__(self) -> str:
        """What tells this target from others, without passwords."""
        where = f"embedded in {self.data_folder.resolve()}" if self.database is None else self.database
        return f"{self.warehouse} {_SECRET.sub(_without_secret, where)}, schema {self.schema}"

    @contextmanager
    def open(self, say: Callable[[str], None] = lambda text: None) -> Iterator[Warehouse]:
        """The warehouse; an embedded server runs until it is left.

        Raises ``ConfigError`` or ``LoadError``.
        """
        with warehouse_class(self.warehouse).open(self._with_secrets(), say) as warehouse:
            yield warehouse

    def check(self) -> None:
        """Raises ``ConfigError`` for what can be known to be wrong without connecting."""
        if self.ssh_tunnel is not None and not self.capabilities.tunnels:
            raise ConfigError(f"--ssh-tunnel: {self.warehouse} is not reached through a tunnel; leave it out")
        if self.partition_by is not None and not self.capabilities.partitions:
            raise ConfigError(f"--partition-by: {self.warehouse} has no partitions to choose; leave it out")
        warehouse_class(self.warehouse).check(self._with_secrets())

    def _with_secrets(self) -> Target:
        """The target whose address has the passwords that it refers to. Never show it."""
        if self.database is None or not has_reference(self.database):
            return self
        try:
            return replace(self, database=in_address(self.database))
        except ConfigError as error:
            raise TargetError(f"--database: {error}", transient=True) from None


def checked_schema(name: str) -> str:
    """``name`` as SQL folds it. Raises ``ConfigError`` for one that would need quotes."""
    if not _IDENTIFIER.fullmatch(name):
        raise ConfigError(f"--schema {name!r} is not a schema name: letters, digits and underscores only")
    lower = name.lower()
    if lower.startswith("pg_") or lower == "information_schema":
        raise ConfigError(f"--schema {name!r} is the server's own: give another")
    return lower


def _without_secret(match: re.Match[str]) -> str:
    if match[1] is not None:
        return f"{match[1]}@"
    if match[2] is not None:
        return f"{match[2]}***"
    kept = _OF_A_CATALOG.search(match[0])
    return "" if kept is None else f"?{kept[1]}"
