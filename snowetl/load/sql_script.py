"""Cuts a file of SQL into its statements, for drivers that take one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PIECE = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|(?P<quote>\$(?:[A-Za-z_]\w*)?\$).*?(?P=quote)|;|.""", re.DOTALL
)
"""Texts, names, comments and dollar-quoted bodies hold semicolons that end nothing."""


def statements_of(sql: str) -> Iterator[str]:
    """The statements, without their semicolons, and without those that are comments only."""
    statement: list[str] = []
    has_content = False
    for match in _PIECE.finditer(sql):
        piece = match[0]
        if piece == ";":
            if has_content:
                yield "".join(statement).strip()
            statement, has_content = [], False
            continue
        statement.append(piece)
        has_content |= not piece.startswith(("--", "/*")) and not piece.isspace()
    if has_content:
        yield "".join(statement).strip()
