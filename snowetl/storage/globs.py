"""Path patterns: ``*``, ``?``, ``[a-z]``, ``[!a]`` within a level, ``{a,b}`` alternatives; hidden names skipped."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from snowetl.errors import UsageError

_MAGIC = re.compile(r"[*?\[{]")
_MAX_ALTERNATIVES = 1000


class Glob(NamedTuple):
    """One pattern without alternatives: a literal ``base`` folder and the compiled levels below it.

    ``literal_start`` is what every matching name of the first level begins with.
    """

    base: str
    levels: tuple[re.Pattern[str], ...]
    literal_start: str

    def matches(self, below: list[str]) -> bool:
        """Whether the path ``below`` the base (its names) is matched, or lies in a folder that is."""
        if len(below) < len(self.levels):
            return False
        return all(level.fullmatch(name) for level, name in zip(self.levels, below, strict=False)) and not any(
            map(is_hidden, below[len(self.levels) :])
        )


def is_hidden(name: str) -> bool:
    """Names Hadoop takes for invisible: ``_SUCCESS``, ``_temporary``, ``.file.crc``."""
    return name.startswith((".", "_"))


def has_magic(path: str) -> bool:
    return _MAGIC.search(path) is not None


def path_matcher(path: str) -> Callable[[str], bool]:
    """Whether a path (no scheme, ``/`` between levels) is among those that a listing of the pattern ``path`` gives.

    Raises :class:`UsageError` as :func:`compile_globs`.
    """
    if not has_magic(path):
        folder = path.rstrip("/") + "/" if path.strip("/") else ""
        return lambda name: (
            (name == path and name != folder) or (name.startswith(folder) and _is_seen(name[len(folder) :]))
        )
    globs = [(glob.base.rstrip("/") + "/" if glob.base else "", glob) for glob in compile_globs(path)]
    return lambda name: (
        not name.endswith("/")
        and any(name.startswith(base) and glob.matches(name[len(base) :].split("/")) for base, glob in globs)
    )


def _is_seen(below: str) -> bool:
    names = below.split("/")
    return bool(names[-1]) and not any(map(is_hidden, names))


def compile_globs(path: str) -> list[Glob]:
    """The patterns ``path`` (no scheme, ``/`` between levels) stands for, alternatives written out.

    Raises :class:`UsageError` for a bracket that is not closed.
    """
    return [_compile(alternative, path) for alternative in dict.fromkeys(_expand(path, path))]


def _compile(path: str, whole: str) -> Glob:
    names = path.rstrip("/").split("/")
    literal = 0
    while literal < len(names) - 1 and not has_magic(names[literal]):
        literal += 1
    levels = tuple(_level(name, whole) for name in names[literal:] if name)
    return Glob("/".join(names[:literal]), levels, _MAGIC.split(names[literal], maxsplit=1)[0])


def _level(name: str, whole: str) -> re.Pattern[str]:
    pieces = [] if is_hidden(name) else ["(?![._])"]
    i = 0
    while i < len(name):
        char = name[i]
        if char == "*":
            pieces.append(".*")
        elif char == "?":
            pieces.append(".")
        elif char == "[":
            end = name.find("]", i + 2)
            if end < 0:
                raise UsageError(f"the [ in {whole} is not closed; write [a-z], or name the folder above instead")
            pieces.append(_char_class(name[i + 1 : end], whole))
            i = end
        else:
            pieces.append(re.escape(char))
        i += 1
    return re.compile("".join(pieces), re.DOTALL)


def _char_class(chars: str, whole: str) -> str:
    negated = chars[0] in "!^"
    body = re.sub(r"([\\\[\]^&~|])", r"\\\1", chars[1:] if negated else chars)
    try:
        return re.compile(f"[{'^' if negated else ''}{body}]").pattern
    except re.error as error:
        raise UsageError(f"the range [{chars}] in {whole} cannot be read: {error}") from None


def _expand(path: str, whole: str) -> list[str]:
    """Write out ``{a,b}``, nested ones too."""
    start = path.find("{")
    if start < 0:
        return [path]
    depth, cuts = 0, [start]
    for i in range(start, len(path)):
        char = path[i]
        if char == "{":
            depth += 1
        elif char == "," and depth == 1:
            cuts.append(i)
        elif char == "}":
            depth -= 1
            if not depth:
                cuts.append(i)
                break
    else:
        raise UsageError(f"the {{ in {whole} is not closed; write {{a,b}}")
    head, tail = path[:start], path[cuts[-1] + 1 :]
    options = [path[left + 1 : right] for left, right in pairwise(cuts)]
    expanded = [more for option in options for more in _expand(head + option + tail, whole)]
    if len(expanded) > _MAX_ALTERNATIVES:
        raise UsageError(f"{whole} stands for more than {_MAX_ALTERNATIVES} patterns; use * or name a folder")
    return expanded
