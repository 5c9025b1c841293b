"""The kinds of values a setting can have: how each is read, written, described and compared.

``parse`` reads what a user wrote (text of the command line, or a value of ``snowetl.yml``) and raises ``ValueError``
with a message that says what is wrong. ``accept`` does the same for a value given in Python.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snowetl.jvm import jsontext
from snowetl.jvm.commons_codec import decode_base64
from snowetl.jvm.strings import decode_utf8
from snowetl.problems import did_you_mean

ReadDocument = Callable[[Any], Any]
"""The content of a document given as a path, a folder, text, base64 or parsed JSON."""


@dataclass(frozen=True)
class Kind:
    """Base of all kinds. ``metavar`` stands for the value in help texts."""

    metavar: str = "TEXT"

    def parse(self, value: Any) -> Any:
        raise NotImplementedError

    def accept(self, value: Any) -> Any:
        return self.parse(value)

    def split(self, value: Any) -> list[Any]:
        """The values of a setting that takes several, where one text is given (an environment variable)."""
        return [value]

    def is_public(self, value: Any) -> bool:
        """Whether a value of a setting that may be secret is none."""
        return False

    def to_json(self, value: Any) -> Any:
        """A JSON value that ``parse`` reads as ``value``."""
        return value

    def to_text(self, value: Any) -> str:
        """A command line argument that ``parse`` reads as ``value``."""
        return str(self.to_json(value))

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}

    def canonical(self, value: Any, read: ReadDocument) -> Any:
        """JSON that is equal for values that mean the same."""
        return self.to_json(value)


@dataclass(frozen=True)
class Text(Kind):
    def parse(self, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError(f"{shown(value)} is not text")
        return str(value)


@dataclass(frozen=True)
class Flag(Kind):
    """Yes or no."""

    metavar: str = "true|false"

    def parse(self, value: Any) -> bool:
        text = str(value).strip().lower()
        if text in ("true", "yes", "on", "1"):
            return True
        if text in ("false", "no", "off", "0"):
            return False
        raise ValueError(f"{shown(value)} is neither true nor false")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Number(Kind):
    """A whole number, ``minimum`` or more, ``maximum`` or less."""

    metavar: str = "INTEGER"
    minimum: int | None = None
    maximum: int | None = None

    def parse(self, value: Any) -> int:
        try:
            number = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is None:
            raise ValueError(f"{shown(value)} is not a valid integer")
        if self.minimum is not None and number < self.minimum:
            raise ValueError(f"{number} is too small: it must be {self.minimum} or more")
        if self.maximum is not None and number > self.maximum:
            raise ValueError(f"{number} is too large: it must be {self.maximum} or less")
        return number

    def json_schema(self) -> dict[str, Any]:
        limits = {"minimum": self.minimum, "maximum": self.maximum}
        return {"type": "integer"} | {name: limit for name, limit in limits.items() if limit is not None}


@dataclass(frozen=True)
class Size(Kind):
    """A number of bytes: ``64MB``, ``512k``, ``1048576`` (units of 1024). What a user writes is held to ``floor``."""

    metavar: str = "SIZE"
    floor: int = 1

    def parse(self, value: Any) -> int:
        size = self.accept(value)
        if size < self.floor:
            hint = f"{value}MB" if str(value).strip().isdigit() else size_text(self.floor)
            raise ValueError(
                f"{shown(value)} is {size:,} bytes; it must be {size_text(self.floor)} or more, such as {hint}"
            )
        return size

    def accept(self, value: Any) -> int:
        match = _SIZE.fullmatch(str(value).strip())
        size = int(float(match[1]) * 1024 ** " kmgt".index(match[2].lower() or " ")) if match else 0
        if size < 1:
            raise ValueError(f"{shown(value)} is not a size, such as 64MB")
        return size

    def to_text(self, value: Any) -> str:
        return size_text(value)

    def json_schema(self) -> dict[str, Any]:
        return {"type": ["integer", "string"], "pattern": r"^\s*\d+(\.\d+)?\s*[kKmMgGtT]?i?[bB]?\s*$"}


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE | re.ASCII)


def size_text(size: int) -> str:
    """``67108864`` as ``64MB``; a size that is not a whole number of a unit in bytes."""
    for unit, factor in (("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words, written exactly so."""

    choices: tuple[str, ...] = ()

    def parse(self, value: Any) -> str:
        text = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else str(value)
        if text not in self.choices:
            listed = ", ".join(repr(choice) for choice in self.choices)
            raise ValueError(f"{shown(value)} is not one of {listed}{did_you_mean(str(text), self.choices)}")
        return str(text)

    def json_schema(self) -> dict[str, Any]:
        return {"enum": list(self.choices)}


@dataclass(frozen=True)
class Location(Kind):
    """A folder, file or glob of any storage: a local path, ``file://``, ``s3://``, ``hdfs://``."""

    metavar: str = "FOLDER"

    def parse(self, value: Any) -> str:
        text = os.fspath(value) if isinstance(value, os.PathLike) else value
        if not isinstance(text, str):
            raise ValueError(f"{shown(value)} is not the address of a folder")
        if not text.strip():
            raise ValueError("the address is empty")
        match = _SLASHES_MISSING.match(text)
        if match is not None:
            raise ValueError(f"{shown(text)} lacks a slash: write {match[1]}://{text[match.end() :]}")
        return text

    def canonical(self, value: Any, read: ReadDocument) -> Any:
        return canonical_location(value)


_SLASHES_MISSING = re.compile(r"(s3[an]?|hdfs|https?):/?(?!/)", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(//)?")


def canonical_location(text: str) -> str:
    """One spelling for all spellings of a place: ``s3a``, ``file://``, relative paths, links and trailing slashes."""
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else "file"
    if scheme == "file":
        path = text[len("file:") :] if match else text
        if match and path.startswith("//"):
            path = "/" + path[2:].partition("/")[2]
        return "file://" + os.path.realpath(path)
    rest = text[match.end() :] if match else text
    return f"{'s3' if scheme in ('s3a', 's3n') else scheme}://{rest.rstrip('/')}"


@dataclass(frozen=True)
class LocalPath(Kind):
    """A path of this machine."""

    metavar: str = "PATH"

    def parse(self, value: Any) -> Path:
        if not isinstance(value, (str, os.PathLike)) or not str(value).strip():
            raise ValueError(f"{shown(value)} is not a path")
        return Path(value)

    def to_json(self, value: Any) -> Any:
        return str(value)

    def canonical(self, value: Any, read: ReadDocument) -> Any:
        return os.path.realpath(value)


@dataclass(frozen=True)
class Document(Kind):
    """A configuration in JSON: the path of a file (or folder), base64 of the text, the text, or parsed JSON."""

    metavar: str = "FILE|BASE64"

    def parse(self, value: Any) -> Any:
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        if isinstance(value, str) and _is_json(value):
            try:
                return jsontext.loads(value)
            except ValueError:  # whoever uses the document says what is wrong with it
                return value
        return str(value) if isinstance(value, (bool, int, float)) else value

    def to_text(self, value: Any) -> str:
        return value if isinstance(value, str) else jsontext.dumps(value)

    def json_schema(self) -> dict[str, Any]:
        return {"type": ["string", "object", "array"]}

    def canonical(self, value: Any, read: ReadDocument) -> Any:
        return read(value)

    @staticmethod
    def is_inline(value: Any) -> bool:
        """Whether ``value`` holds the document itself (and with it, perhaps, its secrets), not the place of one."""
        return not isinstance(value, str) or _is_json(value) or _is_json(decode_utf8(decode_base64(value)))


def _is_json(text: str) -> bool:
    return text.lstrip().startswith(("{", "["))


def shown(value: Any) -> str:
    """A value as a message quotes it: short, and never a whole document."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return f"'{text}'" if len(text) <= 100 else f"'{text[:100]}…'"
