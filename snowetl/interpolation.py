"""``${NAME}`` in configuration: snowetl.yml, resolver and enrichment files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

_VARIABLE = re.compile(r"\$(?:(\$)\{|\{(?:((?:secretsmanager|ssm):[^{}]+)|([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?)\})")
_ESCAPED = re.compile(r"\$\{(?!(?:secretsmanager|ssm):[^{}]+\})")


def interpolate(
    value: Any, environment: Mapping[str, str] = os.environ, stored: Callable[[str], str] | None = None
) -> Any:
    """Replace ``${NAME}`` and ``${NAME:-default}`` in all texts of ``value``; ``$${`` stands for ``${``.

    ``stored`` gives the secret that a reference names (:mod:`snowetl.references`); without it, references stay.
    Raises ``ValueError`` that names all variables that are not set.
    """
    missing: dict[str, None] = {}

    def replace(match: re.Match[str]) -> str:
        dollar, reference, name, default = match.groups()
        if dollar:
            return "${"
        if reference:
            return match[0] if stored is None else stored(reference)
        text: str | None = environment.get(name, default)
        if text is None:
            missing[name] = None
            return ""
        return text

    def walk(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: walk(inner) for key, inner in item.items()}
        if isinstance(item, (list, tuple)):
            return [walk(inner) for inner in item]
        return _VARIABLE.sub(replace, item) if isinstance(item, str) and "${" in item else item

    replaced = walk(value)
    if missing:
        names = " and ".join(missing)
        verb = f" {names} is" if len(missing) == 1 else f"s {names} are"
        raise ValueError(
            f"the environment variable{verb} not set. Set it, give a default (${{NAME:-default}}), or write $${{NAME}} "
            "for the text itself"
        )
    return replaced


def escape(value: Any) -> Any:
    """What :func:`interpolate` turns back into ``value``, whose references stay what they are."""
    if isinstance(value, dict):
        return {key: escape(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [escape(item) for item in value]
    return _ESCAPED.sub("$${", value) if isinstance(value, str) else value
