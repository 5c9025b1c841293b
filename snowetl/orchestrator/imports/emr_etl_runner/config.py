"""Reads a ``config.yml`` of EmrEtlRunner, of any release: one tree in the spelling of 1.0.4, checked as a whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snowetl import bounded_yaml
from snowetl.errors import ConfigError
from snowetl.interpolation import interpolate
from snowetl.orchestrator.imports.emr_etl_runner.keys import (
    GONE,
    KEYS,
    NUMBER,
    RENAMED,
    SIZE,
    VERSION,
    Key,
    Kind,
    is_reference,
)
from snowetl.orchestrator.imports.emr_etl_runner.template import references
from snowetl.orchestrator.imports.found import Left
from snowetl.problems import Problems, did_you_mean

_BY_PATH = {key.path: key for key in KEYS}
_NEEDED_NOW = (NUMBER, SIZE, VERSION)
"""Kinds of values that decide what is read; a variable that stands for one is read at once."""
_SECTIONS = {".".join(key.path.split(".")[:depth]) for key in KEYS for depth in range(1, key.path.count(".") + 1)}
_STREAM = "aws.s3.buckets.enriched.stream"
_OPTIONAL_BLOCKS = ("aws.s3.buckets.raw", "collectors", "monitoring.snowplow", "aws.emr.jobflow.core_instance_ebs")
"""Blocks whose keys are wanted only where the block is there."""


@dataclass(frozen=True)
class RunnerConfig:
    """A checked configuration. Texts are in the syntax of ``snowetl.yml`` (``${NAME}``)."""

    where: str
    tree: Mapping[str, Any]
    lines: Mapping[str, int] = field(default_factory=dict)
    """The line of each key, by its path in the spelling of 1.0.4."""
    unknown: tuple[Left, ...] = ()

    def __getitem__(self, path: str) -> Any:
        """The value at a dotted path; ``None`` if nothing is there."""
        return _inner(self.tree, path)

    def locate(self, path: str) -> str:
        """A key for messages: file, line and path."""
        return _place(path, self.where, self.lines)

    @property
    def stream(self) -> bool:
        """Whether runs take what Stream Enrich wrote."""
        return self[_STREAM] is not None

    @property
    def raw_in(self) -> tuple[str, ...]:
        value = self["aws.s3.buckets.raw.in"]
        return tuple(value if isinstance(value, list) else [value] if value else [])


def config_text(path: str | None, usage: str = "", stdin: str = "") -> str:
    """The text of a configuration file (``-``: ``stdin``). Raises :class:`ConfigError` with the old runner's words."""
    if path is None:
        raise ConfigError(f"Missing option: config\n{usage}".rstrip("\n"))
    if path == "-":
        return stdin
    if not Path(path).is_file():
        raise ConfigError(f"Configuration file '{path}' does not exist, or is not a file\n{usage}".rstrip("\n"))
    try:
        return Path(path).read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text") from None


def parse(text: str, where: str, environment: Mapping[str, str] = os.environ) -> RunnerConfig:
    """The configuration in ``text``. Raises :class:`ConfigError` that lists all that is wrong, with lines.

    Texts that come from the environment stay references; numbers are read from ``environment``, as they are needed.
    """
    document, lines = _yaml(references(text, where), where)
    tree, moved = _renamed(document, lines)
    problems = Problems()
    unknown = tuple(_unknown(tree, where, moved))
    for section in sorted(_SECTIONS):
        value = _inner(tree, section)
        if value is not None and not isinstance(value, dict):
            problems.add(f"{_place(section, where, moved)} must hold keys, not {value!r}")
    for key in KEYS:
        with problems.gathered():
            _check(key, tree, where, moved, environment)
    problems.check()
    buckets = _inner(tree, "aws.s3.buckets")
    _put(tree, "aws.s3.buckets", with_slashes(buckets))
    return RunnerConfig(where, tree, moved, unknown)


def with_slashes(value: Any) -> Any:
    """A slash at the end of every text in ``value``, however deep."""
    if isinstance(value, dict):
        return {key: with_slashes(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_slashes(inner) for inner in value]
    return f"{value}/" if isinstance(value, str) and not value.endswith("/") else value


# --- reading ----------------------------------------------------------------------------------------------------------


def _yaml(text: str, where: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The document, and the line of each path. Keys lose the colon that Ruby's symbols began with."""
    import yaml

    try:
        node = bounded_yaml.compose(text)
        lines: dict[str, int] = {}
        value = _value(node, "", lines)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{where}{place} is not YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{where} holds no keys. Give the configuration of EmrEtlRunner, a YAML file")
    return value, lines


def _value(node: Any, path: str, lines: dict[str, int]) -> Any:
    import yaml

    if isinstance(node, yaml.MappingNode):
        found = {}
        for key_node, value_node in node.value:
            key = str(key_node.value).lstrip(":")
            inner = f"{path}.{key}" if path else key
            lines[inner] = key_node.start_mark.line + 1
            found[key] = _value(value_node, inner, lines)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, path, lines) for each in node.value]
    if node is None:
        return None
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _renamed(document: dict[str, Any], lines: dict[str, int]) -> tuple[dict[str, Any], dict[str, int]]:
    """The tree with keys of earlier releases where they are today; a key that stands in both places counts as it is."""
    lines = dict(lines)
    for old, new in RENAMED.items():
        value = _inner(document, old)
        if value is None:
            continue
        _take(document, old)
        if _inner(document, new) is None:
            _put(document, new, value)
            for path in [path for path in lines if path == old or path.startswith(f"{old}.")]:
                lines[new + path[len(old) :]] = lines[path]
    return document, lines


def _place(path: str, where: str, lines: Mapping[str, int]) -> str:
    return f"{where}, line {lines[path]}: {path}" if path in lines else f"{where}: {path}"


def _unknown(tree: Any, where: str, lines: Mapping[str, int]) -> Iterator[Left]:
    """Keys that no release had: misspelt ones, most often."""
    for path in _paths(tree):
        place = _place(path, where, lines)
        if path.split(".")[0] in GONE:
            if path in GONE:
                yield Left(place, *GONE[path])
        elif path not in _BY_PATH and path not in _SECTIONS and not _is_below_a_value(path):
            names = [each.rpartition(".")[2] for each in _BY_PATH if each.rpartition(".")[0] == path.rpartition(".")[0]]
            hint = did_you_mean(path.rpartition(".")[2], names)
            yield Left(place, f"no release of EmrEtlRunner read this key{hint}", "Correct it, or leave it out")


def _is_below_a_value(path: str) -> bool:
    """Whether a path leads into a map that is one value: tags, configuration, targets."""
    parents = [path[:at] for at, letter in enumerate(path) if letter == "."]
    return any(parent in _BY_PATH and parent not in _SECTIONS for parent in parents)


def _check(
    key: Key, tree: dict[str, Any], where: str, lines: Mapping[str, int], environment: Mapping[str, str]
) -> None:
    value = _inner(tree, key.path)
    place = _place(key.path, where, lines)
    if value is None:
        if not key.null and _is_wanted(key, tree):
            raise ConfigError(f"{place} is missing: it must be {key.kind.name}")
        return
    if is_reference(value):
        if key.kind not in _NEEDED_NOW:
            return
        value = _now(value, key.kind, place, environment)
        _put(tree, key.path, value)
    if not key.kind.fits(value):
        shown = "what it is" if "access_key" in key.path else repr(value)
        raise ConfigError(f"{place} must be {key.kind.name}, not {shown}")


def _now(value: str, kind: Kind, place: str, environment: Mapping[str, str]) -> Any:
    try:
        text = interpolate(value, environment)
        return text if kind == VERSION else float(text) if "." in text else int(text)
    except ValueError as error:
        raise ConfigError(f"{place} is {value}, and must be {kind.name} now: {error}") from None


_ALWAYS = {"aws.s3.region", "aws.emr.region", "aws.s3.buckets.enriched.good", "aws.emr.ami_version"}
"""What no configuration can do without. All else was added, moved or made optional by some release."""


def _is_wanted(key: Key, tree: dict[str, Any]) -> bool:
    block = next((each for each in _OPTIONAL_BLOCKS if key.path.startswith(f"{each}.")), None)
    if block is not None:
        return _inner(tree, block) is not None
    return key.path in _ALWAYS


def _paths(tree: Any, path: str = "") -> Iterator[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            inner = f"{path}.{key}" if path else key
            yield inner
            yield from _paths(value, inner)


def _inner(tree: Any, path: str) -> Any:
    for key in path.split("."):
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for key in parents:
        inner = tree.get(key)
        if not isinstance(inner, dict):
            inner = tree[key] = {}
        tree = inner
    tree[last] = value


def _take(tree: dict[str, Any], path: str) -> None:
    """Remove a key, and the sections it leaves empty."""
    parent_path, _, last = path.rpartition(".")
    parent = _inner(tree, parent_path) if parent_path else tree
    del parent[last]
    if parent_path and not parent:
        _take(tree, parent_path)
