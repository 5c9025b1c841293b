"""JSON text, exactly as the reference reads (jawn 1.1.2) and writes (circe 0.14.1 ``noSpaces``) it.

Parsed values are plain ``dict``/``list``/``str``/``int``/``float``/``bool``/``None``. Number text must survive, so a
decimal whose text Python would not print back becomes a :class:`~snowetl.jvm.json_number.JsonNumber`. The common case
(compact text without such numbers) runs through msgspec; whatever msgspec refuses, or would print otherwise, goes
through the exact reader.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Final, TypeVar

import msgspec

from snowetl.jvm.json_number import JsonNumber
from snowetl.jvm.strings import from_units, to_units, utf16_length

T = TypeVar("T")

MAX_DEPTH: Final = 10_240
"""Levels of nesting beyond which text is refused with :class:`JsonError`, however it is written and whoever asks.

The reference has no limit of its own: it takes 3,000 levels, and overflows its stack somewhere beyond.
"""


def _raw_number(value: object) -> msgspec.Raw:
    if type(value) is JsonNumber:
        return msgspec.Raw(value.text.encode())
    raise NotImplementedError(f"not JSON: {type(value).__name__}")


_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder(enc_hook=_raw_number).encode


class JsonError(ValueError):
    """Text that is not JSON. The message is the reference's parser text, without its ``invalid json: `` prefix."""


_decode_exact: Final = msgspec.json.Decoder(float_hook=JsonNumber).decode
_NEGATIVE_ZERO: Final = re.compile(r"-0(?=[,\]}\s])(?<=[:\[,\s]-0)")  # the literal first: that is what makes it fast


def loads_exact(text: str) -> Any:
    """As :func:`loads`, but every number with a fraction or an exponent is a :class:`JsonNumber`.

    The way for those who print numbers as they were: no second pass is needed to find out which texts would be lost.
    Raises :class:`JsonError`.
    """
    if _may_be_too_deep(text):
        return _Reader(text).document()
    try:
        value = _decode_exact(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return _Reader(text).document()
    return _Reader(text).document() if _has_negative_zero(text) else value


def exact_reader(type_: type[T]) -> Callable[[str], T | None]:
    """A function that reads text of the form ``type_`` (a :class:`msgspec.Struct`), its numbers as :func:`loads_exact`.

    It gives ``None`` for text that has another form, or that only :func:`loads_exact` reads as the reference does.
    """
    decode = msgspec.json.Decoder(type_, float_hook=JsonNumber).decode

    def read(text: str) -> T | None:
        if _may_be_too_deep(text) or _has_negative_zero(text):
            return None
        try:
            return decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return None

    return read


def raw_reader(type_: type[T]) -> Callable[[str], T | None]:
    """As :func:`exact_reader`, for a type that leaves values as they are (:class:`msgspec.Raw`): they are checked, that
    is all. What it leaves to the exact reader, such as odd surrogates, may be JSON or not.
    """
    decode = msgspec.json.Decoder(type_).decode

    def read(text: str) -> T | None:
        if _may_be_too_deep(text):
            return None
        try:
            return decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return None

    return read


def _has_negative_zero(text: str) -> bool:
    return "-0" in text and (text.strip() == "-0" or _NEGATIVE_ZERO.search(text) is not None)


def reader_of(type_: Any) -> Callable[[str | bytes], Any]:
    """A function that reads JSON of one type, without numbers; ``None`` for any other text. It makes no mistake where
    it gives an answer, but words no errors: for that, :func:`loads` reads the text again.
    """
    decode = msgspec.json.Decoder(type_).decode

    def read(text: str | bytes) -> Any:
        try:
            return decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None

    return read


def loads(text: str) -> Any:
    """Parse ``text``. A repeated key keeps its first place and last value. Raises :class:`JsonError`."""
    if _may_be_too_deep(text):
        return _Reader(text).document()
    try:
        value = _decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return _Reader(text).document()
    if "." in text or "e" in text or "E" in text or "-0" in text:
        return value if _roundtrips(text, value) else _Reader(text).document()
    return value


def loads_compact(text: str) -> tuple[Any, str]:
    """Parse ``text`` and give its compact form too; one printing less than ``dumps(loads(text))``."""
    compact: str | None
    if _may_be_too_deep(text):
        value = _Reader(text).document()
        return value, dumps(value)
    try:
        value = _decode(text)
        compact = _encode(value).decode()
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError, OverflowError, TypeError):
        compact = None
    if compact != text:
        value = _Reader(text).document()
        return value, dumps(value)
    return value, escape_controls(text)


def _may_be_too_deep(text: str) -> bool:
    """Whether ``text`` passes the limit although msgspec might read it, whose own limit is that of the interpreter."""
    return (
        len(text) > MAX_DEPTH
        and (sys.version_info >= (3, 14) or sys.getrecursionlimit() > MAX_DEPTH)
        and text.count("[") + text.count("{") > MAX_DEPTH
        and _depth(text) > MAX_DEPTH
    )


_NO_BRACKETS: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^\[\]{}"]+', re.DOTALL)
_STEPS: Final = {"[": 1, "{": 1, "]": -1, "}": -1}


def _depth(text: str) -> int:
    """The deepest nesting of brackets outside strings."""
    return max(accumulate(_STEPS.get(char, 0) for char in _NO_BRACKETS.sub("", text)), default=0)


def _roundtrips(text: str, value: Any) -> bool:
    try:
        return _encode(value).decode() == text
    except (OverflowError, RecursionError):
        return False


def dumps(value: Any) -> str:
    """Compact text of a parsed value: no blanks, keys in order, number text kept, controls as ``\\u00xx``."""
    try:
        return _text(_encode(value))
    except (TypeError, OverflowError, UnicodeEncodeError, RecursionError, NotImplementedError, ValueError):
        pieces: list[str] = []
        _write(value, pieces)
        return "".join(pieces)


def object_writer(keys: Sequence[str]) -> Callable[[Sequence[Any], dict[str, Any]], str]:
    """A function that prints an object as :func:`dumps` would: values of these ``keys`` (names), and further ones."""
    form = msgspec.defstruct("Object", [(key, object) for key in keys])

    def write(values: Sequence[Any], further: dict[str, Any]) -> str:
        try:
            encoded = _encode(form(*values))
            return _text(b"%b,%b" % (encoded[:-1], _encode(further)[1:]) if further else encoded)
        except (TypeError, OverflowError, UnicodeEncodeError, RecursionError, NotImplementedError, ValueError):
            return dumps(dict(zip(keys, values, strict=True)) | further)

    return write


def _text(encoded: bytes) -> str:
    """Printed JSON as text. Escapes U+007F-U+009F; their UTF-8 is 7F, or C2 and one byte more."""
    text = encoded.decode()
    return escape_controls(text) if b"\x7f" in encoded or b"\xc2" in encoded else text


def raw(text: str) -> msgspec.Raw:
    """JSON text that is printed unchanged."""
    return msgspec.Raw(text.encode())


def quote(text: str) -> str:
    """``text`` as a JSON string literal."""
    try:
        return escape_controls(_encode(text).decode())
    except UnicodeEncodeError:
        return _quote_slow(text)


_HIGH_CONTROL: Final = re.compile("[\x7f-\x9f]")


def escape_controls(json_text: str) -> str:
    """Escape U+007F-U+009F in JSON text (they can only stand inside strings)."""
    if json_text.isascii() and "\x7f" not in json_text:
        return json_text
    return _HIGH_CONTROL.sub(_escaped, json_text)


def _escaped(control: re.Match[str]) -> str:
    return f"\\u{ord(control.group()):04x}"


_MUST_ESCAPE: Final = re.compile('["\\\\\x00-\x1f\x7f-\x9f]')
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _quote_slow(text: str) -> str:
    return '"' + _MUST_ESCAPE.sub(lambda m: _SHORT.get(m.group()) or f"\\u{ord(m.group()):04x}", text) + '"'


def _write(root: Any, out: list[str]) -> None:
    """Append the text of ``root`` piece by piece; nested values wait on a list of our own, not on the call stack."""
    entries: Iterator[tuple[str, Any]] = iter((("", root),))
    end = ""
    outer: list[tuple[Iterator[tuple[str, Any]], str]] = []
    while True:
        for before, value in entries:
            out.append(before)
            if isinstance(value, dict | list | tuple) and value:
                outer.append((entries, end))
                entries, end = (_members(value), "}") if isinstance(value, dict) else (_items(value), "]")
                break
            out.append(_scalar(value))
        else:
            out.append(end)
            if not outer:
                return
            entries, end = outer.pop()


def _members(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    before = "{"
    for key, item in value.items():
        yield f"{before}{_quote_slow(key)}:", item
        before = ","


def _items(value: list[Any] | tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    before = "["
    for item in value:
        yield before, item
        before = ","


def _scalar(value: Any) -> str:
    """The text of anything that holds nothing: scalars, ``{}`` and ``[]``."""
    if isinstance(value, str):
        return _quote_slow(value)
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, JsonNumber):
        return value.text
    if isinstance(value, int):
        return _int_text(value)
    if isinstance(value, dict):
        return "{}"
    return "[]" if isinstance(value, list | tuple) else _encode(value).decode()


def _int_text(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # more digits than sys.get_int_max_str_digits allows
        from decimal import Decimal

        return format(Decimal(value), "f")


_WHITESPACE: Final = re.compile(r"[ \t\n\r]*")
_STRING_CHUNK: Final = re.compile(r'[^"\\\x00-\x1f]*')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_HEX: Final = re.compile(r"[0-9a-fA-F]{0,4}")
_ESCAPES: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_CLOSING: Final = {"{": "}", "[": "]"}
_PAIR: Final = re.compile(r"[\ud800-\udbff][\udc00-\udfff]")
_LITERALS: Final = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}
_MAX_INT_DIGITS: Final = 4000


def _join_surrogates(text: str) -> str:
    """Two ``\\u`` escapes that form a pair are one character; lone halves stay (and print as ``?``)."""
    return _PAIR.sub(lambda pair: from_units(pair.group()), text)


class _Reader:
    """A reader that keeps number text, counts how deep it is and words its errors as jawn does."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def document(self) -> Any:
        value = self._value()
        self._blanks()
        if self.at < len(self.text):
            raise self._fault("expected whitespace or eof", self.at)
        return value

    def _blanks(self) -> None:
        self.at = _WHITESPACE.match(self.text, self.at).end()  # type: ignore[union-attr]

    def _peek(self) -> str:
        if self.at >= len(self.text):
            raise JsonError("exhausted input")
        return self.text[self.at]

    def _value(self) -> Any:
        """The value that begins here. Containers that are not finished wait in ``open_``."""
        open_: list[dict[str, Any] | list[Any]] = []
        keys: list[str] = []
        while True:
            self._blanks()
            char = self._peek()
            if char == "{" or char == "[":
                if len(open_) == MAX_DEPTH:
                    raise JsonError(f"nested deeper than {MAX_DEPTH} levels")
                value: Any = {} if char == "{" else []
                self.at += 1
                self._blanks()
                if self._peek() != _CLOSING[char]:
                    open_.append(value)
                    if char == "{":
                        keys.append(self._key())
                    continue
                self.at += 1
            else:
                value = self._scalar(char)
            while open_:  # the value is complete: put it where it belongs, and see whether that is complete too
                container = open_[-1]
                self._blanks()
                char = self._peek()
                self.at += 1
                if isinstance(container, list):
                    container.append(value)
                    if char == ",":
                        break
                    if char != "]":
                        raise self._fault("expected ] or ,", self.at - 1)
                else:
                    container[keys[-1]] = value
                    if char == ",":
                        self._blanks()
                        keys[-1] = self._key()
                        break
                    if char != "}":
                        raise self._fault("expected } or ,", self.at - 1)
                    keys.pop()
                value = open_.pop()
            else:
                return value

    def _key(self) -> str:
        if self._peek() != '"':
            raise self._fault('expected "', self.at)
        key = self._string()
        self._blanks()
        if self._peek() != ":":
            raise self._fault("expected :", self.at)
        self.at += 1
        return key

    def _scalar(self, char: str) -> Any:
        if char == '"':
            return self._string()
        if char in "-0123456789":
            return self._number()
        if char in _LITERALS:
            return self._literal(*_LITERALS[char])
        raise self._fault("expected json value", self.at)

    def _literal(self, word: str, value: object) -> object:
        found = self.text[self.at : self.at + len(word)]
        if found == word:
            self.at += len(word)
            return value
        if word.startswith(found):
            raise JsonError("exhausted input")
        raise self._fault(f"expected {word}", self.at)

    def _number(self) -> int | float:
        start = self.at
        match = _NUMBER.match(self.text, start)
        if match is None:  # a lone minus
            if start + 1 >= len(self.text):
                raise JsonError("exhausted input")
            raise self._fault("expected digit", start)
        token, end = match.group(), match.end()
        following = self.text[end : end + 1]
        fraction, exponent = match.groups()
        if (following == "." and not (fraction or exponent)) or (following and following in "eE" and not exponent):
            self._number_tail(start, end)
        self.at = end
        if fraction or exponent or token == "-0":
            return JsonNumber(token)
        if len(token) > _MAX_INT_DIGITS:  # making it an int takes quadratic time
            return JsonNumber(token)
        return int(token)

    def _number_tail(self, start: int, end: int) -> None:
        """A dot or exponent without digits: jawn wants a digit there."""
        after = end + 1
        if self.text[end] in "eE" and self.text[after : after + 1] in ("+", "-"):
            after += 1
        if after >= len(self.text):
            raise JsonError("exhausted input")
        raise self._fault("expected digit", start)

    def _string(self) -> str:
        self.at += 1
        pieces: list[str] = []
        text = self.text
        while True:
            match = _STRING_CHUNK.match(text, self.at)
            pieces.append(match.group())  # type: ignore[union-attr]
            self.at = match.end()  # type: ignore[union-attr]
            char = self._peek()
            if char == '"':
                self.at += 1
                return _join_surrogates("".join(pieces)) if len(pieces) > 1 else pieces[0]
            if char != "\\":
                raise self._fault(f"control char ({ord(char)}) in string", self.at, 1)
            pieces.append(self._escape())

    def _escape(self) -> str:
        slash = self.at
        self.at += 1
        char = self._peek()
        if char == "u":
            digits = _HEX.match(self.text, self.at + 1).group()  # type: ignore[union-attr]
            if len(digits) < 4:
                four = self.text[self.at + 1 : self.at + 5]
                if utf16_length(four) < 4 or not four[len(digits)].isascii():  # jawn has a table of ASCII for digits
                    raise JsonError("exhausted input")
                raise self._fault("expected valid unicode escape", self.at + 1)
            self.at += 5
            return chr(int(digits, 16))
        if char not in _ESCAPES:
            raise self._fault(f"illegal escape sequence (\\{to_units(char)[0]})", slash, 1)
        self.at += 1
        return _ESCAPES[char]

    def _fault(self, what: str, position: int, width: int = 6) -> JsonError:
        """``what`` got the next characters; line and column from 1, columns and widths in UTF-16 units."""
        before = self.text[:position]
        line = before.count("\n") + 1
        column = len(before[before.rfind("\n") + 1 :].encode("utf-16-le", "surrogatepass")) // 2 + 1
        units = self.text[position : position + width].encode("utf-16-le", "surrogatepass")
        rest_is_longer = len(units) > 2 * width or position + width < len(self.text)
        if not units:
            context = "eof"
        else:
            shown = units[: 2 * width].decode("utf-16-le", "surrogatepass")
            context = f"'{shown}...'" if rest_is_longer else f"'{shown}'"
        return JsonError(f"{what} got {context} (line {line}, column {column})")
