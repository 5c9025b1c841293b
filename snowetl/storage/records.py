"""What reading delivers: records, and the places where a container is broken."""

from __future__ import annotations

from typing import NamedTuple

MAX_RECORD_BYTES = 64 << 20
"""No record is longer; what claims to be is reported as damage and never held in memory."""

MAX_DAMAGE_BYTES = 64 << 10
"""At most so much of a broken record is kept in :attr:`Damage.data`."""

LONGEST_HEADER = 4096
"""A header line is kept with each record after it, so a longer one does not count as one: memory stays bounded."""


class TextForm(NamedTuple):
    """How the records of a format stand in files of text, where it is not simply one a line.

    ``header``: a line that begins so says what the columns of those after it are. Each of these comes with the last
    such line (and a line feed) before it, so that a record says all by itself. ``objects``: records are JSON objects;
    several may follow each other on one line, and rows of Parquet files come as such.
    """

    header: str = ""
    objects: bool = False


PLAIN_TEXT = TextForm()


class Record(NamedTuple):
    """One record as it stands in its file: ``str`` for text formats, ``bytes`` for Thrift.

    ``number`` is its place in the file: it grows from record to record and does not depend on how the file was split.
    It is the byte offset in the (decompressed) content; in lzop files, whose blocks are read apart, the file offset
    of the block shifted left by 26, plus the offset within the decompressed block. Records of an elephant-bird block
    count up from the place of the block.
    """

    data: bytes | str
    number: int


class Damage(NamedTuple):
    """A container or framing that is broken at ``offset``, with the reason as a sentence.

    ``offset`` is a file offset where the container is broken, and otherwise (``reason`` says so) one in the
    decompressed content. Records before it were delivered; reading goes on behind it where the container allows.
    ``data`` holds what could be read of a record the damage cuts off (at most 64 KiB of it).
    """

    url: str
    offset: int
    reason: str
    data: bytes = b""
