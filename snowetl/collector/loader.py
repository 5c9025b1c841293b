"""What every loader is, and the rules all of them share (enrich 3.9.0 ``Loader``)."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple

from mypy_extensions import mypyc_attr

from snowetl.jvm import charsets, querystring
from snowetl.jvm.strings import decode_utf8, trim
from snowetl.model import badrow
from snowetl.model.badrow import BadRow, Message, Origin
from snowetl.model.payload import CollectorPayload
from snowetl.recovery import Recoveries
from snowetl.storage.records import TextForm

Loaded = CollectorPayload | list[BadRow] | None

UTF_8: Final = "UTF-8"

CACHED_LENGTH: Final = 512
"""Longer texts are not kept in caches by value: a hostile log must not fill the memory."""

WHITESPACE: Final = " \t\n\x0b\f\r"
"""What separates the columns of logs."""

_INSTANCE: Final = re.compile("@[0-9a-z]+;")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class LoaderOptions(NamedTuple):
    """What a loader may want to know beside its format. ``adapter`` is what follows the format's name and a slash
    (an adapter, or names of fields), ``try_base64`` lets Thrift records that cannot be read be tried as base64."""

    adapter: str = ""
    try_base64: bool = False
    loader_of: Callable[[str], Loader] | None = None
    """Makes the loader of another format, for a format whose records hold records of others."""
    recoveries: Recoveries | None = None
    """How bad rows are mended before they are read."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Loader(ABC):
    """Reads the records of one input format. The row of a format in :mod:`snowetl.collector.formats` is its loader.

    ``origin`` goes into the bad rows.
    """

    name: ClassVar[str]
    """Name of the format, on the command line and in bad rows."""
    binary: ClassVar[bool] = False
    """Records are bytes (Thrift, in its framings), not lines of text: what planner, splits and ``explain`` go by."""
    takes_adapter: ClassVar[bool] = False
    """The name is followed by ``/<vendor>/<version>``: the adapter that reads the lines."""
    takes_fields: ClassVar[bool] = False
    """The name may be followed by ``/<field>,<field>,…``: the columns of the log, in its order."""
    takes_format: ClassVar[bool] = False
    """The name may be followed by ``/`` and another format: that of the records within the records."""
    text: ClassVar[TextForm] = TextForm()
    """How records stand in files of text."""
    tells_apart: ClassVar[bool] = True
    """Records of other formats are refused. So the look at the first records can tell that this is the format."""

    def __init__(self, origin: Origin, options: LoaderOptions = LoaderOptions()) -> None:  # noqa: B008 (immutable)
        self.origin = origin

    @classmethod
    def spelling(cls) -> str:
        """The format as a user writes it."""
        if cls.takes_adapter:
            return f"{cls.name}/<vendor>/<version>"
        if cls.takes_format:
            return f"{cls.name}[/<format>]"
        return f"{cls.name}[/<field>,...]" if cls.takes_fields else cls.name

    @classmethod
    def accepts(cls, suffix: str) -> bool:
        """Whether the format's name may be followed by ``suffix``, which is empty or begins with a slash."""
        if "\n" in suffix:
            return False
        return bool(suffix) == cls.takes_adapter or ((cls.takes_fields or cls.takes_format) and suffix != "/")

    @abstractmethod
    def load(self, record: bytes | str) -> Loaded:
        """One record as a payload, as bad rows (one per fault found, each with the whole record), or ``None``: a
        record that carries nothing, such as a header line. Never raises, whatever the record holds.
        """

    def decode_useragent(self, text: str) -> str:
        """The user agent as people know it. Formats whose lines carry it percent-encoded decode it, once."""
        return text

    def violations(self, record: bytes | str, *messages: Message) -> list[BadRow]:
        """One bad row for each of the faults of a record."""
        return [badrow.format_violation(self.origin, self.name, message, record) for message in messages]


def as_line(record: bytes | str) -> str:
    """A text record as text; malformed UTF-8 becomes U+FFFD as on the JVM."""
    return record if isinstance(record, str) else decode_utf8(bytes(record))


def split_tokens(line: str, most: int) -> tuple[list[str], int]:
    """The first ``most`` tokens of a line, and one more for all the rest; how many blanks end the line.

    Tokens are separated by ASCII whitespace only, as JVM regular expressions see it. A line that starts with a blank
    has none.
    """
    if not line or line[0] in WHITESPACE:
        return [], 0
    raw = line.encode("utf-8", "surrogatepass").split(None, most)
    tokens = [token.decode("utf-8", "surrogatepass") for token in raw]
    return tokens, len(line) - len(line.rstrip(WHITESPACE)) if line[-1] in WHITESPACE else 0


def to_option(token: str) -> str | None:
    """The text of a log column; ``-`` and nothing at all stand for null."""
    return None if token in ("-", "") else token


def parse_querystring(text: str | None, charset: str) -> querystring.Pairs | Message:
    """Pairs of a query string, or the fault that bad rows report."""
    if not text:
        return []
    try:
        return querystring.parse(text, charset)
    except querystring.QuerystringError as error:
        expectation = (
            "could not extract name-value pairs from querystring with encoding "
            f"{charsets.lookup(charset).name}: {clean_message(str(error))}"
        )
        return badrow.payload_field("querystring", text, expectation)


def clean_message(message: str) -> str:
    """Exception text without instance ids and control characters (enrich 3.9.0 ``JsonUtils.stripInstanceEtc``)."""
    message = _INSTANCE.sub("@xxxxxx;", message).replace("\t", "    ")
    return trim(_CONTROL.sub("", message))


def body_payload(collector: str, api: tuple[str, str], body: str) -> CollectorPayload:
    """A payload that is nothing but a body: the adapter has to find time and context in it."""
    return CollectorPayload(
        vendor=api[0],
        version=api[1],
        querystring=[],
        content_type=None,
        body=body,
        collector=collector,
        encoding=UTF_8,
        hostname=None,
        timestamp=None,
        ip_address=None,
        useragent=None,
        referer_uri=None,
    )
