"""How the versions of a model share tables: all in one, or, as RDB Loader 6 has it, those that break it in their own.

Versions are merged in the order of publishing. One that cannot be merged with those before it has a recovery table,
``<table>_<revision>_<addition>_recovered_<hash>``; later ones are merged with what was merged so far. So a version that
is published later never changes where the rows of an earlier one go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from snowetl.ddl import postgres_recovery, recovery
from snowetl.ddl.flat import Path
from snowetl.ddl.names import distinct_table_name, index_name, table_name
from snowetl.ddl.schema import Schema
from snowetl.ddl.tables import Column
from snowetl.errors import ConfigError
from snowetl.model.schema import SchemaCriterion, SchemaKey

Version = tuple[SchemaKey, Schema]

ALL, MERGED = "", "merged"
"""Which versions of a model rows are of: all, or those that are merged. Any other text is one version (``1-0-1``)."""
_RECOVERED = re.compile(r"_\d+_\d+_recovered_\d+$")
_RULES: Mapping[str, Callable[[Sequence[Version]], dict[SchemaKey, str]]] = {
    "redshift": recovery.breaking,
    "postgres": postgres_recovery.breaking,
}
"""By the warehouse that rows are made for: versions with a table of their own, and how its name ends."""


class Family(NamedTuple):
    """The versions of a model by their tables: ``merged`` share one, ``recovered`` have one each (the name's end)."""

    merged: list[Version]
    recovered: Mapping[SchemaKey, str]


def family(versions: Sequence[Version], rows_for: str) -> Family:
    """How the versions (in publishing order, at least one) share tables. ``rows_for`` is ``redshift`` or ``postgres``:
    the warehouse whose types decide."""
    recovered = _RULES[rows_for](versions)
    return Family([version for version in versions if version[0] not in recovered], recovered)


@dataclass(frozen=True, slots=True)
class Recovery:
    """Whether versions that break their model's table have recovery tables. ``disabled`` are schemas that have none."""

    tables: bool = False
    disabled: tuple[SchemaCriterion, ...] = ()

    @classmethod
    def parse(cls, tables: bool, disabled: Sequence[str]) -> Recovery:
        """Raises :class:`ConfigError` for a text that is not a schema criterion."""
        criteria = []
        for text in disabled:
            try:
                criteria.append(SchemaCriterion.parse(text))
            except ValueError:
                raise ConfigError(
                    f"--disable-recovery {text!r} is not a schema criterion such as "
                    "iglu:com.acme/event/jsonschema/1-*-*"
                ) from None
        return cls(tables, tuple(criteria))

    def is_for(self, key: SchemaKey) -> bool:
        """Whether it is for a schema's model: revision and addition of the criteria do not count."""
        model = (key.vendor, key.name, key.version.model)
        return self.tables and not any(
            model[:2] == (each.vendor, each.name) and each.model in (None, model[2]) for each in self.disabled
        )


def merged_columns(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Columns as RDB Loader 6 has them: one for each property, also for one that was gone for some versions, and none
    with the encoding of Redshift that keeps it from being widened."""
    own: dict[Path, Column] = {}
    for column in columns:
        own.setdefault(column.path or (column.name,), column)
    return tuple(
        column._replace(encoding="ZSTD") if column.encoding == "TEXT255" else column for column in own.values()
    )


def recovery_table(table: str, end: str, limit: int) -> str:
    """The recovery table of a version, where ``table`` is its model's: cut, with a hash, to ``limit`` bytes."""
    return index_name(table, end, limit)


def is_recovery_table(table: str, owner: SchemaKey, limit: int) -> bool:
    """Whether a table, whose comment names ``owner``, holds the rows of that version alone.

    The name alone does not tell: a schema may be called ``x_0_1_recovered``.
    """
    own = (table_name(owner, limit), distinct_table_name(owner, limit))
    return _RECOVERED.search(table) is not None and table not in own
