"""The event as JSON: with its self-describing columns (bad rows), or wide, one key per entity (analytics SDK 3.1.0)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple

from snowetl.jvm import instants, jsontext
from snowetl.jvm.json_number import JsonNumber
from snowetl.model.fields import FIELDS, INDEX
from snowetl.model.schema import SchemaKey
from snowetl.transform.entity import ParsedEntity
from snowetl.transform.event import (
    ATOMIC_COLUMNS,
    BOOLEANS,
    CONTEXTS,
    CONTEXTS_URI,
    DERIVED_CONTEXTS,
    DOUBLES,
    INTEGERS,
    TIMESTAMPS,
    UNSTRUCT_EVENT,
    UNSTRUCT_URI,
    Event,
    atomic,
)

_NAMES: Final = tuple(field.name for field in FIELDS)
_SCALARS: Final = tuple(_NAMES[index] for index in ATOMIC_COLUMNS)
_text_of_scalars: Final = jsontext.object_writer(_SCALARS)


def places(columns: Iterable[int]) -> list[tuple[int, int]]:
    """(place among the scalar columns, place among all 131) of each."""
    return [(ATOMIC_COLUMNS.index(index), index) for index in columns]


_TIMESTAMPS: Final = places(TIMESTAMPS)
_INTEGERS: Final = [place for place, _ in places(INTEGERS)]
_DOUBLES: Final = [place for place, _ in places(DOUBLES)]
_BOOLEANS: Final = [place for place, _ in places(BOOLEANS)]
_LATITUDE: Final = INDEX["geo_latitude"]
_LONGITUDE: Final = INDEX["geo_longitude"]


def payload(event: Event) -> dict[str, Any]:
    """All 131 columns, typed, in order; the self-describing columns as objects (``{}`` or null when empty)."""
    values: dict[str, Any] = dict.fromkeys(_NAMES)
    values.update(zip(_SCALARS, scalars(event, VALUES), strict=True))
    values[CONTEXTS] = _contexts(event.contexts)
    values[DERIVED_CONTEXTS] = _contexts(event.derived_contexts)
    unstruct = event.unstruct_event
    values[UNSTRUCT_EVENT] = None if unstruct is None else {"schema": UNSTRUCT_URI, "data": _self_describing(unstruct)}
    return values


def wide_line(event: Event) -> str:
    """JSON of the 128 scalar columns, one key per schema model with the entities' data, and ``geo_location``.

    A derived context takes the key from contexts of the same model, as the reference has it.
    """
    values: dict[str, Any] = {}
    for entities in (event.contexts, event.derived_contexts):
        if entities:
            values.update(_by_model(entities))
    if event.unstruct_event is not None:
        values[column_name("unstruct_event_", event.unstruct_event.uri)] = event.unstruct_event.data
    latitude, longitude = _double(event, _LATITUDE), _double(event, _LONGITUDE)
    if latitude and longitude:
        values["geo_location"] = f"{latitude},{longitude}"
    return _text_of_scalars(scalars(event, _PRINTED), values)


class Forms(NamedTuple):
    """What becomes of texts in columns: of timestamps in the usual form, of exact ones, and of doubles."""

    time: Callable[[str], Any]
    instant: Callable[[Any], Any]
    double: Callable[[str], Any]


VALUES: Final = Forms(instants.canonical_to_iso, instants.to_iso, JsonNumber)
_PRINTED: Final = VALUES._replace(double=jsontext.raw)


def scalars(event: Event, forms: Forms) -> list[Any]:
    """The values of the 128 scalar columns, typed, in order."""
    values: list[Any] = [text or None for text in atomic(event.columns)]
    time, double, exact = forms.time, forms.double, event.exact
    for place, index in _TIMESTAMPS:
        text = values[place]
        if text is not None:
            values[place] = forms.instant(exact[index]) if index in exact else time(text)
    for place in _INTEGERS:
        text = values[place]
        if text is not None:
            values[place] = int(text)
    for place in _DOUBLES:
        text = values[place]
        if text is not None:
            values[place] = double(text)
    for place in _BOOLEANS:
        text = values[place]
        if text is not None:
            values[place] = text == "1"
    return values


def _double(event: Event, index: int) -> str:
    exact = event.exact.get(index)
    return exact if isinstance(exact, str) else event.columns[index]


def _contexts(entities: list[ParsedEntity]) -> dict[str, Any]:
    if not entities:
        return {}
    return {"schema": CONTEXTS_URI, "data": [_self_describing(entity) for entity in entities]}


def _self_describing(entity: ParsedEntity) -> dict[str, Any]:
    return {"schema": entity.uri, "data": entity.data}


def _by_model(entities: list[ParsedEntity]) -> dict[str, list[Any]]:
    grouped: dict[str, tuple[str, list[Any]]] = {}
    for entity in entities:
        model, column = _context_column(entity.uri)
        if model in grouped:
            grouped[model][1].append(entity.data)
        else:
            grouped[model] = (column, [entity.data])
    return dict(grouped.values())


@lru_cache(maxsize=8192)
def _context_column(uri: str) -> tuple[str, str]:
    """The model a schema belongs to, and its column."""
    key = SchemaKey.parse(uri)
    return f"{key.vendor}/{key.name}/{key.format}/{key.version.model}", column_name("contexts_", uri)


_HUMP = re.compile(r"([^A-Z_])([A-Z])")


@lru_cache(maxsize=8192)
def column_name(prefix: str, uri: str) -> str:
    """Wide-row column of a schema: ``contexts_com_acme_user_id_1``. ``prefix`` is ``contexts_`` or ``unstruct_event_``.

    Not the rule of table names: ``URLClick`` gives ``urlclick`` (analytics SDK 3.1.0 ``transformSchema``).
    """
    key = SchemaKey.parse(uri)
    return wide_column(prefix, key.vendor, key.name, key.version.model)


def wide_column(prefix: str, vendor: str, name: str, model: int) -> str:
    """As :func:`column_name`, from the parts (names that no URI can carry, such as with dots, are allowed)."""
    vendor = vendor.replace(".", "_").replace("-", "_").lower()
    name = _HUMP.sub(r"\1_\2", name.replace(".", "_").replace("-", "_")).lower()
    return f"{prefix}{vendor}_{name}_{model}"
