"""Mends bad rows by a configuration of Snowplow Event Recovery, before they are sent through the pipeline again."""

from snowetl.recovery.configuration import Recoveries
from snowetl.recovery.failure import RecoveryFailure

__all__ = ["Recoveries", "RecoveryFailure"]
