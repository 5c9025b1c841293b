"""Names of tables and columns made from schemas (schema-ddl 0.18.2 ``StringUtils``), and how they stay distinct.

Schema-ddl's names are kept wherever a warehouse can take them. A name of a table that is too long is cut, as the server
cuts it in any SQL. Where a name is taken, or a column's name is too long or the server's own, a hash of what it stands
for is appended to as much of it as fits.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from snowetl.model.schema import SchemaKey

_ACRONYM = re.compile(r"([A-Z]+)([A-Z][a-z])")
_HUMP = re.compile(r"([a-z0-9])([A-Z])")
_NOT_WORD = re.compile(r"[^A-Za-z0-9_]")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_HASH_DIGITS = 8
FAILED = "failed_"
"""What names of tables for failed events begin with."""


@lru_cache(maxsize=16384)
def snake_case(text: str) -> str:
    """``URLPath`` -> ``url_path``; hyphens become underscores; other characters stay."""
    return _HUMP.sub(r"\1_\2", _ACRONYM.sub(r"\1_\2", text)).replace("-", "_").lower()


def word(text: str) -> str:
    """``text`` in snake case with every other character than a letter, digit or underscore made an underscore."""
    return _NOT_WORD.sub("_", snake_case(text))


# --- columns --------------------------------------------------------------------------------------------------------


def column_name(path: tuple[str, ...]) -> str:
    """Column of a property: the snake-cased names on its path, joined by dots; ``""`` for the root itself."""
    return ".".join(snake_case(name) for name in path)


def column_names(paths: Iterable[tuple[str, ...]], limit: int, reserved: Collection[str]) -> list[str]:
    """Distinct column names of properties, at most ``limit`` bytes of UTF-8 each, none of them ``reserved``.

    A property keeps its :func:`column_name` if no one before it has that name; so later versions of a schema, which
    only append, never rename a column. A path that occurs twice gets two names.
    """
    names: list[str] = []
    taken = set(reserved)
    for path in paths:
        plain = _UNSTORABLE.sub("_", column_name(path))
        name, round_ = plain, 0
        while not name or name in taken or len(name.encode()) > limit:
            name = _hashed(plain, "\x00".join((*path, *(["\x01" * round_] if round_ else []))), limit)
            round_ += 1
        taken.add(name)
        names.append(name)
    return names


# --- tables ---------------------------------------------------------------------------------------------------------


def table_name(key: SchemaKey, limit: int | None = None) -> str:
    """Table of a schema's model: ``com_acme_pascal_case_13``; of a name longer than ``limit`` bytes, its beginning.

    So PostgreSQL and Redshift cut names, in Snowplow's loaders and in whatever reads the table. Two models may have
    one name then: :func:`choose_table` keeps them apart. The vendor is not snake-cased. Dots cannot stand in a table
    name, so here (unlike in schema-ddl, where such names give a table in another schema) they become underscores.
    """
    vendor = key.vendor.replace(".", "_").replace("-", "_").lower()
    name = f"{vendor}_{snake_case(key.name).replace('.', '_')}_{key.version.model}"
    return name if limit is None else name.encode()[:limit].decode("utf-8", "ignore")


def distinct_table_name(key: SchemaKey, limit: int) -> str:
    """A name no other model has: the plain one, cut to fit, and a hash of vendor, name and model."""
    return _hashed(table_name(key), f"{key.vendor}/{key.name}/{key.version.model}", limit)


def choose_table(key: SchemaKey, owners: Mapping[str, SchemaKey | None], limit: int) -> str:
    """The table for the rows of a schema's model.

    ``owners`` maps each table there is to the schema its comment names; ``None`` where it names none. The table that
    belongs to the model already wins; else it is :func:`table_name`, unless that belongs to another model.
    """
    for name in (table_name(key, limit), distinct_table_name(key, limit)):
        if name in owners and _same_model(owners[name], key):
            return name
    owned = sorted(table for table, owner in owners.items() if _same_model(owner, key))
    if owned:
        return owned[0]
    plain = table_name(key, limit)
    return distinct_table_name(key, limit) if owners.get(plain) is not None else plain


def failed_table(table: str) -> str:
    """The table that holds for failed events what ``table`` holds for good ones."""
    return f"{FAILED}{table}"


def is_failed_table(table: str, owner: SchemaKey, limit: int) -> bool:
    """Whether a table, whose comment names ``owner``, holds entities of failed events.

    The name alone does not tell: a vendor may be called ``failed``.
    """
    room = limit - len(FAILED)
    plain = table.removeprefix(FAILED)
    return table.startswith(FAILED) and plain in (table_name(owner, room), distinct_table_name(owner, room))


def _same_model(owner: SchemaKey | None, key: SchemaKey) -> bool:
    return owner is not None and (*owner[:3], owner.version.model) == (*key[:3], key.version.model)


def index_name(table: str, suffix: str, limit: int) -> str:
    """Name of an index of a table; tables with different names have different indexes."""
    name = f"{table}{suffix}"
    return name if len(name.encode()) <= limit else _hashed(table, table, limit - len(suffix)) + suffix


def _hashed(plain: str, stands_for: str, limit: int) -> str:
    digest = hashlib.sha256(stands_for.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]
    room = limit - _HASH_DIGITS - 1
    return f"{plain.encode()[:room].decode('utf-8', 'ignore')}_{digest}"


# --- SQL ------------------------------------------------------------------------------------------------------------


def quoted(name: str) -> str:
    """A name as SQL identifier: in double quotes, those inside it doubled."""
    return '"' + name.replace('"', '""') + '"'


def qualified(schema: str, table: str) -> str:
    """``schema.table`` as SQL takes it: the table in quotes unless it is a plain name (``"7signal_reading_1"``)."""
    return f"{schema}.{table if _PLAIN.fullmatch(table) else quoted(table)}"
