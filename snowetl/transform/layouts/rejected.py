"""Values that a row's columns do not hold: each stands, as JSON text and with the reason, in a row of its own.

So nothing is lost, and no row is refused for one value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from snowetl.ddl.cells import NULL, YEARS, Unfit, Write
from snowetl.ddl.date_times import DateTime
from snowetl.ddl.tables import Column
from snowetl.jvm import instants, jsontext
from snowetl.jvm.instants import Instant
from snowetl.model.fields import FIELDS
from snowetl.transform import badrows
from snowetl.transform.event import ATOMIC, COLLECTOR_TSTAMP, TIMESTAMPS, Event
from snowetl.transform.rows import RowColumn, RowTable, ShreddedRow
from snowetl.transform.schemas import Failure


def rejected_table(output: str, columns: tuple[RowColumn, ...] = ()) -> RowTable:
    """Where the rows of such values go. No entity is ever published under this name."""
    return RowTable("com.snowplowanalytics.snowetl", "rejected_values", 1, output, columns)


@dataclass(frozen=True, slots=True)
class RejectedValues:
    """Makes the rows of ``rejected_values`` for one target. ``escape`` makes cells of texts."""

    table: RowTable
    escape: Callable[[str], str]

    def row(self, event: Event, uri: str, column: str, reason: str, value: object) -> ShreddedRow:
        cells = (uri, self.escape(column), reason, self.escape(jsontext.dumps(value)))
        return ShreddedRow(self.table, "\t".join((event.root(), *cells)))

    def of_event(self, event: Event, index: int, reason: str, value: object) -> ShreddedRow:
        """The row of a value of a column of ``events``."""
        return self.row(event, ATOMIC.uri, FIELDS[index].name, reason, value)

    def cells(
        self, uri: str, columns: Sequence[Column], write: Sequence[Write], found: Sequence[object], event: Event
    ) -> tuple[list[str], list[ShreddedRow]]:
        """The cells of a row of which at least one value does not fit its column, and the values that do not."""
        cells, rejected = [], []
        for column, make, value in zip(columns, write, found, strict=True):
            try:
                cells.append(NULL if value is None else make(value))
            except Unfit as unfit:
                cells.append(unfit.cell)
                rejected.append(self.row(event, uri, column.name, unfit.reason, value))
        return cells, rejected

    def clear_strange_times(self, event: Event, columns: list[str], rejected: list[ShreddedRow]) -> Failure | None:
        """Empty the timestamps in years that warehouses do not know; without its own time an event is refused."""
        for index in TIMESTAMPS:
            instant = event.exact.get(index)
            if isinstance(instant, Instant) and not 1 <= DateTime(instant.seconds, "").year <= 9999:
                iso = instants.to_iso(instant)
                if index == COLLECTOR_TSTAMP:
                    return Failure(badrows.wrong_type(ATOMIC.uri, iso, "Timestamp"))
                columns[index] = ""
                rejected.append(self.of_event(event, index, YEARS, iso))
        return None
