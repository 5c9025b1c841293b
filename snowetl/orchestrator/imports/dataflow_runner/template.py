"""The templates of clusters and playbooks: Go's ``text/template`` as far as such files use it.

Variables (``{{.name}}``), the functions of Dataflow Runner, texts, pipes, comments and trimming (``{{- -}}``). No
conditions and loops: a file that has one is refused by name.
"""

from __future__ import annotations

import json
import os
import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from snowetl.errors import ConfigError
from snowetl.orchestrator.imports.dataflow_runner.layouts import formatted

_ACTION = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
_TOKEN = re.compile(r"""\s*("(?:[^"\\\n]|\\.)*"|`[^`]*`|\.[A-Za-z_]\w*|\||[A-Za-z_]\w*|\S)""")
_KEYWORDS = {"if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"}


class TemplateError(ConfigError):
    """A template that cannot be filled in; the text is Go's."""


class _Token(NamedTuple):
    text: str
    at: int


@dataclass
class Template:
    """Fills in templates. ``files`` remembers which file each base64 text came from (see :meth:`file_of`)."""

    variables: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    folder: Path = field(default_factory=Path)
    """Where relative names of files start."""
    clock: Callable[[], float] = time.time
    files: dict[str, str] = field(default_factory=dict)

    def fill(self, text: str, name: str = "template") -> str:
        """``text`` with each action replaced by its value. Raises :class:`TemplateError`, with line and column."""
        done: list[str] = []
        at, trims = 0, False
        for match in _ACTION.finditer(text):
            before = text[at : match.start()]
            before = before.lstrip() if trims else before
            done.append(before.rstrip() if match[1] else before)
            done.append(self._action(_Place(name, text), match[2], match.start(2)))
            at, trims = match.end(), match[3] is not None
        rest = text[at:]
        if "{{" in rest:
            raise TemplateError(_Place(name, text).parse(text.rindex("{{"), "unclosed action"))
        done.append(rest.lstrip() if trims else rest)
        return "".join(done)

    def file_of(self, base64: str) -> str | None:
        """The file whose content ``base64`` is, where this template put it in."""
        return self.files.get(base64)

    def _action(self, place: _Place, code: str, start: int) -> str:
        if code.strip().startswith("/*"):
            return ""
        tokens = [_Token(match[1], start + match.start(1)) for match in _TOKEN.finditer(code)]
        if not tokens:
            raise TemplateError(place.parse(start, "missing value for command"))
        value: str | None = None
        command: list[_Token] = []
        for token in [*tokens, _Token("|", start)]:
            if token.text != "|":
                command.append(token)
                continue
            if not command:
                raise TemplateError(place.parse(token.at, "missing value for command"))
            value = self._command(place, command, value)
            command = []
        return value or ""

    def _command(self, place: _Place, tokens: list[_Token], piped: str | None) -> str:
        first, *rest = tokens
        if first.text[0] in '"`.':
            if rest or piped is not None:
                raise TemplateError(place.parse(first.at, f"can't give argument to non-function {first.text}"))
            return self._value(place, first)
        if first.text in _KEYWORDS:
            raise TemplateError(
                place.parse(first.at, f"{{{{{first.text}}}}} is not read here: write the file without it")
            )
        function = _FUNCTIONS.get(first.text)
        if function is None:
            raise TemplateError(place.parse(first.at, f'function "{first.text}" not defined'))
        code = place.text[first.at : tokens[-1].at + len(tokens[-1].text)]
        values = [self._value(place, token) for token in rest] + ([] if piped is None else [piped])
        count, call = function
        if len(values) != count:
            wrong = f"wrong number of args for {first.text}: want {count} got {len(values)}"
            raise TemplateError(place.execute(first.at, code, wrong))
        try:
            return call(self, *values)
        except ValueError as error:
            raise TemplateError(place.execute(first.at, code, f"error calling {first.text}: {error}")) from None

    def _value(self, place: _Place, token: _Token) -> str:
        text = token.text
        if text.startswith("`"):
            return text[1:-1]
        if text.startswith('"'):
            return _unquoted(text)
        if not text.startswith("."):
            raise TemplateError(place.parse(token.at, f'unexpected "{text}" in operand'))
        if text[1:] not in self.variables:
            missing = f'map has no entry for key "{text[1:]}"'
            raise TemplateError(place.execute(token.at, text, missing))
        return self.variables[text[1:]]

    # --- the functions

    def _now_with_format(self, layout: str) -> str:
        return formatted(datetime.fromtimestamp(self.clock(), UTC), layout)

    def _time_with_format(self, seconds: str, layout: str) -> str:
        if not re.fullmatch(r"[+-]?\d+", seconds, re.ASCII):
            raise ValueError(f'strconv.ParseInt: parsing "{seconds}": invalid syntax')
        try:
            return formatted(datetime.fromtimestamp(int(seconds), UTC), layout)
        except (ValueError, OverflowError, OSError):
            raise ValueError(f'strconv.ParseInt: parsing "{seconds}": value out of range') from None

    def _system_env(self, name: str) -> str:
        if name not in self.environment:
            raise ValueError(f"environment variable {name} not set")
        return self.environment[name]

    def _base64(self, text: str) -> str:
        return b64encode(text.encode()).decode()

    def _base64_file(self, name: str) -> str:
        path = self.folder / name
        try:
            encoded = b64encode(path.read_bytes()).decode()
        except OSError as error:
            raise ValueError(f"open {name}: {(error.strerror or str(error)).lower()}") from None
        self.files[encoded] = str(path)
        return encoded


_FUNCTIONS: dict[str, tuple[int, Callable[..., str]]] = {
    "nowWithFormat": (1, Template._now_with_format),
    "timeWithFormat": (2, Template._time_with_format),
    "systemEnv": (1, Template._system_env),
    "base64": (1, Template._base64),
    "base64File": (1, Template._base64_file),
}
"""Each function, and how many arguments it takes."""


@dataclass(frozen=True)
class _Place:
    """Says where in a template something is, as Go does: line from 1, column from 0."""

    name: str
    text: str

    def parse(self, at: int, what: str) -> str:
        return f"template: {self.name}:{self._line(at)}: {what}"

    def execute(self, at: int, code: str, what: str) -> str:
        column = len(self.text[self.text.rfind("\n", 0, at) + 1 : at].encode())
        return f'template: {self.name}:{self._line(at)}:{column}: executing "{self.name}" at <{code}>: {what}'

    def _line(self, at: int) -> int:
        return self.text.count("\n", 0, at) + 1


def _unquoted(text: str) -> str:
    """The value of a Go string literal (the escapes that JSON has too, and ``\\a``, ``\\v``)."""
    try:
        return str(json.loads(text.replace("\\a", "\\u0007").replace("\\v", "\\u000b")))
    except ValueError:
        return text[1:-1]


def variables(text: str) -> dict[str, str]:
    """``--vars k,v,k,v`` as a mapping. A comma cannot be part of a value. Raises :class:`ConfigError`."""
    parts = text.split(",") if text else []
    if len(parts) % 2:
        raise ConfigError("--vars must have an even number of keys and values")
    return dict(zip(parts[::2], parts[1::2], strict=True))
