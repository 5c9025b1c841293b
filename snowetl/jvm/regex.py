"""Java regular expressions, translated to Python's: same language, same faults, and an eye on what may run away.

Java searches, reads ``\\d \\w \\s`` as ASCII, lets ``$`` stand before a last line end, knows possessive quantifiers,
set operations in brackets, ``\\Q…\\E``, inline flags. Whatever Java refuses raises :class:`PatternFault` here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from snowetl.jvm import regex_charset as charset
from snowetl.jvm.regex_charset import Ranges
from snowetl.jvm.regex_sets import Flags, PatternFault, SetParser, union

__all__ = ["PatternFault", "Translation", "translate"]

_END = r"(?:\Z|(?=\r\n\Z)|(?=[\r\x85\u2028\u2029]\Z)|(?<!\r)(?=\n\Z))"
_LINE_START = r"(?:\A|(?<=[\n\x85\u2028\u2029])(?!\Z)|(?<=\r)(?!\n|\Z))"
_LINE_END = r"(?:\Z|(?=[\r\x85\u2028\u2029])|(?<!\r)(?=\n))"
_LINE_BREAK = r"(?>\r\n|[\n-\r\x85\u2028\u2029])"
_SMALL_REPEAT = 10
_MANY_CHOICES = 10
_MAX_NESTING = 100
_QUANTIFIERS = ("*", "+", "?", "{")
_SHORT_TIMES: dict[tuple[int, int | None], str] = {(0, None): "*", (1, None): "+", (0, 1): "?"}
_LOOKS = ("(?=", "(?!", "(?<=", "(?<!")


class Translation(NamedTuple):
    """A Python pattern. ``unicode``: it needs the ``regex`` package. The steps of a failing search grow as the length
    of the text to the power of ``1 + ambiguous``, or exponentially (``runaway``)."""

    source: str
    unicode: bool
    ambiguous: int
    runaway: bool
    names: Mapping[str, int]
    """The numbers of groups that have names."""


def translate(pattern: str) -> Translation:
    """Raises :class:`PatternFault`."""
    parser = _Parser(pattern)
    source = parser.expression(Flags(), 0).text
    if not parser.done:
        raise parser.fault("Unmatched closing ')'")
    runaway = parser.runaway or parser.choices > _MANY_CHOICES
    restarts = parser.unbounded > 0 and not (source.startswith("^") and not parser.branches)
    return Translation(source, parser.unicode, parser.ambiguous + restarts, runaway, parser.names)


class _Piece(NamedTuple):
    """A translated part. ``atom``: takes a quantifier as it stands; ``fixed``: matches in one way only.

    What may run long is judged by characters: ``first`` it may begin with (``None``: any), whether it may be ``empty``,
    and the ``tail`` a run at its end could give back, if there is one.
    """

    text: str
    fixed: bool = True
    atom: bool = True
    first: Ranges | None = None
    empty: bool = False
    tail: Ranges | None = None
    end: bool = False


class _Parser(SetParser):
    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        self.groups = 0
        self.closed: set[int] = set()
        self.names: dict[str, int] = {}
        self.unbounded = 0
        self.ambiguous = 0
        self.branches = False
        self.choices = 0
        self.runaway = False

    # --- structure ------------------------------------------------------------------------------------------------

    def expression(self, flags: Flags, depth: int) -> _Piece:
        """Alternatives, up to a closing parenthesis or the end."""
        if depth > _MAX_NESTING:
            raise self.fault("Nested too deeply")
        branches = [self._sequence(flags, depth)]
        while self._take("|"):
            branches.append(self._sequence(flags, depth))
        if len(branches) == 1:
            return branches[0]
        self.branches = self.branches or depth == 0
        firsts = [branch.first for branch in branches]
        tails = [branch.tail for branch in branches if branch.tail is not None]
        return _Piece(
            "|".join(branch.text for branch in branches),
            fixed=False,
            atom=False,
            first=None if None in firsts else [part for first in firsts for part in first or ()],
            empty=any(branch.empty for branch in branches),
            tail=[part for tail in tails for part in tail] if tails else None,
        )

    def _sequence(self, flags: Flags, depth: int) -> _Piece:
        pieces: list[_Piece] = []
        while not self.done and self._peek() not in "|)":
            if "x" in flags and self._skip_comment():
                continue
            piece = self._atom(flags, depth)
            if piece is not None:
                pieces.append(self._quantified(piece, flags))
        unresolved: Ranges = []
        for place, piece in enumerate(pieces):
            if piece.tail is not None and not self._is_settled(piece.tail, pieces[place + 1 :], unresolved, depth):
                self.ambiguous += 1
        first: Ranges | None = []
        for piece in pieces:
            first = None if first is None or piece.first is None else [*first, *piece.first]
            if not piece.empty:
                break
        return _Piece(
            "".join(piece.text for piece in pieces),
            fixed=all(piece.fixed for piece in pieces),
            atom=False,
            first=first,
            empty=all(piece.empty for piece in pieces),
            tail=unresolved or None,
        )

    @staticmethod
    def _is_settled(tail: Ranges, following: list[_Piece], unresolved: Ranges, depth: int) -> bool:
        """Whether giving back characters of the run can never help what follows it."""
        for piece in following:
            if piece.end:
                return True
            if piece.first is None or charset.intersection(tail, piece.first):
                return False
            if not piece.empty:
                return True
        if depth:
            unresolved.extend(tail)
        return True

    def _skip_comment(self) -> bool:
        if self._peek() in " \t\n\r\f\v":
            self.at += 1
            return True
        if self._take("#"):
            while not self.done and self._peek() not in "\n\r\x85\u2028\u2029":
                self.at += 1
            return True
        return False

    def _quantified(self, piece: _Piece, flags: Flags) -> _Piece:
        while "x" in flags and not self.done and self._skip_comment():
            pass
        low, high = self._repeat()
        if low is None:
            return piece
        suffix = "?" if self._take("?") else "+" if self._take("+") else ""
        is_long = high is None or high > _SMALL_REPEAT
        if is_long:
            self.unbounded += low != high
            self.runaway = self.runaway or not piece.fixed
        elif low != high:
            self.choices += 1
        if high != 1 and piece.tail is not None and not self._is_settled(piece.tail, [piece], [], 1):
            self.ambiguous += 3
        text = (piece.text if piece.atom else f"(?:{piece.text})") + _times(low, high)
        if suffix == "+" and low == high:
            text, suffix = f"(?:{text})", ""
        return _Piece(
            text + suffix,
            fixed=piece.fixed and low == high,
            atom=False,
            first=piece.first,
            empty=piece.empty or low == 0,
            tail=(piece.first or charset.EVERYTHING) if is_long and low != high and suffix != "+" else piece.tail,
        )

    def _repeat(self) -> tuple[int | None, int | None]:
        if self._take("*"):
            return 0, None
        if self._take("+"):
            return 1, None
        if self._take("?"):
            return 0, 1
        if self._peek() != "{":
            return None, None
        end = self.text.find("}", self.at)
        body = self.text[self.at + 1 : end if end >= 0 else len(self.text)]
        low, comma, high = body.partition(",")
        if not _is_number(low):
            raise self.fault("Illegal repetition")
        if end < 0:
            raise self.fault("Unclosed counted closure")
        if comma and high and not _is_number(high):
            raise self.fault("Unclosed counted closure")
        least, most = int(low), int(low) if not comma else int(high) if high else None
        if least > 2**31 - 1 or (most is not None and (most > 2**31 - 1 or most < least)):
            raise self.fault("Illegal repetition range")
        self.at = end + 1
        return least, most

    # --- atoms ----------------------------------------------------------------------------------------------------

    def _atom(self, flags: Flags, depth: int) -> _Piece | None:
        """``None`` for inline flags: no quantifier can follow them."""
        char = self._peek()
        if char == "(":
            return self._group(flags, depth)
        if char == "[":
            return self._class(flags)
        if char == "\\":
            return self._escape(flags)
        if char in "*+?":
            raise self.fault(f"Dangling meta character '{char}'")
        if char == "{":
            return _Piece("(?:)", first=[], empty=True)
        self.at += 1
        if char == "^":
            text = _LINE_START if "m" in flags else "^"
            return _Piece(text if self._peek() not in _QUANTIFIERS else f"(?:{text})", first=[], empty=True)
        if char == "$":
            return _Piece(_LINE_END if "m" in flags else _END, first=[], empty=True, end="m" not in flags)
        if char == ".":
            if "s" in flags:
                return _set(charset.EVERYTHING)
            return _set(charset.complement([(10, 10)] if "d" in flags else charset.LINE_ENDS))
        return self._literal(ord(char), flags)

    def _literal(self, code: int, flags: Flags) -> _Piece:
        if "i" not in flags:
            return _set([(code, code)])
        if "u" in flags or "U" in flags:
            return _Piece(f"(?i:{charset.literal(code)})")
        return _set(charset.both_cases([(code, code)]))

    def _group(self, flags: Flags, depth: int) -> _Piece | None:
        self.at += 1
        number = 0
        inner = flags.copy()
        if not self._take("?"):
            self.groups = number = self.groups + 1
            opening = "("
        elif self._take(":"):
            opening = "(?:"
        elif self._take("="):
            opening = "(?="
        elif self._take("!"):
            opening = "(?!"
        elif self._take(">"):
            opening = "(?>"
        elif self._take("<="):
            opening = "(?<="
            self.unicode = True
        elif self._take("<!"):
            opening = "(?<!"
            self.unicode = True
        elif self._take("<"):
            name = self._name(">")
            self.groups = number = self.groups + 1
            if name in self.names:
                raise self.fault(f"Named capturing group <{name}> is already defined")
            self.names[name] = number
            opening = "("
        else:
            letters = self._inline_flags(flags)
            if self._take(")"):
                flags.letters = letters
                return None
            if not self._take(":"):
                raise self.fault("Unknown inline modifier")
            inner.letters = letters
            opening = "(?:"
        body = self.expression(inner, depth + 1)
        if not self._take(")"):
            raise self.fault("Unclosed group")
        if number:
            self.closed.add(number)
        text = f"{opening}{body.text})"
        if opening in _LOOKS:
            return _Piece(text, first=[], empty=True)
        return body._replace(text=text, atom=True, tail=None if opening == "(?>" else body.tail)

    def _name(self, end: str) -> str:
        stop = self.text.find(end, self.at)
        name = self.text[self.at : stop] if stop >= 0 else ""
        if not (name.isascii() and name.isalnum() and name[0].isalpha()):
            raise self.fault("named capturing group is missing trailing '>'")
        self.at = stop + 1
        return name

    def _inline_flags(self, flags: Flags) -> frozenset[str]:
        letters = set(flags.letters)
        on = True
        while self._peek() and self._peek() in "idmsuxU-":
            letter = self._peek()
            self.at += 1
            if letter == "-":
                on = False
            elif on:
                letters.add(letter)
            else:
                letters.discard(letter)
        return frozenset(letters)

    def _escape(self, flags: Flags) -> _Piece:
        self.at += 1
        char = self._peek()
        if not char:
            raise self.fault("Unexpected internal error")
        if char == "Q":
            return self._quoted(flags)
        if char in "123456789":
            return self._back_reference()
        anchors = {
            "A": r"\A",
            "z": r"\Z",
            "Z": _END,
            "G": r"\A",
            "R": _LINE_BREAK,
            "b": r"\b",
            "B": r"(?!\b)",
            "X": r"\X",
        }
        if char in anchors:
            self.at += 1
            self.unicode = self.unicode or char == "X"
            width = char in "RX"
            return _Piece(f"(?:{anchors[char]})", first=None if width else [], empty=not width, end=char in "zZ")
        if char == "k":
            self.at += 1
            if not self._take("<"):
                raise self.fault(r"\k is not followed by '<' for named capturing group")
            name = self._name(">")
            if name not in self.names:
                raise self.fault(f"named capturing group <{name}> does not exist")
            return self._reference(self.names[name])
        ranges, text = self._class_escape(flags)
        if text:
            return _Piece(text)
        if ranges is not None:
            return _set(ranges)
        return self._literal(self._character(), flags)

    def _quoted(self, flags: Flags) -> _Piece:
        end = self.text.find("\\E", self.at)
        quoted = self.text[self.at + 1 : end if end >= 0 else len(self.text)]
        self.at = end + 2 if end >= 0 else len(self.text)
        if not quoted:
            return _Piece("", first=[], empty=True)
        *head, last = (self._literal(ord(char), flags) for char in quoted)
        start = "".join(piece.text for piece in head)
        if self._peek() in _QUANTIFIERS:
            return _Piece(start + self._quantified(last, flags).text, fixed=False, atom=False)
        return _Piece(start + last.text, atom=False)

    def _back_reference(self) -> _Piece:
        number = int(self._peek())
        self.at += 1
        while self._peek() and self._peek() in "0123456789" and number * 10 + int(self._peek()) <= self.groups:
            number = number * 10 + int(self._peek())
            self.at += 1
        return self._reference(number)

    def _reference(self, number: int) -> _Piece:
        if number not in self.closed:
            return _Piece("(?!)", first=[])
        return _Piece(f"(?:\\{number})", fixed=False, empty=True)

    def _class(self, flags: Flags) -> _Piece:
        ranges, texts = self._bracket(flags, 0)
        if not texts:
            return _set(ranges)
        return _Piece(union(ranges, texts))


def _set(ranges: Ranges) -> _Piece:
    return _Piece(charset.bracket(ranges), first=ranges)


def _times(low: int, high: int | None) -> str:
    if (low, high) in _SHORT_TIMES:
        return _SHORT_TIMES[low, high]
    if low == high:
        return f"{{{low}}}"
    return f"{{{low},}}" if high is None else f"{{{low},{high}}}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
