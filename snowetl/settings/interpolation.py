"""``${NAME}`` in configuration files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_VARIABLE = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})")


def interpolate(value: Any, environment: Mapping[str, str]) -> Any:
    """Replace ``${NAME}`` and ``${NAME:-default}`` in all strings of ``value``; ``$$`` stands for one ``$``.

    Raises ``ValueError`` for a variable that is not set.
    """
    if isinstance(value, dict):
        return {key: interpolate(item, environment) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [interpolate(item, environment) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        name, default = match.groups()
        if name is None:
            return "$"
        text: str | None = environment.get(name, default)
        if text is None:
            raise ValueError(f"the environment variable {name} is not set. Set it, or write ${{{name}:-default}}")
        return text

    return _VARIABLE.sub(replace, value)


def escape(value: Any) -> Any:
    """What :func:`interpolate` turns back into ``value``."""
    if isinstance(value, dict):
        return {key: escape(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [escape(item) for item in value]
    if isinstance(value, str) and _VARIABLE.search(value):
        return value.replace("$", "$$")
    return value
