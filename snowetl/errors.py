"""Everything that can stop a run, as a map: each error says what is wrong, where, and what to do.

Failures of single records are never exceptions: they are values (:class:`snowetl.model.badrow.BadRow`).
"""

from __future__ import annotations


class SnowetlError(Exception):
    """Base of all errors a user can meet. ``exit_code`` is what the command line ends with."""

    exit_code = 1


class UsageError(SnowetlError):
    """Options that do not fit together, or name something that is not there."""

    exit_code = 2


class ConfigError(UsageError):
    """A resolver, enrichment or snowetl.yml configuration that cannot be used.

    ``problems`` are the single ones where the text lists several.
    """

    problems: tuple[ConfigError, ...] = ()


class NothingToDo(SnowetlError):
    """There is no input: no file, or only empty ones."""

    exit_code = 3


class AssetError(ConfigError):
    """A file an enrichment needs (MaxMind database, referer database, ...) that cannot be fetched or read."""


class LookupFailed(SnowetlError):
    """What answers the lookups of a run (a rates service, a JVM) does not answer; a later attempt may succeed."""


class RegistryUnavailable(SnowetlError):
    """A schema registry that does not answer (which is not the same as answering 404)."""


class StorageError(SnowetlError):
    """Reading or writing a file or object failed for good."""


class OutputExists(UsageError):
    """The output of this run is already there, complete or claimed by another job."""


class LeaseHeld(OutputExists):
    """Another process is at work on this run, this pipeline or this folder."""

    exit_code = 17  # as EmrEtlRunner and Dataflow Runner end: schedulers know it for "still running"


class LoadError(SnowetlError):
    """A run that cannot be loaded; nothing of it is in the warehouse.

    ``transient`` says that the same load may succeed later (a lost connection, a busy server): only such errors are
    retried.
    """

    def __init__(self, message: str, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class TargetError(ConfigError):
    """A warehouse that cannot be loaded into as it is: wrong address, role, database, rights or driver.

    Found before any work starts. ``transient`` as for :class:`LoadError`.
    """

    def __init__(self, message: str, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class TooManyBadRows(SnowetlError):
    """A run that is done, but with more bad rows than the user allows (``--max-bad``)."""
