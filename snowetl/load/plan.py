"""Which statements bring a warehouse's tables to what a run's rows need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from snowetl.ddl import flat
from snowetl.ddl.names import table_name
from snowetl.ddl.schema import Schema
from snowetl.errors import SnowetlError
from snowetl.load.run import Model
from snowetl.model.schema import ParseError, SchemaKey


class LoadError(SnowetlError):
    """A run that cannot be loaded; nothing of it is in the warehouse.

    ``transient`` says that the same load may succeed later (a lost connection, a busy server).
    """

    def __init__(self, message: str, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class Version(NamedTuple):
    key: SchemaKey
    schema: Schema


class ModelSchemas(Protocol):
    """Where the versions of a model come from, in publishing order. Raises :class:`LoadError` where there are none."""

    def versions(self, vendor: str, name: str, model: int) -> list[Version]: ...


class Migration(NamedTuple):
    """``before`` runs outside a transaction where the warehouse wants it so, ``inside`` in the load's own."""

    before: list[str]
    inside: list[str]


class Dialect(Protocol):
    """The statements of one warehouse about entity tables."""

    max_identifier: int
    """Longest name of a table or column, in bytes; longer ones are cut there, as the warehouse does."""

    def create_entity(self, schema: str, table: str, versions: Sequence[Schema], key: SchemaKey) -> list[str]:
        """Make a table for all ``versions`` of a model, the last of which is ``key``."""
        ...

    def migrate_entity(
        self, schema: str, table: str, key: SchemaKey, versions: Sequence[Schema], current: int
    ) -> Migration:
        """Bring a table that stands at the version at place ``current`` of ``versions`` to the last, ``key``."""
        ...


@dataclass(frozen=True, slots=True)
class TablePlan:
    """One entity table: what must happen to it, and the names of its property columns in the order of the rows."""

    model: Model
    table: str
    properties: tuple[str, ...]
    before: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    change: str | None = None


def plan_table(
    dialect: Dialect, versions: Sequence[Version], schema: str, model: Model, comments: Mapping[str, str | None]
) -> TablePlan:
    """The plan for one model. ``comments`` are those of the tables there are: the schema URI each was brought to.

    Raises :class:`LoadError` where the table cannot be brought to the versions known now.
    """
    latest = versions[-1].key
    table = identifier(table_name(latest), dialect.max_identifier)
    bodies = [version.schema for version in versions]
    leaves = [leaf for leaf in flat.ordered(bodies) if leaf.path]
    names = tuple(identifier(leaf.name, dialect.max_identifier) for leaf in leaves)
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise LoadError(
            f"{schema}.{table} cannot be made: versions of {model.vendor}/{model.name} give the column "
            f"{', '.join(twice)} twice; rename the property in the schema"
        )
    if table not in comments:
        return TablePlan(
            model, table, names, (), tuple(dialect.create_entity(schema, table, bodies, latest)), "created"
        )
    current = _current(schema, table, comments[table])
    if current == latest:
        return TablePlan(model, table, names)
    known = [version.key for version in versions]
    if current not in known:
        raise LoadError(
            f"{schema}.{table} stands at {current}, which the registry does not list "
            f"({', '.join(str(key.version) for key in known)}); publish that version, or correct the table's comment"
        )
    migration = dialect.migrate_entity(schema, table, latest, bodies, known.index(current))
    change = f"migrated to {latest.version}"
    return TablePlan(model, table, names, tuple(migration.before), tuple(migration.inside), change)


def identifier(name: str, max_bytes: int) -> str:
    """``name`` as the warehouse keeps it: cut to ``max_bytes`` UTF-8 bytes."""
    raw = name.encode("utf-8")
    return name if len(raw) <= max_bytes else raw[:max_bytes].decode("utf-8", "ignore")


def _current(schema: str, table: str, comment: str | None) -> SchemaKey:
    try:
        return SchemaKey.parse(comment or "")
    except ParseError:
        raise LoadError(
            f"{schema}.{table} is there, but its comment ({comment!r}) is no schema URI, so its version is unknown; "
            f"set it: COMMENT ON TABLE {schema}.{table} IS 'iglu:VENDOR/NAME/jsonschema/VERSION'"
        ) from None
