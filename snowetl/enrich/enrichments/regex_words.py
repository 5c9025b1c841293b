"""What a regular expression reveals without matching it: which words a text must contain for it to match, by which
most rules are ruled out, cheaply; and what it would match if all digits were the same.
"""

from __future__ import annotations

import re

_ZERO_WIDTH_ESCAPES = "bBAzZG"
_CLASS_ESCAPES = "dDwWsShHvV"
_NAMES_OF_ONE_CHARACTER = "tnrfae"
_QUANTIFIERS = "*+?{"
_SHORTEST = 2
_MOST_WORDS = 200

Words = frozenset[str]
"""At least one of these stands in the text."""

_NONE: Words = frozenset()


class _Unsure(ValueError):
    """Syntax this module does not follow."""


def required_words(pattern: str) -> list[Words]:
    """Sets of lower-case words: of each, one stands in every (lower-cased) text that ``pattern`` matches."""
    try:
        scanner = _Scanner(pattern)
        found = scanner.alternatives()
        return found if scanner.done else []
    except (_Unsure, RecursionError):
        return []


_PIECE = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\{[0-9]+,?[0-9]*\}|.", re.DOTALL)
_NOT_FOLLOWED = re.compile(r"\(\?[^:=]|[*+?}]\+|&&|\[\^?\]|\[[^\]]*\[|\\[^dDwWsSbB\W_]")
"""Looks that must not match, flags, atomic groups, possessive quantifiers, classes within classes, other escapes."""
_DIGIT = re.compile("[0-9]")


def of_zeros(pattern: str) -> str | None:
    """A pattern that matches a text with a zero for each digit, if ``pattern`` matches that text with any digits.

    It is ``pattern`` itself if that does not tell digits apart. ``None`` for syntax this function does not follow.
    """
    if _NOT_FOLLOWED.search(pattern):
        return None
    pieces = []
    for piece in _PIECE.findall(pattern):
        if _DIGIT.fullmatch(piece):
            piece = "0"
        elif len(piece) > 1 and piece[0] == "[" and _DIGIT.search(piece.replace("0-9", "")):
            if piece[1] in "^-":
                return None
            piece = f"[0{piece[1:]}"
        pieces.append(piece)
    return "".join(pieces)


def shortest(words: Words) -> int:
    return min(map(len, words), default=0)


class _Scanner:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    @property
    def done(self) -> bool:
        return self.at >= len(self.pattern)

    def _peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def alternatives(self) -> list[Words]:
        """Up to a closing parenthesis or the end. Of several alternatives each must have words, or there are none."""
        found = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            found.append(self._sequence())
        if len(found) == 1:
            return found[0]
        best = [max(clauses, key=shortest, default=_NONE) for clauses in found]
        union = _NONE.union(*best)
        return [union] if all(best) and len(union) <= _MOST_WORDS else []

    def _sequence(self) -> list[Words]:
        clauses: list[Words] = []
        run = ""

        def close() -> None:
            nonlocal run
            if len(run) >= _SHORTEST:
                clauses.append(frozenset((run,)))
            run = ""

        while not self.done and self._peek() not in "|)":
            char, group, zero_width = self._atom()
            optional, repeated = self._quantifier()
            if char and not optional:
                run += char.lower()
            if repeated or not (char or zero_width):
                close()
            if not optional:
                clauses += group
        close()
        return clauses

    def _atom(self) -> tuple[str, list[Words], bool]:
        """One literal character, or the words of a group, or neither; and whether it takes no room."""
        char = self.pattern[self.at]
        self.at += 1
        if char == "\\":
            return self._escape()
        if char == "[":
            return self._class(), [], False
        if char == "(":
            return "", self._group(), False
        if char in "^$":
            return "", [], True
        return "" if char == "." else char, [], False

    def _escape(self) -> tuple[str, list[Words], bool]:
        char = self._peek()
        self.at += 1
        if not char.isalnum():
            return char, [], False
        if char in _ZERO_WIDTH_ESCAPES:
            return "", [], True
        if char in _CLASS_ESCAPES + _NAMES_OF_ONE_CHARACTER:
            return "", [], False
        raise _Unsure

    def _class(self) -> str:
        """The letter a class like ``[Bb]`` stands for, else nothing."""
        start = self.at
        if self._peek() == "^":
            self.at += 1
        if self._peek() == "]":
            self.at += 1
        while self._peek() != "]":
            if self.done or self._peek() == "[" or self.pattern.startswith("&&", self.at):
                raise _Unsure
            self.at += 2 if self._peek() == "\\" else 1
        self.at += 1
        members = self.pattern[start : self.at - 1]
        letter = members[:1].lower()
        return letter if letter.isalnum() and members.isascii() and set(members.lower()) == {letter} else ""

    def _group(self) -> list[Words]:
        looks = False
        if self._peek() == "?":
            if self.pattern.startswith("?:", self.at):
                self.at += 2
            elif self.pattern.startswith(("?=", "?!"), self.at):
                self.at += 2
                looks = True
            else:
                raise _Unsure
        clauses = self.alternatives()
        if self._peek() != ")":
            raise _Unsure
        self.at += 1
        return [] if looks else clauses

    def _quantifier(self) -> tuple[bool, bool]:
        """Whether the atom before may be missing, and whether it has a quantifier at all."""
        char = self._peek()
        if not char or char not in _QUANTIFIERS:
            return False, False
        end = self.at + 1
        optional = char in "*?"
        if char == "{":
            end = self.pattern.find("}", self.at) + 1
            least = self.pattern[self.at + 1 : end - 1].partition(",")[0]
            if not least.isdecimal():
                raise _Unsure
            optional = int(least) == 0
        self.at = end
        if self._peek() in ("?", "+"):
            self.at += 1
        return optional, True
