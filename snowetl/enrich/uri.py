"""Page and referrer URIs as the reference reads them: strictly, then leniently (enrich 3.9.0 ``ConversionUtils``)."""

from __future__ import annotations

from typing import NamedTuple

from snowetl.jvm import querystring
from snowetl.jvm import scala_uri as lenient_uri
from snowetl.jvm import uri as java_uri
from snowetl.jvm.text import tsv_safe

_CACHE_SIZE = 16_384
_CACHED_LENGTH = 2_048


class Uri(NamedTuple):
    """Raw (undecoded) parts of a URI; ``None`` where absent. ``port`` is -1 where none is given."""

    text: str
    scheme: str | None
    host: str | None
    port: int
    path: str | None
    query: str | None
    fragment: str | None


class UriError(ValueError):
    """A URI neither parser accepts; the message is the one of the bad row."""


_cache: dict[str, Uri | str] = {}


def parse_uri(text: str) -> Uri:
    """Parse ``text``; the URI's own ``text`` may differ from it (blanks encoded, or re-encoded as a whole).

    Results are cached by value. Raises :class:`UriError`.
    """
    found = _cache.get(text)
    if found is None:
        found = _parse(text)
        if len(text) <= _CACHED_LENGTH:
            if len(_cache) >= _CACHE_SIZE:
                _cache.clear()
            _cache[text] = found
    if isinstance(found, str):
        raise UriError(found)
    return found


def _parse(text: str) -> Uri | str:
    spaced = text.replace(" ", "%20")
    try:
        return Uri(spaced, *java_uri.parse(spaced))
    except java_uri.JavaUriError as error:
        java = error
    try:
        rebuilt = lenient_uri.rebuild(text)
        return Uri(rebuilt, *java_uri.parse(rebuilt))
    except (lenient_uri.LenientUriError, java_uri.JavaUriError) as error:
        scala = error
    return (
        f"Provided URI [{text}] could not be parsed, neither by Java parsing (error: [{java}]) "
        f"nor by Scala parsing (error: [{scala}])."
    )


_columns_cache: dict[str, tuple[str, ...]] = {}


def uri_columns(uri: Uri) -> tuple[str, ...]:
    """Scheme, host, port, path, query and fragment as columns. The port defaults to 443 for ``https``, else to 80."""
    columns = _columns_cache.get(uri.text)
    if columns is None:
        port = uri.port if uri.port >= 0 else 443 if uri.scheme == "https" else 80
        parts = (uri.scheme, uri.host, str(port), uri.path, uri.query, uri.fragment)
        columns = tuple([tsv_safe(part or "") for part in parts])
        if len(uri.text) <= _CACHED_LENGTH:
            if len(_columns_cache) >= _CACHE_SIZE:
                _columns_cache.clear()
            _columns_cache[uri.text] = columns
    return columns


_query_cache: dict[tuple[str, str], dict[str, str]] = {}


def page_query(query: str | None, encoding: str) -> dict[str, str]:
    """A page URI's query string as a map: the last of repeated names wins, a missing value is ``""``."""
    if not query:
        return {}
    pairs = _query_cache.get((query, encoding))
    if pairs is None:
        pairs = {name: value or "" for name, value in querystring.split(query, encoding)}
        if len(query) <= _CACHED_LENGTH:
            if len(_query_cache) >= _CACHE_SIZE:
                _query_cache.clear()
            _query_cache[query, encoding] = pairs
    return pairs
