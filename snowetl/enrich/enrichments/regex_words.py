"""Which words a text must contain for a regular expression to match: most rules are ruled out by them, cheaply."""

from __future__ import annotations

_ZERO_WIDTH_ESCAPES = "bBAzZG"
_CLASS_ESCAPES = "dDwWsShHvV"
_NAMES_OF_ONE_CHARACTER = "tnrfae"
_QUANTIFIERS = "*+?{"


class _Unsure(ValueError):
    """Syntax this module does not follow."""


Words = frozenset[str]
"""At least one of these stands in the text."""


def required_words(pattern: str) -> Words:
    """Lower-case words one of which stands in every (lower-cased) text ``pattern`` matches; empty if none is sure."""
    try:
        scanner = _Scanner(pattern)
        words = scanner.alternatives()
        if not scanner.done:
            return frozenset()
    except (_Unsure, RecursionError):
        return frozenset()
    return frozenset(word.lower() for word in words)


class _Scanner:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    @property
    def done(self) -> bool:
        return self.at >= len(self.pattern)

    def _peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def alternatives(self) -> Words:
        """Up to a closing parenthesis or the end. Each alternative must have words, or there are none."""
        found = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            found.append(self._sequence())
        return frozenset().union(*found) if all(found) else frozenset()

    def _sequence(self) -> Words:
        best: Words = frozenset()
        run = ""
        while not self.done and self._peek() not in "|)":
            char, group = self._atom()
            optional, repeated = self._quantifier()
            if char and not optional:
                run += char
            if not char or optional or repeated:
                best = _better(best, frozenset((run,)))
                run = ""
            if group and not optional:
                best = _better(best, group)
        return _better(best, frozenset((run,)))

    def _atom(self) -> tuple[str, Words]:
        """One literal character, or the words of a group, or neither (anything else); zero-width atoms are a group."""
        char = self.pattern[self.at]
        self.at += 1
        if char == "\\":
            return self._escape(), frozenset()
        if char == "[":
            self._skip_class()
            return "", frozenset()
        if char == "(":
            return "", self._group()
        if char in ".^$":
            return "", frozenset()
        return char, frozenset()

    def _escape(self) -> str:
        char = self._peek()
        self.at += 1
        if not char.isalnum():
            return char
        if char in _ZERO_WIDTH_ESCAPES + _CLASS_ESCAPES + _NAMES_OF_ONE_CHARACTER:
            return ""
        raise _Unsure

    def _skip_class(self) -> None:
        if self._peek() == "^":
            self.at += 1
        if self._peek() == "]":
            self.at += 1
        while self._peek() != "]":
            if self.done or self._peek() == "[" or self.pattern.startswith("&&", self.at):
                raise _Unsure
            self.at += 2 if self._peek() == "\\" else 1
        self.at += 1

    def _group(self) -> Words:
        looks = False
        if self._peek() == "?":
            if self.pattern.startswith("?:", self.at):
                self.at += 2
            elif self.pattern.startswith(("?=", "?!"), self.at):
                self.at += 2
                looks = True
            else:
                raise _Unsure
        words = self.alternatives()
        if self._peek() != ")":
            raise _Unsure
        self.at += 1
        return frozenset() if looks else words

    def _quantifier(self) -> tuple[bool, bool]:
        """Whether the atom before may be missing, and whether it may repeat."""
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


def _better(one: Words, other: Words) -> Words:
    """The one whose shortest word is longer; of those alike, the one with fewer words."""
    return max(one, other, key=lambda words: (min(map(len, words), default=0), -len(words)))
