"""Why a bad row cannot be mended."""

from __future__ import annotations


class RecoveryFailure(ValueError):
    """Its text stands in the ``recovery_error`` that the bad row becomes."""
