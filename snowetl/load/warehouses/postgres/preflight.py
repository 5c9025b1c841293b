"""What a role lacks in a PostgreSQL database to load into it, each with the GRANT that gives it. Writes nothing."""

from __future__ import annotations

from typing import Any

from snowetl.ddl.names import quoted

_MINIMUM = 120000


def problems(connection: Any, schema: str) -> list[str]:
    """Remedies for everything a load would stumble over; empty when it can start."""
    version = connection.info.server_version
    if version < _MINIMUM:
        return [f"the server is PostgreSQL {version // 10000}; snowetl needs 12 or later"]
    role, database = connection.execute("SELECT current_user, current_database()").fetchone()
    found = []
    if connection.execute("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'").fetchone()[
        0
    ]:
        found.append("the database is read-only: it is a replica, or default_transaction_read_only is on")
    if connection.execute("SHOW server_encoding").fetchone()[0] != "UTF8":
        found.append("the database is not encoded in UTF8: make one with ENCODING 'UTF8' TEMPLATE template0")
    if not _has(connection, "has_database_privilege(current_database(), 'TEMPORARY')"):
        found.append(_grant(f"TEMPORARY ON DATABASE {quoted(database)}", role))
    if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]).fetchone() is None:
        if not _has(connection, "has_database_privilege(current_database(), 'CREATE')"):
            found.append(_grant(f"CREATE ON DATABASE {quoted(database)}", role))
        return found
    lacking = [
        right for right in ("USAGE", "CREATE") if not _has(connection, "has_schema_privilege(%s, %s)", schema, right)
    ]
    if lacking:
        found.append(_grant(f"{', '.join(lacking)} ON SCHEMA {schema}", role))
    return found + _table_problems(connection, schema, role)


def _table_problems(connection: Any, schema: str, role: str) -> list[str]:
    """Tables of ours must be written, those of models owned (to be altered) or at least written."""
    query = (
        "SELECT c.relname, pg_get_userbyid(c.relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND NOT has_table_privilege(c.oid, 'INSERT') "
        "AND (c.relname IN ('events', 'manifest', 'rejected_rows', 'rejected_values', 'bad_rows') "
        "OR obj_description(c.oid, 'pg_class') LIKE 'iglu:%%') ORDER BY 1"
    )
    names = [name for name, _ in connection.execute(query, [schema]).fetchall()]
    if not names:
        return []
    shown = names[0] + (f" and {len(names) - 1} more tables" if len(names) > 1 else "")
    grant = _grant(f"SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema}", role)
    return [f"{shown} cannot be written: {grant}; to let it alter tables, make it their owner: ALTER TABLE … OWNER TO"]


def _has(connection: Any, condition: str, *values: str) -> bool:
    return bool(connection.execute(f"SELECT {condition}", list(values) or None).fetchone()[0])


def _grant(what: str, role: str) -> str:
    return f"GRANT {what} TO {quoted(role)}"
