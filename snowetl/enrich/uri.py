"""Page and referrer URIs as the reference reads them: strictly, then leniently (enrich 3.9.0 ``ConversionUtils``)."""

from __future__ import annotations

from typing import Final

from snowetl.caching import Memo
from snowetl.jvm import querystring
from snowetl.jvm import scala_uri as lenient_uri
from snowetl.jvm import uri as java_uri
from snowetl.model.text import tsv_safe

_CACHE_SIZE: Final = 16_384
_CACHED_LENGTH: Final = 2_048


class Uri:
    """Raw (undecoded) parts of a URI; ``None`` where absent. ``port`` is -1 where none is given.

    ``columns`` are scheme, host, port (443 for ``https``, else 80, where none is given), path, query and fragment as
    texts of columns. As long as a text is remembered, it has one object.
    """

    __slots__ = ("columns", "fragment", "host", "path", "port", "query", "scheme", "text")

    def __init__(self, text: str, parts: java_uri.Parts) -> None:
        self.text = text
        self.scheme, self.host, self.port, self.path, self.query, self.fragment = parts
        port = self.port if self.port >= 0 else 443 if self.scheme == "https" else 80
        texts = (self.scheme, self.host, str(port), self.path, self.query, self.fragment)
        self.columns: tuple[str, ...] = tuple([tsv_safe(part or "") for part in texts])


class UriError(ValueError):
    """A URI neither parser accepts; the message is the one of the bad row."""


def parse_uri(text: str) -> Uri:
    """Parse ``text``; the URI's own ``text`` may differ from it (blanks encoded, or re-encoded as a whole).

    Results are remembered by value. Raises :class:`UriError`.
    """
    found = _parsed[text]
    if isinstance(found, str):
        raise UriError(found)
    return found


def _parse(text: str) -> Uri | str:
    spaced = text.replace(" ", "%20")
    try:
        return Uri(spaced, java_uri.parse(spaced))
    except java_uri.JavaUriError as error:
        java = str(error)
    try:
        rebuilt = lenient_uri.rebuild(text)
        return Uri(rebuilt, java_uri.parse(rebuilt))
    except (lenient_uri.LenientUriError, java_uri.JavaUriError) as fault:
        scala = str(fault)
    return (
        f"Provided URI [{text}] could not be parsed, neither by Java parsing (error: [{java}]) "
        f"nor by Scala parsing (error: [{scala}])."
    )


_parsed: Final = Memo(_parse, _CACHE_SIZE, _CACHED_LENGTH)


def page_query(query: str | None, encoding: str) -> dict[str, str]:
    """A page URI's query string as a map: the last of repeated names wins, a missing value is ``""``."""
    return _queries[query, encoding] if query else {}


def _query(key: tuple[str, str]) -> dict[str, str]:
    query, encoding = key
    return {name: value or "" for name, value in querystring.split(query, encoding)}


_queries: Final = Memo(_query, _CACHE_SIZE, _CACHED_LENGTH, length=lambda key: len(key[0]))
