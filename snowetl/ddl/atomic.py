"""The ``events`` table: 128 columns of the enriched event, typed for each warehouse (rdb-loader 5.6.3).

A new table holds what any era of the reference lets through (rdb-loader 6.0.2). Rows need less (:data:`LENGTHS`), but
for those whose texts are longer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from snowetl.model.fields import FIELDS, LATER_LENGTHS, Field

_SHREDDED = frozenset(("contexts", "unstruct_event", "derived_contexts"))
EVENT_FIELDS: tuple[Field, ...] = tuple(field for field in FIELDS if field.name not in _SHREDDED)
"""The atomic fields, in the order of the transformed rows."""
EVENT_COLUMNS: tuple[str, ...] = tuple(field.name for field in EVENT_FIELDS)

LENGTHS: dict[str, int] = {field.name: field.max_length for field in EVENT_FIELDS if field.max_length is not None}
"""Characters of the columns in tables of 3.9.0, by name."""
LONGEST: dict[str, int] = {**LENGTHS, **LATER_LENGTHS}
"""Characters of the columns in new tables."""

texts_fit = re.compile(
    "\t".join("[^\t]*+" if field.max_length is None else f"[^\t]{{0,{field.max_length}}}+" for field in EVENT_FIELDS)
).fullmatch
"""Matches a row of all columns in which no text has more characters than :data:`LENGTHS` say."""

LOAD_TSTAMP = "load_tstamp"
"""The last column of ``events``: when its run was loaded. The rows of a run do not have it."""
_NOT_NULL = frozenset(("collector_tstamp", "event_id", "v_collector", "v_etl"))
_CHARS = {"geo_country": 2, "geo_region": 3, "tr_currency": 3, "ti_currency": 3, "base_currency": 3}


class EventColumn(NamedTuple):
    name: str
    type: str
    not_null: bool


def redshift_columns() -> list[EventColumn]:
    """Types as the Redshift loader creates them."""
    special = {"event_id": "char(36)", "domain_sessionid": "char(128)", "se_value": "double precision"}
    types = {"ts": "timestamp", "int": "int", "txn": "int", "float": "double precision", "dec": "dec(18,2)"}
    return _columns(types, special, LONGEST)


def snowflake_columns() -> list[EventColumn]:
    """Types as the Snowflake loader creates them. Times have no zone, whatever an account makes of ``TIMESTAMP``."""
    special = {"event_id": "char(36)", "domain_sessionidx": "smallint", "se_value": "double"}
    types = {"ts": "timestamp_ntz", "int": "integer", "txn": "integer", "float": "double", "dec": "number(18, 2)"}
    return _columns(types, special, LONGEST)


def postgres_columns(lengths: Mapping[str, int] = LONGEST) -> list[EventColumn]:
    """Types as the Postgres loader creates them, where its columns are as wide as the atomic limits, else these."""
    special = {"event_id": "uuid"}
    types = {"ts": "timestamp", "int": "integer", "txn": "integer", "float": "double precision"}
    return _columns(types | {"dec": "double precision"}, special, lengths)


COLUMNS_OF: dict[str, Callable[[], list[EventColumn]]] = {
    "postgres": postgres_columns,
    "redshift": redshift_columns,
    "snowflake": snowflake_columns,
}
"""The columns of new tables, by dialect."""


def _columns(types: dict[str, str], special: dict[str, str], lengths: Mapping[str, int]) -> list[EventColumn]:
    return [
        EventColumn(field.name, _type(field, types, special, lengths), field.name in _NOT_NULL)
        for field in EVENT_FIELDS
    ]


def _type(field: Field, types: dict[str, str], special: dict[str, str], lengths: Mapping[str, int]) -> str:
    if field.name in special:
        return special[field.name]
    if field.name in _CHARS:
        return f"char({_CHARS[field.name]})"
    if field.name in lengths:
        return f"varchar({lengths[field.name]})"
    return types.get(field.type, "boolean")
