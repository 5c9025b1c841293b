"""Page and referrer URIs as the reference reads them: strictly, then leniently (enrich 3.9.0 ``ConversionUtils``)."""

from __future__ import annotations

from typing import NamedTuple


class Uri(NamedTuple):
    """Raw (undecoded) parts of a URI; ``None`` where absent. ``port`` is -1 where none is given."""

    text: str
    scheme: str | None
    host: str | None
    port: int
    path: str | None
    query: str | None
    fragment: str | None
