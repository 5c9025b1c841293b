"""A statement with ``?`` placeholders, cut where they stand: not in quotes, comments or dollar quotes."""

from __future__ import annotations

import re
from typing import NamedTuple

_QUOTED = r"'(?:[^']|'')*'"
_ESCAPED = r"'(?:[^'\\]|\\.|'')*'"
_LINE_COMMENT = r"--[^\n]*"


class Dialect(NamedTuple):
    """What passes for one piece of text, without placeholders; whether comments nest, and ``??`` is an operator."""

    token: re.Pattern[str]
    nested_comments: bool
    doubled_is_operator: bool


POSTGRES = Dialect(
    re.compile(
        rf"(?<![\w$])[eE]{_ESCAPED}|{_QUOTED}|\"(?:[^\"]|\"\")*\"|(?<![\w$])(\$(?:[^\W\d]\w*)?\$).*?\1|{_LINE_COMMENT}",
        re.DOTALL,
    ),
    nested_comments=True,
    doubled_is_operator=True,
)
MYSQL = Dialect(
    re.compile(
        rf"{_ESCAPED}|\"(?:[^\"\\]|\\.|\"\")*\"|`(?:[^`]|``)*`|#[^\n]*|--(?=\s|\Z)[^\n]*",
        re.DOTALL,
    ),
    nested_comments=False,
    doubled_is_operator=False,
)
_NEXT = re.compile(r"""['"`$?#eE]|--|/\*""")


def cut(sql: str, dialect: Dialect) -> tuple[str, ...]:
    """The pieces of ``sql`` between its placeholders: one more than there are placeholders."""
    pieces: list[str] = []
    piece: list[str] = []
    at = 0
    while (found := _NEXT.search(sql, at)) is not None:
        start = found.start()
        piece.append(sql[at:start])
        token = dialect.token.match(sql, start)
        if token is not None:
            at = token.end()
            piece.append(token[0])
        elif found[0] == "/*":
            at = _end_of_comment(sql, start, dialect.nested_comments)
            piece.append(sql[start:at])
        elif found[0] != "?":
            at = found.end()
            piece.append(found[0])
        elif dialect.doubled_is_operator and sql.startswith("??", start):
            at = start + 2
            piece.append("?")
        else:
            at = start + 1
            pieces.append("".join(piece))
            piece = []
    pieces.append("".join((*piece, sql[at:])))
    return tuple(pieces)


def _end_of_comment(sql: str, start: int, nested: bool) -> int:
    depth = 0
    for mark in re.compile(r"/\*|\*/").finditer(sql, start):
        if mark[0] == "*/":
            depth -= 1
        elif nested or depth == 0:
            depth += 1
        if depth == 0:
            return mark.end()
    return len(sql)
