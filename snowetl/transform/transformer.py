"""The whole way of one enriched line: read, check, make its rows (RDB Loader 5.6.3 transformer)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from snowetl.errors import SnowetlError
from snowetl.jvm import jsontext
from snowetl.jvm.instants import Instant
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Origin
from snowetl.model.fields import INDEX
from snowetl.transform import badrows, eventjson, validations
from snowetl.transform import event as events
from snowetl.transform.columns import EntityColumn, Failures, WideRows
from snowetl.transform.event import CONTEXTS, DERIVED_CONTEXTS, UNSTRUCT_EVENT, Event
from snowetl.transform.formats import Formats
from snowetl.transform.rows import SchemaType, ShreddedRow
from snowetl.transform.schemas import Failure, Schemas, SchemaSource
from snowetl.transform.shred import Shredder

SHRED = "shred"
WIDE_JSON = "widerow-json"
WIDE_PARQUET = "widerow-parquet"
KINDS = (SHRED, WIDE_JSON, WIDE_PARQUET)
_COLLECTOR_TSTAMP = INDEX["collector_tstamp"]


class TransformedRows(NamedTuple):
    """All rows of one good event.

    Which of the three is set follows from the kind: ``shredded`` rows; ``line``, a wide row as JSON; ``values``, a wide
    row in the order of the batch's columns. ``types`` are the schemas met, ``collector_tstamp`` the event's time: what
    the message of a finished run sums up.
    """

    shredded: Sequence[ShreddedRow] | None
    line: str | None
    values: Sequence[Any] | None
    types: frozenset[SchemaType]
    collector_tstamp: Instant


class Transformer:
    """Makes rows of enriched lines. Built once per worker; schemas are asked for once.

    ``kind`` is one of :data:`KINDS`. ``formats`` acts on shredding, ``columns`` (see ``entity_columns``) on Parquet.
    ``minimum_timestamp`` refuses older events; ``max_lengths`` (column name -> UTF-16 units) cuts atomic strings.
    """

    def __init__(
        self,
        kind: str,
        source: SchemaSource,
        origin: Origin,
        formats: Formats = Formats(),  # noqa: B008  # immutable
        columns: Sequence[EntityColumn] = (),
        minimum_timestamp: Instant | None = None,
        max_lengths: Mapping[str, int] | None = None,
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"no kind of transformation: {kind}")
        self.schemas = Schemas(source)
        self.columns = tuple(columns)
        self._origin = origin
        self._shredder = Shredder(self.schemas, formats)
        self._wide = WideRows(columns) if kind == WIDE_PARQUET else None
        self._rows = {SHRED: self._shred, WIDE_JSON: self._wide_json, WIDE_PARQUET: self._wide_parquet}[kind]
        self._minimum = minimum_timestamp
        self._max_lengths = {INDEX[name]: length for name, length in (max_lengths or {}).items() if name in INDEX}

    def rows(self, line: str) -> TransformedRows | BadRow:
        """Rows of an enriched line (without line end), or its bad row."""
        event = self.parse(line)
        return event if isinstance(event, BadRow) else self.transform(event)

    def parse(self, line: str) -> Event | BadRow:
        """Read a line and check it against the validations."""
        try:
            event = events.parse(line, self._max_lengths)
            if not isinstance(event, Event):
                return badrows.parsing_error(self._origin, event, line)
            errors = [] if self._minimum is None else validations.too_old(event, self._minimum)
            return badrows.invalid_event(self._origin, errors, event) if errors else event
        except Exception as error:
            return self._unforeseen(error, line)

    def transform(self, event: Event) -> TransformedRows | BadRow:
        """Rows of an event that was read (and may have got a new id since)."""
        try:
            rows = self._rows(event)
            if isinstance(rows, Failures):
                return badrows.iglu_error(self._origin, rows.messages, event)
            return rows
        except SnowetlError:
            raise
        except Exception as error:
            return self._unforeseen(error, "\t".join(event.columns))

    def _unforeseen(self, error: Exception, line: str) -> BadRow:
        return badrow.generic_error(self._origin, [f"{type(error).__name__}: {error}"], line)

    def _shred(self, event: Event) -> TransformedRows | Failures:
        rows = self._shredder.rows(event)
        if isinstance(rows, Failure):
            return Failures([rows.message])
        return self._transformed(event, shredded=rows)

    def _wide_json(self, event: Event) -> TransformedRows:
        return self._transformed(event, line=jsontext.dumps(eventjson.wide_row(event)))

    def _wide_parquet(self, event: Event) -> TransformedRows | Failures:
        assert self._wide is not None
        values = self._wide.row(event)
        return values if isinstance(values, Failures) else self._transformed(event, values=values)

    @staticmethod
    def _transformed(
        event: Event,
        shredded: Sequence[ShreddedRow] | None = None,
        line: str | None = None,
        values: Sequence[Any] | None = None,
    ) -> TransformedRows:
        time = event.instant(_COLLECTOR_TSTAMP)
        assert time is not None  # a required column
        return TransformedRows(shredded, line, values, types_of(event), time)


def types_of(event: Event) -> frozenset[SchemaType]:
    """The schemas of an event's entities, with the columns they stand in."""
    types = [SchemaType(entity.uri, CONTEXTS) for entity in event.contexts]
    types += [SchemaType(entity.uri, DERIVED_CONTEXTS) for entity in event.derived_contexts]
    if event.unstruct_event is not None:
        types.append(SchemaType(event.unstruct_event.uri, UNSTRUCT_EVENT))
    return frozenset(types)
