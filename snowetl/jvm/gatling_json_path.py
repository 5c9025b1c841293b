"""Gatling's JsonPath 0.6.14, the dialect of the lookups in SQL and APIs: stricter than Jayway's, with its own corners.

A path starts with ``$``. ``$..name`` does not look inside what it finds; ``$..*`` gives the value itself, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from snowetl.jvm.json_path_filter import Filter, FilterFault, parse_filter

Select = Callable[[Any, Any], Iterable[Any]]
"""From a value and the whole document to the values selected in it."""

_NAME_PATTERN = r"[^\*\.\[\]\(\)=!<>\s]+"
_NAME = re.compile(_NAME_PATTERN)
_QUOTED = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")\s*")
_NUMBERS = re.compile(r"\s*-?\d+\s*(?:,\s*-?\d+\s*)*\]")
_SLICE = re.compile(r"\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?\]")
_ESCAPED = re.compile(r"\\(.)")


class PathFault(ValueError):
    """A path that cannot be read. The message is the reference's."""


class JsonPath:
    """A compiled path."""

    def __init__(self, selects: list[Select]) -> None:
        self._selects = selects

    def values(self, document: Any, root: Any = None) -> list[Any]:
        """The selected values in the document's order."""
        values = [document]
        for select in self._selects:
            values = [found for value in values for found in select(value, root or document)]
        return values


def compile_path(text: str) -> JsonPath:
    """Read a path such as ``$.store.book[0,2].title``. Raises :class:`PathFault`."""
    if not text.startswith("$"):
        raise PathFault(f"'$' expected but {_found(text, 0)} found")
    return JsonPath(_Parser(text).selects())


def _found(text: str, at: int) -> str:
    return f"'{text[at]}'" if at < len(text) else "end of source"


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 1

    def selects(self) -> list[Select]:
        selects: list[Select] = []
        while self._at < len(self._text):
            if self._takes(".."):
                selects.append(_everything if self._takes("*") else _deep(self._name()))
            elif self._takes("."):
                selects.append(_children if self._takes("*") else _member(self._name()))
            elif self._text.startswith("[?(", self._at):
                selects.append(self._filter())
            elif self._takes("["):
                selects.append(self._bracketed())
            else:
                raise PathFault(f"'[?(' expected but {_found(self._text, self._at)} found")
        return selects

    def _takes(self, token: str) -> bool:
        if self._text.startswith(token, self._at):
            self._at += len(token)
            return True
        return False

    def _name(self) -> str:
        match = _NAME.match(self._text, self._at)
        if match is None:
            found = _found(self._text, self._at)
            raise PathFault(f"string matching regex '{_NAME_PATTERN}' expected but {found} found")
        self._at = match.end()
        return match[0]

    def _bracketed(self) -> Select:
        if self._takes("*]"):
            return _elements
        names: list[str] = []
        while match := _QUOTED.match(self._text, self._at):
            names.append(_ESCAPED.sub(r"\1", match[1] if match[1] is not None else match[2]))
            self._at = match.end()
            if not self._takes(","):
                if not self._takes("]"):
                    raise PathFault(f"']' expected but {_found(self._text, self._at)} found")
                return _members(names)
        if numbers := _NUMBERS.match(self._text, self._at):
            self._at = numbers.end()
            return _at([int(number) for number in numbers[0][:-1].split(",")])
        if bounds := _SLICE.match(self._text, self._at):
            self._at = bounds.end()
            return _slice(*(None if bound is None else int(bound) for bound in bounds.groups()))
        raise PathFault(f"':' expected but {_found(self._text, self._at)} found")

    def _filter(self) -> Select:
        start = self._at + len("[?(")
        depth, quote = 1, ""
        for position in range(start, len(self._text)):
            char = self._text[position]
            if quote:
                quote = "" if char == quote and self._text[position - 1] != "\\" else quote
            elif char in "'\"":
                quote = char
            else:
                depth += (char == "(") - (char == ")")
            if depth == 0:
                break
        else:
            raise PathFault("')' expected but end of source found")
        self._at = position + 1
        if not self._takes("]"):
            raise PathFault(f"']' expected but {_found(self._text, self._at)} found")
        try:
            return _filtered(parse_filter(self._text[start:position], _filter_path))
        except FilterFault as fault:
            raise PathFault(str(fault)) from None


def _filter_path(text: str) -> JsonPath:
    return compile_path(f"${text[1:]}" if text.startswith("@") else text)


# --- what each part selects -----------------------------------------------------------------------------------------


def _children(value: Any, root: Any) -> Iterable[Any]:
    return list(value.values()) if isinstance(value, dict) else ()


def _elements(value: Any, root: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()


def _everything(value: Any, root: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(reversed(_inside(found)))


def _deep(name: str) -> Select:
    def select(value: Any, root: Any) -> Iterator[Any]:
        waiting = [value]
        while waiting:
            found = waiting.pop()
            if isinstance(found, dict) and name in found:
                yield found[name]
                waiting.extend(reversed([member for key, member in found.items() if key != name]))
            else:
                waiting.extend(reversed(_inside(found)))

    return select


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _member(name: str) -> Select:
    return _members([name])


def _members(names: list[str]) -> Select:
    def select(value: Any, root: Any) -> Iterable[Any]:
        return [value[name] for name in names if name in value] if isinstance(value, dict) else ()

    return select


def _at(indexes: list[int]) -> Select:
    def select(value: Any, root: Any) -> Iterable[Any]:
        if not isinstance(value, list):
            return ()
        return [value[index] for index in indexes if -len(value) <= index < len(value)]

    return select


def _slice(start: int | None = None, end: int | None = None, step: int | None = None) -> Select:
    def select(value: Any, root: Any) -> Iterable[Any]:
        return value[start : end : step or 1] if isinstance(value, list) else ()

    return select


def _filtered(accepts: Filter) -> Select:
    def select(value: Any, root: Any) -> Iterable[Any]:
        return [item for item in value if accepts(item, root)] if isinstance(value, list) else ()

    return select
