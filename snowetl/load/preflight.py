"""A look at the target before any work: driver, address, role, database, rights, data folder, disk space."""

from __future__ import annotations

from snowetl.ddl.families import is_recovery_table
from snowetl.errors import LoadError, TargetError
from snowetl.load.layouts.shredded import owner_of
from snowetl.load.retries import Retries
from snowetl.load.target import Target
from snowetl.load.warehouse import Say

_QUICK = Retries(attempts=2, backoff=1.0, cumulative_bound=10.0)


def check_target(target: Target, say: Say = lambda text: None) -> None:
    """Raises ``ConfigError`` (exit code 2) with all that would stop a load into ``target``. Writes nothing.

    A server that does not answer is asked again for some seconds: it may be starting.
    """
    target.check()
    embedded = target.embedded
    if embedded is not None:
        embedded.check_folder(target)
        if embedded.is_unmade(target):
            return  # a new one has all rights
    found = _QUICK.call(lambda: _problems(target, say), _is_passing, say)
    if found:
        raise TargetError(f"{target} cannot be loaded into: {'; '.join(found)}")


def recovery_tables(target: Target, say: Say = lambda text: None) -> list[str]:
    """The recovery tables that a warehouse holds. Raises ``LoadError``, ``TargetError``."""
    if target.embedded is not None and target.embedded.is_unmade(target):
        return []
    with target.open(say) as warehouse, warehouse.session() as session:
        comments, limit = session.tables().comments, target.capabilities.max_identifier
    owners = {table: owner_of(comment) for table, comment in comments.items()}
    return sorted(table for table, owner in owners.items() if owner and is_recovery_table(table, owner, limit))


def _problems(target: Target, say: Say) -> list[str]:
    with target.open(say) as warehouse:
        return warehouse.preflight()


def _is_passing(error: Exception) -> bool:
    return isinstance(error, LoadError | TargetError) and error.transient
