"""Jayway JsonPath 2.7.0 with its exceptions suppressed: the places a path selects in a JSON document.

:func:`compile_path` reads a path, ``JsonPath.places`` finds what it selects. A place is (container, key), so that a
caller can read and replace the value. A path that ends in a function (``$.list.length()``) selects, for a change, what
the function is asked of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cmp_to_key
from typing import Any, NamedTuple

from snowetl.jvm.json_path_filter import Filter, FilterFault, parse_filter

Container = dict[str, Any] | list[Any]
Place = tuple[Container, str | int]
Token = Callable[[Any, Any], Iterable[Place]]
"""From a value and the whole document to the places below it."""

_QUOTES = "'\""
_AGGREGATES = frozenset(("min", "max", "avg", "sum", "stddev"))
"""Functions of numbers: on all else Jayway throws."""
_SIZES = frozenset(("length", "size"))
_NULL_OF: dict[str, tuple[type, ...]] = {"length": (str,), "size": (str,), "keys": (str, list)}
"""What functions say null of: it is left alone."""


class _Step(NamedTuple):
    """A token; in a scan (``..``), what it is there if it is the last one, and if others follow."""

    token: Token
    scanned: Token
    scanned_inside: Token
    merges: bool = False
    """Whether it names several properties, which Jayway changes as one."""


class PathFault(ValueError):
    """A path that Jayway refuses, or that asks for what is not supported here. The message says why."""


class JsonPath:
    """A compiled path."""

    def __init__(self, text: str, tokens: list[Token], merges: bool = False, function: str = "") -> None:
        self.text = text
        self._tokens = tokens
        self._merges = merges
        self._function = function

    def places(self, document: Any, root: Any = None) -> list[Place]:
        """The selected places in Jayway's order. ``root`` is what ``$`` in filters stands for: the document."""
        values: list[Any] = [document]
        places: list[Place] = []
        root = document if root is None else root
        for token in self._tokens:
            places = [place for value in values for place in token(value, root)]
            values = [container[key] for container, key in places]  # type: ignore[index]
        return places

    def updates(self, document: Any) -> list[Place]:
        """The selected places in the order in which Jayway changes them: by key, the last first."""
        places = self.places(document)
        null_of = _NULL_OF.get(self._function, ())
        if null_of and all(isinstance(container[key], null_of) for container, key in places):  # type: ignore[index]
            return []
        return places if self._merges or len(places) < 2 else sorted(places, key=_BY_KEY)

    def values(self, document: Any, root: Any = None) -> list[Any]:
        """The selected values, or what the path's function says of them; the document itself for the path ``$``."""
        values = [document]
        if self._tokens:
            values = [container[key] for container, key in self.places(document, root)]  # type: ignore[index]
        if not self._function:
            return values
        if self._function not in _SIZES:
            return []
        return [len(value) if isinstance(value, (dict, list)) else None for value in values]

    @property
    def is_root(self) -> bool:
        """Whether what it selects for a change is the document itself."""
        return not self._tokens


def compile_path(text: str) -> JsonPath:
    """Read a path such as ``$.user.email``, ``$.items[*].id`` or ``$..email``. Raises :class:`PathFault`."""
    path = text.strip()
    if not path.startswith(("$", "@")):
        path = f"$.{path}"
    if path.endswith(".") and len(path) > 1:
        raise PathFault("a path must not end with a '.' or '..'")
    compiler = _Compiler(path)
    tokens, merges = compiler.tokens()
    return JsonPath(text, tokens, merges, compiler.function)


def _compare_keys(one: Place, other: Place) -> int:
    left, right = one[1], other[1]
    if isinstance(left, int) and isinstance(right, int):
        return right - left
    texts = str(right).encode("utf-16-be", "surrogatepass"), str(left).encode("utf-16-be", "surrogatepass")
    return (texts[0] > texts[1]) - (texts[0] < texts[1])


_BY_KEY = cmp_to_key(_compare_keys)


class _Compiler:
    def __init__(self, path: str) -> None:
        self._path = path
        self._at = 1
        self.function = ""

    def tokens(self) -> tuple[list[Token], bool]:
        """The tokens, and whether the last one names several properties."""
        tokens: list[Token] = []
        scans = merges = False
        while self._at < len(self._path):
            char = self._path[self._at]
            if char == "." and self._path.startswith("..", self._at):
                self._at += 2
                scans = True
                if self._at < len(self._path) and self._path[self._at] == "[":
                    continue
                step = self._dotted()
            elif char == ".":
                self._at += 1
                if self._at < len(self._path) and self._path[self._at] == "[":
                    continue
                step = self._dotted()
            elif char == "[":
                step = self._bracketed()
            elif scans or self._at == 1:
                step = self._dotted()
            else:
                raise PathFault(f"unexpected '{char}' at position {self._at} of {self._path}")
            if step is None:
                break
            is_last = self._at == len(self._path)
            tokens.append(_scan(step.scanned if is_last else step.scanned_inside) if scans else step.token)
            scans, merges = False, step.merges
        return tokens, merges

    def _dotted(self) -> _Step | None:
        """A property, or ``None`` for a function, which looks at what is selected so far."""
        start = self._at
        while self._at < len(self._path) and self._path[self._at] not in ".[ (":
            self._at += 1
        name = self._path[start : self._at]
        rest = self._path[self._at :]
        if rest.startswith(" "):
            raise PathFault(f"use brackets, ['my name'], for a name with blanks: {self._path}")
        if rest.startswith("("):
            if not rest.endswith(")"):
                raise PathFault(f"the arguments of {name} do not end: {self._path}")
            self._at = len(self._path)
            self.function = name
            return _plain(_nothing) if name in _AGGREGATES else None
        if not name:
            raise PathFault(f"an empty name at position {start} of {self._path}")
        return _plain(_wildcard if name == "*" else _property(name))

    def _bracketed(self) -> _Step:
        end = self._end_of_bracket()
        inside = self._path[self._at + 1 : end].strip()
        self._at = end + 1
        if inside == "*":
            return _plain(_wildcard)
        if inside.startswith(tuple(_QUOTES)):
            names = _quoted_names(inside, self._path)
            if len(names) == 1:
                return _plain(_property(names[0]))
            some = _properties(names)
            return _Step(some, _all_properties(names), some, merges=True)
        if inside.startswith("?"):
            accepts = self._filter(inside[1:].strip())
            scanned = _scanned_filter(accepts)
            return _Step(_filtered(accepts), scanned, scanned)
        if ":" in inside:
            token = _slice(*(self._bound(part) for part in _two(inside, self._path)))
        else:
            token = _indexes([self._number(part) for part in inside.split(",")])
        return _Step(token, token, _elements)

    def _end_of_bracket(self) -> int:
        depth, quote = 0, ""
        position = self._at
        while position < len(self._path):
            char = self._path[position]
            if quote:
                if char == "\\":
                    position += 1
                elif char == quote:
                    quote = ""
            elif char in _QUOTES:
                quote = char
            elif char == "[":
                depth += 1
            elif char == "]":
                depth -= 1
                if depth == 0:
                    return position
            position += 1
        raise PathFault(f"a '[' without its ']': {self._path}")

    def _filter(self, text: str) -> Filter:
        if not (text.startswith("(") and text.endswith(")")):
            raise PathFault(f"a filter is written [?(…)]: {self._path}")
        try:
            return parse_filter(text[1:-1], compile_path)
        except FilterFault as fault:
            raise PathFault(f"{fault}: {self._path}") from None

    def _number(self, text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise PathFault(f"'{text.strip()}' is not an index: {self._path}") from None

    def _bound(self, text: str) -> int | None:
        return self._number(text) if text.strip() else None


def _two(text: str, path: str) -> tuple[str, str]:
    start, _, end = text.partition(":")
    if ":" in end or not (start.strip() or end.strip()):
        raise PathFault(f"a slice is written [1:], [:2] or [1:2]: {path}")
    return start, end


def _quoted_names(text: str, path: str) -> list[str]:
    """Names of ``'a', "b"``; a backslash takes the next character as it is."""
    names: list[str] = []
    position = 0
    while position < len(text):
        quote = text[position]
        if quote not in _QUOTES:
            raise PathFault(f"a quoted name is missing at '{text[position:]}': {path}")
        chars: list[str] = []
        position += 1
        while position < len(text) and text[position] != quote:
            position += text[position] == "\\"
            chars.append(text[position : position + 1])
            position += 1
        names.append("".join(chars))
        rest = text[position + 1 :].lstrip()
        if not rest:
            break
        if not rest.startswith(","):
            raise PathFault(f"a ',' is missing before '{rest}': {path}")
        position = len(text) - len(rest[1:].lstrip())
    return names


# --- what tokens select ---------------------------------------------------------------------------------------------


def _plain(token: Token) -> _Step:
    """A token that is the same everywhere."""
    return _Step(token, token, token)


def _nothing(value: Any, root: Any) -> Iterable[Place]:
    return ()


def _wildcard(value: Any, root: Any) -> Iterable[Place]:
    if isinstance(value, dict):
        return [(value, key) for key in value]
    if isinstance(value, list):
        return [(value, index) for index in range(len(value))]
    return ()


def _property(name: str) -> Token:
    def select(value: Any, root: Any) -> Iterable[Place]:
        return ((value, name),) if isinstance(value, dict) and name in value else ()

    return select


def _properties(names: list[str]) -> Token:
    def select(value: Any, root: Any) -> Iterable[Place]:
        return [(value, name) for name in names if name in value] if isinstance(value, dict) else ()

    return select


def _all_properties(names: list[str]) -> Token:
    """In a scan: only of objects that have all of them."""

    def select(value: Any, root: Any) -> Iterable[Place]:
        return [(value, name) for name in names] if isinstance(value, dict) and value.keys() >= set(names) else ()

    return select


def _elements(value: Any, root: Any) -> Iterable[Place]:
    """All elements: how a scan reads places in an array if the path continues behind them."""
    return [(value, index) for index in range(len(value))] if isinstance(value, list) else ()


def _indexes(wanted: list[int]) -> Token:
    def select(value: Any, root: Any) -> Iterable[Place]:
        if not isinstance(value, list):
            return ()
        size = len(value)
        return [(value, index % size) for index in wanted if -size <= index < size]

    return select


def _slice(start: int | None, end: int | None) -> Token:
    def select(value: Any, root: Any) -> Iterable[Place]:
        if not isinstance(value, list):
            return ()
        size = len(value)
        if end is None:
            first = start or 0
            return [(value, index) for index in range(max(first + size if first < 0 else first, 0), size)]
        if start is None:
            return [(value, index) for index in range(min(end + size if end < 0 else end, size))]
        return [(value, index % size) for index in range(start, min(end, size)) if -size <= index < size]

    return select


def _filtered(accepts: Filter) -> Token:
    """Of a list, the elements that pass; an object passes itself (its place is of no use for changes)."""

    def select(value: Any, root: Any) -> Iterable[Place]:
        if isinstance(value, list):
            return [(value, index) for index, item in enumerate(value) if accepts(item, root)]
        return (([value], 0),) if isinstance(value, dict) and accepts(value, root) else ()

    return select


def _scanned_filter(accepts: Filter) -> Token:
    """In a scan a filter looks at each value itself; elements of a list are asked only where the list passes, too."""
    select = _filtered(accepts)

    def scanned(value: Any, root: Any) -> Iterable[Place]:
        return select(value, root) if isinstance(value, dict) or accepts(value, root) else ()

    return scanned


def _scan(token: Token) -> Token:
    """``..``: the token at every value of the document, outer ones first."""

    def select(value: Any, root: Any) -> Iterable[Place]:
        return [place for found in _descendants(value) for place in token(found, root)]

    return select


def _descendants(value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        found = waiting.pop()
        yield found
        if isinstance(found, dict):
            waiting.extend(reversed(found.values()))
        elif isinstance(found, list):
            waiting.extend(reversed(found))
