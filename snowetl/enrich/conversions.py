"""From the text of one tracker parameter to the text of its column (enrich 3.9.0 ``ConversionUtils``).

Each function takes the parameter's value and returns the column's text (``""`` = null), or raises
:class:`ConversionError` with the expectation that goes into the bad row.
"""

from __future__ import annotations

import re
from typing import Final

from snowetl.caching import Memo
from snowetl.jvm import big_decimal as java_decimal
from snowetl.jvm import timestamps
from snowetl.jvm.integers import parse_int, parse_long
from snowetl.jvm.uuid import is_uuid
from snowetl.model.text import tsv_safe

_DIMENSIONS: Final = re.compile(r"(\d+)x(\d+)", re.ASCII)
_IP_SEPARATOR: Final = re.compile(r"[,| ]")

_EVENT_TYPES: Final = {
    "se": "struct",
    "ev": "struct",
    "ue": "unstruct",
    "ad": "ad_impression",
    "tr": "transaction",
    "ti": "transaction_item",
    "pv": "page_view",
    "pp": "page_ping",
}
_PLATFORMS: Final = frozenset(("web", "iot", "app", "mob", "pc", "cnsl", "tv", "srv", "headset"))


class ConversionError(ValueError):
    """A value that cannot be converted; the message is the bad row's ``expectation``."""


def event_type(value: str) -> str:
    found = _EVENT_TYPES.get(value)
    if found is None:
        raise ConversionError("not recognized as an event type")
    return found


def platform(value: str) -> str:
    if value not in _PLATFORMS:
        raise ConversionError("not recognized as a tracking platform")
    return value


def ip_first(value: str) -> str:
    """The first of several addresses. Text made only of separators is null (the reference throws there)."""
    if value.isprintable() and "," not in value and " " not in value and "|" not in value:
        return value
    return tsv_safe(_IP_SEPARATOR.split(value, maxsplit=1)[0])


def uuid(value: str) -> str:
    if not is_uuid(value):
        raise ConversionError("not a valid UUID")
    return value.lower()


def int32(value: str) -> str:
    if value.isascii() and value.isdigit() and len(value) < 10:
        return value if value[0] != "0" else str(int(value))
    if value.lower() == "null":
        return ""
    number = parse_int(value)
    if number is None:
        raise ConversionError("cannot be converted to java.lang.Integer")
    return str(number)


def decimal(value: str) -> str:
    if value.lower() == "null":
        return ""
    try:
        return java_decimal.canonical(value)
    except java_decimal.DecimalError as error:
        raise ConversionError(f"cannot be converted to java.math.BigDecimal. Error : {error}") from None


def bool01(value: str) -> str:
    if value not in ("0", "1"):
        raise ConversionError("cannot be converted to Boolean-like java.lang.Byte")
    return value


def epoch_ms(value: str) -> str:
    if 3 < len(value) < 15 and value.isascii() and value.isdigit():
        return _to_the_second[value[:-3]] + value[-3:]
    millis = parse_long(value)
    if millis is None:
        raise ConversionError("not in the expected format: ms since epoch")
    text = timestamps.to_tsv(millis)
    if not timestamps.in_warehouse_range(millis):
        raise ConversionError(f"formatting as {text} is not Redshift-compatible")
    return text


def _seconds_text(seconds: str) -> str:
    return timestamps.to_tsv(int(seconds) * 1000)[:-3]


_to_the_second: Final = Memo(_seconds_text, 8192, 11)


def _dimensions(value: str) -> tuple[str, str]:
    match = _DIMENSIONS.fullmatch(value)
    if match is None:
        raise ConversionError(r"does not conform to regex (\d+)x(\d+)")
    width, height = match.groups()
    if len(width) < 10 and len(height) < 10:
        return str(int(width)), str(int(height))
    sides = parse_int(width), parse_int(height)
    if None in sides:
        raise ConversionError("could not be converted to java.lang.Integer s")
    return str(sides[0]), str(sides[1])


dimensions = Memo(_dimensions, 8192, 24).__getitem__
"""``WIDTHxHEIGHT`` to two columns."""
