"""The first rows of a table of PostgreSQL: copied frozen, and its indexes built when they are in.

``COPY FREEZE`` writes rows as they are to stay, so that no later query or vacuum has to write them again; where the
server keeps no archive of its log (``wal_level=minimal``, as the embedded one), they are not logged either. An index
that is built at once takes a fraction of the time that it takes row by row. Both need a table that nobody uses yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from snowetl.ddl.names import quoted

_IS_OURS = """
SELECT c.oid, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relpersistence = 'p'
AND (c.relkind = 'p' OR c.relkind = 'r' AND NOT c.relhassubclass)
AND pg_has_role(c.relowner, 'USAGE') AND NOT c.relhastriggers AND NOT c.relrowsecurity
AND NOT EXISTS (SELECT FROM pg_publication_tables p WHERE p.schemaname = n.nspname AND p.tablename = c.relname)
"""
"""A table that we own, plain or of partitions, which no trigger, foreign key, child table, policy or replication looks
at."""
_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %s AND NOT i.indisunique AND NOT i.indisclustered AND NOT i.indisreplident AND i.indisvalid
AND c.reltablespace = 0 AND obj_description(c.oid, 'pg_class') IS NULL
AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
"""
"""Those that are the same when they are dropped and made again."""


@contextmanager
def first_rows(connection: Any, schema: str, table: str, part: str | None = None) -> Iterator[bool]:
    """Whether rows may be copied with ``FREEZE``: ``table`` is empty, and ours alone until the transaction ends.
    ``part`` is its partition, where it has partitions, to be copied into instead.

    Its indexes are made again when this is left, in the same transaction: with an error all is as before. To be used
    in the (sub)transaction that copies, because ``FREEZE`` asks for a table that is truncated in that very one.
    """
    indexes = _prepared(connection, schema, table, part)
    yield indexes is not None
    for definition in indexes or ():
        connection.execute(definition)


def _prepared(connection: Any, schema: str, table: str, part: str | None) -> list[str] | None:
    """Definitions of the indexes that were dropped; ``None``: the table is taken as it is."""
    name = f"{schema}.{quoted(table)}"
    found = _ours(connection, schema, table, b"r" if part is None else b"p")
    if part is not None and _ours(connection, schema, part, b"r") is None:
        return None
    if found is None or not _is_empty(connection, name) or not _is_locked(connection, name):
        return None
    if not _is_empty(connection, name):
        return None
    indexes = connection.execute(_INDEXES, [found]).fetchall()
    for index, _ in indexes:
        connection.execute(f"DROP INDEX {index}")
    connection.execute(f"TRUNCATE ONLY {schema}.{quoted(part or table)}")
    return [definition.replace(" ON ONLY ", " ON ", 1) for _, definition in indexes]


def _ours(connection: Any, schema: str, table: str, kind: bytes) -> int | None:
    """The number of a table that is ours alone to change, and of a kind."""
    found = connection.execute(_IS_OURS, [schema, table]).fetchone()
    return None if found is None or found[1] not in (kind, kind.decode()) else int(found[0])


def _is_empty(connection: Any, name: str) -> bool:
    return bool(connection.execute(f"SELECT EXISTS (SELECT FROM {name})").fetchone() == (False,))


def _is_locked(connection: Any, name: str) -> bool:
    """Lock the table against readers, too; one that somebody reads just now is not waited for."""
    from psycopg import errors

    try:
        with connection.transaction():
            connection.execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE NOWAIT")
    except (errors.LockNotAvailable, errors.InsufficientPrivilege):
        return False
    return True
