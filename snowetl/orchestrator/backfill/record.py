"""What is known of a backfill: ``backfill.json`` in its folder, changed only by who has read what stands there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from snowetl.errors import OutputExists, StorageError, UsageError
from snowetl.jvm import jsontext
from snowetl.jvm.strings import to_utf8
from snowetl.reporting.json_form import from_json, to_json
from snowetl.storage import filesystem

FORMAT = "snowetl-backfill/1"
NAME = "backfill.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One run of it. Times are those of its first and last file, epoch milliseconds."""

    run: str
    files: int
    bytes: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """``base`` names the first run (epoch ms; those after it follow by seconds). Planned only when ``pieces`` are
    there: a plan that was interrupted is made again, with the same names. ``swapped`` is what the schema that stood
    there is called since.
    """

    base: int
    run_bytes: int
    by: str
    fingerprint: dict[str, Any]
    pieces: tuple[Piece, ...] = ()
    swapped: str = ""

    @property
    def bytes(self) -> int:
        return sum(piece.bytes for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Record:
    """The record in a folder, and the bytes that stand there."""

    folder: str
    backfill: Backfill | None
    content: bytes = b""

    @property
    def url(self) -> str:
        return f"{self.folder}/{NAME}"

    @classmethod
    def read(cls, folder: str) -> Self:
        """Raises ``StorageError``."""
        empty = cls(folder, None)
        try:
            content = filesystem(empty.url).get(empty.url)
        except UsageError:  # there is none
            return empty
        try:
            document = jsontext.loads(content.decode("utf-8"))
            if not isinstance(document, Mapping) or document.get("format") != FORMAT:
                raise ValueError(f"it is not of the format {FORMAT}")
            return replace(empty, backfill=from_json(Backfill, dict(document)), content=content)
        except ValueError as error:
            raise StorageError(f"{empty.url} cannot be read: {error}") from None

    def put(self, backfill: Backfill) -> Self:
        """Raises ``OutputExists`` where another process has changed it."""
        content = to_utf8(jsontext.dumps({"format": FORMAT, **to_json(backfill)})) + b"\n"
        fs = filesystem(self.url)
        done = fs.replace(self.url, content, self.content) if self.content else fs.create_exclusive(self.url, content)
        if not done:
            raise OutputExists(f"another process is at work on this backfill ({self.url}): this one stops")
        return replace(self, backfill=backfill, content=content)
