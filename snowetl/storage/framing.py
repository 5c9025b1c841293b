"""How records stand in decompressed content: lines of text; Thrift in record blocks, base64 lines or bare structs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import cast

from snowetl.jvm.strings import decode_utf8
from snowetl.storage import elephantbird, structs
from snowetl.storage.base64_lines import decode_base64_line, has_control_characters, is_base64
from snowetl.storage.lines import NO_STOP, read_lines
from snowetl.storage.pieces import Piece, Pieces
from snowetl.storage.records import Damage, Record

BLOCKS, LINES, STRUCTS = "blocks", "lines", "structs"
HEAD = 64 << 10
"""Bytes it takes to tell how Thrift records are framed."""

_HEAD_OF_DAMAGED = 1 << 20


def read_text(pieces: Pieces, url: str, *, skip_first: bool = False, stop: int = NO_STOP) -> Iterator[Record | Damage]:
    """Lines as ``str``."""
    return read_lines(pieces, url, decode_utf8, skip_first=skip_first, stop=stop)


def read_binary(
    pieces: Pieces, url: str, *, framing: str | None = None, skip_first: bool = False, stop: int = NO_STOP
) -> Iterator[Record | Damage]:
    """Thrift records as ``bytes``; without ``framing`` the content decides. A record that is a
    compressed message comes as the records in it.
    """
    if framing is None:
        framing, pieces = sniff(pieces)
    if framing == STRUCTS:
        yield from structs.read_records(pieces, url)
        return
    if framing == BLOCKS:
        items = elephantbird.read_records(pieces, url, skip_first=skip_first, stop=stop)
    else:
        items = read_lines(pieces, url, decode_base64_line, skip_first=skip_first, stop=stop)
    for item in items:
        if item.data[:1] not in structs.MESSAGE_STARTS or isinstance(item, Damage):
            yield item
        elif structs.member_codec(cast(bytes, item.data)):
            yield from structs.unpacked(cast(bytes, item.data), item.number, url, members=True)
        else:
            yield item


def framing_of(head: bytes) -> str:
    """Framing of content that begins with ``head``: other text counts as lines, other bytes as structs."""
    if head.startswith(elephantbird.MARKER):
        return BLOCKS
    if structs.member_codec(head) is not None:
        return STRUCTS
    if not has_control_characters(head):
        return LINES
    first_line = head.strip(b"\r\n").partition(b"\n")[0]
    if is_base64(first_line) and not structs.begins_records(head):  # binary lines may follow
        return LINES
    return STRUCTS


def looks_like_records(head: bytes) -> bool:
    """Whether plain bytes look like Thrift records in one of the framings."""
    return head.startswith(elephantbird.MARKER) or not has_control_characters(head) or structs.begins_records(head)


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
