"""The two shapes of an event before enrichment: what the collector recorded, and what an adapter made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

from snowetl.jvm.strings import decode_utf8

Parameters = dict[str, "str | None"]


def picker(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that gives the values of parameters of these names, in order. It raises ``KeyError``."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda parameters: tuple([parameters[name] for name in names])


_FIELDS: Final = (
    "vendor",
    "version",
    "querystring",
    "content_type",
    "body",
    "collector",
    "encoding",
    "hostname",
    "timestamp",
    "ip_address",
    "useragent",
    "referer_uri",
    "headers",
    "network_userid",
)


class CollectorPayload:
    """One collector record, decoded (enrich 3.9.0 ``CollectorPayload``).

    ``timestamp`` is epoch milliseconds (UTC) or ``None``; ``querystring`` keeps order and repeats; a ``body`` may be
    given as UTF-8. No dataclass: the constructor of one is never compiled, and each record calls it.
    """

    __slots__ = tuple("_body" if name == "body" else name for name in _FIELDS)
    __hash__ = None  # type: ignore[assignment]  # fields can be set

    def __init__(
        self,
        vendor: str,
        version: str,
        querystring: list[tuple[str, str | None]],
        content_type: str | None,
        body: str | bytes | None,
        collector: str | None,
        encoding: str,
        hostname: str | None,
        timestamp: int | None,
        ip_address: str | None,
        useragent: str | None,
        referer_uri: str | None,
        headers: list[str] | None = None,
        network_userid: str | None = None,
    ) -> None:
        self.vendor = vendor
        self.version = version
        self.querystring = querystring
        self.content_type = content_type
        self._body = body
        self.collector = collector
        self.encoding = encoding
        self.hostname = hostname
        self.timestamp = timestamp
        self.ip_address = ip_address
        self.useragent = useragent
        self.referer_uri = referer_uri
        self.headers = [] if headers is None else headers
        self.network_userid = network_userid

    @property
    def body(self) -> str | None:
        """The body as text, decoded when it is first asked for."""
        body = self._body
        if isinstance(body, bytes):
            body = self._body = decode_utf8(body)
        return body

    @property
    def sent_body(self) -> str | bytes | None:
        """The body as it stood in the record: text, or UTF-8 that may be malformed."""
        return self._body

    def replaced(self, **changes: Any) -> CollectorPayload:
        """A copy with some fields changed: adapters that override an event's context (time, IP, user agent)."""
        return CollectorPayload(**{**self._fields(), **changes})

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _FIELDS}

    def __eq__(self, other: object) -> bool:
        return self._fields() == other._fields() if isinstance(other, CollectorPayload) else NotImplemented

    def __repr__(self) -> str:
        return f"CollectorPayload({', '.join([f'{name}={value!r}' for name, value in self._fields().items()])})"

    def parameters(self) -> Parameters:
        """The query string as a map: the last of repeated names wins, the first keeps the place."""
        return dict(self.querystring)


class RawEvent:
    """One event of a payload: tracker-protocol parameters, and the payload (source and context) it came with."""

    __slots__ = ("parameters", "payload")

    def __init__(self, payload: CollectorPayload, parameters: Parameters) -> None:
        self.payload = payload
        self.parameters = parameters

    def __repr__(self) -> str:
        return f"RawEvent({self.payload.vendor}/{self.payload.version}, {self.parameters!r})"
