"""``snowetl.yml``: every setting of every verb is a key; one message names all mistakes, with their lines.

A key at the top of the file counts for every verb that has the setting; a key under the name of a verb counts for that
verb only, and wins. Verbs about runs (``status``, ``backfill``, …) take what they know from ``run``, too::

    iglu-config: resolver.json
    enrich:
      input-format: thrift
      input-folder: s3://${BUCKET}/raw/
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from snowetl import bounded_yaml
from snowetl.documents import read_bounded
from snowetl.errors import ConfigError
from snowetl.interpolation import interpolate
from snowetl.problems import did_you_mean
from snowetl.settings.declaration import Option, Settings
from snowetl.settings.words import count, listed

Verbs = Mapping[str, type[Settings]]


class _Entry(NamedTuple):
    """A key of the file: its name with dashes, the line it stands in (from 1), its value."""

    key: str
    line: int
    value: Any


def read_config(
    path: Path, verbs: Verbs, verb: str, environment: Mapping[str, str] = os.environ, base: str | None = None
) -> dict[str, tuple[Any, str]]:
    """What a file says for one verb: the field's name -> its value, and where it stands (``file, line N``).

    ``base`` is another verb whose keys count for this one, as far as it has them and its own do not say otherwise.

    Raises :class:`ConfigError` for a file that cannot be read, and for all unknown keys, keys that are given twice,
    variables that are not set and values that cannot be read: the message lists each with its line.
    """
    problems: list[tuple[int, str]] = []
    known = {name: _keys(settings) for name, settings in verbs.items()}
    everywhere = {key for keys in known.values() for key in keys}
    document = _document(path)
    _refuse_other_programs(path, document)
    shared: list[_Entry] = []
    of_base: list[_Entry] = []
    own: list[_Entry] = []
    for entry in _entries(document, problems):
        if entry.key in known:
            section = _section(entry, problems)
            for inner in section:
                if inner.key not in known[entry.key]:
                    problems.append((inner.line, _unknown(inner.key, known, entry.key)))
            if entry.key == verb:
                own = section
            elif entry.key == base:
                of_base = section
        elif entry.key in everywhere:
            shared.append(entry)
        else:
            problems.append((entry.line, _unknown(entry.key, known, None)))
    found: dict[str, tuple[Any, str]] = {}
    for entry in (*shared, *of_base, *own):
        setting = known[verb].get(entry.key)
        if setting is None or entry.value is None:
            continue
        try:
            value = setting.parse(interpolate(entry.value, environment))
            found[setting.name] = value, f"{path}, line {entry.line}"
        except ValueError as error:
            problems.append((entry.line, f"{entry.key}: {error}"))
    if problems:
        raise ConfigError(_told(path, sorted(set(problems))))
    return found


def _keys(settings: type[Settings]) -> dict[str, Option]:
    """The settings that a file may hold: all but positional arguments."""
    return {each.key: each for each in settings.options() if not each.positional}


def _unknown(key: str, known: Mapping[str, Mapping[str, Option]], section: str | None) -> str:
    """Why a key is refused: the nearest known one, or the verb under which it would be known."""
    if section is None:
        names = {*known, *(name for keys in known.values() for name in keys)}
        return f"unknown key '{key}'{did_you_mean(key, names)}"
    hint = did_you_mean(key, known[section])
    if not hint:
        others = [verb for verb, keys in known.items() if key in keys]
        hint = f"; it is a key of {listed(others)}" if others else ""
    return f"unknown key '{key}' under '{section}'{hint}"


def _told(path: Path, problems: list[tuple[int, str]]) -> str:
    if len(problems) == 1:
        [(line, text)] = problems
        return f"--config: {path}, line {line}: {text}"
    lines = "".join(f"\n  line {line}: {text}" for line, text in problems)
    return f"--config: {path} has {count(len(problems), 'mistake')}:{lines}"


# --- reading --------------------------------------------------------------------------------------------------------


def _document(path: Path) -> Any:
    """The root node of the file, ``None`` for an empty one."""
    import yaml

    try:
        text = read_bounded(path).decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"--config: cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"--config: {path} is not UTF-8 text") from None
    try:
        node = bounded_yaml.compose(text, _loader())
        if node is not None:
            _value(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"--config: {path}{place} is not YAML: {getattr(error, 'problem', error)}") from None
    if node is None:
        return None
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"--config: {path} must hold keys and values, not {_kind(_value(node))}")
    return node


def _loader() -> Any:
    """YAML without dates: a run id or a time stays the text it is."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:timestamp"]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader


def _value(node: Any) -> Any:
    loader = _loader()("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _entries(node: Any, problems: list[tuple[int, str]]) -> list[_Entry]:
    """The keys of a mapping. One that stands there twice is a problem."""
    entries: dict[str, _Entry] = {}
    for key_node, value_node in node.value if node is not None else ():
        line = key_node.start_mark.line + 1
        key = str(key_node.value).replace("_", "-")
        if key in entries:
            problems.append((line, f"'{key}' is given twice (before: line {entries[key].line})"))
        entries[key] = _Entry(key, line, value_node)
    return [entry._replace(value=_parsed(entry.value)) for entry in entries.values()]


def _parsed(node: Any) -> Any:
    """The value of a node; a mapping stays a node beside its value, so that its keys keep their lines."""
    import yaml

    value = _value(node)
    return _Mapping(value, node) if isinstance(node, yaml.MappingNode) else value


class _Mapping(dict[Any, Any]):
    """A mapping of the file that remembers its node."""

    def __init__(self, value: Mapping[Any, Any], node: Any) -> None:
        super().__init__(value)
        self.node = node


def _section(entry: _Entry, problems: list[tuple[int, str]]) -> list[_Entry]:
    if entry.value is None:
        return []
    if not isinstance(entry.value, _Mapping):
        problems.append((entry.line, f"'{entry.key}' must hold keys and values, not {_kind(entry.value)}"))
        return []
    return _entries(entry.value.node, problems)


def _kind(value: object) -> str:
    return "a list" if isinstance(value, list) else f"'{value}'"


# --- files of other programs ----------------------------------------------------------------------------------------


def _refuse_other_programs(path: Path, node: Any) -> None:
    """Raises :class:`ConfigError` for the configuration of another Snowplow program, saying which."""
    document = _value(node) if node is not None else {}
    if not isinstance(document, dict):
        return
    keys = {str(key).lstrip(":") for key in document}
    if "aws" in keys and keys & {"collectors", "enrich", "storage", "monitoring"}:
        raise ConfigError(
            f"--config: {path} is a configuration of EmrEtlRunner (it has the key 'aws'), not a snowetl.yml. "
            f"Make one of it: snowetl import-config emr-etl-runner {path}"
        )
    if {"schema", "data"} <= keys:
        raise ConfigError(
            f"--config: {path} is self-describing JSON ({document.get('schema')}), not a snowetl.yml. A resolver goes "
            "to --iglu-config, an enrichment to --enrichments"
        )
