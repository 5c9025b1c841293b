"""What the text files of some formats hold beside one record a line: header lines, objects side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import cast

from snowetl.storage.records import LONGEST_HEADER, Damage, Record, TextForm

_SIDE_BY_SIDE = re.compile(r"\}[ \t]*\{")
_BLANKS = re.compile(r"[ \t]*")
_scan = json.JSONDecoder().raw_decode


def shaped(lines: Iterator[Record | Damage], form: TextForm) -> Iterator[Record | Damage]:
    """The records of ``form`` in ``lines`` of text."""
    if form.header:
        return _with_headers(lines, form.header)
    return _objects(lines) if form.objects else lines


def _with_headers(lines: Iterator[Record | Damage], begins: str) -> Iterator[Record | Damage]:
    header = ""
    for item in lines:
        line = cast(str, item.data)
        if isinstance(item, Damage):
            yield item
        elif line.startswith("#"):
            if line.startswith(begins):
                header = line if len(line) <= LONGEST_HEADER else ""
            yield item
        elif header and line:
            yield Record(f"{header}\n{line}", item.number)
        else:
            yield item


def _objects(lines: Iterator[Record | Damage]) -> Iterator[Record | Damage]:
    """Amazon Data Firehose puts nothing between records unless it is told to, so one line may be a whole file."""
    for item in lines:
        if isinstance(item, Record) and _SIDE_BY_SIDE.search(cast(str, item.data)):
            yield from _apart(cast(str, item.data), item.number)
        else:
            yield item


def _apart(line: str, number: int) -> Iterator[Record]:
    """The objects of a line, numbered by their places in it; from the first that is none, the rest is one record."""
    start = cast("re.Match[str]", _BLANKS.match(line)).end()
    while start < len(line):
        try:
            _, end = _scan(line, start)
        except (ValueError, RecursionError):
            end = len(line)
        yield Record(line[start:end], number + start)
        start = cast("re.Match[str]", _BLANKS.match(line, end)).end()
