"""Decoders that read malformed input as the JVM's do: how many bytes one U+FFFD stands for differs from Python's."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence

from snowetl.jvm.strings import from_units

_REPLACEMENT = "\ufffd"
_LEADS = range(0x80, 0x100)
_GREEDY = frozenset(("big5hkscs", "euc_jp"))
"""Codecs whose JVM counterparts take a lead byte and all that should follow it for one character, whatever it is."""
_SINGLE_SHIFT_3 = 0x8F


# --- tables -------------------------------------------------------------------------------------------------------


def single_byte(codec: str, runs: Sequence[str]) -> Callable[[bytes], str]:
    """``codec`` with some bytes standing for other characters or none."""
    read = codecs.getdecoder(codec)
    characters = [read(bytes((byte,)), "replace")[0] for byte in range(256)]
    for byte, character in _differences(runs, range(256)):
        characters[byte] = character or _REPLACEMENT
    table = "".join(characters)
    return lambda raw: codecs.charmap_decode(raw, "replace", table)[0]


def double_byte(codec: str, trails: str, runs: Sequence[str]) -> Callable[[bytes], str]:
    """``codec``, whose characters take one byte or two, with some codes standing for other characters or none.

    ``trails`` are the bytes that can come second: ``40-7E,80-FE``. The table is made when it is first needed.
    """
    tables: list[_Tables] = []
    decode = _decode_greedily if codec in _GREEDY else _decode_pairs

    def read(raw: bytes) -> str:
        if raw.isascii():
            return raw.decode("ascii")
        if not tables:
            tables.append(_Tables(codec, trails, runs))
        return decode(raw, tables[0])

    return read


class _Tables:
    """Characters by byte, and by the number two bytes (three, after 8F in EUC-JP) make; leads begin longer ones."""

    def __init__(self, codec: str, trails: str, runs: Sequence[str]) -> None:
        seconds = [byte for first, last in _ranges(trails) for byte in range(first, last + 1)]
        codes = [lead << 8 | second for lead in _LEADS for second in seconds]
        self.characters: dict[int, str] = {}
        self._read(codec, range(256), 1)
        self._read(codec, codes, 2)
        if codec == "euc_jp":
            self._read(codec, [_SINGLE_SHIFT_3 << 16 | code for code in codes], 3)
        for code, character in _differences(runs, [*range(256), *codes]):
            if character is None:
                self.characters.pop(code, None)
            else:
                self.characters[code] = character
        self.leads = frozenset(code >> 8 for code in self.characters if 0xFF < code <= 0xFFFF)

    def _read(self, codec: str, codes: Sequence[int], length: int) -> None:
        decode = codecs.getdecoder(codec)
        for code in codes:
            try:
                text = decode(code.to_bytes(length, "big"))[0]
            except UnicodeDecodeError:
                continue
            if len(text) == 1:
                self.characters[code] = text


def _differences(runs: Sequence[str], codes: Sequence[int]) -> Iterator[tuple[int, str | None]]:
    """Code and character of every difference; codes follow each other as in ``codes``."""
    place = {code: at for at, code in enumerate(codes)}
    for run in runs:
        where, _, points = run.partition("=")
        first, last = _range(where)
        if not points:
            yield from ((code, None) for code in codes[place[first] : place[last] + 1])
            continue
        characters = [chr(point) for low, high in map(_range, points.split(".")) for point in range(low, high + 1)]
        if first not in place:  # one of three bytes
            yield first, characters[0]
        else:
            yield from zip(codes[place[first] :], characters, strict=False)


def _ranges(text: str) -> list[tuple[int, int]]:
    return [_range(part) for part in text.split(",")]


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first, 16), int(last or first, 16)


# --- walks --------------------------------------------------------------------------------------------------------


def _decode_pairs(raw: bytes, tables: _Tables) -> str:
    """``sun.nio.cs.DoubleByte``: an impossible pair is one character, unless its second byte can begin one itself."""
    characters, leads = tables.characters, tables.leads
    out = []
    at, end = 0, len(raw)
    while at < end:
        byte = raw[at]
        character = characters.get(byte)
        if character is not None or at + 1 == end:
            out.append(character or _REPLACEMENT)
            at += 1
            continue
        second = raw[at + 1]
        character = characters.get(byte << 8 | second)
        whole = character is not None or (byte in leads and second not in leads and second not in characters)
        out.append(character or _REPLACEMENT)
        at += 2 if whole else 1
    return "".join(out)


def _decode_greedily(raw: bytes, tables: _Tables) -> str:
    characters = tables.characters
    triples = 0x8FA2B7 in characters
    out = []
    at, end = 0, len(raw)
    while at < end:
        character = characters.get(raw[at])
        length = 1
        if character is None:
            length = 3 if triples and raw[at] == _SINGLE_SHIFT_3 else 2
            character = characters.get(int.from_bytes(raw[at : at + length], "big")) if at + length <= end else None
        out.append(character or _REPLACEMENT)
        at += length
    return "".join(out)


# --- Unicode ------------------------------------------------------------------------------------------------------


def utf16(order: str) -> Callable[[bytes], str]:
    """UTF-16 in the order ``be`` or ``le``; a high surrogate takes along what follows it, whatever that is."""
    high, low = ("[\xd8-\xdb][^]", "[\xdc-\xdf][^]")
    if order == "le":
        high, low = ("[^][\xd8-\xdb]", "[^][\xdc-\xdf]")
    unit = f"(?!{low}|{high})[^][^]"
    pattern = f"((?:{unit}|{high}{low})+)|{high}[^]{{0,2}}|[^]{{1,2}}"
    return _walk(pattern, f"utf-16-{order}")


def sensing(codec: str, default: str) -> Callable[[bytes], str]:
    """UTF-16 or UTF-32 with a byte order mark; ``default`` (``be`` or ``le``) without one."""
    readers = {order: utf16(order) if codec == "utf-16" else utf32(order) for order in ("be", "le")}
    marks = {order: "\ufeff".encode(f"{codec}-{order}") for order in readers}

    def decode(raw: bytes) -> str:
        order = next((order for order, mark in marks.items() if raw.startswith(mark)), None)
        return readers[order or default](raw[len(marks[order]) :] if order else raw)

    return decode


def utf32(order: str) -> Callable[[bytes], str]:
    """UTF-32 in the order ``be`` or ``le``; surrogates pass."""
    number = "\x00[\x00-\x10][^][^]" if order == "be" else "[^][^][\x00-\x10]\x00"
    return _walk(f"((?:{number})+)|[^]{{1,4}}", f"utf-32-{order}")


def _walk(pattern: str, codec: str) -> Callable[[bytes], str]:
    """What the first group of ``pattern`` matches is read by ``codec``, every other match is one U+FFFD."""
    tokens = re.compile(pattern.replace("[^]", r"[\x00-\xff]").encode("latin-1"), re.DOTALL)

    def decode(raw: bytes) -> str:
        pieces = [
            match.group().decode(codec, "surrogatepass") if match.group(1) else _REPLACEMENT
            for match in tokens.finditer(raw)
        ]
        return from_units("".join(pieces))

    return decode


decode_cesu8: Callable[[bytes], str] = _walk(
    r"([\x00-\x7f]+|(?:[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2})+)"
    r"|\xe0[\xa0-\xbf]|[\xe1-\xef][\x80-\xbf]|[\x00-\xff]",
    "utf-8",
)
"""UTF-8 whose characters beyond U+FFFF are two surrogates of three bytes each."""

_GB18030 = re.compile(
    rb"([\x00-\x7f]+|[\x81-\xfe][\x40-\x7e\x80-\xfe]|[\x81-\xfe][0-9][\x81-\xfe][0-9])"
    rb"|[\x81-\xfe][0-9](?:[\x81-\xfe][\x00-\xff]?|[\x00-\xff])?|[\x81-\xfe][:-?\x7f\xff]|[\x00-\xff]"
)
_GB18030_SWAPPED = (
    "\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue7c7\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864",
    "\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19\u1e3f\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb",
)
"""Characters whose codes the edition of 2005 exchanged; Python has that of 2000."""
_TO_2005 = str.maketrans("".join(_GB18030_SWAPPED), "".join(reversed(_GB18030_SWAPPED)))


def decode_gb18030(raw: bytes) -> str:
    """Python's codec reads what is whole; the pattern says how much of the rest one U+FFFD stands for."""
    pieces = [_whole_gb18030(match.group(1)) if match.group(1) else _REPLACEMENT for match in _GB18030.finditer(raw)]
    return "".join(pieces).translate(_TO_2005)


def _whole_gb18030(code: bytes) -> str:
    """ASCII, or one code of two or four bytes; such a code that stands for nothing is one U+FFFD."""
    try:
        return code.decode("gb18030")
    except UnicodeDecodeError:
        return _REPLACEMENT
