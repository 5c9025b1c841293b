"""How records stand in decompressed content: lines of text; Thrift in record blocks, base64 lines or bare structs."""

from __future__ import annotations

import binascii
import itertools
import re
from collections.abc import Iterator

from snowetl.jvm.text import decode_utf8
from snowetl.storage import elephantbird, structs
from snowetl.storage.lines import NO_STOP, read_lines
from snowetl.storage.pieces import Piece, Pieces
from snowetl.storage.records import Damage, Record

BLOCKS, LINES, STRUCTS = "blocks", "lines", "structs"
HEAD = 64 << 10
"""Bytes it takes to tell how Thrift records are framed."""

_HEAD_OF_DAMAGED = 1 << 20
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_FOREIGN = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))


def read_text(pieces: Pieces, url: str, *, skip_first: bool = False, stop: int = NO_STOP) -> Iterator[Record | Damage]:
    """Lines as ``str``."""
    return read_lines(pieces, url, decode_utf8, skip_first=skip_first, stop=stop)


def read_binary(
    pieces: Pieces, url: str, *, framing: str | None = None, skip_first: bool = False, stop: int = NO_STOP
) -> Iterator[Record | Damage]:
    """Thrift records as ``bytes``; ``framing`` is told from the content where it is not given."""
    if framing is None:
        framing, pieces = sniff(pieces)
    if framing == BLOCKS:
        return elephantbird.read_records(pieces, url, skip_first=skip_first, stop=stop)
    if framing == STRUCTS:
        return structs.read_records(pieces, url)
    return read_lines(pieces, url, decode_base64_line, skip_first=skip_first, stop=stop)


def framing_of(head: bytes) -> str:
    """Framing of content that begins with ``head``: what fits none of them counts as lines."""
    if head.startswith(elephantbird.MARKER):
        return BLOCKS
    first_line = head.strip(b"\r\n").partition(b"\n")[0]
    if _BASE64.fullmatch(first_line.strip(_FOREIGN)) and not structs.TYPES.intersection(first_line):
        return LINES
    try:
        structs.struct_end(head)
    except structs.Malformed:
        return LINES
    except structs.Incomplete:
        return STRUCTS if head[:1] and head[0] in structs.TYPES else LINES
    return STRUCTS


def decode_base64_line(line: bytes) -> bytes | None:
    """One base64 line of the reference's reader: padding optional, foreign bytes only at the ends.

    Empty lines are left out (``None``); a line that does not decode is returned as it is, to end as a bad row.
    """
    text = line.strip(_FOREIGN)
    if not text:
        return line or None
    if not _BASE64.fullmatch(text):
        return line
    body = text.rstrip(b"=")
    size = (len(text) * 6 >> 3) - (len(text) - len(body))
    decoded = binascii.a2b_base64(body + b"A" * (-len(body) % 4))
    return decoded[:size]


def sniff(pieces: Pieces) -> tuple[str, Pieces]:
    """(framing that the first bytes tell, all of ``pieces``).

    Where they are damaged, a record block further on tells it.
    """
    first: list[Piece | Damage] = []
    head, wanted = b"", HEAD
    while len(head) < wanted and (piece := next(pieces, None)) is not None:
        first.append(piece)
        if isinstance(piece, Piece):
            head += piece.data[:wanted]
        else:
            wanted = _HEAD_OF_DAMAGED
    damaged = wanted > HEAD
    framing = BLOCKS if damaged and elephantbird.MARKER in head else framing_of(head)
    return framing, itertools.chain(first, pieces)
