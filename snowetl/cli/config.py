"""`snowetl.yml`: every option of every verb as a key, ``${ENV}`` interpolated, unknown keys refused.

A key at the top of the file is a default for every verb that has the option; a key under the name of a verb counts for
that verb only, and wins::

    iglu-config: resolver.json
    enrich:
      input-format: thrift
      input-folder: s3://${BUCKET}/raw/

What is given on the command line wins over the file.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from snowetl.errors import ConfigError

_VARIABLE = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})")


def read_config(path: Path, options: Mapping[str, Iterable[str]], verb: str) -> dict[str, Any]:
    """The values ``path`` gives for ``verb``: option name (with dashes) -> value, as YAML typed it.

    ``options`` maps each verb to the names of its options. Raises :class:`ConfigError` for a file that cannot be read,
    an unknown key, or a variable that is not set.
    """
    document = _load(path)
    names = {name: set(values) for name, values in options.items()}
    everywhere = set().union(*names.values())
    shared: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for raw_key, value in document.items():
        key = _option_name(raw_key)
        if key in names:
            section = _section(path, key, value)
            for inner in section:
                _check(path, inner, names[key], within=key)
            if key == verb:
                own = section
        else:
            _check(path, key, everywhere | set(names))
            if key in names[verb]:
                shared[key] = value
    return {key: interpolate(value, f"{path}: {key}") for key, value in (shared | own).items()}


def interpolate(value: Any, where: str, environment: Mapping[str, str] = os.environ) -> Any:
    """Replace ``${NAME}`` and ``${NAME:-default}`` in all strings of ``value``; ``$$`` stands for one ``$``.

    Raises :class:`ConfigError` for a variable that is not set.
    """
    if isinstance(value, dict):
        return {key: interpolate(item, where, environment) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolate(item, where, environment) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        name, default = match.groups()
        if name is None:
            return "$"
        text = environment.get(name, default)
        if text is None:
            raise ConfigError(
                f"{where}: the environment variable {name} is not set. Set it, or write ${{{name}:-default}}"
            )
        return text

    return _VARIABLE.sub(replace, value)


def nearest(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` or ````, for the end of a message about an unknown ``name``."""
    found = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f" Did you mean '{found[0]}'?" if found else ""


def _load(path: Path) -> dict[Any, Any]:
    import yaml

    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"--config: cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"--config: {path} is not UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"--config: {path} is not YAML: {getattr(error, 'problem', error)}{place}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"--config: {path} must hold keys and values, not {_kind(document)}")
    return document


def _section(path: Path, verb: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(f"--config: {path}: '{verb}' must hold keys and values, not {_kind(value)}")
    return {_option_name(key): item for key, item in value.items()}


def _check(path: Path, key: str, known: set[str], within: str = "") -> None:
    if key not in known:
        place = f" under '{within}'" if within else ""
        raise ConfigError(f"--config: {path}: unknown key '{key}'{place}.{nearest(key, known)}")


def _option_name(key: object) -> str:
    return str(key).replace("_", "-")


def _kind(value: object) -> str:
    return "a list" if isinstance(value, list) else f"'{value}'"
