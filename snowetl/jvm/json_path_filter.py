"""Filters of JSON paths, ``[?(@.price < 10 && @.kind == 'tea')]``, as functions: Jayway's (2.7.0), and Gatling's."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple, Protocol

from snowetl.jvm import jsontext
from snowetl.jvm.strings import utf16_length

Filter = Callable[[Any, Any], bool]
Operand = Callable[[Any, Any], Any]
"""From an item and the whole document to a value; ``UNDEFINED`` where a path finds nothing."""

UNDEFINED = object()
_WORDS = ("in", "nin", "contains", "size", "empty", "subsetof", "anyof", "noneof")
_OPERATOR = re.compile(rf"\s*(===?|!==?|<=|>=|<|>|=~|(?:{'|'.join(_WORDS)})(?=[\s\[]))\s*", re.IGNORECASE)
_REGEX = re.compile(r"/((?:[^/\\]|\\.)*)/([idmsuxU]*)")
_LITERAL_END = re.compile(r"\s*(?:&&|\|\||\)|$)")
_BLANKS = re.compile(r"\s*")
_SINGLE_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'((?:[^'\\]|\\.)*)'")


class FilterFault(ValueError):
    """A filter that cannot be read. The message says where."""


class _NotComparable(Exception):
    """An operator was given what it does not take: the item does not pass, whatever the rest of the filter says."""


class _Written(NamedTuple):
    """A list or an object that stands in the filter itself. Jayway reads no others: see :data:`_JAYWAY`."""

    value: Any


class Path(Protocol):
    def values(self, document: Any, root: Any = None) -> list[Any]: ...


Comparisons = dict[str, Callable[[Any, Any], bool]]


def parse_filter(text: str, compile_path: Callable[[str], Path], comparisons: Comparisons | None = None) -> Filter:
    """Read what stands between ``?(`` and ``)``. ``comparisons`` are the operators of the dialect: by default Jayway's.

    Raises :class:`FilterFault`.
    """
    parser = _Parser(text, compile_path, JAYWAY if comparisons is None else comparisons)
    found = parser.disjunction()
    parser.skip_blanks()
    if parser.at < len(text):
        raise FilterFault(f"cannot read '{text[parser.at :]}' in the filter")

    def keeps(item: Any, root: Any) -> bool:
        try:
            return found(item, root)
        except _NotComparable:
            return False

    return keeps


class _Parser:
    def __init__(self, text: str, compile_path: Callable[[str], Path], comparisons: Comparisons) -> None:
        self.text = text
        self.at = 0
        self._compile = compile_path
        self._comparisons = comparisons

    def skip_blanks(self) -> None:
        match = _BLANKS.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def disjunction(self) -> Filter:
        terms = [self._conjunction()]
        while self._takes("||"):
            terms.append(self._conjunction())
        return terms[0] if len(terms) == 1 else lambda item, root: any(term(item, root) for term in terms)

    def _conjunction(self) -> Filter:
        terms = [self._term()]
        while self._takes("&&"):
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else lambda item, root: all(term(item, root) for term in terms)

    def _term(self) -> Filter:
        self.skip_blanks()
        if self.text.startswith("!", self.at) and not self.text.startswith("!=", self.at):
            self.at += 1
            inner = self._term()
            return lambda item, root: not inner(item, root)
        if self._takes("("):
            grouped = self.disjunction()
            if not self._takes(")"):
                raise FilterFault("a '(' without its ')' in the filter")
            return grouped
        return self._comparison()

    def _comparison(self) -> Filter:
        left = self._operand()
        match = _OPERATOR.match(self.text, self.at)
        if match is None:
            return lambda item, root: left(item, root) is not UNDEFINED
        self.at = match.end()
        compare = self._comparisons.get(match[1].lower())
        if compare is None:
            raise FilterFault(f"')]' expected but '{match[1][0]}' found")
        right = self._operand()
        return lambda item, root: compare(left(item, root), right(item, root))

    def _takes(self, token: str) -> bool:
        self.skip_blanks()
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def _operand(self) -> Operand:
        self.skip_blanks()
        char = self.text[self.at : self.at + 1]
        if char in ("@", "$") and char:
            return self._path()
        if char == "/":
            return _constant(self._regex())
        end = self._end_of_literal()
        text = self.text[self.at : end].strip()
        self.at = end
        try:
            value = jsontext.loads_exact(_SINGLE_QUOTED.sub(_double_quoted, text))
        except jsontext.JsonError:
            raise FilterFault(f"'{text}' in the filter is neither a path nor a value") from None
        return _constant(_Written(value) if isinstance(value, (list, dict)) else value)

    def _path(self) -> Operand:
        start = self.at
        depth, quote = 0, ""
        while self.at < len(self.text):
            char = self.text[self.at]
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            elif char in "[(":
                depth += 1
            elif char in "])" and depth:
                depth -= 1
            elif not depth and (char.isspace() or char in "=!<>&|)~"):
                break
            self.at += 1
        text = self.text[start : self.at]
        try:
            path = self._compile(text)
        except FilterFault:
            raise
        except ValueError as fault:
            raise FilterFault(str(fault)) from None
        from_item = text.startswith("@")

        def operand(item: Any, root: Any) -> Any:
            found = path.values(item if from_item else root, root)
            return found[0] if found else UNDEFINED

        return operand

    def _regex(self) -> re.Pattern[str]:
        match = _REGEX.match(self.text, self.at)
        if match is None:
            raise FilterFault("a regular expression in the filter does not end")
        self.at = match.end()
        flags = re.IGNORECASE if "i" in match[2] else 0
        try:
            return re.compile(match[1], flags)
        except re.error as fault:
            raise FilterFault(f"/{match[1]}/ in the filter: {fault}") from None

    def _end_of_literal(self) -> int:
        depth, quote = 0, ""
        for position in range(self.at, len(self.text)):
            char = self.text[position]
            if quote:
                quote = "" if char == quote and self.text[position - 1] != "\\" else quote
            elif char in "'\"":
                quote = char
            elif char == "[":
                depth += 1
            elif char == "]":
                depth -= 1
            elif not depth and (_LITERAL_END.match(self.text, position) or _OPERATOR.match(self.text, position)):
                return position
        return len(self.text)


def _double_quoted(match: re.Match[str]) -> str:
    return match[0] if match[1] is None else jsontext.quote(re.sub(r"\\(.)", r"\1", match[1]))


def _constant(value: Any) -> Operand:
    return lambda item, root: value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same(left: Any, right: Any) -> bool:
    if _is_number(left) and _is_number(right):
        return bool(left == right)
    return type(left) is type(right) and bool(left == right)


def equal(left: Any, right: Any) -> bool:
    """A text and a number are equal, too, if they read alike: by their letters, or by value if the number is left."""
    if _is_number(left):
        return bool(left == right) if _is_number(right) else isinstance(right, str) and _number_of(right) == left
    if isinstance(left, str) and _is_number(right):
        return left == jsontext.dumps(right)
    if isinstance(left, (list, dict)):
        return isinstance(right, (list, dict))
    if isinstance(left, _Written):
        return False
    return type(left) is type(right) and bool(left == right)


def _number_of(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _same_kind(left: Any, right: Any) -> bool:
    return isinstance(left, str) is isinstance(right, str) and equal(left, right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def check(left: Any, right: Any) -> bool:
        comparable = (_is_number(left) and _is_number(right)) or (isinstance(left, str) and isinstance(right, str))
        return comparable and compare(left, right)

    return check


def _matches(left: Any, right: Any) -> bool:
    return isinstance(left, str) and isinstance(right, re.Pattern) and right.fullmatch(left) is not None


def _listed(value: Any) -> list[Any] | None:
    """A list of the filter; ``None`` for other lists and objects. Raises :class:`_NotComparable` for all else."""
    if not isinstance(value, (_Written, list, dict)):
        raise _NotComparable
    return value.value if isinstance(value, _Written) and isinstance(value.value, list) else None


def _holds(listed: list[Any], item: Any) -> bool:
    return any(equal(item, one) for one in listed)


def _is_in(left: Any, right: Any) -> bool:
    listed = _listed(right)
    return listed is not None and _holds(listed, left)


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return isinstance(left, _Written) and isinstance(left.value, list) and _holds(left.value, right)


def _has_size(left: Any, right: Any) -> bool:
    if not _is_number(right):
        return False
    if isinstance(left, str):
        return utf16_length(left) == int(right)
    if isinstance(left, (_Written, list, dict)):
        listed = _listed(left)
        return (-1 if listed is None else len(listed)) == int(right)
    return False


def _is_empty(left: Any, right: Any) -> bool:
    if not isinstance(left, (str, _Written, list, dict)):
        return False
    if not isinstance(right, bool):
        raise _NotComparable
    return (not (left if isinstance(left, str) else _listed(left))) is right


def _of_lists(compare: Callable[[list[Any], list[Any]], bool]) -> Callable[[Any, Any], bool]:
    def check(left: Any, right: Any) -> bool:
        other = _listed(right)
        if other is None:
            return False
        listed = _listed(left)
        return listed is not None and compare(listed, other)

    return check


_JAYWAY: Comparisons = {
    "==": equal,
    "===": _same_kind,
    "!=": lambda left, right: not equal(left, right),
    "!==": lambda left, right: not _same_kind(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "=~": _matches,
    "in": _is_in,
    "nin": lambda left, right: not _is_in(left, right),
    "contains": _contains,
    "size": _has_size,
    "empty": _is_empty,
    "subsetof": _of_lists(lambda left, right: all(_holds(right, item) for item in left)),
    "anyof": _of_lists(lambda left, right: any(_holds(right, item) for item in left)),
    "noneof": _of_lists(lambda left, right: not any(_holds(right, item) for item in left)),
}
"""Lists and objects of a document reach Jayway's operators as nothing when it reads Jackson's JSON, as Enrich lets it.

They are all alike, empty, and without items; only what the filter itself lists counts.
"""


def _null_where_missing(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: compare(None if left is UNDEFINED else left, None if right is UNDEFINED else right)


def _false_where_missing(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: left is not UNDEFINED and right is not UNDEFINED and compare(left, right)


JAYWAY: Comparisons = {operator: _null_where_missing(compare) for operator, compare in _JAYWAY.items()}
"""What is not there is null."""
GATLING: Comparisons = {
    "==": _false_where_missing(_same),
    "!=": _false_where_missing(lambda left, right: not _same(left, right)),
    **{operator: _false_where_missing(_JAYWAY[operator]) for operator in ("<", "<=", ">", ">=")},
}
"""What is not there compares to nothing; a text is never a number."""
