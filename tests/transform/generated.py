"""Schemas and data for the value tests: generated, of every kind, and read back by rules written a second time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from snowetl.jvm.json_number import JsonNumber

TYPES = ("null", "boolean", "string", "integer", "number", "array", "object")
FORMATS = ("date-time", "date", "uuid", "email", "ipv4", "uri", "hostname")
NAMES = (
    *("id", "userName", "user_name", "user-name", "URLPath", "rootId", "ctid", "schema_version", "refTree", "", " "),
    *("a.b", "select", "ü", "ÅNGSTRÖM", "日本", "%s", 'a"b', "tab\there", "nul\x00", "\ud800", "_overflow"),
    *("x" * 63, "x" * 64, "x" * 70, "é" * 40, "é" * 41, "$1", "\\N", "😀"),
)  # fmt: skip
NUMBERS = (
    *(0, 1, -1, 5, 7, 255, 32768, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**53 + 1),
    *(2**63 - 1, 2**63, -(2**63), 10**20),
    *map(JsonNumber, ("5.0", "0.1", "1E5", "-0", "-0.0", "1.50", "12.345", "1e400", "-1e400", "1e-400", "4.9E-324")),
    *map(JsonNumber, ("1e100", "123456789012345678901234567890.5", "9.999999999999999E22")),
    *map(JsonNumber, ("1e20000", "1e200000", "1e-20000", "0e99999")),
)  # fmt: skip
TEXTS = (
    *("", "a", "ab", "abc", "null", "true", "123", "1e5", "\\N", "\\", "\\u0000", "C:\\u0000new", "nul\x00char"),
    *("tab\tlf\ncr\r", 'quote"', "ü", "日本語", "😀", "\ud800", "\udc00x", " padded ", "x" * 20, "x" * 5000),
    *("{}", "[1]", "\x7f\x85\u2028", "%s $1"),
    *("2026-03-04T12:00:00+02:00", "2026-03-04T10:00:00Z", "2026-03-04t10:00:00.123456789z", "0000-01-01T00:00:00Z"),
    *("0001-01-01T00:30:00+01:00", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59.999999999Z"),
    *("2016-12-31T23:59:60Z", "2026-03-04 10:00Z", "2024-02-29T23:59:59.5+14:00"),
    *("2026-03-04", "0000-01-01", "-0044-03-15", "+12026-01-01"),
    *("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "a@b.example", "198.18.0.1"),
    *("https://example.com/a?b=c", "example.com"),
)  # fmt: skip


# --- schemas --------------------------------------------------------------------------------------------------------

_types = st.one_of(
    st.sampled_from(TYPES),
    st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True),
    st.sampled_from(TYPES).map(lambda type_: [type_, "null"]),
)
_bounds = st.sampled_from([*(number for number in NUMBERS if type(number) is int), 0.5, 100.25])
_KEYWORDS = {
    "type": _types,
    "minimum": _bounds,
    "maximum": _bounds,
    "multipleOf": st.sampled_from([1, 5, 0.01, 0.1]),
    "minLength": st.integers(0, 3),
    "maxLength": st.sampled_from([0, 1, 3, 10, 4096, 20_000_000]),
    "format": st.sampled_from(FORMATS),
    "enum": st.lists(
        st.sampled_from([None, True, 1, 2.5, 2**40, 2**64, "a", "abc", {"a": 1}]),
        min_size=1, max_size=4, unique_by=repr,
    ),
    "items": st.sampled_from([{}, {"type": "string"}, {"type": ["integer", "null"]}]),
}  # fmt: skip
_leaf = st.one_of(
    st.fixed_dictionaries({"type": _types}),
    st.fixed_dictionaries({"type": _types}, optional={name: of for name, of in _KEYWORDS.items() if name != "type"}),
    st.fixed_dictionaries({}, optional=_KEYWORDS),
    st.builds(lambda one, other: {"oneOf": [{"type": one}, {"type": other}]}, *[st.sampled_from(TYPES)] * 2),
    st.sampled_from(FORMATS).map(lambda name: {"type": "string", "format": name}),
)


def _object(member: st.SearchStrategy[Any], types: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[Any]:
    def finish(type_: Any, properties: dict[str, Any], required: set[int]) -> dict[str, Any]:
        needed = [name for place, name in enumerate(properties) if place in required]
        return (
            {"properties": properties}
            | ({} if type_ is None else {"type": type_})
            | ({"required": needed} if needed else {})
        )

    names = st.one_of(st.sampled_from(NAMES), st.text(max_size=8))
    return st.builds(finish, types, st.dictionaries(names, member, max_size=most), st.sets(st.integers(0, most)))


_nested = _object(_leaf, st.sampled_from(["object", ["object", "null"], ["object", "string"], None]), 3)
_root = _object(st.one_of(_leaf, _leaf, _leaf, _nested), st.sampled_from(["object", "object", "object", None]), 6)


@st.composite
def families(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One to three versions of a schema; later ones change, add and drop properties."""
    versions = [draw(_root)]
    for _ in range(draw(st.integers(0, 2))):
        newer = draw(_root)
        kept = {name: of for name, of in versions[-1]["properties"].items() if draw(st.booleans())}
        versions.append(newer | {"properties": kept | newer["properties"]})
    return versions


# --- data -----------------------------------------------------------------------------------------------------------


def candidates(schema: Any, random: Random, depth: int = 0) -> Any:
    """Some JSON value that may well be valid under a schema."""
    if not isinstance(schema, dict) or depth > 4:
        return None
    if schema.get("enum") and random.random() < 0.9:
        return random.choice(schema["enum"])
    for keyword in ("oneOf", "anyOf"):
        if schema.get(keyword) and random.random() < 0.8:
            schema = schema | random.choice(schema[keyword])
    type_ = schema.get("type")
    if isinstance(type_, list):
        type_ = random.choice(type_)
    if type_ is None:
        type_ = "object" if schema.get("properties") else random.choice(TYPES)
    if random.random() < 0.02:
        type_ = random.choice(TYPES)
    return _OF_TYPE[type_](schema, random, depth)


def _string(schema: Any, random: Random, depth: int) -> str:
    text = random.choice([text for text in TEXTS if _suits(text, schema.get("format"))])
    least, most = int(schema.get("minLength") or 0), int(schema.get("maxLength") or 100_000)
    return text[:most].ljust(min(least, 200_000), "y")


def _suits(text: str, format_: str | None) -> bool:
    shape = {"date-time": r".*\d[Tt ]\d.*", "date": r"[+-]?\d+-\d\d-\d\d", "uuid": r"[0-9a-fA-F-]{36}"}.get(
        format_ or ""
    )
    return shape is None or re.fullmatch(shape, text) is not None


def _number(schema: Any, random: Random, depth: int) -> Any:
    low, high = schema.get("minimum"), schema.get("maximum")
    whole = schema.get("type") == "integer" and random.random() < 0.9
    fitting = [
        number
        for number in NUMBERS
        if (low is None or number >= float(low))
        and (high is None or number <= float(high))
        and (not whole or type(number) is int)
    ]
    bounds = [int(bound) for bound in (low, high) if bound is not None]
    return random.choice(fitting + bounds or [0])


def _array(schema: Any, random: Random, depth: int) -> list[Any]:
    items = schema.get("items")
    least = int(schema.get("minItems") or 0)
    if isinstance(items, list):
        return [candidates(item, random, depth + 1) for item in items]
    return [candidates(items or {}, random, depth + 2) for _ in range(random.randint(least, max(least, 2)))]


def _object_value(schema: Any, random: Random, depth: int) -> dict[str, Any]:
    required = schema.get("required") or ()
    return {
        name: candidates(member, random, depth + 1)
        for name, member in (schema.get("properties") or {"some": {}}).items()
        if name in required or random.random() < 0.8
    }


_OF_TYPE = {
    "null": lambda schema, random, depth: None,
    "boolean": lambda schema, random, depth: random.random() < 0.5,
    "string": _string,
    "integer": _number,
    "number": _number,
    "array": _array,
    "object": _object_value,
}


# --- what SQL should return -----------------------------------------------------------------------------------------


def readable(text: str) -> str:
    """Text as Postgres holds it: without NUL and lone surrogates."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def number(value: Any) -> Decimal:
    return Decimal(value.text if isinstance(value, JsonNumber) else str(value))


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def same_json(value: Any, got: Any) -> bool:
    """Whether JSON read back (numbers as ``Decimal``) is what went in."""
    if isinstance(value, dict):
        keys = {readable(key): item for key, item in value.items()}
        return (
            isinstance(got, dict) and keys.keys() == got.keys() and all(same_json(keys[key], got[key]) for key in keys)
        )
    if isinstance(value, list):
        return isinstance(got, list) and len(value) == len(got) and all(map(same_json, value, got))
    if isinstance(value, str):
        return bool(readable(value) == got)
    if is_number(value):
        return isinstance(got, Decimal) and number(value) == got
    return value is got


def numbers_in(value: Any) -> Iterator[Decimal]:
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from numbers_in(item)
    if is_number(value):
        yield number(value)


def read_json(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def instant(text: str) -> datetime | None:
    """A date-time as the docs say it is stored; ``None`` where it is not between the years 1 and 9999."""
    match = re.fullmatch(r"(.{10})[Tt ](\d\d:\d\d)(:\d\d)?(\.\d*)?([Zz]|([+-])(\d\d).(\d\d))", text, re.DOTALL)
    assert match is not None, text
    day, minute, second, fraction = match[1], match[2], match[3] or ":00", (match[4] or ".0")[1:7].ljust(6, "0")
    shift = 0 if match[6] is None else (int(match[7]) * 60 + int(match[8])) * 60 * (-1 if match[6] == "+" else 1)
    if second == ":60":
        second, shift = ":59", shift + 1
    if day.startswith("0000"):
        return None
    seconds = datetime.fromisoformat(f"{day}T{minute}{second}+00:00").timestamp() + shift
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None, microsecond=int(fraction))
    except (ValueError, OverflowError):
        return None


def day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def holds(type_: str, value: Any, got: Any) -> bool:
    """Whether ``got``, as psycopg reads it, is ``value`` under the documented rules of a column type."""
    if type_ == "JSONB":
        return same_json(value, read_json(got))
    if type_ == "TEXT" or type_.startswith(("VARCHAR", "CHAR")):
        return bool(got == readable(value)) if isinstance(value, str) else same_json(value, read_json(got))
    if type_ in ("INTEGER", "BIGINT", "NUMERIC"):
        return bool(number(value) == got)
    if type_ == "DOUBLE PRECISION":
        return bool(float(value) == got)
    if type_ == "BOOLEAN":
        return bool(value is got)
    if type_ == "UUID":
        return bool(UUID(value) == got)
    if type_ == "DATE":
        return bool(day(value) == got)
    assert type_ == "TIMESTAMP"
    midnight = day(value)
    return bool(got == (instant(value) if midnight is None else datetime(midnight.year, midnight.month, midnight.day)))


def may_be_refused(type_: str, value: Any) -> bool:
    """Whether the documented rules let a column of this type be null for a valid value."""
    if type_ in ("INTEGER", "BIGINT") and is_number(value):
        size = 2**31 if type_ == "INTEGER" else 2**63
        return not -size <= number(value) < size
    if type_ == "DOUBLE PRECISION" and is_number(value):
        return abs(float(value)) == float("inf")
    if type_ in ("NUMERIC", "JSONB"):
        return any(n.adjusted() > 131_071 or -n.as_tuple().exponent > 16_383 for n in numbers_in(value))  # type: ignore[operator]
    if type_ == "TIMESTAMP" and isinstance(value, str):
        return day(value) is None and (not re.match(r"\d{4}-\d\d-\d\d[Tt ]", value) or instant(value) is None)
    return type_ == "DATE" and isinstance(value, str) and day(value) is None
