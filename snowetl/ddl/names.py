"""Names of tables and columns made from schemas (schema-ddl 0.18.2 ``StringUtils``)."""

from __future__ import annotations

import re
from functools import lru_cache

from snowetl.model.schema import SchemaKey

_ACRONYM = re.compile(r"([A-Z]+)([A-Z][a-z])")
_HUMP = re.compile(r"([a-z0-9])([A-Z])")
_NOT_WORD = re.compile(r"[^A-Za-z0-9_]")


@lru_cache(maxsize=16384)
def snake_case(text: str) -> str:
    """``URLPath`` -> ``url_path``; hyphens become underscores; other characters stay."""
    return _HUMP.sub(r"\1_\2", _ACRONYM.sub(r"\1_\2", text)).replace("-", "_").lower()


def column_name(path: tuple[str, ...]) -> str:
    """Column of a property: the snake-cased names on its path, joined by dots; ``""`` for the root itself."""
    return ".".join(snake_case(name) for name in path)


def table_name(key: SchemaKey) -> str:
    """Table of a schema's model: ``com_acme_pascal_case_13``.

    The vendor is not snake-cased. Dots cannot stand in a table name, so here (unlike in schema-ddl, where such names
    give a table in another schema) they become underscores.
    """
    vendor = key.vendor.replace(".", "_").replace("-", "_").lower()
    return f"{vendor}_{snake_case(key.name).replace('.', '_')}_{key.version.model}"


def word(text: str) -> str:
    """``text`` in snake case with every other character than a letter, digit or underscore made an underscore."""
    return _NOT_WORD.sub("_", snake_case(text))
