"""Gatling's JsonPath 0.6.14, the dialect of the lookups in SQL and APIs: stricter than Jayway's, with its own corners.

A path starts with ``$``. ``$..name`` does not look inside what it finds; ``$..*`` gives the value itself, too, but no
elements of lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from snowetl.jvm.json_path_filter import GATLING, Filter, FilterFault, parse_filter

Select = Callable[[Any, Any], Iterable[Any]]
"""From a value and the whole document to the values selected in it."""

_NAME_PATTERN = r"[^\*\.\[\]\(\)=!<>\s]+"
_NAME = re.compile(_NAME_PATTERN)
_QUOTED = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")\s*")
_NUMBERS = re.compile(r"\s*-?\d+\s*(?:,\s*-?\d+\s*)*\]")
_SLICE = re.compile(r"\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?\]")
_BLANKS = re.compile(r"\s*", re.ASCII)
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
    parser = _Parser(text)
    if not parser.takes("$"):
        raise PathFault(f"'$' expected but {parser.found()} found")
    return JsonPath(parser.selects())


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def selects(self) -> list[Select]:
        selects: list[Select] = []
        while True:
            if self.takes(".."):
                if self.takes("[?("):
                    selects.append(_deep_filtered(self._filter()))
                else:
                    selects.append(_everything if self.takes("*") else _deep(self._name()))
            elif self.takes("."):
                selects.append(_children if self.takes("*") else _member(self._name()))
            elif self.takes("[?("):
                selects.append(_filtered(self._filter()))
            elif self.takes("["):
                selects.append(self._bracketed())
            elif self._at < len(self._text):
                raise PathFault(f"'[?(' expected but {self.found()} found")
            else:
                return selects

    def takes(self, token: str) -> bool:
        """Whether ``token`` comes next; blanks may stand before every token, and at the end."""
        self._at = _BLANKS.match(self._text, self._at).end()  # type: ignore[union-attr]
        if self._text.startswith(token, self._at):
            self._at += len(token)
            return True
        return False

    def found(self) -> str:
        """What stands where something else was expected."""
        return f"'{self._text[self._at]}'" if self._at < len(self._text) else "end of source"

    def _name(self) -> str:
        match = _NAME.match(self._text, _BLANKS.match(self._text, self._at).end())  # type: ignore[union-attr]
        if match is None:
            raise PathFault(f"string matching regex '{_NAME_PATTERN}' expected but {self.found()} found")
        self._at = match.end()
        return match[0]

    def _bracketed(self) -> Select:
        if self.takes("*"):
            if not self.takes("]"):
                raise PathFault(f"']' expected but {self.found()} found")
            return _elements
        names: list[str] = []
        while match := _QUOTED.match(self._text, self._at):
            names.append(_ESCAPED.sub(r"\1", match[1] if match[1] is not None else match[2]))
            self._at = match.end()
            if not self.takes(","):
                if not self.takes("]"):
                    raise PathFault(f"']' expected but {self.found()} found")
                return _members(names)
        if numbers := _NUMBERS.match(self._text, self._at):
            self._at = numbers.end()
            return _at([int(number) for number in numbers[0][:-1].split(",")])
        if bounds := _SLICE.match(self._text, self._at):
            self._at = bounds.end()
            return _slice(*(None if bound is None else int(bound) for bound in bounds.groups()))
        raise PathFault(f"':' expected but {self.found()} found")

    def _filter(self) -> Filter:
        start = self._at
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
        if not self.takes("]"):
            raise PathFault(f"']' expected but {self.found()} found")
        try:
            return parse_filter(self._text[start:position], _filter_path, GATLING)
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
    """The value itself, and the members of every object in it: all of one object, before those further in."""
    yield value
    waiting = [value]
    while waiting:
        inside = _inside(found := waiting.pop())
        if isinstance(found, dict):
            yield from inside
        waiting.extend(reversed(inside))


def _deep(name: str) -> Select:
    """Members of that name in the order of the document."""

    def select(value: Any, root: Any) -> Iterator[Any]:
        waiting: list[tuple[bool, Any]] = [(False, value)]
        while waiting:
            is_found, node = waiting.pop()
            if is_found:
                yield node
            elif isinstance(node, dict):
                waiting.extend([(key == name, member) for key, member in reversed(node.items())])
            elif isinstance(node, list):
                waiting.extend([(False, item) for item in reversed(node)])

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


def _deep_filtered(accepts: Filter) -> Select:
    """Of all values in a value, itself among them, the objects that pass."""

    def select(value: Any, root: Any) -> Iterator[Any]:
        waiting = [value]
        while waiting:
            found = waiting.pop()
            if isinstance(found, dict) and accepts(found, root):
                yield found
            waiting.extend(reversed(_inside(found)))

    return select
