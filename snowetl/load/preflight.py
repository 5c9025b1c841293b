"""A look at the target before any work: driver, address, role, database, rights, data folder, disk space."""

from __future__ import annotations

from snowetl.errors import TargetError
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


def _problems(target: Target, say: Say) -> list[str]:
    with target.open(say) as warehouse:
        return warehouse.preflight()


def _is_passing(error: Exception) -> bool:
    return isinstance(error, TargetError) and error.transient
