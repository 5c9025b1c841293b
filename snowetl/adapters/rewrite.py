"""Cleaning of webhook JSON: dates, redundant members, camelCase (enrich 3.9.0 ``Adapter``, ``JsonUtils``).

Trees are rewritten in place and without recursion: they were parsed for one event, and may be nested deeply.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from snowetl.jvm import timestamps
from snowetl.jvm.integers import MAX_LONG, MIN_LONG, parse_long, wrap_long
from snowetl.jvm.scala_maps import as_map

_SMALL_MAP = 4
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_SIGNIFICANT = re.compile("[^1-9eE]*[1-9]")
_LONG_DIGITS = 19
_SPACED_DATE = re.compile(r"([+-]?\d{1,9})-(\d{1,2})-(\d{1,2}) (\d{1,2}):(\d{1,2}):(\d{1,2})", re.ASCII)
_MAX_YEAR = 292_278_993
_CACHED_KEY = 100
_TOKEN = re.compile("[_-]([A-Za-z0-9_])")

Members = list[tuple[str, Any]]
Rewrite = Callable[[Members, list[Any]], Members]
"""Gets the members of an object; returns the new ones and appends the values that are to be entered."""


def members(json_object: dict[str, Any]) -> Members:
    """The members of an object in the order in which the reference goes through them as a map."""
    return list(json_object.items() if len(json_object) <= _SMALL_MAP else as_map(json_object).items())


def rewrite_objects(root: Any, rewrite: Rewrite, keys: frozenset[str] | None, *, lists: bool = True) -> Any:
    """Apply ``rewrite`` to the object ``root`` and to the values it names, in place; through lists where asked.

    ``keys`` are those it looks at (``None``: all); small objects without any are only walked through.
    """
    pending = [root]
    while pending:
        node = pending.pop()
        if type(node) is dict:
            if keys is not None and len(node) <= _SMALL_MAP and keys.isdisjoint(node):
                items: Iterable[Any] = node.values()
            else:
                changed = rewrite(members(node), pending)
                node.clear()
                node.update(changed)
                continue
        elif lists and type(node) is list:
            items = node
        else:
            continue
        for item in items:
            if type(item) is dict or type(item) is list:
                pending.append(item)
    return root


def clean_event(event: Any, type_key: str, event_type: str | None, date_keys: tuple[str, ...]) -> Any:
    """Epoch seconds under ``date_keys`` become dates; members ``type_key`` that say ``event_type`` again go.

    Both at every depth. ``event_type`` ``None``: nothing is dropped.
    """

    def rewrite(pairs: Members, enter: list[Any]) -> Members:
        result = []
        for key, value in pairs:
            if key in date_keys:
                value = date_of_seconds(value)
            elif type(value) is dict or type(value) is list:
                enter.append(value)
            if key != type_key or event_type is None or value != event_type:
                result.append((key, value))
        return result

    return rewrite_objects(event, rewrite, frozenset((type_key, *date_keys)))


def date_of_seconds(value: Any) -> Any:
    """Epoch seconds (a number without fraction, or a string of one) as date text; anything else as it is."""
    seconds = parse_long(value) if isinstance(value, str) else integral(value)
    if seconds is None:
        return value
    return timestamps.to_iso(wrap_long(seconds * 1000))


def integral(value: Any) -> int | None:
    """The 64-bit integer a JSON number stands for (``1.0`` too), else ``None``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = value if isinstance(value, int) else _whole(getattr(value, "text", repr(value)))
    return _in_range(number)


def long_of(value: Any) -> int | None:
    """A 64-bit integer from a JSON number, or from a string holding one (circe's ``as[Long]``), else ``None``."""
    if not isinstance(value, str):
        return integral(value)
    return _in_range(_whole(value)) if _JSON_NUMBER.fullmatch(value) else None


def _whole(text: str) -> int | None:
    """The integer a decimal text stands for, by its digits: a double cannot hold every 64-bit integer."""
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        return None if _SIGNIFICANT.match(text) else 0
    if not number:
        return 0
    if number.adjusted() > _LONG_DIGITS or number != number.to_integral_value():
        return None
    return int(number)


def _in_range(number: int | None) -> int | None:
    return number if number is not None and MIN_LONG <= number <= MAX_LONG else None


def date_of_spaced(text: str) -> str:
    """``yyyy-MM-dd HH:mm:ss`` (UTC) as date text, read as leniently as Joda-Time does; other text as it is."""
    match = _SPACED_DATE.fullmatch(text)
    if match is None:
        return text
    year, month, day, hour, minute, second = map(int, match.groups())
    if abs(year) > _MAX_YEAR or not (1 <= month <= 12 and hour < 24 and minute < 60 and second < 60):
        return text
    days = timestamps.days_from_civil(year, month, day)
    if day < 1 or timestamps.civil_from_days(days)[1] != month:
        return text
    return timestamps.to_iso(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000)


def camel_case(key: str) -> str:
    """``X-Mailgun-Sid`` -> ``xMailgunSid``."""
    if "_" not in key and "-" not in key and key[:1].islower():
        return key
    return _camel_case(key) if len(key) <= _CACHED_KEY else _camel(key)


def _camel(key: str) -> str:
    first = key[:1]
    if first <= "\uffff":
        first = first.lower()[:1]
    return _TOKEN.sub(lambda match: match.group(1).upper(), first + key[1:])


_camel_case = lru_cache(maxsize=8192)(_camel)


def camelize(value: Any) -> Any:
    """Every key at every depth in camelCase; of keys that become equal the last value wins, at the first place."""
    pending = [value]
    while pending:
        node = pending.pop()
        if type(node) is dict:
            pairs = list(node.items())
            node.clear()
            for key, item in pairs:
                node[camel_case(key)] = item
                if type(item) is dict or type(item) is list:
                    pending.append(item)
        elif type(node) is list:
            pending.extend([item for item in node if type(item) is dict or type(item) is list])
    return value


def deep_merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """``over`` laid over ``base``: objects merge member by member, anything else is replaced. Changes ``over``.

    Members of ``over`` come first, those only in ``base`` after them (circe's ``deepMerge``).
    """
    pending = [(base, over)]
    while pending:
        below, above = pending.pop()
        for key, value in below.items():
            if key not in above:
                above[key] = value
            elif type(value) is dict and type(above[key]) is dict:
                pending.append((value, above[key]))
    return over
