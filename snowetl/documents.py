"""Configuration documents: JSON, YAML or HOCON from a file, a folder, an address, text or base64.

``${NAME}`` in their texts stands for an environment variable.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from snowetl import bounded_yaml
from snowetl.errors import ConfigError
from snowetl.interpolation import interpolate
from snowetl.jvm import jsontext
from snowetl.problems import Problems
from snowetl.references import look_up
from snowetl.secret_keys import mask_urls

if TYPE_CHECKING:
    from yaml.nodes import Node

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SUFFIXES = {".json": "JSON", ".hocon": "HOCON", ".yml": "YAML", ".yaml": "YAML"}
_SHOWN = 200
_MAX_BYTES = 64 * 1024 * 1024
_PIECE = 1024 * 1024


class _Readable(Protocol):
    def read(self, amount: int, /) -> bytes: ...


@dataclass(frozen=True)
class Document:
    """One parsed document. ``where`` names it in messages: its path or address, or what it is given as."""

    where: str
    value: Any
    text: str = field(default="", repr=False)

    def locate(self, path: Sequence[str | int]) -> str:
        """``where``, and the line of the value at ``path`` (keys and list indices) as far as it can be found."""
        node, line = self._root, 0
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            node, line = found
        return f"{self.where}, line {line}" if line else self.where

    @cached_property
    def _root(self) -> Node | None:
        import yaml

        with suppress(yaml.YAMLError):
            return bounded_yaml.compose(self.text)  # all JSON people write is YAML
        return None


def read(source: Any, what: str, *, variables: bool = True, secrets: bool = True) -> Document:
    """The one document ``source`` stands for: parsed JSON, a path, an address, text of JSON or YAML, or base64 of text.

    ``what`` names it in messages (``the resolver configuration``). With ``variables``, ``${NAME}`` is replaced, and
    with ``secrets`` also ``${secretsmanager:NAME}`` and ``${ssm:NAME}``. Raises :class:`ConfigError` that says where,
    to the line and column, and what to give.
    """
    found = read_all(source, what, variables=variables, secrets=secrets)
    if len(found) != 1:
        raise ConfigError(f"{what}: {_shown(source)} is a folder of {len(found)} documents; name one file")
    return found[0]


def read_all(source: Any, what: str, *, variables: bool = True, secrets: bool = True) -> list[Document]:
    """As :func:`read`, but a folder stands for all its documents (``*.json``, ``*.hocon``, …), in order of name."""
    if isinstance(source, (dict, list)):
        documents = [Document(what, source)]
    elif isinstance(source, Path):
        documents = _from_path(source, what)
    elif not isinstance(source, str) or not source.strip():
        raise ConfigError(f"{what}: nothing is given. Give a file, a folder, JSON, or JSON in base64")
    elif source.lstrip()[0] in "{[":
        documents = [_parsed(source, what, "JSON")]
    elif _SCHEME.match(source):
        documents = _from_address(source, what)
    elif _exists(source):
        documents = _from_path(Path(source), what)
    else:
        documents = [_from_base64(source, what)]
    if not variables:
        return documents
    return [_interpolated(document, secrets) for document in documents]


# --- sources ------------------------------------------------------------------------------------------------------


def _exists(source: str) -> bool:
    try:
        return Path(source).exists()
    except (OSError, ValueError):
        return False


def _from_path(path: Path, what: str) -> list[Document]:
    if not path.is_dir():
        return [_from_file(path)]
    files = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES and file.is_file())
    if not files:
        raise ConfigError(f"{what}: the folder {path} has no file *.json, *.hocon or *.yml")
    problems = Problems()
    documents = []
    for file in files:
        with problems.gathered():
            documents.append(_from_file(file))
    problems.check()
    return documents


def _from_file(path: Path) -> Document:
    try:
        content = read_bounded(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    return _parsed(_decoded(content, str(path)), str(path), _SUFFIXES.get(path.suffix, ""))


def _from_address(uri: str, what: str) -> list[Document]:
    scheme = uri.partition(":")[0].lower()
    parts = urlsplit(uri)
    if scheme == "file":
        return _from_path(Path(unquote(parts.path)), what)
    shown = mask_urls(uri)
    if scheme in ("http", "https"):
        content = _from_web(uri, shown)
    elif scheme in ("s3", "s3a", "s3n"):
        content = _from_s3(parts.netloc, parts.path.lstrip("/"), shown)
    else:
        raise ConfigError(f"{what}: {shown} cannot be read: give a path, or an address s3://, http:// or https://")
    return [_parsed(_decoded(content, shown), shown, _SUFFIXES.get(Path(parts.path).suffix, ""))]


def _from_web(uri: str, shown: str) -> bytes:
    from snowetl.http import Http, HttpError, Policy

    try:
        with Http(Policy(deadline=60.0, max_bytes=_MAX_BYTES)) as http:
            response = http.get(uri)
    except HttpError as error:
        raise ConfigError(f"{shown} cannot be read: {error}") from None
    if response.status != 200:
        raise ConfigError(f"{shown} cannot be read: the server answers {response.status}")
    return response.body


def _from_s3(bucket: str, key: str, shown: str) -> bytes:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = boto3.client("s3").get_object(Bucket=bucket, Key=key)
        return _bounded(answer["Body"], shown)
    except (BotoCoreError, ClientError, ValueError) as error:
        raise ConfigError(f"{shown} cannot be read: {error}") from None


def read_bounded(path: Path) -> bytes:
    """The bytes of a configuration file. Raises ``OSError``, and :class:`ConfigError` for one without end."""
    with path.open("rb") as file:
        return _bounded(file, str(path))


def _bounded(file: _Readable, where: str) -> bytes:
    content = bytearray()
    while piece := file.read(_PIECE):
        content += piece
        if len(content) > _MAX_BYTES:
            raise ConfigError(
                f"{where} has more than {_MAX_BYTES >> 20} MB, which no configuration has. Check the path"
            )
    return bytes(content)


def _from_base64(source: str, what: str) -> Document:
    text = source.strip().translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
    try:
        content = b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        content = ""
    if not content.lstrip().startswith(("{", "[")):
        raise ConfigError(
            f"{what}: there is no file or folder {_shown(source)}, and it is neither JSON nor JSON in base64. "
            "Give the path of a file"
        )
    return _parsed(content, f"{what} in base64", "JSON")


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{where}, line {line}: it is not UTF-8 text") from None


# --- parsing ------------------------------------------------------------------------------------------------------


def _parsed(text: str, where: str, kind: str) -> Document:
    """``kind`` is JSON, YAML, HOCON, or empty: then the first character tells JSON from YAML."""
    if kind == "HOCON":
        return Document(where, hocon(text, where), text)
    if kind == "YAML" or (not kind and not text.lstrip().startswith(("{", "["))):
        return Document(where, _yaml(text, where), text)
    return Document(where, _json(text, where), text)


def _json(text: str, where: str) -> Any:
    try:
        value = jsontext.loads(text)
    except jsontext.JsonError as error:
        raise ConfigError(f"{where}{_json_place(text)} is not JSON: {error}") from None
    if _nests_deeper(value, bounded_yaml.MAX_DEPTH):
        raise ConfigError(f"{where}: it nests deeper than {bounded_yaml.MAX_DEPTH} levels, which no configuration does")
    return value


def _nests_deeper(value: Any, levels: int) -> bool:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(levels + 1):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _json_place(text: str) -> str:
    import json

    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f", line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError):
        pass
    return ""


def _yaml(text: str, where: str) -> Any:
    import yaml

    try:
        return bounded_yaml.load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{where}{place} is not YAML: {getattr(error, 'problem', None) or error}") from None
    except ValueError as error:
        raise ConfigError(f"{where} is not YAML: {error}") from None


def hocon(text: str, where: str) -> Any:
    """The value of HOCON, which resolves its own ``${…}`` from the document and from the environment.

    Raises :class:`ConfigError`, naming ``where``.
    """
    with suppress(jsontext.JsonError):
        return jsontext.loads(text)
    try:
        import pyhocon
    except ModuleNotFoundError:
        raise ConfigError(
            f"{where} is HOCON. Reading it needs another package: pip install 'snowetl[hocon]'; or write it as JSON"
        ) from None
    try:
        base = str(Path(where).parent) if Path(where).is_file() else None  # what it includes lies beside it
        found = pyhocon.ConfigFactory.parse_string(text, basedir=base).as_plain_ordered_dict()
    except Exception as error:  # its parser raises whatever its grammar and substitutions stumble over
        line, column = getattr(error, "lineno", None), getattr(error, "column", None)
        place = f", line {line}, column {column}" if line else ""
        reason = str(error).split("\n", 1)[0] or type(error).__name__
        raise ConfigError(f"{where}{place} is not HOCON: {reason}") from None
    problems = Problems()
    for path in _durations(found):
        problems.add(f"{where}: {'.'.join(path)} is a duration in HOCON; put its text in quotes")
    problems.check()
    return found


def _durations(value: Any, *path: str) -> Iterator[tuple[str, ...]]:
    """Where the reader made a time span of an unquoted text like ``10s``: JSON knows none."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _durations(item, *path, str(key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _durations(item, *path, str(place))
    elif value is not None and not isinstance(value, (str, int, float)):
        yield path


def _child(node: Node | None, step: str | int) -> tuple[Node, int] | None:
    """The value at a key or an index, and the line it (or its key) stands on."""
    import yaml

    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value, key.start_mark.line + 1
    return None


# --- variables, secrets, names ------------------------------------------------------------------------------------


def _interpolated(document: Document, secrets: bool) -> Document:
    try:
        return replace(document, value=interpolate(document.value, stored=look_up if secrets else None))
    except (ValueError, ConfigError) as error:
        raise ConfigError(f"{document.where}: {error}") from None


def _shown(source: Any) -> str:
    text = str(source)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
