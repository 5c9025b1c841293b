"""The whole way of one enriched line: read, check, make its rows (RDB Loader 5.6.3 transformer)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from snowetl.ddl.families import Recovery
from snowetl.errors import SnowetlError
from snowetl.jvm.instants import Instant
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.fields import INDEX
from snowetl.transform import badrows, validations
from snowetl.transform import event as events
from snowetl.transform.columns import EntityColumn, Failures
from snowetl.transform.entity import WHOLE, Readers
from snowetl.transform.event import Event
from snowetl.transform.formats import Formats
from snowetl.transform.layouts import LAYOUTS, SHRED, WIDE_JSON, WIDE_PARQUET, Settings
from snowetl.transform.layouts.shredded import TARGETS
from snowetl.transform.rows import Rows, types_of
from snowetl.transform.schemas import Schemas, SchemaSource

__all__ = ["KINDS", "SHRED", "TARGETS", "WIDE_JSON", "WIDE_PARQUET", "Transformer", "types_of"]

KINDS = tuple(LAYOUTS)


class Transformer:
    """Makes rows of enriched lines. Built once per worker; schemas are asked for once.

    ``transformation`` is one of :data:`LAYOUTS`. ``formats``, ``recovery`` and ``target``, one of :data:`TARGETS`, act
    on shredding, ``columns`` (see ``entity_columns``) on Parquet. ``minimum_timestamp`` refuses older events;
    ``max_lengths`` (column name -> UTF-16 units) cuts atomic strings.
    """

    def __init__(
        self,
        transformation: str,
        source: SchemaSource,
        origin: Origin,
        formats: Formats = Formats(),  # noqa: B008  # immutable
        columns: Sequence[EntityColumn] = (),
        minimum_timestamp: Instant | None = None,
        max_lengths: Mapping[str, int] | None = None,
        target: str = "redshift",
        recovery: Recovery = Recovery(),  # noqa: B008  # immutable
    ) -> None:
        if transformation not in LAYOUTS:
            raise ValueError(f"unknown transformation: {transformation}")
        self.schemas = Schemas(source)
        self.columns = tuple(columns)
        self._origin = origin
        self._layout = LAYOUTS[transformation](Settings(self.schemas, target, formats, columns, recovery))
        self._minimum = minimum_timestamp
        self._max_lengths = {INDEX[name]: length for name, length in (max_lengths or {}).items() if name in INDEX}

    def rows(self, line: str) -> Rows | BadRow:
        """Rows of an enriched line (without line end), or its bad row."""
        event = self.parse(line)
        return event if isinstance(event, BadRow) else self.transform(event)

    def parse(self, line: str, readers: Readers = WHOLE) -> Event | BadRow:
        """Read a line and check it against the validations. ``readers`` say how much of its entities is read."""
        try:
            event = events.parse(line, self._max_lengths, readers)
            if not isinstance(event, Event):
                return badrows.parsing_error(self._origin, event, line)
            errors = [] if self._minimum is None else validations.too_old(event, self._minimum)
            return badrows.invalid_event(self._origin, errors, event) if errors else event
        except Exception as error:
            return self._unforeseen(error, line)

    def transform(self, event: Event) -> Rows | BadRow:
        """Rows of an event that was read (and may have got a new id since)."""
        try:
            rows = self._layout.rows(event)
            return badrows.iglu_error(self._origin, rows.messages, event) if isinstance(rows, Failures) else rows
        except SnowetlError:
            raise
        except Exception as error:
            return self._unforeseen(error, "\t".join(event.columns))

    def _unforeseen(self, error: Exception, line: str) -> BadRow:
        return badrow.generic_error(self._origin, [f"{type(error).__name__}: {error}"], line)
