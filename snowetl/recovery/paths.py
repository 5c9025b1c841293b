"""Paths into a bad row: names, places of arrays (``[0]``), filters (``[?(@.name=~page)]``).

A path goes on inside what is JSON in disguise: parameters are found by their names, ``cx`` and ``ue_px`` are base64 of
JSON, ``co`` and ``ue_pr`` are its text. What was changed inside is written again as it was.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any

from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.recovery import patterns
from snowetl.recovery.failure import RecoveryFailure

Path = tuple[str, ...]
Change = Callable[[Any], Any]

_SEGMENT = re.compile(r"\[\?\(@\.(?:.*?)=~(?:.*?)\)\](?=\.|$)|\[\d+\]|[A-Za-z0-9_-]+")
_FILTER = re.compile(r"\[\?\(@\.(?P<path>.*?)=~(?P<pattern>.*)\)\]", re.DOTALL)
_PLACE = re.compile(r"\[(\d+)\]")
_PAIRS = frozenset(("parameters", "querystring"))
_BASE64 = frozenset(("cx", "ue_px"))


def parse(text: str) -> Path:
    """The segments of a path. Raises ``ValueError``."""
    rest = text.removeprefix("$.").removeprefix("$")
    segments = []
    while rest:
        match = _SEGMENT.match(rest)
        if match is None or not (match.end() == len(rest) or rest[match.end()] == "."):
            raise ValueError(f"{text} is not a path such as $.raw.parameters.aid")
        segments.append(match[0])
        rest = rest[match.end() + 1 :]
    return tuple(segments)


def read(value: Any, path: Path) -> list[Any]:
    """All values a path leads to: several behind a filter, none where it leads nowhere."""
    found: list[Any] = []

    def note(here: Any) -> Any:
        found.append(here)
        return here

    try:
        changed(value, path, note)
    except RecoveryFailure:
        return []
    return found


def changed(value: Any, path: Path, change: Change) -> Any:
    """``value`` with ``change`` done to what the path leads to. Raises :class:`RecoveryFailure`."""
    return _at(value, path, change, "")


def _at(value: Any, path: Path, change: Change, name: str) -> Any:
    if not path:
        return change(value)
    if isinstance(value, str):
        return _within_text(value, path, change, name)
    segment, *more = path
    rest = tuple(more)
    if isinstance(value, list):
        if name in _PAIRS and not segment.startswith("["):
            return _in_pair(value, segment, rest, change)
        places = list(_places(value, segment))
        if not places:
            raise RecoveryFailure(f"Failed to find {segment} in {jsontext.dumps(value)}")
        return [_at(item, rest, change, "") if at in places else item for at, item in enumerate(value)]
    if not isinstance(value, dict) or segment not in value:
        raise RecoveryFailure(f"Failed to find {segment} in {jsontext.dumps(value)}")
    return {key: _at(item, rest, change, key) if key == segment else item for key, item in value.items()}


def _in_pair(pairs: list[Any], name: str, rest: Path, change: Change) -> list[Any]:
    """Done to the value of the first pair of that name."""
    for at, pair in enumerate(pairs):
        if isinstance(pair, dict) and pair.get("name") == name:
            mended = {**pair, "value": _at(pair.get("value"), rest, change, name)}
            return [*pairs[:at], mended, *pairs[at + 1 :]]
    raise RecoveryFailure(f"Failed to find {name} in {jsontext.dumps(pairs)}")


def _places(items: list[Any], segment: str) -> Iterator[int]:
    place, chosen = _PLACE.fullmatch(segment), _FILTER.fullmatch(segment)
    if place is not None:
        yield from [int(place[1])] if int(place[1]) < len(items) else []
    elif chosen is not None:
        path = parse(chosen["path"])
        for at, item in enumerate(items):
            if any(patterns.found(chosen["pattern"], jsontext.dumps(value)) for value in read(item, path)):
                yield at


# --- JSON in disguise -------------------------------------------------------------------------------------------------


def _within_text(text: str, path: Path, change: Change, name: str) -> str:
    """A path goes on in a text: it is JSON, or base64 of JSON."""
    if name in _BASE64:
        return encode_base64(jsontext.dumps(_at(_json(decode_base64(text)), path, change, "")))
    try:
        return jsontext.dumps(_at(_json(text), path, change, ""))
    except RecoveryFailure:
        if text.lstrip()[:1] in ("{", "[", ""):
            raise
    return encode_base64(jsontext.dumps(_at(_json(decode_base64(text)), path, change, "")))


def _json(text: str) -> Any:
    try:
        return jsontext.loads(text)
    except ValueError:
        raise RecoveryFailure(f"Failed to parse JSON string from {text}") from None


def decode_base64(text: str) -> str:
    """Text of either alphabet, with or without padding. Raises :class:`RecoveryFailure`."""
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise RecoveryFailure(
            f"Failed to properly transform to/from Base64 string: {text}. Data is not properly base64-encoded: {error}"
        ) from None


def encode_base64(text: str) -> str:
    """The standard alphabet, padded."""
    return base64.b64encode(to_utf8(text)).decode("ascii")
