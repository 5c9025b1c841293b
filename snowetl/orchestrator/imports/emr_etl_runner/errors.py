"""What stopped EmrEtlRunner, and with which exit code: cron jobs and alerts were written against these."""

from __future__ import annotations

from typing import NamedTuple


class RunnerError(Exception):
    """Why the old runner would have stopped before its first step."""


class RunnerConfigError(RunnerError):
    """Options or configuration it refused."""


class NoDataToProcess(RunnerError):
    """Nothing to do."""


class DirectoryNotEmpty(RunnerError):
    """What an earlier run left is in the way."""


class UnexpectedState(RunnerError):
    """Buckets that look like no state it knew."""


class Exit(NamedTuple):
    """An exit code, and how its message began on standard error."""

    code: int
    prefix: str | None = None


EXITS: dict[str, Exit] = {
    "success": Exit(0),
    "NoDataToProcessError": Exit(3, "No logs to process: "),
    "DirectoryNotEmptyError": Exit(4, "There seems to be an ongoing run of EmrEtlRunner: "),
    "LockHeldError": Exit(17),
    "EmrClusterStateError": Exit(18),
    "ConfigError": Exit(1),
    "EmrExecutionError": Exit(1),
    "BootstrapFailureError": Exit(1),
    "EmrDiscoveryError": Exit(1),
    "UnexpectedStateError": Exit(1),
    "LinterError": Exit(1),
}
"""Exit codes by the name the old runner gave the failure; snowetl ends with 3, 4, 17 and 18 in the same cases."""

NAMES: dict[type[RunnerError], str] = {
    RunnerConfigError: "ConfigError",
    NoDataToProcess: "NoDataToProcessError",
    DirectoryNotEmpty: "DirectoryNotEmptyError",
    UnexpectedState: "UnexpectedStateError",
}
"""The old runner's name of each failure that a preview can meet."""


def exit_of(error: RunnerError) -> Exit:
    """The exit code of a failure, and its prefix."""
    return EXITS[NAMES[type(error)]]
