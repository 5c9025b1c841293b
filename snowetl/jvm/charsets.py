"""Character sets by the names the JVM knows them under (``java.nio.charset.Charset.forName``, JDK 17)."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from typing import NamedTuple

from snowetl.jvm import charset_decoders as decoders
from snowetl.jvm.strings import decode_utf8

_CACHE_SIZE = 1024
_NOT_READ = "?"


class Charset(NamedTuple):
    """A character set: ``name`` is the JVM's canonical one.

    ``decode`` replaces what it cannot read by U+FFFD. ``bytewise``: every byte stands for itself and ASCII bytes for
    ASCII, so a text can be cut at ASCII characters before or after decoding.
    """

    name: str
    decode: Callable[[bytes], str]
    bytewise: bool


class UnknownCharset(LookupError):
    """A name the JVM does not know, or one of :func:`not_read`; the message is the name."""


_OWN: dict[str, Callable[[bytes], str]] = {
    "UTF-8": decode_utf8,
    "CESU-8": decoders.decode_cesu8,
    "GB18030": decoders.decode_gb18030,
    "UTF-16BE": decoders.utf16("be"),
    "UTF-16LE": decoders.utf16("le"),
    "UTF-32BE": decoders.utf32("be"),
    "UTF-32LE": decoders.utf32("le"),
    "UTF-16": decoders.sensing("utf-16", "be"),
    "UTF-32": decoders.sensing("utf-32", "be"),
    "x-UTF-16LE-BOM": decoders.sensing("utf-16", "le"),
    "X-UTF-32LE-BOM": decoders.sensing("utf-32", "le"),
    "X-UTF-32BE-BOM": decoders.sensing("utf-32", "be"),
}
_ALL_BYTES = bytes(range(256))
_ASCII = _ALL_BYTES[:128].decode("ascii")

_cache: dict[str, Charset] = {}


def lookup(name: str) -> Charset:
    """The character set called ``name`` or an alias of it, in any case. Raises :class:`UnknownCharset`."""
    found = _cache.get(name)
    if found is None:
        found = _find(name)
        if len(_cache) >= _CACHE_SIZE:
            _cache.clear()
        _cache[name] = found
    return found


def not_read() -> frozenset[str]:
    """Names and aliases, lower-case, of charsets the JVM reads and we do not (rare ones of several bytes)."""
    return frozenset(alias for alias, (_, codec) in _known().items() if codec == _NOT_READ)


@cache
def _known() -> dict[str, tuple[str, str]]:
    """Name or alias, lower-case -> (canonical name, codec)."""
    known = {}
    for entry in _lines("charset_names.txt"):
        name, codec, *aliases = entry.split()
        for alias in (name.lower(), *aliases):
            known[alias] = (name, codec)
    return known


@cache
def _tables() -> dict[str, list[str]]:
    """Name -> the words of its line in the tables."""
    return {words[0]: words[1:] for words in map(str.split, _lines("charset_tables.txt"))}


def _lines(file: str) -> Iterator[str]:
    text = resources.files(__package__).joinpath(file).read_text("utf-8").replace("\n ", " ")
    return (line for line in text.splitlines() if not line.startswith("#"))


def _find(name: str) -> Charset:
    canonical, codec = _known().get(name.lower(), (name, _NOT_READ)) if name.isascii() else (name, _NOT_READ)
    if codec == _NOT_READ:
        raise UnknownCharset(name)
    decode = _OWN.get(canonical) or _from_table(_tables().get(canonical), codec)
    single = canonical == "UTF-8" or len(decode(_ALL_BYTES)) == len(_ALL_BYTES)
    return Charset(canonical, decode, single and decode(_ALL_BYTES[:128]) == _ASCII)


def _from_table(words: list[str] | None, codec: str) -> Callable[[bytes], str]:
    if words is None:
        read = codecs.getdecoder(codec)
        return lambda raw: read(raw, "replace")[0]
    base, *runs = words
    if (runs and "," in runs[0]) or (runs and "=" not in runs[0]):
        return decoders.double_byte(base, runs[0], runs[1:])
    return decoders.single_byte(base, runs)
