"""Sets of characters in a Java regular expression: escapes such as ``\\d`` and ``\\p{L}``, and brackets.

The parser of whole expressions (:mod:`snowetl.jvm.regex`) goes on from here.
"""

from __future__ import annotations

from snowetl.jvm import regex_charset as charset
from snowetl.jvm.regex_charset import Ranges

_MAX_NESTING = 100
_SIMPLE_ESCAPES = {"t": 9, "n": 10, "r": 13, "f": 12, "a": 7, "e": 27}
_CLASS_ESCAPES: dict[str, Ranges] = {
    "d": charset.DIGIT,
    "w": charset.WORD,
    "s": charset.SPACE,
    "h": charset.HORIZONTAL,
    "v": charset.VERTICAL,
}
_UNICODE_ESCAPES = {"d": r"\p{Nd}", "w": r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]", "s": r"\p{White_Space}"}
_CASES = ("Lu", "Ll", "Lt")
_JAVA_METHODS = {
    "javaLowerCase": "Lowercase",
    "javaUpperCase": "Uppercase",
    "javaAlphabetic": "Alphabetic",
    "javaLetter": "L",
    "javaDigit": "Nd",
    "javaWhitespace": "White_Space",
    "javaTitleCase": "Lt",
}


class PatternFault(ValueError):
    """Not a Java regular expression."""


class Flags:
    """Inline flags in force; a group works on a copy."""

    def __init__(self, letters: frozenset[str] = frozenset()) -> None:
        self.letters = letters

    def __contains__(self, letter: str) -> bool:
        return letter in self.letters

    def copy(self) -> Flags:
        return Flags(self.letters)


class SetParser:
    """A place in a pattern, and what reads sets of characters from there."""

    def __init__(self, pattern: str) -> None:
        self.text = pattern
        self.at = 0
        self.unicode = False
        """Whether something is there that only the ``regex`` package can say."""

    @property
    def done(self) -> bool:
        return self.at >= len(self.text)

    def fault(self, what: str) -> PatternFault:
        index = min(self.at, max(len(self.text) - 1, 0))
        return PatternFault(f"{what} near index {index}\n{self.text}\n{' ' * index}^")

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self, what: str) -> bool:
        if self.text.startswith(what, self.at):
            self.at += len(what)
            return True
        return False

    # --- escapes --------------------------------------------------------------------------------------------------

    def _class_escape(self, flags: Flags) -> tuple[Ranges | None, str]:
        """``\\d`` and its like, ``\\p``: as ranges, or as text that needs the ``regex`` package."""
        char = self._peek()
        lower = char.lower()
        if lower in _CLASS_ESCAPES and char in "dDwWsShHvV":
            self.at += 1
            if "U" in flags and lower in _UNICODE_ESCAPES:
                self.unicode = True
                text = _UNICODE_ESCAPES[lower]
                return None, text if char == lower else f"[^{text}]"
            ranges = _CLASS_ESCAPES[lower]
            return ranges if char == lower else charset.complement(ranges), ""
        if lower == "p":
            self.at += 1
            return self._property(negated=char == "P", flags=flags)
        return None, ""

    def _property(self, negated: bool, flags: Flags) -> tuple[Ranges | None, str]:
        if self._take("{"):
            end = self.text.find("}", self.at)
            if end < 0:
                raise self.fault("Unclosed character family")
            name = self.text[self.at : end]
            self.at = end + 1
        else:
            name = self._peek()
            self.at += 1
        if not name:
            raise self.fault("Empty character family")
        if name in charset.POSIX and "U" not in flags:
            ranges = charset.POSIX[name]
            return charset.complement(ranges) if negated else ranges, ""
        self.unicode = True
        found = self._unicode_name(name)
        if "i" in flags and found in _CASES:
            cases = "".join(f"\\p{{{case}}}" for case in _CASES)
            return None, f"[{'^' if negated else ''}{cases}]"
        return None, f"\\{'P' if negated else 'p'}{{{found}}}"

    def _unicode_name(self, name: str) -> str:
        kind, equals, value = name.partition("=")
        if equals:
            known = {"sc": "Script", "script": "Script", "blk": "Block", "block": "Block", "gc": "General_Category",
                     "general_category": "General_Category"}  # fmt: skip
            if kind.lower() not in known:
                raise self.fault(f"Unknown Unicode property {{name=<{kind}>, value=<{value}>}}")
            found = f"{known[kind.lower()]}={value}"
        elif name in charset.CATEGORIES or name in charset.POSIX:
            found = name
        elif name in _JAVA_METHODS:
            found = _JAVA_METHODS[name]
        elif name == "LC":
            found = "L&"
        elif name.startswith("In"):
            found = f"Block={name[2:]}"
        elif name.startswith("Is"):
            found = name[2:]
        else:
            raise self.fault(f"Unknown character property name {{{name}}}")
        if not _known_to_regex(found):
            raise self.fault(f"Unknown character property name {{{name}}}")
        return found

    def _character(self) -> int:
        """The rest of an escape that stands for one character."""
        char = self._peek()
        self.at += 1
        if char in _SIMPLE_ESCAPES:
            return _SIMPLE_ESCAPES[char]
        if char == "0":
            digits = self._run("01234567", 3)
            if len(digits) == 3 and digits[0] > "3":
                digits = digits[:2]
                self.at -= 1
            if not digits:
                raise self.fault("Illegal octal escape sequence")
            return int(digits, 8)
        if char == "x":
            if self._take("{"):
                end = self.text.find("}", self.at)
                digits = self.text[self.at : end] if end >= 0 else ""
                self.at = end + 1
                if not is_hex(digits) or int(digits, 16) > charset.MAX_CODE:
                    raise self.fault("Illegal hexadecimal escape sequence")
                return int(digits, 16)
            return self._hex(2, "Illegal hexadecimal escape sequence")
        if char == "u":
            code = self._hex(4, "Illegal Unicode escape sequence")
            if 0xD800 <= code < 0xDC00 and self.text.startswith("\\u", self.at):
                low = self.text[self.at + 2 : self.at + 6]
                if is_hex(low) and 0xDC00 <= int(low, 16) < 0xE000:
                    self.at += 6
                    return 0x10000 + ((code - 0xD800) << 10) + int(low, 16) - 0xDC00
            return code
        if char == "c":
            control = self._peek()
            if not control:
                raise self.fault("Illegal control escape sequence")
            self.at += 1
            return ord(control) ^ 64
        if char.isascii() and char.isalpha():
            raise self.fault("Illegal/unsupported escape sequence")
        return ord(char)

    def _run(self, alphabet: str, most: int) -> str:
        start = self.at
        while self.at - start < most and self._peek() and self._peek() in alphabet:
            self.at += 1
        return self.text[start : self.at]

    def _hex(self, width: int, complaint: str) -> int:
        digits = self.text[self.at : self.at + width]
        if len(digits) < width or not is_hex(digits):
            raise self.fault(complaint)
        self.at += width
        return int(digits, 16)

    # --- brackets -------------------------------------------------------------------------------------------------

    def _bracket(self, flags: Flags, depth: int) -> tuple[Ranges, list[str]]:
        """From ``[`` to its ``]``: ranges, and what only the ``regex`` package can say (unions of both)."""
        if depth > _MAX_NESTING:
            raise self.fault("Nested too deeply")
        self.at += 1
        negated = self._take("^")
        ranges: Ranges = []
        texts: list[str] = []
        first = True
        while True:
            if self.done:
                raise self.fault("Unclosed character class")
            char = self._peek()
            if char == "]" and not first:
                self.at += 1
                break
            if char == "[":
                inner_ranges, inner_texts = self._bracket(flags, depth + 1)
                ranges, texts = [*ranges, *inner_ranges], [*texts, *inner_texts]
            elif self._take("&&"):
                while self._take("&&"):
                    pass
                if self._peek() == "]" and first:
                    raise self.fault("Bad class syntax")
                right = self._intersected(flags, depth)
                ranges, texts = _intersect((ranges, texts), right)
            else:
                more_ranges, more_text = self._class_member(flags)
                ranges = [*ranges, *more_ranges]
                texts = [*texts, more_text] if more_text else texts
            first = False
        if not negated:
            return ranges, texts
        if not texts:
            return charset.complement(ranges), []
        return [], [f"[^{union(ranges, texts)}]"]

    def _intersected(self, flags: Flags, depth: int) -> tuple[Ranges, list[str]]:
        """The right side of ``&&``: everything up to the next ``&&`` or the end of the class."""
        ranges: Ranges = []
        texts: list[str] = []
        while not self.done and self._peek() != "]" and not self.text.startswith("&&", self.at):
            if self._peek() == "[":
                more_ranges, more_texts = self._bracket(flags, depth + 1)
                ranges, texts = [*ranges, *more_ranges], [*texts, *more_texts]
            else:
                member, text = self._class_member(flags)
                ranges = [*ranges, *member]
                texts = [*texts, text] if text else texts
        return ranges, texts

    def _class_member(self, flags: Flags) -> tuple[Ranges, str]:
        if self._peek() == "\\":
            if self.text.startswith("\\Q", self.at):
                end = self.text.find("\\E", self.at)
                quoted = self.text[self.at + 2 : end if end >= 0 else len(self.text)]
                self.at = end + 2 if end >= 0 else len(self.text)
                return self._cased([(ord(char), ord(char)) for char in quoted], flags), ""
            self.at += 1
            if self.done:
                raise self.fault("Illegal/unsupported escape sequence")
            ranges, text = self._class_escape(flags)
            if text or ranges is not None:
                return ranges or [], text
            low = self._character()
        else:
            low = ord(self._peek())
            self.at += 1
        following = self.text[self.at + 1 : self.at + 2]
        if self._peek() == "-" and following and following not in "[]":
            self.at += 1
            if self._take("\\"):
                if self.done or self._peek() in "dDwWsShHvVpP":
                    raise self.fault("Illegal character range")
                high = self._character()
            else:
                high = ord(self._peek())
                self.at += 1
            if high < low:
                raise self.fault("Illegal character range")
            return self._cased([(low, high)], flags), ""
        return self._cased([(low, low)], flags), ""

    @staticmethod
    def _cased(ranges: Ranges, flags: Flags) -> Ranges:
        return charset.both_cases(ranges) if "i" in flags else ranges


def union(ranges: Ranges, texts: list[str]) -> str:
    parts = [*texts, *([charset.bracket(ranges)] if ranges else [])]
    return parts[0] if len(parts) == 1 else "[" + "".join(parts) + "]"


def _intersect(left: tuple[Ranges, list[str]], right: tuple[Ranges, list[str]]) -> tuple[Ranges, list[str]]:
    if not left[1] and not right[1]:
        return charset.intersection(left[0], right[0]), []
    if not any(left):
        return right
    if not any(right):
        return left
    return [], [f"[[{union(*left)}]&&[{union(*right)}]]"]


def is_hex(text: str) -> bool:
    return bool(text) and all(char in "0123456789abcdefABCDEF" for char in text)


def _known_to_regex(name: str) -> bool:
    import regex

    try:
        regex.compile(f"\\p{{{name}}}", regex.V1)
    except regex.error:
        return False
    return True
