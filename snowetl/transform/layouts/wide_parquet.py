"""Wide rows as values of the batch's Parquet columns."""

from __future__ import annotations

from snowetl.transform.columns import Failures, WideRows
from snowetl.transform.event import Event
from snowetl.transform.layouts.base import Settings
from snowetl.transform.rows import WideRecord


class WideParquet:
    """Casts events to the columns of a batch."""

    def __init__(self, settings: Settings) -> None:
        self._columns = WideRows(settings.columns)

    def rows(self, event: Event) -> WideRecord | Failures:
        values = self._columns.row(event)
        return values if isinstance(values, Failures) else WideRecord(event, values)
