"""Every error that can stop a run. Its text says what is wrong, where, and what to do.

Failures of single records are never exceptions: they are values (:class:`snowetl.model.badrow.BadRow`).
"""

from __future__ import annotations


class SnowetlError(Exception):
    """Base of all errors a user can meet. ``exit_code`` is the exit code of the command line."""

    exit_code = 1


class UsageError(SnowetlError):
    """Options contradict each other, or name something that does not exist."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration (resolver, enrichment, snowetl.yml) cannot be used.

    ``problems`` holds one error for each problem, if the text lists several.
    """

    problems: tuple[ConfigError, ...] = ()


class NothingToDo(SnowetlError):
    """There is no input: no file, or only empty ones."""

    exit_code = 3


class AssetError(ConfigError):
    """A file of an enrichment (MaxMind database, referer database, ...) cannot be downloaded or read."""


class LookupFailed(SnowetlError):
    """A service that a run looks values up in (exchange rates, a JVM) does not answer; a later attempt may succeed."""


class RegistryUnavailable(SnowetlError):
    """A schema registry does not answer. (One that answers 404 does.)"""


class StorageError(SnowetlError):
    """Reading or writing a file or object failed for good."""


class OutputExists(UsageError):
    """The output of this run is already there, complete or claimed by another job."""


class LeaseHeld(OutputExists):
    """Another process is at work on this run, this pipeline or this folder."""

    exit_code = 17  # as EmrEtlRunner and Dataflow Runner end: schedulers know it for "still running"


class LoadError(SnowetlError):
    """A run cannot be loaded; none of its rows are in the warehouse.

    ``transient`` says that the same load may succeed later (a lost connection, a busy server): only such errors are
    retried.
    """

    def __init__(self, message: str, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class TargetError(ConfigError):
    """A warehouse cannot be loaded into: wrong address, role, database, rights or driver.

    Found before any work starts. ``transient`` as for :class:`LoadError`.
    """

    def __init__(self, message: str, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class TooManyBadRows(SnowetlError):
    """A run is done, but has more bad rows than the user allows (``--max-bad``)."""
